//! The witness: it cosigns a log's checkpoint only after it has seen the proof that nothing before was changed
//! (C2SP tlog-witness, `add-checkpoint`).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keepwell_model::Timestamp;

use super::checkpoint::{Checkpoint, CheckpointError, OpenedCheckpoint, TrustedLog, cosign, decode_hash};
use super::merkle::{Hash, empty_root, verify_consistency};
use super::note::{KeyError, Note, SignatureKind, SigningKey, VerifyingKey};
use super::tile::canonical_number;

/// Hashes accepted in a consistency proof: as many as the largest tree needs.
const MAX_PROOF: usize = 63;

/// What a log sends to a witness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// The size that the log believes the witness saw last; 0 if none.
    pub old_size: u64,
    /// The consistency proof from there to the checkpoint.
    pub proof: Vec<Hash>,
    /// The signed checkpoint.
    pub checkpoint: String,
}

impl AddCheckpoint {
    /// Reads the body of a request.
    ///
    /// # Errors
    /// [`Refusal::Malformed`] if it is none.
    pub fn parse(body: &[u8]) -> Result<Self, Refusal> {
        let (head, checkpoint) =
            std::str::from_utf8(body).ok().and_then(|body| body.split_once("\n\n")).ok_or(Refusal::Malformed)?;
        let mut lines = head.split('\n');
        let old_size = lines.next().and_then(|line| line.strip_prefix("old ")).and_then(canonical_number);
        let old_size = old_size.ok_or(Refusal::Malformed)?;
        let proof = lines.take(MAX_PROOF + 1).map(decode_hash).collect::<Option<Vec<_>>>().ok_or(Refusal::Malformed)?;
        if proof.len() > MAX_PROOF {
            return Err(Refusal::Malformed);
        }
        Ok(Self { old_size, proof, checkpoint: checkpoint.to_owned() })
    }
}

impl fmt::Display for AddCheckpoint {
    /// The body of the request.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old_size)?;
        self.proof.iter().try_for_each(|hash| writeln!(f, "{}", STANDARD.encode(hash)))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

/// Why a witness does not cosign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The request cannot be read.
    #[error("the request is malformed")]
    Malformed,
    /// The old size is larger than the checkpoint's.
    #[error("the old size is larger than the size of the checkpoint")]
    OldSizeTooLarge,
    /// No log of this origin is configured.
    #[error("the log is unknown to this witness")]
    UnknownLog,
    /// The log did not sign it, or a signature is false.
    #[error("the checkpoint is not signed by the log")]
    Unsigned,
    /// The log believes that the witness saw another size last.
    #[error("the witness last saw this log with {size} entries")]
    Conflict {
        /// What the witness saw last.
        size: u64,
    },
    /// The log does not continue what the witness saw.
    #[error("the checkpoint does not continue the one that the witness saw last")]
    Inconsistent,
}

impl Refusal {
    /// The HTTP status that C2SP tlog-witness assigns.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Malformed | Self::OldSizeTooLarge => 400,
            Self::Unsigned => 403,
            Self::UnknownLog => 404,
            Self::Conflict { .. } => 409,
            Self::Inconsistent => 422,
        }
    }

    /// The media type and body of the answer: for a conflict the size that the witness knows.
    #[must_use]
    pub fn body(self) -> (&'static str, String) {
        match self {
            Self::Conflict { size } => ("text/x.tlog.size", format!("{size}\n")),
            other => ("text/plain; charset=utf-8", format!("{other}\n")),
        }
    }
}

/// The latest checkpoint of a log that a witness cosigned: all that it must remember of that log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Its size.
    pub size: u64,
    /// Its root.
    pub root: Hash,
}

/// A witness: its key and the logs it knows. It keeps no state of its own.
#[derive(Debug)]
pub struct Witness {
    key: SigningKey,
    logs: Vec<TrustedLog>,
}

