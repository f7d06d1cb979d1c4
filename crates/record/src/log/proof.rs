//! Proof files: that a block is in a log, for a verifier that has nothing of Keepwell but this file, the block and the
//! log's public key (C2SP tlog-proof).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::checkpoint::{CheckpointError, OpenedCheckpoint, TrustedLog, decode_hash};
use super::merkle::{Hash, VerifyError, leaf_hash, verify_inclusion};
use super::note::VerifyingKey;
use super::tile::canonical_number;

/// The first line of a proof file.
const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// Hashes accepted in an inclusion proof: as many as the largest tree needs.
const MAX_PATH: usize = 63;

/// Why a proof proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The file cannot be read as a proof.
    #[error("the file is not a proof, or is damaged")]
    Form,
    /// The proof says itself that it is for another block.
    #[error("the proof is for another block")]
    OtherBlock,
    /// The checkpoint in it is not believed.
    #[error("reading the checkpoint in the proof")]
    Checkpoint(#[from] CheckpointError),
    /// The block is not where the proof says.
    #[error("checking the place of the block in the log")]
    Inclusion(#[from] VerifyError),
    /// Fewer known witnesses cosigned than are wanted.
    #[error("{found} known witnesses cosigned the checkpoint, {wanted} are wanted")]
    TooFewWitnesses {
        /// How many did.
        found: usize,
        /// How many should have.
        wanted: usize,
    },
}

/// A proof that a block is in a log. The `extra` line of the file names the block hash: nobody signed that line, so it
/// only serves to say "another block" in plain words; what counts is the hash of the block at hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    block: Option<Hash>,
    index: u64,
    path: Vec<Hash>,
    checkpoint: String,
}

impl Proof {
    /// Puts a proof together and checks it, so that damaged tiles never lead to a false proof in somebody's hands.
    ///
    /// # Errors
    /// [`ProofError::Inclusion`] if block, path and checkpoint do not fit together.
    pub fn new(block: Hash, index: u64, path: Vec<Hash>, checkpoint: &OpenedCheckpoint) -> Result<Self, ProofError> {
        let (size, root) = (checkpoint.checkpoint().size(), checkpoint.checkpoint().root());
        verify_inclusion(&leaf_hash(&block), index, size, &path, root)?;
        Ok(Self { block: Some(block), index, path, checkpoint: checkpoint.note().to_string() })
    }

    /// Reads a proof file. A file that reads prints again byte for byte.
    ///
    /// # Errors
    /// [`ProofError::Form`] if it is none; the checkpoint in it is read by [`Proof::verify`].
    pub fn parse(file: &[u8]) -> Result<Self, ProofError> {
        Self::read(file).ok_or(ProofError::Form)
    }

    fn read(file: &[u8]) -> Option<Self> {
        let (head, checkpoint) = std::str::from_utf8(file).ok()?.split_once("\n\n")?;
        let mut lines = head.split('\n');
        if lines.next() != Some(HEADER) {
            return None;
        }
        let mut line = lines.next()?;
        let mut block = None;
        if let Some(extra) = line.strip_prefix("extra ") {
            block = Some(decode_hash(extra)?);
            line = lines.next()?;
        }
        let index = line.strip_prefix("index ").and_then(canonical_number)?;
        let path = lines.take(MAX_PATH + 1).map(decode_hash).collect::<Option<Vec<_>>>()?;
        if path.len() > MAX_PATH {
            return None;
        }
        Some(Self { block, index, path, checkpoint: checkpoint.to_owned() })
    }

