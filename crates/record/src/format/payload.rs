//! The plain content of a block: who wrote it, the aliases it attaches and detaches, a table of its entries, and their bodies (docs/storage-format.md, "Block
//! payload"). Bodies follow the table in frame 0 while all of it fits [`FRAME_TARGET`]; otherwise they fill further
//! frames, whole bodies only.

use keepwell_model::{EntryNumber, Kind, Labels, SourceKey};

use super::varint::{self, Reader};
use crate::commit::{Alias, Write};

/// Frames are filled up to about this many plain bytes.
pub(crate) const FRAME_TARGET: usize = 4 << 20;

const NEW: u8 = 1;
const BODY: u8 = 2;
const SOURCE: u8 = 4;

/// Where a body lies in its block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) frame: u32,
    pub(crate) offset: u32,
    pub(crate) len: u32,
}

/// One entry of a block's table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableEntry<'a> {
    pub(crate) number: EntryNumber,
    /// Whether this is the first version of the entry.
    pub(crate) new: bool,
    pub(crate) kind: u32,
    pub(crate) labels: Labels,
    /// Index into the table's sources, and the id.
    pub(crate) source: Option<(u32, &'a str)>,
    /// `None` for a deletion.
    pub(crate) body: Option<Place>,
}

/// A block's table, read.
#[derive(Debug)]
pub(crate) struct Table<'a> {
    pub(crate) author: &'a [u8],
    pub(crate) kinds: Vec<Kind>,
    pub(crate) sources: Vec<(&'a str, &'a str)>,
    /// Aliases that lead to the record from this block on, and those that no longer do.
    pub(crate) attach: Vec<Alias>,
    pub(crate) detach: Vec<Alias>,
    pub(crate) entries: Vec<TableEntry<'a>>,
}

impl Table<'_> {
    pub(crate) fn source_key(&self, entry: &TableEntry<'_>) -> Option<SourceKey> {
        let (source, id) = entry.source?;
        let (source, kind) = self.sources[source as usize];
        Some(SourceKey { source: source.into(), kind: kind.into(), id: id.into() })
    }
}

/// Writes author, table and bodies as the plain frames of a block. A new entry's number is not written: it follows from
/// the header's `next_number`, so that frames can be made before the head is known.
pub(crate) fn encode(author: &[u8], attach: &[Alias], detach: &[Alias], writes: &[Write]) -> Vec<Vec<u8>> {
    let bodies: usize = writes.iter().filter_map(|w| w.body.as_ref()).map(bytes::Bytes::len).sum();
    let mut kinds: Vec<&str> = Vec::new();
    let mut sources: Vec<(&str, &str)> = Vec::new();
    let mut rows = Vec::with_capacity(writes.len() * 48);
    for write in writes {
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        let flags =
            flag(write.number.is_none(), NEW) | flag(write.body.is_some(), BODY) | flag(write.source.is_some(), SOURCE);
        rows.push(flags);
        rows.push(write.labels.bits());
        if let Some(number) = write.number {
            varint::put(&mut rows, u64::from(number.0));
        }
        varint::put(&mut rows, position(&mut kinds, write.kind.as_str()));
        if let Some(key) = &write.source {
            varint::put(&mut rows, position(&mut sources, (key.source.as_str(), key.kind.as_str())));
            varint::put_bytes(&mut rows, key.id.as_bytes());
        }
        if let Some(body) = &write.body {
            varint::put(&mut rows, body.len() as u64);
        }
    }
    let together = rows.len() + bodies <= FRAME_TARGET;
    let groups = groups(writes, together);
    let mut first = Vec::with_capacity(author.len() + rows.len() + 256 + if together { bodies } else { 0 });
    varint::put_bytes(&mut first, author);
    varint::put(&mut first, kinds.len() as u64);
    for kind in kinds {
        varint::put_bytes(&mut first, kind.as_bytes());
    }
    varint::put(&mut first, sources.len() as u64);
    for (source, kind) in sources {
        varint::put_bytes(&mut first, source.as_bytes());
        varint::put_bytes(&mut first, kind.as_bytes());
    }
    for aliases in [attach, detach] {
        varint::put(&mut first, aliases.len() as u64);
        for alias in aliases {
            varint::put_bytes(&mut first, alias.system.as_bytes());
            varint::put_bytes(&mut first, alias.value.as_bytes());
        }
    }
    varint::put(&mut first, writes.len() as u64);
    first.extend_from_slice(&rows);
    varint::put(&mut first, groups.len() as u64);
    for group in &groups {
        varint::put(&mut first, *group as u64);
    }
    let mut frames = vec![first];
    let mut bodies = writes.iter().filter_map(|w| w.body.as_ref());
    for (frame, group) in groups.into_iter().enumerate() {
        if frame > 0 {
            frames.push(Vec::new());
        }
        let last = frames.last_mut().expect("never empty");
        for body in bodies.by_ref().take(group) {
            last.extend_from_slice(body);
        }
    }
    frames
}

