//! A sum of every page of the database, in a file beside it, and a mark of how far the write-ahead log reached. SQLite
//! keeps no checksums of pages: a flipped bit in a key, in unused space or in a header would pass. With the sums, every
//! flipped bit is found by a check, and with the mark no committed transaction can vanish from the log unnoticed.
//!
//! Sums are taken from the log, whose own checksums are verified on the way, and are on disk before the log may start
//! over: as long as the sum of a page is not settled, the log still has the page. So checkpoints are made here and nowhere
//! else.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;
use rusqlite::Connection;

use super::store_error;
use super::wal::{Position, Salts, Wal};
use crate::RecordError;

const MAGIC: &[u8; 8] = b"KWpages1";
/// `magic (8) ‖ page size (4) ‖ zero (4) ‖ mark: salts (8), frames (4), sum (8) ‖ zero`.
const HEADER: usize = 64;
const MARK: u64 = 16;
/// A checkpoint is tried each time the log has grown by so many frames.
const CHECKPOINT_EVERY: u32 = 4_000;
/// Pages read between two chances for the writer.
const CHUNK: u32 = 256;
/// No check answers more lines than this.
const MOST_LINES: usize = 50;

/// The sum of a page that was made from a damaged one: no content fits it, so every check names the page.
const NEVER: u64 = u64::MAX;

/// Sums and mark of one database file.
pub(super) struct PageSums {
    database: PathBuf,
    log: PathBuf,
    path: PathBuf,
    file: File,
    page_size: u32,
    /// Pages that a checkpoint has begun to write and not finished: old and new content are both good.
    unsettled: HashSet<u32>,
    mark: (Salts, u32),
    /// How far the log was taken into the sums, and how long it was when a checkpoint was last tried.
    settled: Option<Position>,
    tried: u32,
    /// Sums of a finished checkpoint that could not be written, on a full disk say: the log may not start over before.
    owed: Option<Newest>,
    /// Set once the log is found damaged: nothing may be built on it.
    broken: Option<String>,
}

/// The newest version of each page in a stretch of the log.
struct Newest {
    sums: BTreeMap<u32, u64>,
    /// Pages of the database after it; 0 if it has no commit.
    pages: u32,
    end: Option<Position>,
}

/// Whether the log must be empty afterwards, waiting for readers if need be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Checkpoint {
    /// As far as it goes without waiting.
    Passive,
    /// All of it; the log file is cut to nothing.
    Truncate,
}

fn failed(error: &io::Error) -> RecordError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => RecordError::Full,
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => RecordError::ReadOnly,
        _ => RecordError::Store(format!("the page sums: {error}")),
    }
}

