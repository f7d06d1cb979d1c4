//! A person's archive: everything of one record in one sealed file, to be moved to another installation and verified
//! there. Blocks travel as they are, so ids, chain and proofs stay whole (docs/storage-format.md, "Archive").

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use keepwell_model::{Author, Kind, Labels, RecordId, Seq, Stream, Timestamp};
use serde::{Deserialize, Serialize};

use super::blocks::{apply_aliases, view};
use super::load::damaged;
use super::tenant::{Tenant, TenantInner};
use crate::commit::{Alias, Commit, Expect, Head, Part, Write};
use crate::format::block::{self, SealedBlock};
use crate::format::varint::{self, Reader};
use crate::keys::{RecordKeys, SealKey};
use crate::log::{Proof, TrustedLog, VerifyingKey};
use crate::store::{Append, AppendPart, Appended, BlockRow, HeadRow};
use crate::{RecordError, RootKey};

const MAGIC: &[u8; 4] = b"KWA1";
/// Bytes of a block besides its bodies.
const MAX_TABLE: u64 = 64 << 20;
/// Blocks fetched at a time.
const BATCH: u32 = 1_000;

/// What an archive says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveInfo {
    /// The record; it keeps its id wherever it goes.
    pub record: RecordId,
    /// When the archive was made.
    pub exported: Timestamp,
    /// The name of the tenant it was made at.
    pub tenant: String,
    /// The key that the log of that tenant is verified with.
    pub log_key: String,
    /// Blocks of the care stream.
    pub care_blocks: Seq,
    /// Blocks of the access stream.
    pub access_blocks: Seq,
}

struct Archive {
    info: ArchiveInfo,
    keys: Arc<RecordKeys>,
    care: Vec<Bytes>,
    access: Vec<Bytes>,
    proofs: Vec<String>,
}

fn unreadable(why: &str) -> RecordError {
    RecordError::DamagedStore { what: "archive", why: why.to_owned() }
}

impl Tenant {
    /// Writes all of a record into one sealed file; `key` opens it again. The log should have taken everything in before
    /// (see [`Tenant::extend_log`]), so that the archive can prove where it comes from.
    ///
    /// # Errors
    /// [`RecordError::NoSuchRecord`]; [`RecordError::Damaged`] if something does not verify; store errors.
    pub async fn export_record(&self, record: RecordId, key: &RootKey) -> Result<Vec<u8>, RecordError> {
        let inner = &self.inner;
        let (row, keys) = inner.row(record).await?.ok_or(RecordError::NoSuchRecord(record))?;
        let info = ArchiveInfo {
            record,
            exported: inner.clock.now(),
            tenant: inner.name.clone(),
            log_key: self.log_key().to_string(),
            care_blocks: row.care.head.seq,
            access_blocks: row.access.head.seq,
        };
        let mut plain = Vec::new();
        varint::put_bytes(&mut plain, &serde_json::to_vec(&info).expect("plain strings and numbers"));
        let mut key_bytes = keys.to_bytes();
        varint::put_bytes(&mut plain, &key_bytes);
        zeroize::Zeroize::zeroize(&mut key_bytes);
        let mut proofs = Vec::new();
        for stream in [Stream::Care, Stream::Access] {
            let head = row.head(stream).head;
            inner.write_blocks(record, stream, head, &keys, &mut plain).await?;
            if head.seq.0 > 0
                && let Some((_, proof)) = self.prove(record, stream, head.seq).await?
            {
                proofs.push(proof.to_string());
            }
        }
        varint::put(&mut plain, proofs.len() as u64);
        for proof in &proofs {
            varint::put_bytes(&mut plain, proof.as_bytes());
        }
        let sealed = key.seal_key().seal_with_nonce(&*inner.random, MAGIC, &plain);
        zeroize::Zeroize::zeroize(&mut plain);
        Ok([MAGIC.as_slice(), &sealed].concat())
    }