/// How many bodies each frame holds.
fn groups(writes: &[Write], together: bool) -> Vec<usize> {
    let lengths: Vec<usize> = writes.iter().filter_map(|w| w.body.as_ref()).map(bytes::Bytes::len).collect();
    if together {
        return vec![lengths.len()];
    }
    let (mut groups, mut count, mut size) = (vec![0], 0, 0);
    for len in lengths {
        if count > 0 && size + len > FRAME_TARGET {
            groups.push(count);
            (count, size) = (0, 0);
        }
        count += 1;
        size += len;
    }
    if count > 0 {
        groups.push(count);
    }
    groups
}

fn position<T: PartialEq>(list: &mut Vec<T>, item: T) -> u64 {
    // Lists are short (kinds and sources of one commit), and the last one is the likeliest.
    let found = list.iter().rposition(|known| *known == item).unwrap_or_else(|| {
        list.push(item);
        list.len() - 1
    });
    found as u64
}

/// Reads the table of a block from its frame 0. `next_number` is the header's, `frame_lens` are the plain lengths of the
/// frames. `None` if anything does not fit.
pub(crate) fn decode<'a>(first: &'a [u8], next_number: u32, frame_lens: &[usize]) -> Option<Table<'a>> {
    let mut reader = Reader::new(first);
    let author = reader.bytes()?;
    let mut kinds = Vec::new();
    for _ in 0..reader.count()? {
        kinds.push(Kind::new(reader.text()?).ok()?);
    }
    let mut sources = Vec::new();
    for _ in 0..reader.count()? {
        sources.push((reader.text()?, reader.text()?));
    }
    let attach = aliases(&mut reader)?;
    let detach = aliases(&mut reader)?;
    let count = reader.count()?;
    // Grows with what is there: a count may be far larger than what the bytes can hold.
    let mut entries = Vec::with_capacity(count.min(4_096));
    let mut new = 0u32;
    for _ in 0..count {
        let flags = reader.byte()?;
        if flags & !(NEW | BODY | SOURCE) != 0 {
            return None;
        }
        let labels = Labels::from_bits(reader.byte()?)?;
        let number = if flags & NEW != 0 {
            new += 1;
            new
        } else {
            u32::try_from(reader.number()?).ok().filter(|&n| n > 0)?
        };
        let kind = u32::try_from(reader.number()?).ok().filter(|&k| (k as usize) < kinds.len())?;
        let source = if flags & SOURCE == 0 {
            None
        } else {
            let source = u32::try_from(reader.number()?).ok().filter(|&s| (s as usize) < sources.len())?;
            Some((source, reader.text()?))
        };
        let body = if flags & BODY == 0 {
            None
        } else {
            Some(Place { frame: 0, offset: 0, len: u32::try_from(reader.number()?).ok()? })
        };
        let new = flags & NEW != 0;
        entries.push((new, TableEntry { number: EntryNumber(number), new, kind, labels, source, body }));
    }
    let groups = reader.count()?;
    if groups != frame_lens.len() {
        return None;
    }
    let mut group_sizes = Vec::with_capacity(groups);
    for _ in 0..groups {
        group_sizes.push(usize::try_from(reader.number()?).ok()?);
    }
    let first_new = next_number.checked_sub(new)?;
    place(&mut entries, &group_sizes, reader.position(), frame_lens)?;
    let mut out = Vec::with_capacity(entries.len());
    for (is_new, mut entry) in entries {
        if is_new {
            entry.number = EntryNumber(first_new.checked_add(entry.number.0)?.checked_sub(1)?);
        } else if entry.number.0 >= next_number {
            return None;
        }
        if entry.number.0 == 0 {
            return None;
        }
        out.push(entry);
    }
    Some(Table { author, kinds, sources, attach, detach, entries: out })
}

