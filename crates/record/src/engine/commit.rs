//! Writing: check, compress, then under the stream's lock seal on the newest head and hand over; then wait until it is
//! durable.

use std::sync::Arc;

use bytes::Bytes;
use keepwell_model::{EntryNumber, RecordId, Seq, Stream, Timestamp};
use tokio::sync::MutexGuard;

use super::state::State;
use super::tenant::{Tenant, TenantInner};
use crate::commit::{Commit, Committed, CommittedPart, Expect, Head, Part};
use crate::format::block::{self, Compressed};
use crate::format::header::Header;
use crate::format::{compress, payload};
use crate::keys::RecordKeys;
use crate::store::{Append, AppendPart, Appended, HeadRow};
use crate::{Limits, RecordError};

/// How often an unconditional append is tried on a newer head before the caller is told of the conflict.
const TRIES: usize = 16;
/// Bytes of the name that a source gave an entry: far more than any has, and little enough that a block's table, which
/// holds them all, can be read again.
const MAX_NAME: usize = 8 << 10;
/// Compressing more bytes than this takes a while.
const LARGE: usize = 128 << 10;
/// A record is folded into a snapshot in the background each time its care stream has grown by so many blocks.
const FOLD_EVERY: u64 = 256;

/// Says that a record is merged into another from now on, or (`None`) no longer.
pub(super) struct Mark {
    pub(super) record: RecordId,
    pub(super) into: Option<RecordId>,
}

struct Prepared {
    frames: Vec<Compressed>,
    dictionary: u16,
    new: u32,
}

impl Tenant {
    /// Applies a commit, atomically and durably.
    ///
    /// # Errors
    /// [`RecordError::Conflict`] if a head was not as expected; [`RecordError::TooLarge`]; [`RecordError::AliasTaken`];
    /// [`RecordError::NoSuchRecord`]; [`RecordError::Merged`]; store errors. In all cases but [`RecordError::Unknown`]
    /// nothing was written.
    pub async fn commit(&self, commit: Commit) -> Result<Committed, RecordError> {
        self.commit_with_marks(commit, &[]).await
    }

    /// A commit that also marks some of its records as merged, or clears the mark.
    pub(super) async fn commit_with_marks(&self, commit: Commit, marks: &[Mark]) -> Result<Committed, RecordError> {
        let inner = &self.inner;
        check(&commit, &inner.config.limits)?;
        let prepared = prepare(&commit, inner.config.newest_dictionary);
        for attempt in 0.. {
            match inner.try_commit(&commit, &prepared, marks).await {
                Err(RecordError::Conflict { record }) if attempt < TRIES && may_retry(&commit, record) => {}
                Ok(committed) => {
                    self.fold_when_due(&committed);
                    return Ok(committed);
                }
                Err(error) => return Err(error),
            }
        }
        unreachable!("the loop ends by returning")
    }

    fn fold_when_due(&self, committed: &Committed) {
        for part in &committed.parts {
            if part.stream == Stream::Care && part.head.seq.0 % FOLD_EVERY == 0 && !committed.repeated {
                let (tenant, record) = (self.clone(), part.record);
                tokio::spawn(async move {
                    // Opening folds; a failure here shows again when somebody opens the record.
                    drop(tenant.open(record).await);
                });
            }
        }
    }
}

fn may_retry(commit: &Commit, record: RecordId) -> bool {
    commit.parts.iter().filter(|part| part.record == record).all(|part| part.expect == Expect::Any)
}