    /// Takes in a record from another installation, after checking every seal, the whole chain and the proof that its
    /// heads are in that installation's log. If `log_key` is given, it must be the one the archive names. An import that
    /// was cut short can be run again. A last entry of kind `import` says where the record came from.
    ///
    /// # Errors
    /// [`RecordError::Key`] if the key is not the archive's; [`RecordError::DamagedStore`] or [`RecordError::Damaged`] if
    /// anything in it does not verify; [`RecordError::AliasTaken`] if an identifier of the person leads to another record
    /// here already: the two may be one person's, which somebody has to decide; [`RecordError::Conflict`] if the record is here already and went another way.
    pub async fn import_record(
        &self,
        archive: &[u8],
        key: &RootKey,
        log_key: Option<&VerifyingKey>,
        author: Author,
    ) -> Result<ArchiveInfo, RecordError> {
        let archive = Archive::open(archive, &key.seal_key())?;
        let inner = &self.inner;
        let record = archive.info.record;
        let aliases = archive.verify(log_key, inner.config.limits.commit_bytes)?;
        for (stream, blocks) in archive.streams() {
            // What opens block by block must also open as a record, or it would be damaged from its first day here.
            let mut open = inner.empty(record, stream, Arc::clone(&archive.keys));
            for bytes in blocks {
                open.apply(bytes.clone())?;
            }
        }
        for alias in &aliases {
            if self.look_up(alias).await?.is_some_and(|other| other != record) {
                return Err(RecordError::AliasTaken);
            }
        }
        let lock = inner.writing[TenantInner::lock_number(record)].lock().await;
        inner.settle_writes(record).await?;
        let present = inner.store.record(record).await?;
        let mut keys = Arc::clone(&archive.keys);
        if present.is_some() {
            keys = inner.keys_for_import(&archive).await?;
        }
        let mut create =
            present.is_none().then(|| Bytes::from(inner.keys().wrap_record(record, &keys, &*inner.random)));
        for (stream, blocks) in archive.streams() {
            let done = present.as_ref().map_or(Head::default(), |row| row.head(stream).head);
            let mut before = Head::default();
            for bytes in blocks {
                let header = SealedBlock::parse(bytes.clone()).ok_or_else(|| unreadable("a block is broken"))?.header;
                let head = Head { seq: header.seq, hash: block::hash(bytes) };
                if header.seq == done.seq && head != done {
                    return Err(RecordError::Conflict { record });
                }
                if header.seq > done.seq {
                    let tag = keys.head_tag(stream, head.seq.0, &head.hash, header.next_number);
                    let part = AppendPart {
                        record,
                        stream,
                        create: create.take(),
                        closed_allowed: false,
                        merged: None,
                        expected: before,
                        head: HeadRow { head, next_number: header.next_number, tag },
                        block: bytes.clone(),
                        attach: Vec::new(),
                        detach: Vec::new(),
                    };
                    let append = Append { tenant: inner.id, idempotency: None, parts: vec![part] };
                    if inner.store.append(append).await? != Appended::Done {
                        return Err(RecordError::Conflict { record });
                    }
                }
                before = head;
            }
        }
        inner.states.forget_keys(record);
        inner.cache.remove(record);
        drop(lock);
        // Who has more of it already took this in before, and may have detached some of its aliases since.
        if present.is_some_and(|row| row.care.head.seq > archive.info.care_blocks) {
            return Ok(archive.info);
        }
        self.note_import(&archive.info, aliases, author).await?;
        Ok(archive.info)
    }

    async fn note_import(
        &self,
        info: &ArchiveInfo,
        aliases: BTreeSet<Alias>,
        author: Author,
    ) -> Result<(), RecordError> {
        let write = Write {
            number: None,
            kind: Kind::new("import").expect("the word is a kind"),
            labels: Labels::GENERAL,
            source: None,
            body: Some(serde_json::to_vec(info).expect("plain strings and numbers").into()),
        };
        // Blind indexes cannot travel; the aliases stand in the blocks and are attached under this tenant's key.
        let attach = aliases.into_iter().collect();
        let part = Part { attach, ..Part::new(info.record, Stream::Care, Expect::Any, vec![write]) };
        let name = format!("import {} {}", info.record, info.exported.micros());
        let idempotency = Some(crate::IdempotencyKey::of(name.as_bytes()));
        self.commit(Commit { author, idempotency, parts: vec![part] }).await.map(drop)
    }
}