fn aliases(reader: &mut Reader<'_>) -> Option<Vec<Alias>> {
    let mut aliases = Vec::new();
    for _ in 0..reader.count()? {
        aliases.push(Alias { system: reader.text()?.to_owned(), value: reader.text()?.to_owned() });
    }
    Some(aliases)
}

/// Gives each body its frame and offset, and checks that the frames are filled exactly.
fn place(
    entries: &mut [(bool, TableEntry<'_>)],
    groups: &[usize],
    table_len: usize,
    frame_lens: &[usize],
) -> Option<()> {
    let mut bodies = entries.iter_mut().filter_map(|(_, entry)| entry.body.as_mut());
    for (frame, (&group, &frame_len)) in groups.iter().zip(frame_lens).enumerate() {
        let mut offset = if frame == 0 { table_len } else { 0 };
        for _ in 0..group {
            let body = bodies.next()?;
            body.frame = u32::try_from(frame).ok()?;
            body.offset = u32::try_from(offset).ok()?;
            offset = offset.checked_add(body.len as usize)?;
        }
        if offset != frame_len {
            return None;
        }
    }
    bodies.next().is_none().then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use proptest::prelude::*;

    fn write() -> impl Strategy<Value = Write> {
        let source = prop::option::of(("[a-z]{1,8}", "[A-Z][a-z]{1,8}", ".{0,40}"));
        let body = prop::option::of(prop::collection::vec(any::<u8>(), 0..200));
        (prop::option::of(1u32..50), "[a-z]{1,6}/[A-Za-z]{1,6}", 1u8..32, source, body).prop_map(
            |(number, kind, labels, source, body)| Write {
                number: number.map(EntryNumber),
                kind: Kind::new(&kind).unwrap(),
                labels: Labels::from_bits(labels).unwrap(),
                source: source.map(|(source, kind, id)| SourceKey { source, kind, id }),
                body: body.map(Bytes::from),
            },
        )
    }

    proptest! {
        #[test]
        fn a_table_reads_back_with_every_body_in_its_place(writes in prop::collection::vec(write(), 0..30), author: Vec<u8>) {
            let alias = |text: &str| Alias { system: "s".into(), value: text.into() };
            let (attach, detach) = (vec![alias("a"), alias("é")], vec![alias("b")]);
            let frames = encode(&author, &attach, &detach, &writes);
            let lens: Vec<usize> = frames.iter().map(Vec::len).collect();
            let new = u32::try_from(writes.iter().filter(|w| w.number.is_none()).count()).unwrap();
            let table = decode(&frames[0], 50 + new, &lens).unwrap();
            prop_assert_eq!(table.author, &author[..]);
            prop_assert_eq!((&table.attach, &table.detach), (&attach, &detach));
            prop_assert_eq!(table.entries.len(), writes.len());
            let mut expected_new = 50;
            for (entry, write) in table.entries.iter().zip(&writes) {
                let number = write.number.map_or_else(|| { expected_new += 1; expected_new - 1 }, |n| n.0);
                prop_assert_eq!(entry.number.0, number);
                prop_assert_eq!(&table.kinds[entry.kind as usize], &write.kind);
                prop_assert_eq!(entry.labels, write.labels);
                prop_assert_eq!(table.source_key(entry), write.source.clone());
                let body = entry.body.map(|p| &frames[p.frame as usize][p.offset as usize..(p.offset + p.len) as usize]);
                prop_assert_eq!(body, write.body.as_deref());
            }
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>, next: u32) {
            let _ = decode(&bytes, next, &[bytes.len()]);
        }
    }

    #[test]
    fn a_large_commit_fills_several_frames_with_whole_bodies() {
        let write = |len: usize| Write {
            number: None,
            kind: Kind::new("test").unwrap(),
            labels: Labels::GENERAL,
            source: None,
            body: Some(Bytes::from(vec![7; len])),
        };
        let writes: Vec<Write> = [1, FRAME_TARGET, FRAME_TARGET / 2, FRAME_TARGET / 3, 0, 5].map(write).to_vec();
        let frames = encode(b"{}", &[], &[], &writes);
        assert_eq!(frames.len(), 4);
        let lens: Vec<usize> = frames.iter().map(Vec::len).collect();
        let table = decode(&frames[0], 7, &lens).unwrap();
        for (entry, write) in table.entries.iter().zip(&writes) {
            assert_eq!(entry.body.unwrap().len as usize, write.body.as_ref().unwrap().len());
        }
    }
}
