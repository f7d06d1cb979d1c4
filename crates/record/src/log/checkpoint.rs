//! Checkpoints: size and root of a log, signed by the log (C2SP tlog-checkpoint) and by witnesses (C2SP
//! tlog-cosignature, the Ed25519 form).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::merkle::Hash;
use super::note::{Note, NoteError, NoteSignature, SignatureKind, SigningKey, VerifyingKey};
use super::tile::{MAX_SIZE, canonical_number};

/// Why a checkpoint is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Not a signed note.
    #[error("reading the checkpoint")]
    Note(#[from] NoteError),
    /// A signed note that does not say a log's size and root.
    #[error("the signed text is not a checkpoint")]
    Form,
    /// The checkpoint of another log.
    #[error("the checkpoint is of another log, {found}")]
    OtherLog {
        /// The origin that it names.
        found: String,
    },
    /// No trusted key of the log signed it.
    #[error("the checkpoint bears no signature of the log")]
    Unsigned,
    /// A signature claims to be by a known key and is not.
    #[error("the signature of {name} under the checkpoint is false")]
    FalseSignature {
        /// The key's name.
        name: String,
    },
    /// An added line claims to be by a known witness, or is no signature of one.
    #[error("the answer holds no valid cosignature of a known witness")]
    NotCosigned,
}

/// What a checkpoint says, signed or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    origin: String,
    size: u64,
    root: Hash,
    extensions: Vec<String>,
}

impl Checkpoint {
    /// The checkpoint of a log; none of ours has extension lines, which nobody could audit.
    ///
    /// # Errors
    /// [`CheckpointError::Form`] if the origin is empty or holds a control character, or the size exceeds 2^63 − 1.
    pub fn new(origin: &str, size: u64, root: Hash) -> Result<Self, CheckpointError> {
        if origin.is_empty() || origin.chars().any(|c| c < ' ') || size > MAX_SIZE {
            return Err(CheckpointError::Form);
        }
        Ok(Self { origin: origin.to_owned(), size, root, extensions: Vec::new() })
    }

    /// Reads the text of a note as a checkpoint: origin, size, root, and perhaps further lines.
    ///
    /// # Errors
    /// [`CheckpointError::Form`] if it is none.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let mut lines = text.strip_suffix('\n').ok_or(CheckpointError::Form)?.split('\n');
        let mut line = || lines.next().filter(|line| !line.is_empty()).ok_or(CheckpointError::Form);
        let (origin, size, root) = (line()?, line()?, line()?);
        let size = canonical_number(size).ok_or(CheckpointError::Form)?;
        let mut checkpoint = Self::new(origin, size, decode_hash(root).ok_or(CheckpointError::Form)?)?;
        checkpoint.extensions = lines.map(str::to_owned).collect();
        if checkpoint.extensions.iter().any(String::is_empty) { Err(CheckpointError::Form) } else { Ok(checkpoint) }
    }

    /// Which log.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// How many entries.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root of its tree.
    #[must_use]
    pub const fn root(&self) -> &Hash {
        &self.root
    }

    /// Further lines, of whatever meaning.
    #[must_use]
    pub fn extensions(&self) -> &[String] {
        &self.extensions
    }

    /// Signs as the log. The caller makes sure that it continues every checkpoint signed before.
    #[must_use]
    pub fn sign(&self, key: &SigningKey) -> Note {
        let text = self.to_string();
        let signature = key.line(key.sign(text.as_bytes()).to_vec());
        Note { text, signatures: vec![signature] }
    }
}

impl fmt::Display for Checkpoint {
    /// The text that is signed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, STANDARD.encode(self.root))?;
        self.extensions.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// Reads a line that is one hash in base64.
pub(super) fn decode_hash(line: &str) -> Option<Hash> {
    STANDARD.decode(line).ok()?.try_into().ok()
}

/// A witness's statement: at this time, this was the largest tree of the log it had seen, and it continued all before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosignature {
    /// The name of the witness's key.
    pub name: String,
    /// The id of the witness's key.
    pub id: u32,
    /// When, in seconds since 1970-01-01T00:00:00Z.
    pub seconds: u64,
}