impl TenantInner {
    /// The keys under which an archive continues a record that is here already: an import that was cut short, or a record
    /// that comes back from where it went. Both must have the same history and keys as far as they go.
    async fn keys_for_import(&self, archive: &Archive) -> Result<Arc<RecordKeys>, RecordError> {
        let record = archive.info.record;
        let conflict = || RecordError::Conflict { record };
        let (row, keys) = self.row(record).await?.ok_or_else(conflict)?;
        for (stream, blocks) in archive.streams() {
            let done = row.head(stream).head;
            let common = done.seq.0.min(blocks.len() as u64);
            let Some(theirs) = usize::try_from(common).ok().and_then(|n| blocks.get(n.checked_sub(1)?)) else {
                continue;
            };
            let ours = if common == done.seq.0 {
                Some(done.hash)
            } else {
                let row = self.store.blocks(record, stream, Seq(common), 1).await?.into_iter().next();
                row.filter(|row| row.seq.0 == common).map(|row| block::hash(&row.block))
            };
            if ours != Some(block::hash(theirs)) {
                return Err(conflict());
            }
        }
        if keys.continues(&archive.keys) {
            return Ok(keys);
        }
        if !archive.keys.continues(&keys) {
            return Err(conflict());
        }
        let again = self.keys().wrap_record(record, &archive.keys, &*self.random);
        let replaced = self.store.rewrap(record, row.wrapped, again.into()).await?;
        self.states.forget_keys(record);
        if replaced { Ok(Arc::clone(&archive.keys)) } else { Err(conflict()) }
    }

    async fn write_blocks(
        &self,
        record: RecordId,
        stream: Stream,
        head: Head,
        keys: &RecordKeys,
        out: &mut Vec<u8>,
    ) -> Result<(), RecordError> {
        varint::put(out, head.seq.0);
        let (mut seq, mut previous) = (Seq(0), [0u8; 32]);
        while seq < head.seq {
            let rows = self.store.blocks(record, stream, seq.next(), BATCH).await?;
            if rows.is_empty() {
                return Err(damaged(record, stream, seq.next(), "block", "it is missing"));
            }
            for row in rows.into_iter().take_while(|row| row.seq <= head.seq) {
                let opened = view(record, stream, row.clone(), keys)?;
                if row.seq != seq.next() || opened.previous != previous {
                    return Err(damaged(record, stream, row.seq, "block", "it does not follow the block before it"));
                }
                varint::put_bytes(out, &row.block);
                (seq, previous) = (row.seq, opened.hash);
            }
        }
        if previous == head.hash {
            Ok(())
        } else {
            Err(damaged(record, stream, seq, "chain", "it does not lead to the head"))
        }
    }
}

impl Archive {
    fn open(bytes: &[u8], key: &SealKey) -> Result<Self, RecordError> {
        let sealed = bytes.strip_prefix(MAGIC).ok_or_else(|| unreadable("the file is not a Keepwell archive"))?;
        let plain = key.open_with_nonce(MAGIC, sealed).ok_or_else(|| {
            RecordError::Key(
                "the archive does not open: the key is not the one it was made with, or it is damaged".into(),
            )
        })?;
        Self::read(&zeroize::Zeroizing::new(plain)).ok_or_else(|| unreadable("its content is not in order"))
    }

    fn read(plain: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(plain);
        let info = serde_json::from_slice(reader.bytes()?).ok()?;
        let keys = Arc::new(RecordKeys::from_bytes(reader.bytes()?)?);
        let mut streams = [Vec::new(), Vec::new()];
        for stream in &mut streams {
            for _ in 0..reader.count()? {
                stream.push(Bytes::copy_from_slice(reader.bytes()?));
            }
        }
        let mut proofs = Vec::new();
        for _ in 0..reader.count()? {
            proofs.push(reader.text()?.to_owned());
        }
        let [care, access] = streams;
        reader.is_at_end().then_some(Self { info, keys, care, access, proofs })
    }

