//! The archive that `backup` writes and `restore` reads, the same from both stores, so that what one kind of store saved
//! another can take up. All values are as in the tables: sealed, hashed or counts.
//!
//! A file is `Keepwell archive\n`, the format of the tables (u32), then rows, then the end. A row is the tag of its table
//! (u8, never 0), the length of what follows (u32) and its values in the order of [`TABLES`]; a value is 0 for none, 1 and
//! an i64, 2 or 3 and a length (u32) with so many bytes (3: of text). All rows of a table stand together, the tables in
//! their order; the order of rows within a table means nothing. The end is tag 0, length 8, the number of rows (u64), and
//! SHA-256 over everything before it. Numbers are big endian.

use std::fs::File;
use std::io::{BufReader, BufWriter, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};

use crate::RecordError;

const MAGIC: &[u8; 17] = b"Keepwell archive\n";
/// The format of the tables below: the number of migrations of each store.
pub(crate) const FORMAT: u32 = 1;
/// No row is longer.
const LONGEST: u32 = 1 << 30;

/// What a column holds. SQLite keeps the first three as integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Number,
    Small,
    Flag,
    Bytes,
    Text,
}

/// A table as the archive has it.
#[derive(Debug)]
pub(crate) struct Table {
    tag: u8,
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [(&'static str, Kind)],
}

impl Table {
    /// The names of its columns for a statement.
    pub(crate) fn column_list(&self) -> String {
        self.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    }
}

use Kind::{Bytes, Flag, Number, Small, Text};

/// Every table of a store, except the one that says which migrations it has seen.
pub(crate) const TABLES: &[Table] = &[
    Table {
        tag: 1,
        name: "tenant",
        columns: &[
            ("tenant", Number),
            ("name", Text),
            ("wrapped", Bytes),
            ("log_size", Number),
            ("checkpoint_size", Number),
            ("checkpoint", Bytes),
        ],
    },
    Table {
        tag: 2,
        name: "record",
        columns: &[
            ("record", Bytes),
            ("tenant", Number),
            ("wrapped", Bytes),
            ("care_seq", Number),
            ("care_hash", Bytes),
            ("care_next", Number),
            ("care_tag", Bytes),
            ("access_seq", Number),
            ("access_hash", Bytes),
            ("access_next", Number),
            ("access_tag", Bytes),
            ("merged", Bytes),
            ("merged_tag", Bytes),
            ("erased", Flag),
        ],
    },
    Table {
        tag: 3,
        name: "block",
        columns: &[("record", Bytes), ("stream", Small), ("seq", Number), ("block", Bytes)],
    },
    Table {
        tag: 4,
        name: "snapshot",
        columns: &[("record", Bytes), ("stream", Small), ("part", Number), ("bytes", Bytes)],
    },
    Table { tag: 5, name: "alias", columns: &[("tenant", Number), ("idx", Bytes), ("record", Bytes), ("tag", Bytes)] },
    Table {
        tag: 6,
        name: "idempotency",
        columns: &[("tenant", Number), ("idx", Bytes), ("forget_after", Number), ("blocks", Bytes)],
    },
    Table { tag: 7, name: "erasure", columns: &[("record", Bytes), ("tenant", Number), ("stub", Bytes)] },
    Table {
        tag: 8,
        name: "log_pending",
        columns: &[
            ("row", Number),
            ("tenant", Number),
            ("record", Bytes),
            ("stream", Small),
            ("seq", Number),
            ("hash", Bytes),
        ],
    },
    Table {
        tag: 9,
        name: "log_leaf",
        columns: &[("record", Bytes), ("stream", Small), ("seq", Number), ("leaf", Number)],
    },
    Table {
        tag: 10,
        name: "log_tile",
        columns: &[("tenant", Number), ("level", Small), ("number", Number), ("bytes", Bytes)],
    },
    Table {
        tag: 11,
        name: "side",
        columns: &[("tenant", Number), ("side", Small), ("key", Bytes), ("value", Bytes), ("expires", Number)],
    },
];

/// One value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Number(i64),
    Bytes(Vec<u8>),
    Text(String),
}

/// A row with the table it belongs to.
pub(crate) type TableRow = (&'static Table, Vec<Value>);

fn io_error(what: &str, path: &Path, error: &std::io::Error) -> RecordError {
    match error.kind() {
        ErrorKind::StorageFull => RecordError::Full,
        ErrorKind::ReadOnlyFilesystem => RecordError::ReadOnly,
        _ => RecordError::Store(format!("{} cannot be {what}: {error}", path.display())),
    }
}

fn damaged(why: &str) -> RecordError {
    RecordError::DamagedStore { what: "archive", why: why.to_owned() }
}

/// Writes an archive. The file has its name only once it is whole and on disk.
pub(crate) struct Writer {
    file: BufWriter<File>,
    sum: Context,
    rows: u64,
    row: Vec<u8>,
    to: PathBuf,
    partial: PathBuf,
}

impl Writer {
    pub(crate) fn create(to: &Path) -> Result<Self, RecordError> {
        if to.exists() {
            return Err(RecordError::Store(format!("{} is there already; give the name of a new file", to.display())));
        }
        let mut partial = to.as_os_str().to_owned();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let file = open_private(&partial).map_err(|error| io_error("written", &partial, &error))?;
        let mut writer = Self {
            file: BufWriter::with_capacity(1 << 20, file),
            sum: Context::new(&SHA256),
            rows: 0,
            row: Vec::new(),
            to: to.to_owned(),
            partial,
        };
        writer.put(MAGIC)?;
        writer.put(&FORMAT.to_be_bytes())?;
        Ok(writer)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), RecordError> {
        self.sum.update(bytes);
        self.file.write_all(bytes).map_err(|error| io_error("written", &self.partial, &error))
    }

    /// Adds a row; its values stand in the order of the table's columns.
    pub(crate) fn row(&mut self, table: &Table, values: &[Value]) -> Result<(), RecordError> {
        let mut row = std::mem::take(&mut self.row);
        row.clear();
        row.extend_from_slice(&[table.tag, 0, 0, 0, 0]);
        for value in values {
            put_value(&mut row, value);
        }
        let len = u32::try_from(row.len() - 5).ok().filter(|len| *len <= LONGEST);
        let len = len.ok_or_else(|| damaged("a row is too long for it"))?;
        row[1..5].copy_from_slice(&len.to_be_bytes());
        self.put(&row)?;
        self.row = row;
        self.rows += 1;
        Ok(())
    }

    /// Writes the end, waits for the disk, and gives the file its name.
    pub(crate) fn finish(mut self) -> Result<(), RecordError> {
        let mut end = vec![0];
        end.extend_from_slice(&8u32.to_be_bytes());
        end.extend_from_slice(&self.rows.to_be_bytes());
        self.put(&end)?;
        let sum = self.sum.clone().finish();
        let named = self
            .file
            .write_all(sum.as_ref())
            .and_then(|()| self.file.flush())
            .and_then(|()| self.file.get_ref().sync_all())
            .and_then(|()| std::fs::rename(&self.partial, &self.to))
            .and_then(|()| sync_folder(&self.to));
        named.map_err(|error| io_error("written", &self.to, &error))
    }
}

impl Drop for Writer {
    /// Leaves no half a file behind. Of a finished one, the partial name is gone already.
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.partial));
    }
}