/// What a witness signs: C2SP tlog-cosignature, "Ed25519 signed message".
fn cosigned_message(text: &str, seconds: u64) -> String {
    format!("cosignature/v1\ntime {seconds}\n{text}")
}

/// A witness's signature line under a checkpoint's text.
pub(super) fn cosign(text: &str, seconds: u64, key: &SigningKey) -> NoteSignature {
    let mut bytes = seconds.to_be_bytes().to_vec();
    bytes.extend_from_slice(&key.sign(cosigned_message(text, seconds).as_bytes()));
    key.line(bytes)
}

/// Checks all the lines that claim to be by one of these witnesses; each key is listed once, with its latest time.
fn cosignatures(note: &Note, witnesses: &[VerifyingKey]) -> Result<Vec<Cosignature>, CheckpointError> {
    let mut found: Vec<Cosignature> = Vec::new();
    for line in &note.signatures {
        let known = witnesses.iter().filter(|key| key.kind() == SignatureKind::Witness);
        let Some(key) = known.into_iter().find(|key| key.claims(line)) else { continue };
        let seconds = verify_cosignature(&note.text, line, key)
            .ok_or_else(|| CheckpointError::FalseSignature { name: key.name().to_owned() })?;
        match found.iter_mut().find(|c| c.name == line.name && c.id == line.id) {
            Some(known) => known.seconds = known.seconds.max(seconds),
            None => found.push(Cosignature { name: line.name.clone(), id: line.id, seconds }),
        }
    }
    Ok(found)
}

fn verify_cosignature(text: &str, line: &NoteSignature, key: &VerifyingKey) -> Option<u64> {
    let (seconds, signature) = line.bytes.split_first_chunk::<8>()?;
    let seconds = u64::from_be_bytes(*seconds);
    let holds = i64::try_from(seconds).is_ok() && key.verifies(cosigned_message(text, seconds).as_bytes(), signature);
    holds.then_some(seconds)
}

/// A log that somebody trusts to speak for itself: its origin and the keys it signs with (several while they change).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedLog {
    origin: String,
    keys: Vec<VerifyingKey>,
}

impl From<VerifyingKey> for TrustedLog {
    /// The usual case: the key bears the log's origin as its name.
    fn from(key: VerifyingKey) -> Self {
        Self { origin: key.name().to_owned(), keys: vec![key] }
    }
}

impl TrustedLog {
    /// A log with its keys; keys that are not for checkpoints never match anything.
    #[must_use]
    pub fn new(origin: &str, keys: Vec<VerifyingKey>) -> Self {
        Self { origin: origin.to_owned(), keys }
    }

    /// The first line of its checkpoints.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Reads and verifies a checkpoint. Lines by nobody we know are ignored, as C2SP signed-note asks; a false line by
    /// somebody we know spoils the whole.
    ///
    /// # Errors
    /// [`CheckpointError`] unless a trusted key of this log signed it.
    pub fn open(&self, note: &[u8], witnesses: &[VerifyingKey]) -> Result<OpenedCheckpoint, CheckpointError> {
        let note = Note::parse(note)?;
        let checkpoint = Checkpoint::parse(&note.text)?;
        if checkpoint.origin != self.origin {
            return Err(CheckpointError::OtherLog { found: checkpoint.origin });
        }
        let mut signed = false;
        for line in &note.signatures {
            if let Some(key) = self.key_of(line) {
                if !key.verifies(note.text.as_bytes(), &line.bytes) {
                    return Err(CheckpointError::FalseSignature { name: key.name().to_owned() });
                }
                signed = true;
            }
        }
        if !signed {
            return Err(CheckpointError::Unsigned);
        }
        let cosignatures = cosignatures(&note, witnesses)?;
        Ok(OpenedCheckpoint { checkpoint, note, cosignatures })
    }

