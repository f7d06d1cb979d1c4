//! What is asked of the engine when something is to be written, and what it answers.

use aws_lc_rs::digest;
use bytes::Bytes;
use keepwell_model::{Author, EntryNumber, Kind, Labels, RecordId, Seq, SourceKey, Stream, Timestamp};

/// The newest block of a stream: its sequence number and hash. `seq` 0 with a zero hash means "no block yet".
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Head {
    /// Sequence number of the newest block.
    pub seq: Seq,
    /// Its hash: SHA-256 over header and sealed body.
    pub hash: [u8; 32],
}

impl std::fmt::Debug for Head {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Head({} {:02x}{:02x}…)", self.seq, self.hash[0], self.hash[1])
    }
}

/// What the writer believes about the stream it writes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// The record does not exist yet; create it.
    New,
    /// The stream's head is this; otherwise [`crate::RecordError::Conflict`].
    Head(Head),
    /// Append after whatever is there.
    Any,
}

/// One version of one thing.
#[derive(Debug, Clone)]
pub struct Write {
    /// The entry to give a new version, or `None` for a new entry.
    pub number: Option<EntryNumber>,
    /// What kind of thing it is.
    pub kind: Kind,
    /// Its privacy labels.
    pub labels: Labels,
    /// The name its source gave it.
    pub source: Option<SourceKey>,
    /// Its content as it arrived; `None` deletes the entry (its history stays).
    pub body: Option<Bytes>,
}

/// An identifier of the outside world that leads to a record: an NHS number, a hospital number, a sign-in subject. It is
/// stored as a blind index only.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Alias {
    /// The identifier's system, usually a URL.
    pub system: String,
    /// The identifier as its system writes it.
    pub value: String,
}

impl std::fmt::Debug for Alias {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Alias({}, …)", self.system)
    }
}

/// What one commit does to one stream of one record: one block.
#[derive(Debug, Clone)]
pub struct Part {
    /// The record.
    pub record: RecordId,
    /// The stream.
    pub stream: Stream,
    /// What the writer believes about it.
    pub expect: Expect,
    /// The entries of the block, in order.
    pub writes: Vec<Write>,
    /// Aliases that from now on lead to the record.
    pub attach: Vec<Alias>,
    /// Aliases of the record that from now on lead nowhere.
    pub detach: Vec<Alias>,
}

impl Part {
    /// A part that only writes entries.
    #[must_use]
    pub const fn new(record: RecordId, stream: Stream, expect: Expect, writes: Vec<Write>) -> Self {
        Self { record, stream, expect, writes, attach: Vec::new(), detach: Vec::new() }
    }
}

/// Names one attempt to write, so that a retry is applied once.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(pub [u8; 32]);

impl IdempotencyKey {
    /// The key for any text or bytes that name the attempt.
    #[must_use]
    pub fn of(name: &[u8]) -> Self {
        let mut key = [0u8; 32];
        key.copy_from_slice(digest::digest(&digest::SHA256, name).as_ref());
        Self(key)
    }
}

impl std::fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IdempotencyKey(…)")
    }
}

/// One atomic change: all of its parts are kept, or none.
#[derive(Debug, Clone)]
pub struct Commit {
    /// Who writes, what for, from which source.
    pub author: Author,
    /// Names the attempt; a second commit with the same key changes nothing and gets the first one's answer.
    pub idempotency: Option<IdempotencyKey>,
    /// The streams it writes to, each at most once.
    pub parts: Vec<Part>,
}

/// What became of one part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommittedPart {
    /// The record.
    pub record: RecordId,
    /// The stream.
    pub stream: Stream,
    /// The stream's head with the new block; its `seq` is the version of every entry written.
    pub head: Head,
    /// The number of each write, in order.
    pub numbers: Vec<EntryNumber>,
    /// The time in the block's header.
    pub time: Timestamp,
}

/// The answer to a commit. It is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// One for each part, in order.
    pub parts: Vec<CommittedPart>,
    /// Whether an earlier commit with the same idempotency key had already done it.
    pub repeated: bool,
}