fn open_private(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes the new name itself durable.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    File::open(folder)?.sync_all()
}

fn put_value(row: &mut Vec<u8>, value: &Value) {
    let mut put = |kind: u8, bytes: &[u8]| {
        row.push(kind);
        row.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
        row.extend_from_slice(bytes);
    };
    match value {
        Value::Bytes(bytes) => put(2, bytes),
        Value::Text(text) => put(3, text.as_bytes()),
        Value::Null => row.push(0),
        Value::Number(number) => {
            row.push(1);
            row.extend_from_slice(&number.to_be_bytes());
        }
    }
}

/// Reads an archive. The sum at its end is checked when the end is reached, so nothing that was read may be kept before
/// [`Reader::next`] has answered `None`.
pub(crate) struct Reader {
    file: BufReader<File>,
    sum: Context,
    rows: u64,
    from: PathBuf,
    at: usize,
}

impl Reader {
    pub(crate) fn open(from: &Path) -> Result<Self, RecordError> {
        let file = File::open(from).map_err(|error| io_error("read", from, &error))?;
        let file = BufReader::with_capacity(1 << 20, file);
        let mut reader = Self { file, sum: Context::new(&SHA256), rows: 0, from: from.to_owned(), at: 0 };
        let mut magic = [0; MAGIC.len()];
        reader.fill(&mut magic)?;
        if magic != *MAGIC {
            return Err(damaged("it does not begin as an archive of Keepwell does"));
        }
        let mut format = [0; 4];
        reader.fill(&mut format)?;
        match u32::from_be_bytes(format) {
            FORMAT => Ok(reader),
            other => Err(RecordError::Migration(format!(
                "the archive has format {other}; this program reads {FORMAT}. Restore it with the keepwell that wrote it, \
                 then run `keepwell migrate` with this one"
            ))),
        }
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), RecordError> {
        self.read(bytes)?;
        self.sum.update(bytes);
        Ok(())
    }