    /// The place in the log that the proof claims.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// Verifies that the block with this hash is in this log, under a checkpoint that at least `quorum` of the
    /// witnesses cosigned.
    ///
    /// # Errors
    /// [`ProofError`] with the first step that fails.
    pub fn verify(
        &self,
        block: &Hash,
        log: &TrustedLog,
        witnesses: &[VerifyingKey],
        quorum: usize,
    ) -> Result<OpenedCheckpoint, ProofError> {
        if self.block.is_some_and(|named| named != *block) {
            return Err(ProofError::OtherBlock);
        }
        let opened = log.open(self.checkpoint.as_bytes(), witnesses)?;
        let (size, root) = (opened.checkpoint().size(), opened.checkpoint().root());
        verify_inclusion(&leaf_hash(block), self.index, size, &self.path, root)?;
        let found = opened.cosignatures().len();
        if found < quorum {
            return Err(ProofError::TooFewWitnesses { found, wanted: quorum });
        }
        Ok(opened)
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        if let Some(block) = &self.block {
            writeln!(f, "extra {}", STANDARD.encode(block))?;
        }
        writeln!(f, "index {}", self.index)?;
        self.path.iter().try_for_each(|hash| writeln!(f, "{}", STANDARD.encode(hash)))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::log::{Checkpoint, SignatureKind, SigningKey, TreeState, prove_inclusion};

    fn entries() -> Vec<Hash> {
        (0..300u16).map(|i| leaf_hash(&i.to_be_bytes())).collect()
    }

    fn key() -> SigningKey {
        SigningKey::from_seed("example.org/log", SignatureKind::Log, &[1; 32]).unwrap()
    }

    fn log() -> TrustedLog {
        key().verifying().clone().into()
    }

    fn proof(index: u64) -> Proof {
        let appended = TreeState::new().append(&entries()).unwrap();
        let checkpoint = Checkpoint::new("example.org/log", 300, appended.state.root()).unwrap().sign(&key());
        let opened = log().open(checkpoint.to_string().as_bytes(), &[]).unwrap();
        let tiles: BTreeMap<_, _> = appended.tiles.into_iter().map(|tile| (tile.key, tile.bytes)).collect();
        let path = prove_inclusion(index, 300, &tiles).unwrap();
        Proof::new(entries()[usize::try_from(index).unwrap()], index, path, &opened).unwrap()
    }

    #[test]
    fn a_proof_file_proves_its_block_and_no_other() {
        for index in [0, 1, 255, 256, 299] {
            let file = proof(index).to_string();
            let read = Proof::parse(file.as_bytes()).unwrap();
            assert_eq!((read.to_string(), read.index()), (file, index));
            let block = entries()[usize::try_from(index).unwrap()];
            assert_eq!(read.verify(&block, &log(), &[], 0).unwrap().checkpoint().size(), 300);
            assert_eq!(read.verify(&[0; 32], &log(), &[], 0), Err(ProofError::OtherBlock));
            let wanted = ProofError::TooFewWitnesses { found: 0, wanted: 1 };
            assert_eq!(read.verify(&block, &log(), &[], 1), Err(wanted));
        }
    }

    #[test]
    fn the_unsigned_line_cannot_make_a_block_true() {
        let mut forged = proof(7);
        forged.block = Some([0; 32]);
        assert_eq!(forged.verify(&[0; 32], &log(), &[], 0), Err(ProofError::Inclusion(VerifyError::WrongRoot)));
        forged.block = None;
        let read = Proof::parse(forged.to_string().as_bytes()).unwrap();
        assert!(read.verify(&entries()[7], &log(), &[], 0).is_ok(), "the line may be left out");
        assert_eq!(read.verify(&entries()[8], &log(), &[], 0), Err(ProofError::Inclusion(VerifyError::WrongRoot)));
    }

    #[test]
    fn no_bit_of_a_proof_file_may_change() {
        let file = proof(257).to_string().into_bytes();
        let block = entries()[257];
        for bit in 0..file.len() * 8 {
            let mut changed = file.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let outcome = Proof::parse(&changed).and_then(|proof| proof.verify(&block, &log(), &[], 0));
            assert!(outcome.is_err(), "bit {bit}");
        }
        for length in 0..file.len() {
            let outcome = Proof::parse(&file[..length]).and_then(|proof| proof.verify(&block, &log(), &[], 0));
            assert!(outcome.is_err(), "cut at {length}");
        }
    }

    #[test]
    fn a_file_that_is_no_proof_is_refused() {
        let good = proof(0).to_string();
        let hash = STANDARD.encode([0; 32]);
        for file in [
            String::new(),
            good.replacen("@v1", "@v2", 1),
            good.replacen("index 0", "index 00", 1),
            good.replacen("index 0", "index +0", 1),
            good.replacen("index 0", "index", 1),
            good.replacen("extra ", "extra  ", 1),
            good.replacen("extra ", "extra AAAA\nextra ", 1),
            good.replacen("index 0\n", "index 0\nAAAA\n", 1),
            good.replacen("index 0\n", "index 0\nindex 0\n", 1),
            good.replacen("index 0\n", &format!("index 0\n{}", format!("{hash}\n").repeat(64)), 1),
            good.replace('\n', "\r\n"),
        ] {
            assert_eq!(Proof::parse(file.as_bytes()), Err(ProofError::Form), "{file:.80}");
        }
    }

    #[test]
    fn a_proof_that_does_not_hold_is_not_made() {
        let appended = TreeState::new().append(&entries()).unwrap();
        let checkpoint = Checkpoint::new("example.org/log", 300, appended.state.root()).unwrap().sign(&key());
        let opened = log().open(checkpoint.to_string().as_bytes(), &[]).unwrap();
        let outcome = Proof::new([1; 32], 0, proof(0).path, &opened);
        assert_eq!(outcome, Err(ProofError::Inclusion(VerifyError::WrongRoot)));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic_and_what_reads_prints_again(
            body in "(extra [A-Za-z0-9+/=]{0,44}\n)?(index [0-9]{0,3}\n)?([A-Za-z0-9+/]{43}=\n){0,3}\n?[a-z\n]{0,9}",
        ) {
            let file = format!("{HEADER}\n{body}");
            if let Ok(proof) = Proof::parse(file.as_bytes()) {
                prop_assert_eq!(proof.to_string(), file);
            }
        }
    }
}