impl Witness {
    /// A witness for some logs.
    ///
    /// # Errors
    /// [`KeyError::Kind`] if the key is not a witness's: a log's key must never sign as a witness.
    pub fn new(key: SigningKey, logs: Vec<TrustedLog>) -> Result<Self, KeyError> {
        if key.verifying().kind() == SignatureKind::Witness { Ok(Self { key, logs }) } else { Err(KeyError::Kind) }
    }

    /// The key that its cosignatures verify with.
    #[must_use]
    pub const fn verifying(&self) -> &VerifyingKey {
        self.key.verifying()
    }

    /// Reads a request and checks all that can be checked without knowing what was seen before.
    ///
    /// # Errors
    /// [`Refusal`] with the status to answer.
    pub fn open(&self, body: &[u8]) -> Result<Submission<'_>, Refusal> {
        let request = AddCheckpoint::parse(body)?;
        let note = request.checkpoint.as_bytes();
        let text = Note::parse(note).map_err(|_| Refusal::Malformed)?.text;
        let origin = Checkpoint::parse(&text).map_err(|_| Refusal::Malformed)?;
        let log = self.logs.iter().find(|log| log.origin() == origin.origin()).ok_or(Refusal::UnknownLog)?;
        let opened = log.open(note, &[]).map_err(|error| match error {
            CheckpointError::Unsigned | CheckpointError::FalseSignature { .. } => Refusal::Unsigned,
            _ => Refusal::Malformed,
        })?;
        if request.old_size > opened.checkpoint().size() {
            return Err(Refusal::OldSizeTooLarge);
        }
        Ok(Submission { key: &self.key, log, opened, old_size: request.old_size, proof: request.proof })
    }
}

/// A request whose checkpoint is signed by a log that the witness knows.
#[derive(Debug)]
pub struct Submission<'a> {
    key: &'a SigningKey,
    log: &'a TrustedLog,
    opened: OpenedCheckpoint,
    old_size: u64,
    proof: Vec<Hash>,
}

/// A decision to cosign. Store `seen` and `checkpoint` before the answer leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosigned {
    /// What the witness has now seen of this log.
    pub seen: Seen,
    /// The body of the answer: one signature line.
    pub answer: String,
    /// The checkpoint with the log's and this witness's signatures, to be served to monitors.
    pub checkpoint: String,
}