fn check(commit: &Commit, limits: &Limits) -> Result<(), RecordError> {
    let too_large = |what, size: usize, limit: usize| {
        if size > limit { Err(RecordError::TooLarge { what, size: size as u64, limit: limit as u64 }) } else { Ok(()) }
    };
    if commit.parts.is_empty() {
        return Err(RecordError::Malformed("it has no part"));
    }
    for (i, part) in commit.parts.iter().enumerate() {
        if commit.parts[..i].iter().any(|other| other.record == part.record) {
            return Err(RecordError::Malformed("a record stands in it twice"));
        }
        if part.expect == Expect::New && part.stream != Stream::Care {
            return Err(RecordError::Malformed("a record begins with its care stream"));
        }
        if part.writes.iter().any(|write| write.number.is_none() && write.body.is_none()) {
            return Err(RecordError::Malformed("a new entry cannot be a deletion"));
        }
        let long = part.attach.iter().chain(&part.detach).map(|alias| alias.system.len() + alias.value.len()).max();
        too_large("an identifier in bytes", long.unwrap_or(0), MAX_NAME)?;
        too_large("the number of aliases in a commit", part.attach.len() + part.detach.len(), limits.commit_aliases)?;
        if commit.parts[..i].iter().flat_map(|other| &other.attach).any(|alias| part.attach.contains(alias)) {
            return Err(RecordError::AliasTaken);
        }
    }
    let writes = || commit.parts.iter().flat_map(|part| &part.writes);
    too_large("the number of entries in a commit", writes().count(), limits.commit_entries)?;
    let mut total = 0usize;
    for write in writes() {
        let body = write.body.as_ref().map_or(0, Bytes::len);
        // Whatever the settings say, nothing is written that could not be read again.
        too_large("an entry in bytes", body, limits.entry_bytes.min(block::MAX_FRAME))?;
        let name = write.source.as_ref().map_or(0, |key| key.source.len() + key.kind.len() + key.id.len());
        too_large("the name of an entry in bytes", name, MAX_NAME)?;
        total = total.saturating_add(body).saturating_add(name);
    }
    too_large("a commit in bytes", total, limits.commit_bytes)
}

/// Makes the compressed frames, which depend on nothing but the commit.
fn prepare(commit: &Commit, newest_dictionary: u16) -> Vec<Prepared> {
    let bytes: usize =
        commit.parts.iter().flat_map(|part| &part.writes).filter_map(|w| w.body.as_ref()).map(Bytes::len).sum();
    let prepare = || prepare_now(commit, newest_dictionary);
    if bytes < LARGE { prepare() } else { super::busy(prepare) }
}

fn prepare_now(commit: &Commit, newest_dictionary: u16) -> Vec<Prepared> {
    let author = serde_json::to_vec(&commit.author).expect("an author is plain strings");
    let prepare_part = |part: &Part| {
        let frames = payload::encode(&author, &part.attach, &part.detach, &part.writes);
        let largest = frames.iter().map(Vec::len).max().unwrap_or(0);
        let dictionary = compress::dictionary_for(largest, newest_dictionary);
        let new = part.writes.iter().filter(|write| write.number.is_none()).count();
        Prepared {
            frames: block::compress_frames(dictionary, &frames),
            dictionary,
            new: u32::try_from(new).expect("bounded by the limit on entries"),
        }
    };
    commit.parts.iter().map(prepare_part).collect()
}

/// One part, sealed: what goes to the store, what the caller is told, and the state that follows.
struct Sealed {
    append: AppendPart,
    answer: CommittedPart,
    state: State,
}

impl TenantInner {
    async fn try_commit(
        &self,
        commit: &Commit,
        prepared: &[Prepared],
        marks: &[Mark],
    ) -> Result<Committed, RecordError> {
        let guards = self.lock_all(commit).await;
        let time = self.clock.now();
        let mut sealed = Vec::with_capacity(commit.parts.len());
        for (part, ready) in commit.parts.iter().zip(prepared) {
            let mark = marks.iter().find(|mark| mark.record == part.record);
            match self.seal_part(part, ready, time, mark).await {
                Ok(part) => sealed.push(part),
                // The first commit with this key may be why the head is not as expected any more, or the record full.
                Err(
                    error @ (RecordError::Conflict { .. } | RecordError::Merged { .. } | RecordError::TooLarge { .. }),
                ) => {
                    return self.repeated(commit).await?.ok_or(error);
                }
                Err(error) => return Err(error),
            }
        }
        let (mut parts, mut answers) = (Vec::new(), Vec::new());
        for Sealed { append, answer, state } in sealed {
            self.states.put(append.record, state);
            parts.push(append);
            answers.push(answer);
        }
        let forget_after = time.micros().div_euclid(86_400_000_000) + i64::from(self.config.idempotency_days);
        let idempotency = commit.idempotency.map(|key| (self.keys().idempotency_index(&key.0), forget_after));
        let wait = self.store.append(Append { tenant: self.id, idempotency, parts });
        // A mark ties two records together; who erases one of them must see it in the store.
        let early = self.store.keeps_order() && marks.is_empty();
        let guards = if early { drop_all(guards) } else { guards };
        let outcome = wait.await;
        if !matches!(outcome, Ok(Appended::Done)) {
            for part in &commit.parts {
                self.states.forget(part.record);
            }
        }
        drop(guards);
        match outcome? {
            Appended::Done => Ok(Committed { parts: answers, repeated: false }),
            Appended::Repeated(blocks) => self.answer_again(&blocks).await,
            Appended::Conflict(record) => Err(RecordError::Conflict { record }),
            Appended::AliasTaken => Err(RecordError::AliasTaken),
        }
    }