fn beside(database: &Path, ending: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// The first eight bytes of a SHA-256; never 0, which stands for "not known", and never [`NEVER`].
fn sum(bytes: &[u8]) -> u64 {
    let digest = digest::digest(&digest::SHA256, bytes);
    u64::from_be_bytes(digest.as_ref()[..8].try_into().expect("a digest has 32 bytes")).clamp(1, NEVER - 1)
}

fn mark_bytes((salts, frames): (Salts, u32)) -> [u8; 20] {
    let mut bytes = [0u8; 20];
    bytes[..8].copy_from_slice(&salts);
    bytes[8..12].copy_from_slice(&frames.to_be_bytes());
    let check = sum(&bytes[..12]);
    bytes[12..].copy_from_slice(&check.to_be_bytes());
    bytes
}

impl PageSums {
    /// Opens the sums of a database, or starts with none, and compares the log with its mark. Call it before SQLite opens
    /// the database, since that is when SQLite drops what it cannot read of the log.
    pub(super) fn open(database: &Path) -> Result<Self, RecordError> {
        let path = beside(database, ".sums");
        let open = || {
            let mut file = File::options().read(true).write(true).create(true).truncate(false).open(&path)?;
            let mut header = Vec::new();
            (&mut file).take(HEADER as u64).read_to_end(&mut header)?;
            Ok((file, header))
        };
        let (file, header) = open().map_err(|error| failed(&error))?;
        let mut sums = Self {
            database: database.to_owned(),
            log: beside(database, "-wal"),
            path,
            file,
            page_size: 0,
            unsettled: HashSet::new(),
            mark: Default::default(),
            settled: None,
            tried: 0,
            owed: None,
            broken: None,
        };
        if header.len() == HEADER && header[..8] == *MAGIC {
            sums.page_size = u32::from_be_bytes(header[8..12].try_into().expect("four bytes"));
            let salts = header[16..24].try_into().expect("eight bytes");
            let mark = (salts, u32::from_be_bytes(header[24..28].try_into().expect("four bytes")));
            if mark_bytes(mark) == header[16..36] {
                sums.mark = mark;
            } else {
                tracing::warn!("the mark of the write-ahead log is damaged; the log is taken as it is");
            }
        } else {
            sums.begin().map_err(|error| failed(&error))?;
        }
        sums.inspect()?;
        Ok(sums)
    }

    fn begin(&mut self) -> io::Result<()> {
        let mut header = [0u8; HEADER];
        header[..8].copy_from_slice(MAGIC);
        header[16..36].copy_from_slice(&mark_bytes(self.mark));
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&header)?;
        self.file.sync_all()
    }

    /// Refuses a log that is shorter than it was.
    fn inspect(&self) -> Result<(), RecordError> {
        let (salts, frames) = self.mark;
        let lost = |found: u32| {
            let why = format!(
                "of {frames} pages that were written to it and acknowledged, {found} can be read. Nothing was changed. \
                 Copy the database files away, then restore a backup; to go on without what is lost, delete {}",
                self.path.display()
            );
            Err(RecordError::DamagedStore { what: "write-ahead log", why })
        };
        let Some(mut wal) = Wal::open(&self.log).map_err(|error| failed(&error))? else {
            return if frames == 0 { Ok(()) } else { lost(0) };
        };
        if frames > 0 && wal.start().salts != salts {
            return lost(0);
        }
        let mut committed = 0;
        let (mut at, start) = (0, wal.start());
        let end = wal.follow(start, u32::MAX, |frame| {
            at += 1;
            if frame.commit != 0 {
                committed = at;
            }
        });
        let end = end.map_err(|error| failed(&error))?;
        if committed < frames && wal.start().salts == salts {
            return lost(committed);
        }
        if wal.goes_on_behind(end).map_err(|error| failed(&error))? {
            let why = format!("page {} of it is damaged and finished transactions lie behind it", end.frames + 1);
            return Err(RecordError::DamagedStore { what: "write-ahead log", why });
        }
        Ok(())
    }

    /// To be called before each transaction: why nothing may be written now, if so.
    pub(super) fn before_transaction(&mut self) -> Result<(), RecordError> {
        if let Some(why) = self.broken.clone() {
            return Err(RecordError::DamagedStore { what: "write-ahead log", why });
        }
        self.settle().map_err(|error| failed(&error))
    }

    /// To be called after each transaction: notes how far the log reaches, and checkpoints when it is long.
    pub(super) fn after_transaction(&mut self, connection: &Connection) -> Result<(), RecordError> {
        let frames = self.note(connection)?;
        if frames < self.tried {
            self.tried = 0;
        }
        if frames - self.tried < CHECKPOINT_EVERY {
            return Ok(());
        }
        self.tried = frames;
        self.checkpoint(connection, Checkpoint::Passive)
    }

    /// Writes the mark. It is not synced: it must outlive the process, and after a loss of power an older one still holds.
    fn note(&mut self, connection: &Connection) -> Result<u32, RecordError> {
        let (_, frames, _) = pragma(connection, "NOOP")?;
        // The log has started over, or has begun: it has other salts now.
        let salts = if self.mark.1 > 0 && frames >= self.mark.1 {
            self.mark.0
        } else {
            let wal = Wal::open(&self.log).map_err(|error| failed(&error))?;
            wal.map_or(self.mark.0, |wal| wal.start().salts)
        };
        self.put_mark((salts, frames)).map_err(|error| failed(&error))?;
        Ok(frames)
    }

    fn put_mark(&mut self, mark: (Salts, u32)) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(MARK))?;
        self.file.write_all(&mark_bytes(mark))?;
        self.mark = mark;
        Ok(())
    }

    /// Moves what is in the log into the database file when the store is opened. What was damaged in the pages that the
    /// log has is mended by that, for these pages were written by an earlier process from good ones.
    pub(super) fn recover(&mut self, connection: &Connection) -> Result<(), RecordError> {
        self.move_log(connection, Checkpoint::Passive, false)
    }

    /// Moves what is in the log into the database file, as far as readers allow, and takes its sums.
    pub(super) fn checkpoint(&mut self, connection: &Connection, how: Checkpoint) -> Result<(), RecordError> {
        self.move_log(connection, how, true)
    }

    fn move_log(&mut self, connection: &Connection, how: Checkpoint, compare: bool) -> Result<(), RecordError> {
        self.before_transaction()?;
        let (_, frames, _) = pragma(connection, "NOOP")?;
        if frames == 0 && self.mark.1 == 0 && self.page_size > 0 {
            return Ok(());
        }
        let mut newest = self.read_log(frames).map_err(|error| failed(&error))?;
        if newest.end.map_or(0, |end| end.frames) < frames {
            let why = "a page in it does not fit its checksum; the store takes no more writes".to_owned();
            tracing::error!("the write-ahead log is damaged: {why}");
            self.broken = Some(why.clone());
            return Err(RecordError::DamagedStore { what: "write-ahead log", why });
        }
        if compare {
            self.compare_before(&mut newest).map_err(|error| failed(&error))?;
        }
        self.unsettled.extend(newest.sums.keys());
        let (busy, log, moved) = pragma(connection, if how == Checkpoint::Truncate { "FULL" } else { "PASSIVE" })?;
        if busy || log != moved {
            return Ok(());
        }
        self.owed = Some(newest);
        self.settle().map_err(|error| failed(&error))?;
        if how == Checkpoint::Truncate {
            // Nothing is left to move, so this only cuts the file. A reader in the way leaves it for the next time.
            pragma(connection, "TRUNCATE")?;
        }
        Ok(())
    }

    /// Looks at each page that is about to be written over: if it does not fit its sum, what is written now may have been
    /// made from damaged content, and must not get a sum that says that all is well.
    fn compare_before(&mut self, newest: &mut Newest) -> io::Result<()> {
        if self.page_size == 0 {
            return Ok(());
        }
        let mut database = File::open(&self.database)?;
        let mut content = vec![0; self.page_size as usize];
        let mut known = [0u8; 8];
        let (pages, sums) = (database.metadata()?.len() / u64::from(self.page_size), self.file.metadata()?.len());
        for (&page, new) in &mut newest.sums {
            if u64::from(page) > pages || place(page + 1) > sums {
                break;
            }
            self.file.seek(SeekFrom::Start(place(page)))?;
            self.file.read_exact(&mut known)?;
            database.seek(SeekFrom::Start(u64::from(page - 1) * u64::from(self.page_size)))?;
            database.read_exact(&mut content)?;
            let (known, now) = (u64::from_be_bytes(known), sum(&content));
            if known != 0 && known != now && now != *new && !self.is_in_log(page, &content)? {
                tracing::error!(page, "a page of the database file was damaged when it was written again");
                *new = NEVER;
            }
        }
        Ok(())
    }

    /// Whether the log has this version of a page: then a checkpoint that did not finish has written it.
    fn is_in_log(&self, page: u32, content: &[u8]) -> io::Result<bool> {
        let Some(mut wal) = Wal::open(&self.log)? else { return Ok(false) };
        let (start, mut found) = (wal.start(), false);
        wal.follow(start, u32::MAX, |frame| found |= frame.page == page && frame.data == content)?;
        Ok(found)
    }

    /// Reads what the last finished checkpoint did not have yet, up to a frame.
    fn read_log(&self, frames: u32) -> io::Result<Newest> {
        let mut newest = Newest { sums: BTreeMap::new(), pages: 0, end: None };
        let Some(mut wal) = Wal::open(&self.log)? else { return Ok(newest) };
        let known = self.settled.filter(|known| known.salts == wal.start().salts && known.frames <= frames);
        let start = known.unwrap_or(wal.start());
        let (mut at, mut last) = (start.frames, BTreeMap::new());
        let end = wal.follow(start, frames, |frame| {
            last.insert(frame.page, at);
            at += 1;
            if frame.commit != 0 {
                newest.pages = frame.commit;
            }
        })?;
        for (page, frame) in last {
            newest.sums.insert(page, sum(wal.page(frame)?));
        }
        newest.end = Some(end);
        Ok(newest)
    }

    /// Writes the sums of a finished checkpoint, and that the log holds nothing any more that the database does not.
    fn settle(&mut self) -> io::Result<()> {
        let Some(newest) = self.owed.take() else { return Ok(()) };
        let written = self.write_sums(&newest);
        if written.is_ok() {
            self.unsettled.clear();
            self.settled = newest.end;
        } else {
            self.owed = Some(newest);
        }
        written
    }

    fn write_sums(&mut self, newest: &Newest) -> io::Result<()> {
        let Newest { sums, pages, .. } = newest;
        if self.page_size == 0 {
            self.page_size = page_size(&self.database)?;
            self.file.seek(SeekFrom::Start(8))?;
            self.file.write_all(&self.page_size.to_be_bytes())?;
        }
        let mut run: Vec<u8> = Vec::new();
        let mut next = 0;
        for (&page, &sum) in sums.iter().filter(|(page, _)| *pages == 0 || *page <= pages) {
            if page != next && !run.is_empty() {
                self.put_sums(next, &run)?;
                run.clear();
            }
            run.extend_from_slice(&sum.to_be_bytes());
            next = page + 1;
        }
        if !run.is_empty() {
            self.put_sums(next, &run)?;
        }
        // A database that became smaller and grows again must not meet the sums of then.
        if *pages > 0 && self.file.metadata()?.len() > place(pages + 1) {
            self.file.set_len(place(pages + 1))?;
        }
        self.put_mark((self.mark.0, 0))?;
        self.file.sync_data()
    }

    /// Writes a run of sums that ends before page `next`.
    fn put_sums(&mut self, next: u32, run: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(place(next) - run.len() as u64))?;
        self.file.write_all(run)
    }

    /// Compares some pages of the database file with their sums. A page without a sum gets one if `adopt` is set.
    /// Answers the page to go on with, or `None` at the end.
    fn compare(&mut self, from: u32, adopt: bool, bad: &mut Vec<u32>) -> io::Result<Option<u32>> {
        if self.page_size == 0 {
            self.page_size = page_size(&self.database)?;
        }
        let size = self.page_size as usize;
        let mut database = File::open(&self.database)?;
        database.seek(SeekFrom::Start(u64::from(from - 1) * size as u64))?;
        let mut pages = Vec::new();
        database.take(u64::from(CHUNK) * size as u64).read_to_end(&mut pages)?;
        let mut sums = Vec::new();
        self.file.seek(SeekFrom::Start(place(from)))?;
        (&mut self.file).take(u64::from(CHUNK) * 8).read_to_end(&mut sums)?;
        sums.resize(CHUNK as usize * 8, 0);
        for ((page, content), known) in (from..).zip(pages.chunks(size)).zip(sums.chunks_exact(8)) {
            let known = u64::from_be_bytes(known.try_into().expect("eight bytes"));
            if self.unsettled.contains(&page) {
                continue;
            }
            if known == 0 && adopt && content.len() == size {
                self.put_sums(page + 1, &sum(content).to_be_bytes())?;
            } else if known != 0 && known != sum(content) {
                bad.push(page);
            }
        }
        let next = from + CHUNK;
        Ok((pages.len() == CHUNK as usize * size).then_some(next))
    }

    fn missing_pages(&self) -> io::Result<bool> {
        let sums = (self.file.metadata()?.len().saturating_sub(HEADER as u64)) / 8;
        let pages = self.database.metadata()?.len() / u64::from(self.page_size.max(512));
        Ok(sums > pages)
    }
}