    fn streams(&self) -> [(Stream, &Vec<Bytes>); 2] {
        [(Stream::Care, &self.care), (Stream::Access, &self.access)]
    }

    /// Checks everything and answers the aliases that the record has at its head. No block may unfold to more than
    /// `most` bytes and its table.
    fn verify(&self, log_key: Option<&VerifyingKey>, most: usize) -> Result<BTreeSet<Alias>, RecordError> {
        let record = self.info.record;
        let named: VerifyingKey = self.info.log_key.parse().map_err(|_| unreadable("it names no log key"))?;
        if log_key.is_some_and(|wanted| *wanted != named) {
            return Err(unreadable("it names another log than the one expected"));
        }
        let log = TrustedLog::from(named);
        let mut aliases = BTreeSet::new();
        let mut proofs = self.proofs.iter();
        for (stream, blocks) in self.streams() {
            let mut previous = [0u8; 32];
            for (seq, bytes) in (1u64..).zip(blocks) {
                let form = SealedBlock::parse(bytes.clone()).ok_or_else(|| unreadable("a block is broken"))?;
                let size = (0..form.frame_count()).map(|frame| form.plain_len(frame) as u64).sum();
                let limit = most as u64 + MAX_TABLE;
                if size > limit {
                    return Err(RecordError::TooLarge { what: "a block of the archive in bytes", size, limit });
                }
                let row = BlockRow { seq: Seq(seq), block: bytes.clone(), leaf: None };
                let opened = view(record, stream, row, &self.keys)?;
                if opened.previous != previous {
                    return Err(damaged(record, stream, Seq(seq), "block", "it does not follow the block before it"));
                }
                apply_aliases(&mut aliases, &opened);
                previous = opened.hash;
            }
            if !blocks.is_empty() {
                let proof = proofs.next().ok_or_else(|| unreadable("a proof is missing from it"))?;
                let proof = Proof::parse(proof.as_bytes()).map_err(|error| unreadable(&error.to_string()))?;
                proof.verify(&previous, &log, &[], 0).map_err(|error| unreadable(&error.to_string()))?;
            }
        }
        let counts = (self.care.len() as u64, self.access.len() as u64);
        let complete = counts == (self.info.care_blocks.0, self.info.access_blocks.0) && counts.0 > 0;
        if complete { Ok(aliases) } else { Err(unreadable("blocks are missing from it")) }
    }
}

/// The key of an archive, as text: the same form as a root key's, under another name so that they are not mixed up.
impl RootKey {
    const ARCHIVE_PREFIX: &'static str = "keepwell-archive-key-1:";

    /// The one-line form of a key that seals an archive.
    #[must_use]
    pub fn to_archive_line(&self) -> String {
        self.to_line().replacen("keepwell-root-key-1:", Self::ARCHIVE_PREFIX, 1)
    }

    /// Reads the one-line form of an archive's key.
    ///
    /// # Errors
    /// [`RecordError::Key`] in plain words if it is not one.
    pub fn parse_archive_line(text: &str) -> Result<Self, RecordError> {
        let data = text.trim().strip_prefix(Self::ARCHIVE_PREFIX).ok_or_else(|| {
            RecordError::Key(format!("this is not an archive key: expected {} and 43 characters", Self::ARCHIVE_PREFIX))
        })?;
        Self::parse(&format!("keepwell-root-key-1:{data}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Secret;

    #[test]
    fn any_bytes_are_refused_as_an_archive_without_panic() {
        let key = SealKey::new(&Secret::new([1; 32]));
        for bytes in [&b""[..], b"KWA1", b"KWA1xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", &[0; 200]] {
            assert!(Archive::open(bytes, &key).is_err());
        }
        for plain in [&b""[..], b"\x02{}\x00", &[255; 64]] {
            assert!(Archive::read(plain).is_none());
        }
    }
}