    /// The key of this log that a line claims to be by.
    pub(super) fn key_of(&self, line: &NoteSignature) -> Option<&VerifyingKey> {
        self.keys.iter().find(|key| key.kind() == SignatureKind::Log && key.claims(line))
    }
}

/// A checkpoint whose signatures hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedCheckpoint {
    checkpoint: Checkpoint,
    note: Note,
    cosignatures: Vec<Cosignature>,
}

impl OpenedCheckpoint {
    /// What it says.
    #[must_use]
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The whole note, signature lines of strangers included.
    #[must_use]
    pub const fn note(&self) -> &Note {
        &self.note
    }

    /// The known witnesses who cosigned, each key once.
    #[must_use]
    pub fn cosignatures(&self) -> &[Cosignature] {
        &self.cosignatures
    }

    /// Adds the signature lines that a witness answered to `add-checkpoint` (C2SP tlog-witness); lines by nobody in
    /// `witnesses` are dropped, and an older line of the same key is replaced.
    ///
    /// # Errors
    /// [`CheckpointError`] if no line is by a known witness, or one of theirs is false.
    pub fn add_cosignatures(&self, answer: &[u8], witnesses: &[VerifyingKey]) -> Result<Self, CheckpointError> {
        let answer = std::str::from_utf8(answer).map_err(|_| NoteError::Character)?;
        let mut added = NoteSignature::parse_lines(answer)?;
        added.retain(|line| witnesses.iter().any(|key| key.kind() == SignatureKind::Witness && key.claims(line)));
        if added.is_empty() {
            return Err(CheckpointError::NotCosigned);
        }
        let mut note = self.note.clone();
        note.signatures.retain(|old| !added.iter().any(|new| new.name == old.name && new.id == old.id));
        note.signatures.extend(added);
        // Read again: this also keeps the number of lines within the limit.
        let note = Note::parse(note.to_string().as_bytes())?;
        let cosignatures = cosignatures(&note, witnesses)?;
        Ok(Self { checkpoint: self.checkpoint.clone(), note, cosignatures })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn log_key() -> SigningKey {
        SigningKey::from_seed("example.org/log", SignatureKind::Log, &[1; 32]).unwrap()
    }

    fn witness_key(n: u8) -> SigningKey {
        SigningKey::from_seed(&format!("witness{n}.example"), SignatureKind::Witness, &[100 + n; 32]).unwrap()
    }

    fn trusted() -> TrustedLog {
        log_key().verifying().clone().into()
    }

    fn signed() -> Note {
        Checkpoint::new("example.org/log", 7, [9; 32]).unwrap().sign(&log_key())
    }

    #[test]
    fn the_specifications_checkpoint_with_its_cosignature_reads() {
        let text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
            \u{2014} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\
            \u{2014} witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";
        let note = Note::parse(text.as_bytes()).unwrap();
        let checkpoint = Checkpoint::parse(&note.text).unwrap();
        assert_eq!((checkpoint.origin(), checkpoint.size()), ("example.com/behind-the-sofa", 20_852_163));
        assert_eq!(checkpoint.to_string(), note.text);
        // Its keys are not published with it, so only the form of the cosignature can be checked: its time is there.
        assert_eq!(note.signatures[1].bytes[..8], 1_679_315_147u64.to_be_bytes());
        assert_eq!(note.signatures[1].bytes.len(), 72);
        assert_eq!(
            cosigned_message(&note.text, 1_679_315_147),
            "cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\n\
             CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
        );
    }

    #[test]
    fn what_is_not_a_checkpoint_is_refused() {
        let root = STANDARD.encode([9; 32]);
        for text in [
            String::new(),
            "\n".to_owned(),
            "example.org/log\n7\n".to_owned(),
            format!("\n7\n{root}\n"),
            format!("example.org/log\n07\n{root}\n"),
            format!("example.org/log\n+7\n{root}\n"),
            format!("example.org/log\n-7\n{root}\n"),
            format!("example.org/log\n 7\n{root}\n"),
            format!("example.org/log\n\n{root}\n"),
            format!("example.org/log\n9223372036854775808\n{root}\n"),
            format!("example.org/log\n99999999999999999999\n{root}\n"),
            format!("example.org/log\n7\n{root}"),
            format!("example.org/log\n7\n{root}\n\n"),
            format!("example.org/log\n7\n{root}\n\nmore\n"),
            format!("example.org/log\n7\n{}\n", &root[4..]),
            format!("example.org/log\n7\n{root}AAAA\n"),
            format!("example.org/log\n7\n{root} \n"),
        ] {
            assert_eq!(Checkpoint::parse(&text), Err(CheckpointError::Form), "{text:?}");
        }
        let extended = format!("a log with spaces\n0\n{root}\nmore\nlines\n");
        let checkpoint = Checkpoint::parse(&extended).unwrap();
        assert_eq!(checkpoint.extensions(), ["more", "lines"]);
        assert_eq!(checkpoint.to_string(), extended);
        assert_eq!(Checkpoint::new("", 0, [0; 32]), Err(CheckpointError::Form));
        assert_eq!(Checkpoint::new("a\nb", 0, [0; 32]), Err(CheckpointError::Form));
        assert_eq!(Checkpoint::new("a", 1 << 63, [0; 32]), Err(CheckpointError::Form));
    }

    #[test]
    fn only_the_logs_own_signature_opens_its_checkpoint() {
        let note = signed();
        let opened = trusted().open(note.to_string().as_bytes(), &[]).unwrap();
        assert_eq!((opened.checkpoint().size(), opened.checkpoint().root()), (7, &[9; 32]));

        let other: TrustedLog =
            SigningKey::from_seed("example.org/log", SignatureKind::Log, &[2; 32]).unwrap().verifying().clone().into();
        assert_eq!(other.open(note.to_string().as_bytes(), &[]), Err(CheckpointError::Unsigned));
        let elsewhere = TrustedLog::new("example.org/other", vec![log_key().verifying().clone()]);
        let found = "example.org/log".to_owned();
        assert_eq!(elsewhere.open(note.to_string().as_bytes(), &[]), Err(CheckpointError::OtherLog { found }));
        // A witness's key of the same bytes signs something else.
        let kind =
            VerifyingKey::new("example.org/log", SignatureKind::Witness, *log_key().verifying().public()).unwrap();
        assert_eq!(TrustedLog::from(kind).open(note.to_string().as_bytes(), &[]), Err(CheckpointError::Unsigned));
    }

    #[test]
    fn a_false_line_of_a_known_key_spoils_the_note_and_a_strangers_line_does_not() {
        let mut note = signed();
        note.signatures.push(NoteSignature { name: "stranger.example".into(), id: 5, bytes: vec![0; 64] });
        note.signatures.push(NoteSignature { name: "example.org/log".into(), id: 5, bytes: vec![0; 64] });
        assert!(trusted().open(note.to_string().as_bytes(), &[]).is_ok());
        let mut again = note.signatures[0].clone();
        note.signatures.push(again.clone());
        assert!(trusted().open(note.to_string().as_bytes(), &[]).is_ok(), "a true line may be there twice");
        again.bytes[0] ^= 1;
        note.signatures.push(again);
        let name = "example.org/log".to_owned();
        assert_eq!(trusted().open(note.to_string().as_bytes(), &[]), Err(CheckpointError::FalseSignature { name }));
    }

    #[test]
    fn cosignatures_are_checked_against_the_witnesses_one_knows() {
        let (one, two) = (witness_key(1), witness_key(2));
        let known = [one.verifying().clone(), two.verifying().clone()];
        let opened = trusted().open(signed().to_string().as_bytes(), &known).unwrap();
        assert_eq!(opened.cosignatures(), []);

        let text = &opened.note().text;
        let answer = format!("{}{}", cosign(text, 50, &one), cosign(text, 60, &witness_key(3)));
        let opened = opened.add_cosignatures(answer.as_bytes(), &known).unwrap();
        assert_eq!(opened.note().signatures.len(), 2, "the stranger's line is dropped");
        let opened = opened.add_cosignatures(cosign(text, 70, &two).to_string().as_bytes(), &known).unwrap();
        let opened = opened.add_cosignatures(cosign(text, 80, &one).to_string().as_bytes(), &known).unwrap();
        let mut seen: Vec<_> = opened.cosignatures().iter().map(|c| (c.name.as_str(), c.seconds)).collect();
        seen.sort_unstable();
        assert_eq!(seen, [("witness1.example", 80), ("witness2.example", 70)]);

        let whole = opened.note().to_string();
        assert_eq!(trusted().open(whole.as_bytes(), &known).as_ref(), Ok(&opened));
        assert_eq!(trusted().open(whole.as_bytes(), &known[..1]).unwrap().cosignatures().len(), 1);
        assert_eq!(trusted().open(whole.as_bytes(), &[]).unwrap().cosignatures(), []);

        let stranger = cosign(text, 60, &witness_key(3)).to_string();
        assert_eq!(opened.add_cosignatures(stranger.as_bytes(), &known), Err(CheckpointError::NotCosigned));
        let other = cosign("example.org/log\n8\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n", 60, &one).to_string();
        let name = "witness1.example".to_owned();
        assert_eq!(opened.add_cosignatures(other.as_bytes(), &known), Err(CheckpointError::FalseSignature { name }));
    }

    #[test]
    fn no_bit_of_a_cosignature_may_change() {
        let witness = witness_key(1);
        let mut note = signed();
        note.signatures.push(cosign(&note.text, 1_679_315_147, &witness));
        let known = [witness.verifying().clone()];
        assert_eq!(
            trusted().open(note.to_string().as_bytes(), &known).unwrap().cosignatures()[0].seconds,
            1_679_315_147
        );
        for bit in 0..72 * 8 {
            let mut changed = note.clone();
            changed.signatures[1].bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(trusted().open(changed.to_string().as_bytes(), &known).is_err(), "bit {bit}");
        }
        for length in 1..72 {
            let mut changed = note.clone();
            changed.signatures[1].bytes.truncate(length);
            assert!(trusted().open(changed.to_string().as_bytes(), &known).is_err(), "length {length}");
        }
        let mut changed = note.clone();
        changed.signatures[1] = cosign(&note.text, 1 << 63, &witness);
        assert!(trusted().open(changed.to_string().as_bytes(), &known).is_err(), "a time beyond 2^63 - 1");
    }

    #[test]
    fn no_byte_of_a_signed_checkpoint_may_change() {
        let whole = signed().to_string().into_bytes();
        let opened = trusted().open(&whole, &[]).unwrap();
        for i in 0..whole.len() {
            for change in [1, 2, 32, 128] {
                let mut changed = whole.clone();
                changed[i] ^= change;
                assert!(trusted().open(&changed, &[]).is_err(), "byte {i} with {change}");
            }
            assert!(trusted().open(&whole[..i], &[]).is_err(), "cut at {i}");
        }
        assert_eq!(opened.note().to_string().into_bytes(), whole);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic_and_what_reads_prints_again(text in "([a0-9+/=]{0,45}\n?){0,6}") {
            if let Ok(checkpoint) = Checkpoint::parse(&text) {
                prop_assert_eq!(checkpoint.to_string(), text);
            }
        }

        #[test]
        fn every_checkpoint_reads_back(origin in "[!-~]{1,20}", size in 0u64..=1 << 62, root: [u8; 32]) {
            let checkpoint = Checkpoint::new(&origin, size, root).unwrap();
            prop_assert_eq!(Checkpoint::parse(&checkpoint.to_string()), Ok(checkpoint));
        }
    }
}