    /// Takes the locks of all records of a commit, in one order for everyone.
    async fn lock_all(&self, commit: &Commit) -> Vec<MutexGuard<'_, ()>> {
        let mut numbers: Vec<usize> = commit.parts.iter().map(|part| Self::lock_number(part.record)).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let mut guards = Vec::with_capacity(numbers.len());
        for number in numbers {
            guards.push(self.writing[number].lock().await);
        }
        guards
    }

    async fn state(&self, record: RecordId) -> Result<State, RecordError> {
        let (row, keys) = self.row(record).await?.ok_or(RecordError::NoSuchRecord(record))?;
        Ok(State::of(&row, keys))
    }

    /// The state to build on, and for a new record its wrapped keys.
    async fn base(&self, part: &Part) -> Result<(State, Option<Bytes>), RecordError> {
        let empty = HeadRow { next_number: 1, ..HeadRow::default() };
        match part.expect {
            Expect::New => {
                let keys = RecordKeys::random(&*self.random);
                let wrapped = Bytes::from(self.keys().wrap_record(part.record, &keys, &*self.random));
                let keys = Arc::new(keys);
                self.states.remember_keys(part.record, wrapped.clone(), Arc::clone(&keys));
                Ok((State { keys, care: empty, access: empty, merged: None }, Some(wrapped)))
            }
            Expect::Any => match self.states.get(part.record) {
                Some(state) => Ok((state, None)),
                None => Ok((self.state(part.record).await?, None)),
            },
            Expect::Head(head) => {
                if let Some(state) = self.states.get(part.record)
                    && state.head(part.stream).head == head
                {
                    return Ok((state, None));
                }
                let state = self.state(part.record).await?;
                if state.head(part.stream).head == head {
                    Ok((state, None))
                } else {
                    Err(RecordError::Conflict { record: part.record })
                }
            }
        }
    }

    async fn seal_part(
        &self,
        part: &Part,
        ready: &Prepared,
        time: Timestamp,
        mark: Option<&Mark>,
    ) -> Result<Sealed, RecordError> {
        let (mut state, create) = self.base(part).await?;
        if let (Some(into), Stream::Care, None) = (state.merged, part.stream, mark) {
            return Err(RecordError::Merged { record: part.record, into });
        }
        if let Some(mark) = mark {
            state.merged = mark.into;
        }
        let before = state.head(part.stream);
        let size = u64::from(before.next_number) - 1 + u64::from(ready.new);
        let limits = &self.config.limits;
        let limit = match part.stream {
            Stream::Care => limits.record_entries,
            Stream::Access => limits.access_entries,
        };
        let limit = (limit as u64).min(u64::from(u32::MAX) - 1);
        if size > limit {
            return Err(RecordError::TooLarge { what: "the number of entries in a record", size, limit });
        }
        let next_number = u32::try_from(size + 1).expect("at most the limit and one");
        if part.writes.iter().filter_map(|write| write.number).any(|n| n.0 == 0 || n.0 >= before.next_number) {
            return Err(RecordError::Malformed("an entry is to get a new version but was never written"));
        }
        let (key_version, key) = state.keys.newest();
        let mut nonce = [0u8; 12];
        self.random.fill(&mut nonce);
        let header = Header {
            stream: part.stream,
            dictionary: ready.dictionary,
            tenant: self.id,
            record: part.record,
            key_version,
            seq: before.head.seq.next(),
            time,
            previous: before.head.hash,
            next_number,
            frames: u32::try_from(ready.frames.len()).expect("bounded by the limit on a commit"),
            nonce,
        };
        let block = block::seal(&header, &ready.frames, key);
        let head = Head { seq: header.seq, hash: block::hash(&block) };
        let tag = state.keys.head_tag(part.stream, head.seq.0, &head.hash, next_number);
        let head_row = HeadRow { head, next_number, tag };
        state.set_head(part.stream, head_row);
        let append = AppendPart {
            record: part.record,
            stream: part.stream,
            create,
            closed_allowed: part.stream == Stream::Access || mark.is_some(),
            merged: mark.map(|mark| mark.into.map(|into| (into, self.keys().merge_tag(part.record, into)))),
            expected: before.head,
            head: head_row,
            block,
            attach: self.indexes(part.record, &part.attach),
            detach: self.indexes(part.record, &part.detach).into_iter().map(|(index, _)| index).collect(),
        };
        let mut new = before.next_number;
        let number = |write: &crate::Write| {
            write.number.unwrap_or_else(|| {
                new += 1;
                EntryNumber(new - 1)
            })
        };
        let numbers = part.writes.iter().map(number).collect();
        let answer = CommittedPart { record: part.record, stream: part.stream, head, numbers, time };
        Ok(Sealed { append, answer, state })
    }

    fn indexes(&self, record: RecordId, aliases: &[crate::Alias]) -> Vec<([u8; 32], [u8; 16])> {
        let keys = self.keys();
        let index = |alias: &crate::Alias| {
            let index = keys.alias_index(&alias.system, &alias.value);
            (index, keys.alias_tag(&index, record))
        };
        aliases.iter().map(index).collect()
    }

    /// The answer that an earlier commit with the same idempotency key got, if there was one.
    async fn repeated(&self, commit: &Commit) -> Result<Option<Committed>, RecordError> {
        let Some(key) = commit.idempotency else { return Ok(None) };
        let probe = Append {
            tenant: self.id,
            idempotency: Some((self.keys().idempotency_index(&key.0), i64::MAX)),
            // No record has this id with this head, so the store either knows the key or refuses.
            parts: vec![probe_part()],
        };
        match self.store.append(probe).await? {
            Appended::Repeated(blocks) => self.answer_again(&blocks).await.map(Some),
            _ => Ok(None),
        }
    }

    /// Gives the answer of the commit that wrote these blocks once more.
    async fn answer_again(&self, blocks: &[(RecordId, Stream, Seq)]) -> Result<Committed, RecordError> {
        if blocks.is_empty() {
            let why = "it names no block".to_owned();
            return Err(RecordError::DamagedStore { what: "idempotency key", why });
        }
        let mut parts = Vec::with_capacity(blocks.len());
        for &(record, stream, seq) in blocks {
            let view = self.block_views(record, stream, seq, 1).await?.into_iter().next();
            let view = view.filter(|view| view.seq == seq).ok_or(RecordError::NoSuchRecord(record))?;
            parts.push(CommittedPart {
                record,
                stream,
                head: Head { seq, hash: view.hash },
                numbers: view.entries.iter().map(|entry| entry.number).collect(),
                time: view.time,
            });
        }
        Ok(Committed { parts, repeated: true })
    }
}

fn drop_all(guards: Vec<MutexGuard<'_, ()>>) -> Vec<MutexGuard<'_, ()>> {
    drop(guards);
    Vec::new()
}

/// A part that no store can accept: it expects a head that its own rules never give.
fn probe_part() -> AppendPart {
    AppendPart {
        record: RecordId::from_bytes([0; 10]),
        stream: Stream::Care,
        create: None,
        closed_allowed: false,
        merged: None,
        expected: Head { seq: Seq(u64::MAX >> 1), hash: [0; 32] },
        head: HeadRow::default(),
        block: Bytes::new(),
        attach: Vec::new(),
        detach: Vec::new(),
    }
}