impl Submission<'_> {
    /// Which log it is of: the key to look up what was seen last.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.opened.checkpoint().origin()
    }

    /// Decides, given what the witness saw last of this log (`None`: nothing yet).
    ///
    /// Looking up `last` and storing [`Cosigned::seen`] must be one atomic step for this log. Otherwise two requests
    /// at once could set the witness back, and it would cosign a fork.
    ///
    /// # Errors
    /// [`Refusal`] with the status to answer; nothing is to be stored then.
    pub fn cosign(&self, last: Option<Seen>, now: Timestamp) -> Result<Cosigned, Refusal> {
        let checkpoint = self.opened.checkpoint();
        let last = last.unwrap_or_else(|| Seen { size: 0, root: empty_root() });
        if self.old_size != last.size {
            return Err(Refusal::Conflict { size: last.size });
        }
        verify_consistency(last.size, &last.root, checkpoint.size(), checkpoint.root(), &self.proof)
            .map_err(|_| Refusal::Inconsistent)?;
        // A cosignature of second 0 would say that it has no time; a clock that stands there is wrong anyway.
        let seconds = u64::try_from(now.micros() / 1_000_000).unwrap_or(0).max(1);
        let line = cosign(&self.opened.note().text, seconds, self.key);
        let mut note = self.opened.note().clone();
        note.signatures.retain(|line| self.log.key_of(line).is_some());
        note.signatures.push(line.clone());
        let seen = Seen { size: checkpoint.size(), root: *checkpoint.root() };
        Ok(Cosigned { seen, answer: line.to_string(), checkpoint: note.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::log::{TileKey, TreeState, prove_consistency, root_at};

    fn log_key(name: &str) -> SigningKey {
        SigningKey::from_seed(name, SignatureKind::Log, &[1; 32]).unwrap()
    }

    fn witness() -> Witness {
        let key = SigningKey::from_seed("witness.example", SignatureKind::Witness, &[2; 32]).unwrap();
        Witness::new(key, vec![log_key("example.org/log").verifying().clone().into()]).unwrap()
    }

    /// The tiles of a log of 600 entries that all differ by `salt`.
    fn tiles(salt: u8) -> BTreeMap<TileKey, Vec<u8>> {
        let entries: Vec<Hash> = (0..600u16).map(|i| [salt ^ (i % 256) as u8; 32]).collect();
        let appended = TreeState::new().append(&entries).unwrap();
        appended.tiles.into_iter().map(|tile| (tile.key, tile.bytes)).collect()
    }

    fn checkpoint(size: u64, salt: u8) -> String {
        let root = root_at(size, &tiles(salt)).unwrap();
        Checkpoint::new("example.org/log", size, root).unwrap().sign(&log_key("example.org/log")).to_string()
    }

    fn request(old: u64, new: u64) -> AddCheckpoint {
        let proof = prove_consistency(old, new, &tiles(0)).unwrap_or_default();
        AddCheckpoint { old_size: old, proof, checkpoint: checkpoint(new, 0) }
    }

    fn submit(request: &AddCheckpoint, last: Option<Seen>) -> Result<Cosigned, Refusal> {
        witness().open(request.to_string().as_bytes())?.cosign(last, Timestamp::from_micros(1_700_000_000_999_999))
    }

    #[test]
    fn a_witness_follows_a_log_as_it_grows() {
        let mut last = None;
        let known = [witness().verifying().clone()];
        let log: TrustedLog = log_key("example.org/log").verifying().clone().into();
        for (old, new) in [(0, 0), (0, 0), (0, 1), (1, 1), (1, 256), (256, 257), (257, 599), (599, 600), (600, 600)] {
            let cosigned = submit(&request(old, new), last).unwrap();
            assert_eq!(cosigned.seen.size, new);
            let opened = log.open(cosigned.checkpoint.as_bytes(), &known).unwrap();
            assert_eq!(opened.cosignatures()[0].seconds, 1_700_000_000);
            let plain = log.open(checkpoint(new, 0).as_bytes(), &known).unwrap();
            assert_eq!(plain.add_cosignatures(cosigned.answer.as_bytes(), &known), Ok(opened));
            last = Some(cosigned.seen);
        }
    }

    #[test]
    fn a_witness_never_goes_back_and_says_what_it_knows() {
        let last = Some(submit(&request(0, 300), None).unwrap().seen);
        for (old, new) in [(0, 300), (0, 600), (299, 300), (299, 600), (200, 250), (301, 600)] {
            assert_eq!(submit(&request(old, new), last), Err(Refusal::Conflict { size: 300 }), "{old} to {new}");
        }
        assert_eq!(submit(&request(300, 299), last), Err(Refusal::OldSizeTooLarge));
        assert_eq!(submit(&request(1, 2), None), Err(Refusal::Conflict { size: 0 }));
        assert_eq!(Refusal::Conflict { size: 300 }.body(), ("text/x.tlog.size", "300\n".to_owned()));
    }

    #[test]
    fn a_fork_is_never_cosigned() {
        let last = Some(submit(&request(0, 300), None).unwrap().seen);
        let fork = |old, new| AddCheckpoint {
            old_size: old,
            proof: prove_consistency(old, new, &tiles(1)).unwrap(),
            checkpoint: checkpoint(new, 1),
        };
        assert_eq!(submit(&fork(300, 300), last), Err(Refusal::Inconsistent));
        assert_eq!(submit(&fork(300, 600), last), Err(Refusal::Inconsistent));
        let mut proof_of_the_true_log = request(300, 600);
        proof_of_the_true_log.checkpoint = checkpoint(600, 1);
        assert_eq!(submit(&proof_of_the_true_log, last), Err(Refusal::Inconsistent));
    }

    #[test]
    fn a_proof_must_be_exactly_the_one_needed() {
        let last = Some(submit(&request(0, 300), None).unwrap().seen);
        let mut short = request(300, 600);
        short.proof.pop();
        let mut long = request(300, 600);
        long.proof.push([0; 32]);
        let mut same = request(300, 300);
        same.proof.push([0; 32]);
        for request in [short, long, same] {
            assert_eq!(submit(&request, last), Err(Refusal::Inconsistent));
        }
        let mut first = request(0, 300);
        first.proof.push([0; 32]);
        assert_eq!(submit(&first, None), Err(Refusal::Inconsistent));
        let key = log_key("example.org/log");
        let checkpoint = Checkpoint::new("example.org/log", 0, [0; 32]).unwrap().sign(&key).to_string();
        let empty = AddCheckpoint { old_size: 0, proof: vec![], checkpoint };
        assert_eq!(submit(&empty, None), Err(Refusal::Inconsistent), "the empty tree has one root");
    }

    #[test]
    fn unknown_logs_and_unsigned_checkpoints_are_told_apart() {
        let key = log_key("example.org/other");
        let other = Checkpoint::new("example.org/other", 0, empty_root()).unwrap().sign(&key).to_string();
        let unknown = AddCheckpoint { old_size: 0, proof: vec![], checkpoint: other };
        assert_eq!(submit(&unknown, None), Err(Refusal::UnknownLog));

        let stranger = SigningKey::from_seed("example.org/log", SignatureKind::Log, &[7; 32]).unwrap();
        let text = Checkpoint::new("example.org/log", 0, empty_root()).unwrap();
        let unsigned = AddCheckpoint { old_size: 0, proof: vec![], checkpoint: text.sign(&stranger).to_string() };
        assert_eq!(submit(&unsigned, None), Err(Refusal::Unsigned));

        let mut note = text.sign(&log_key("example.org/log"));
        note.signatures[0].bytes[3] ^= 1;
        let false_line = AddCheckpoint { old_size: 0, proof: vec![], checkpoint: note.to_string() };
        assert_eq!(submit(&false_line, None), Err(Refusal::Unsigned));
        assert_eq!((Refusal::UnknownLog.status(), Refusal::Unsigned.status()), (404, 403));
    }

    #[test]
    fn a_request_that_cannot_be_read_is_malformed() {
        let good = request(0, 300).to_string();
        assert!(witness().open(good.as_bytes()).is_ok());
        let hash = STANDARD.encode([0; 32]);
        for body in [
            String::new(),
            good.replacen("old 0", "old 00", 1),
            good.replacen("old 0", "old -1", 1),
            good.replacen("old 0", "old", 1),
            good.replacen("old 0", "Old 0", 1),
            good.replacen("old 0\n", "old 0\r\n", 1),
            good.replacen("old 0\n\n", "old 0\n", 1),
            good.replacen("old 0\n", "old 0\nAAAA\n", 1),
            good.replacen("old 0\n", &format!("old 0\n{}", format!("{hash}\n").repeat(64)), 1),
            good.replacen("\n300\n", "\n0300\n", 1),
            good.trim_end().to_owned(),
        ] {
            assert_eq!(witness().open(body.as_bytes()).err(), Some(Refusal::Malformed), "{body:.60}");
        }
        let long = good.replacen("old 0\n", &format!("old 0\n{}", format!("{hash}\n").repeat(63)), 1);
        assert!(witness().open(long.as_bytes()).is_ok());
    }

    #[test]
    fn a_logs_key_cannot_be_a_witness() {
        assert_eq!(Witness::new(log_key("example.org/log"), vec![]).err(), Some(KeyError::Kind));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_witness_panic(body in "(old [0-9]{0,3}\n)?([A-Za-z0-9+/=]{0,44}\n){0,4}\n?([a\u{2014} \n]{0,9})") {
            let _ = witness().open(body.as_bytes());
        }

        #[test]
        fn every_request_reads_back(old_size in 0u64..1 << 60, proof in prop::collection::vec(any::<[u8; 32]>(), 0..63)) {
            let request = AddCheckpoint { old_size, proof, checkpoint: checkpoint(3, 0) };
            prop_assert_eq!(AddCheckpoint::parse(request.to_string().as_bytes()), Ok(request));
        }
    }
}