    fn read(&mut self, bytes: &mut [u8]) -> Result<(), RecordError> {
        self.file.read_exact(bytes).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => damaged("it ends too early"),
            _ => io_error("read", &self.from, &error),
        })
    }

    /// The next row; `None` at the end of an archive that is whole.
    pub(crate) fn next(&mut self) -> Result<Option<TableRow>, RecordError> {
        let mut head = [0; 5];
        self.fill(&mut head)?;
        let [tag, len @ ..] = head;
        let len = u32::from_be_bytes(len);
        if len > LONGEST {
            return Err(damaged("a length in it is impossible"));
        }
        // Grows as the bytes come: a wrong length must not take memory that the file does not fill.
        let mut row = Vec::new();
        let taken = (&mut self.file).take(u64::from(len)).read_to_end(&mut row);
        taken.map_err(|error| io_error("read", &self.from, &error))?;
        if row.len() != len as usize {
            return Err(damaged("it ends too early"));
        }
        self.sum.update(&row);
        if tag == 0 {
            return self.end(&row);
        }
        let found = TABLES.iter().position(|table| table.tag == tag).filter(|at| *at >= self.at);
        self.at = found.ok_or_else(|| damaged("a table in it is unknown or out of its place"))?;
        self.rows += 1;
        let table = &TABLES[self.at];
        let values = values(table, &row).ok_or_else(|| damaged("a row in it does not fit its table"))?;
        Ok(Some((table, values)))
    }

    fn end(&mut self, row: &[u8]) -> Result<Option<TableRow>, RecordError> {
        if row != self.rows.to_be_bytes() {
            return Err(damaged("rows are missing from it"));
        }
        let sum = self.sum.clone().finish();
        let mut written = [0; 32];
        self.read(&mut written)?;
        if sum.as_ref() != written {
            return Err(damaged("its checksum does not hold"));
        }
        if self.file.read(&mut [0]).map_err(|error| io_error("read", &self.from, &error))? != 0 {
            return Err(damaged("something follows its end"));
        }
        Ok(None)
    }
}

fn values(table: &Table, mut row: &[u8]) -> Option<Vec<Value>> {
    let mut values = Vec::with_capacity(table.columns.len());
    for (_, kind) in table.columns {
        let (&code, rest) = row.split_first()?;
        row = rest;
        let value = match (code, kind) {
            (0, _) => Value::Null,
            (1, Number | Small | Flag) => {
                let (number, rest) = row.split_first_chunk()?;
                row = rest;
                Value::Number(i64::from_be_bytes(*number))
            }
            (2, Bytes) => Value::Bytes(counted(&mut row)?.to_vec()),
            (3, Text) => Value::Text(std::str::from_utf8(counted(&mut row)?).ok()?.to_owned()),
            _ => return None,
        };
        values.push(value);
    }
    row.is_empty().then_some(values)
}

fn counted<'a>(row: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (len, rest) = row.split_first_chunk()?;
    let (bytes, rest) = rest.split_at_checked(u32::from_be_bytes(*len) as usize)?;
    *row = rest;
    Some(bytes)
}

/// Refuses to restore into a store that holds something.
pub(crate) fn not_empty() -> RecordError {
    RecordError::InUse("the store is not empty; an archive is restored into a new one".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(to: &Path) -> Vec<TableRow> {
        let rows = vec![
            (
                &TABLES[0],
                vec![
                    Value::Number(1),
                    Value::Text("Leeds é".into()),
                    Value::Bytes(vec![0, 255]),
                    Value::Number(-3),
                    Value::Number(i64::MAX),
                    Value::Null,
                ],
            ),
            (&TABLES[2], vec![Value::Bytes(vec![7; 10]), Value::Number(0), Value::Number(1), Value::Bytes(vec![])]),
        ];
        let mut writer = Writer::create(to).unwrap();
        for (table, values) in &rows {
            writer.row(table, values).unwrap();
        }
        writer.finish().unwrap();
        rows
    }

    fn read(from: &Path) -> Result<Vec<(&'static str, Vec<Value>)>, RecordError> {
        let mut reader = Reader::open(from)?;
        let mut rows = Vec::new();
        while let Some((table, values)) = reader.next()? {
            rows.push((table.name, values));
        }
        Ok(rows)
    }

    #[test]
    fn an_archive_reads_back_as_it_was_written_and_never_over_another_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.keepwell");
        let rows: Vec<_> = sample(&file).into_iter().map(|(table, values)| (table.name, values)).collect();
        assert_eq!(read(&file).unwrap(), rows);
        assert!(matches!(Writer::create(&file), Err(RecordError::Store(_))));
        assert_eq!(read(&file).unwrap(), rows);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no partial file stays");
    }

    #[test]
    fn every_flipped_bit_and_every_cut_of_an_archive_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.keepwell");
        sample(&file);
        let whole = std::fs::read(&file).unwrap();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at % 8);
            std::fs::write(&file, &bytes).unwrap();
            assert!(read(&file).is_err(), "a flip at {at}");
            std::fs::write(&file, &whole[..at]).unwrap();
            assert!(read(&file).is_err(), "a cut at {at}");
        }
        std::fs::write(&file, [&whole[..], b"x"].concat()).unwrap();
        assert!(read(&file).is_err());
    }

    #[test]
    fn an_abandoned_archive_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        drop(Writer::create(&folder.path().join("a")).unwrap());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