/// Where the sum of a page stands.
fn place(page: u32) -> u64 {
    HEADER as u64 + u64::from(page - 1) * 8
}

/// The page size from the database's header.
fn page_size(database: &Path) -> io::Result<u32> {
    let mut header = [0u8; 18];
    File::open(database)?.read_exact(&mut header)?;
    Ok(match u16::from_be_bytes([header[16], header[17]]) {
        1 => 65_536,
        size => u32::from(size).max(512),
    })
}

/// Runs a checkpoint: whether something was in the way, frames in the log, frames moved.
fn pragma(connection: &Connection, how: &str) -> Result<(bool, u32, u32), RecordError> {
    let row = |row: &rusqlite::Row<'_>| {
        // SQLite answers -1 where there is no log.
        let count = |column| row.get::<_, i64>(column).map(|count| u32::try_from(count).unwrap_or(0));
        Ok((row.get::<_, i64>(0)? != 0, count(1)?, count(2)?))
    };
    let mut statement =
        connection.prepare_cached(&format!("PRAGMA wal_checkpoint({how})")).map_err(|error| store_error(&error))?;
    statement.query_row([], row).map_err(|error| store_error(&error))
}

/// Compares every page of the database file with its sum; one line for each that does not fit. The lock is let go
/// between runs of pages, so that writing goes on. `adopt` gives pages that have none yet a sum.
pub(super) fn check(sums: &std::sync::Mutex<PageSums>, adopt: bool) -> Result<Vec<String>, RecordError> {
    let mut bad = Vec::new();
    let mut from = Some(1);
    let lock = || sums.lock().expect("no panic while held");
    while let Some(page) = from {
        from = lock().compare(page, adopt, &mut bad).map_err(|error| failed(&error))?;
    }
    let mut lines: Vec<String> = bad
        .iter()
        .take(MOST_LINES)
        .map(|page| format!("page {page} of the database file does not fit its sum"))
        .collect();
    let sums = lock();
    if sums.missing_pages().map_err(|error| failed(&error))? {
        lines.push("the database file is shorter than its sums say".into());
    }
    if !bad.is_empty() {
        lines.push(format!(
            "{} pages in all do not fit: restore a backup. If another program wrote the file, or nothing else here is at \
             fault (what was damaged was unused, or a copy that has been made anew), delete {} and check again",
            bad.len(),
            sums.path.display()
        ));
    }
    lines.extend(sums.broken.as_ref().map(|broken| format!("the write-ahead log is damaged: {broken}")));
    Ok(lines)
}
