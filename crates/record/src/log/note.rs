//! Signed notes: text with signature lines below it (C2SP signed-note), and Ed25519 keys for them.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::merkle::sha256;

/// Signature lines accepted in one note. The specification asks for at least 16.
pub const MAX_SIGNATURES: usize = 32;

/// Bytes accepted in one note: room for [`MAX_SIGNATURES`] of the largest kind in use (ML-DSA-44) and a long text.
const MAX_BYTES: usize = 256 * 1024;

/// What starts a signature line: an em dash and a space.
const LINE_START: &str = "\u{2014} ";

/// What a key signs; the byte is part of the key's id (C2SP signed-note, "Signature types").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignatureKind {
    /// 0x01: a log signs the text of its checkpoint.
    Log,
    /// 0x04: a witness signs a checkpoint and the time (C2SP tlog-cosignature).
    Witness,
}

impl SignatureKind {
    const fn byte(self) -> u8 {
        match self {
            Self::Log => 0x01,
            Self::Witness => 0x04,
        }
    }
}

/// Why a key is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The name is empty, or holds a space, a plus sign or a control character.
    #[error("a key name must not be empty and must not hold spaces, plus signs or control characters")]
    Name,
    /// Not of the form `name+id+key`.
    #[error("not a verifier key: name+id+key is expected")]
    Form,
    /// The id is not the one that the name and the key give.
    #[error("the id in the verifier key does not belong to its name and key: it is mistyped")]
    Id,
    /// A kind of key that is not in use here.
    #[error("the verifier key is of an unknown kind")]
    Kind,
}

/// Why a text is not a signed note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Longer than anything reasonable.
    #[error("the note is too long")]
    TooLong,
    /// Not UTF-8, or with a control character other than the line feed.
    #[error("the note holds a character that is not allowed")]
    Character,
    /// No blank line between text and signatures, or an incomplete last line.
    #[error("the note is incomplete")]
    Incomplete,
    /// A line below the blank line that is no signature.
    #[error("a signature line of the note is malformed")]
    SignatureLine,
    /// More signatures than [`MAX_SIGNATURES`].
    #[error("the note has too many signatures")]
    TooManySignatures,
}

/// Whether a key may bear this name.
fn is_key_name(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(|c| c.is_whitespace() || c == '+' || c < ' ')
}

/// The id of a key: the first four bytes of SHA-256(name ‖ 0x0A ‖ kind ‖ public key).
fn key_id(name: &str, kind: SignatureKind, public: &[u8; 32]) -> u32 {
    let hash = sha256(&[name.as_bytes(), b"\n", &[kind.byte()], public].concat());
    u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]])
}

/// A key that signs notes. Prints as its verifier key; the secret part never shows.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    verifying: VerifyingKey,
}

impl SigningKey {
    /// The Ed25519 key (RFC 8032) made from a 32-byte seed. The caller wipes the seed.
    ///
    /// # Errors
    /// [`KeyError::Name`] if the name cannot be that of a key.
    pub fn from_seed(name: &str, kind: SignatureKind, seed: &[u8; 32]) -> Result<Self, KeyError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).expect("every 32 bytes are a seed of Ed25519");
        let public = pair.public_key().as_ref().try_into().expect("an Ed25519 public key has 32 bytes");
        Ok(Self { pair, verifying: VerifyingKey::new(name, kind, public)? })
    }

    /// The key to verify with.
    #[must_use]
    pub const fn verifying(&self) -> &VerifyingKey {
        &self.verifying
    }

    /// The bare Ed25519 signature of a message.
    pub(super) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.pair.sign(message).as_ref().try_into().expect("an Ed25519 signature has 64 bytes")
    }

    /// A signature line's content for this key.
    pub(super) fn line(&self, bytes: Vec<u8>) -> NoteSignature {
        NoteSignature { name: self.verifying.name.clone(), id: self.verifying.id, bytes }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.verifying)
    }
}

/// A public key with its name. As text it is a verifier key: `name+id+key` (C2SP signed-note, "Verifier keys").
#[derive(Clone, PartialEq, Eq)]
pub struct VerifyingKey {
    name: String,
    kind: SignatureKind,
    public: [u8; 32],
    id: u32,
}

impl VerifyingKey {
    /// A key from its parts.
    ///
    /// # Errors
    /// [`KeyError::Name`] if the name cannot be that of a key.
    pub fn new(name: &str, kind: SignatureKind, public: [u8; 32]) -> Result<Self, KeyError> {
        if !is_key_name(name) {
            return Err(KeyError::Name);
        }
        Ok(Self { name: name.to_owned(), kind, public, id: key_id(name, kind, &public) })
    }

    /// The name, such as `health.example.org/log`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it signs.
    #[must_use]
    pub const fn kind(&self) -> SignatureKind {
        self.kind
    }

    /// The four bytes that signature lines name the key by.
    #[must_use]
    pub const fn id(&self) -> u32 {
        self.id
    }

    /// The bare Ed25519 public key.
    #[must_use]
    pub const fn public(&self) -> &[u8; 32] {
        &self.public
    }

    /// Whether a signature line claims to be by this key: name and id both match.
    #[must_use]
    pub fn claims(&self, signature: &NoteSignature) -> bool {
        signature.name == self.name && signature.id == self.id
    }

    /// Whether the bare Ed25519 signature of a message holds.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.public).verify(message, signature).is_ok()
    }
}

impl fmt::Display for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = vec![self.kind.byte()];
        key.extend_from_slice(&self.public);
        write!(f, "{}+{:08x}+{}", self.name, self.id, STANDARD.encode(key))
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({self})")
    }
}

impl FromStr for VerifyingKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        // The key's base64 may hold a plus sign, the name and the id may not.
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(KeyError::Form);
        };
        let key = STANDARD.decode(key).map_err(|_| KeyError::Form)?;
        let (kind, public) = key.split_first().ok_or(KeyError::Form)?;
        let kind = match kind {
            0x01 => SignatureKind::Log,
            0x04 => SignatureKind::Witness,
            _ => return Err(KeyError::Kind),
        };
        let parsed = Self::new(name, kind, public.try_into().map_err(|_| KeyError::Form)?)?;
        if format!("{:08x}", parsed.id) == id { Ok(parsed) } else { Err(KeyError::Id) }
    }
}

/// One signature line of a note, not yet verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    /// The name of the key.
    pub name: String,
    /// The id of the key.
    pub id: u32,
    /// The signature, whose form depends on the key's kind.
    pub bytes: Vec<u8>,
}

impl fmt::Display for NoteSignature {
    /// The line with its line feed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.id.to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.bytes);
        writeln!(f, "{LINE_START}{} {}", self.name, STANDARD.encode(bytes))
    }
}

impl NoteSignature {
    /// Reads signature lines, each ended by a line feed.
    pub(super) fn parse_lines(lines: &str) -> Result<Vec<Self>, NoteError> {
        let lines = lines.strip_suffix('\n').ok_or(NoteError::Incomplete)?;
        let signatures = lines.split('\n').take(MAX_SIGNATURES + 1).map(Self::parse).collect::<Result<Vec<_>, _>>()?;
        if signatures.len() > MAX_SIGNATURES { Err(NoteError::TooManySignatures) } else { Ok(signatures) }
    }

    fn parse(line: &str) -> Result<Self, NoteError> {
        let (name, signature) =
            line.strip_prefix(LINE_START).and_then(|l| l.split_once(' ')).ok_or(NoteError::SignatureLine)?;
        let signature = STANDARD.decode(signature).map_err(|_| NoteError::SignatureLine)?;
        let (id, bytes) = signature.split_first_chunk::<4>().ok_or(NoteError::SignatureLine)?;
        if !is_key_name(name) || bytes.is_empty() {
            return Err(NoteError::SignatureLine);
        }
        Ok(Self { name: name.to_owned(), id: u32::from_be_bytes(*id), bytes: bytes.to_vec() })
    }
}

/// A note as it was read: nothing in it is verified, so nothing in it may be believed.
///
/// Signatures by one key may occur more than once; who verifies must check every one that claims a known key and count
/// the key once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The signed text, with its last line feed.
    pub text: String,
    /// The signature lines, in order; at least one.
    pub signatures: Vec<NoteSignature>,
}

impl Note {
    /// Reads a note. A note that reads prints again byte for byte.
    ///
    /// # Errors
    /// [`NoteError`] if the bytes are not a note; none panics.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > MAX_BYTES {
            return Err(NoteError::TooLong);
        }
        let whole = std::str::from_utf8(bytes).map_err(|_| NoteError::Character)?;
        if whole.bytes().any(|b| b < b' ' && b != b'\n') {
            return Err(NoteError::Character);
        }
        // The text may hold blank lines of its own: the last one counts.
        let blank = whole.rfind("\n\n").ok_or(NoteError::Incomplete)?;
        let (text, rest) = whole.split_at(blank + 1);
        let signatures = NoteSignature::parse_lines(&rest[1..])?;
        Ok(Self { text: text.to_owned(), signatures })
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| signature.fmt(f))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The example of C2SP signed-note.
    const KEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    const NOTE: &str = "This is an example message.\n\n\u{2014} example.com/foo \
        Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

    fn line(name: &str, bytes: &[u8]) -> String {
        format!("\u{2014} {name} {}\n", STANDARD.encode(bytes))
    }

    #[test]
    fn the_specifications_example_verifies() {
        let key: VerifyingKey = KEY.parse().unwrap();
        assert_eq!(key.to_string(), KEY);
        assert_eq!((key.name(), key.kind(), key.id()), ("example.com/foo", SignatureKind::Log, 0x530d_903a));
        let note = Note::parse(NOTE.as_bytes()).unwrap();
        assert!(key.claims(&note.signatures[0]));
        assert!(key.verifies(note.text.as_bytes(), &note.signatures[0].bytes));
        assert!(!key.verifies(b"This is another message.\n", &note.signatures[0].bytes));
        assert_eq!(note.to_string(), NOTE);
    }

    #[test]
    fn a_text_may_hold_blank_lines_and_any_language() {
        let text = "Ognuno sta solo sul cuor della terra\n\ned è subito sera.\n";
        let note = format!("{text}\n{}", line("quasimodo.example/salvatore", &[7; 68]));
        let parsed = Note::parse(note.as_bytes()).unwrap();
        assert_eq!((parsed.text.as_str(), parsed.signatures[0].id), (text, 0x0707_0707));
        assert_eq!(parsed.to_string(), note);
    }

    #[test]
    fn what_is_not_a_note_is_refused() {
        let good = line("a", &[1; 68]);
        for (note, error) in [
            (String::new(), NoteError::Incomplete),
            ("text\n".to_owned(), NoteError::Incomplete),
            ("text\n\n".to_owned(), NoteError::Incomplete),
            (format!("text\n{good}"), NoteError::Incomplete),
            (format!("text\n\n{}", good.trim_end()), NoteError::Incomplete),
            (format!("text\n\n{good}\n"), NoteError::Incomplete),
            (format!("text\n\n{good}more\n"), NoteError::SignatureLine),
            (format!("text\n\n {good}"), NoteError::SignatureLine),
            ("text\r\n\n".to_owned() + &good, NoteError::Character),
            (format!("text\n\n{}", good.replace('\n', "\r\n")), NoteError::Character),
            (format!("te\txt\n\n{good}"), NoteError::Character),
            (format!("te\0xt\n\n{good}"), NoteError::Character),
            (format!("text\n\n{}", line("", &[1; 68])), NoteError::SignatureLine),
            (format!("text\n\n{}", line("a+b", &[1; 68])), NoteError::SignatureLine),
            (format!("text\n\n{}", line("a\u{a0}b", &[1; 68])), NoteError::SignatureLine),
            (format!("text\n\n{}", line("a b", &[1; 68])), NoteError::SignatureLine),
            (format!("text\n\n{}", line("a", &[1; 4])), NoteError::SignatureLine),
            (format!("text\n\n{}", line("a", &[1; 3])), NoteError::SignatureLine),
            (format!("text\n\n{}", good.replace('\u{2014}', "-")), NoteError::SignatureLine),
            ("text\n\n\u{2014} a AAAAAAB=\n".to_owned(), NoteError::SignatureLine),
            ("text\n\n\u{2014} a AAAAAAA\n".to_owned(), NoteError::SignatureLine),
            ("text\n\n\u{2014} a AAAA_-8=\n".to_owned(), NoteError::SignatureLine),
            (format!("text\n\n{}", good.repeat(MAX_SIGNATURES + 1)), NoteError::TooManySignatures),
            (format!("{}\n\n{good}", "x".repeat(MAX_BYTES)), NoteError::TooLong),
        ] {
            assert_eq!(Note::parse(note.as_bytes()), Err(error), "{note:.80}");
        }
        assert_eq!(Note::parse(b"te\xffxt\n\n"), Err(NoteError::Character));
    }

    #[test]
    fn as_many_signatures_as_the_specification_asks_for_are_read() {
        let note = format!("text\n\n{}", line("a", &[1; 68]).repeat(16));
        assert_eq!(Note::parse(note.as_bytes()).unwrap().signatures.len(), 16);
        let note = format!("text\n\n{}", line("a", &[1; 68]).repeat(MAX_SIGNATURES));
        assert_eq!(Note::parse(note.as_bytes()).unwrap().signatures.len(), MAX_SIGNATURES);
    }

    #[test]
    fn a_mistyped_verifier_key_is_refused() {
        for (text, error) in [
            ("", KeyError::Form),
            ("example.com/foo", KeyError::Form),
            ("example.com/foo+530d903a", KeyError::Form),
            ("example.com/fop+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", KeyError::Id),
            ("example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", KeyError::Id),
            ("example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", KeyError::Id),
            ("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2l", KeyError::Id),
            ("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2", KeyError::Form),
            ("example.com/foo+530d903a+BukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", KeyError::Kind),
            ("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv", KeyError::Form),
            ("example com+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", KeyError::Name),
            ("+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", KeyError::Name),
        ] {
            assert_eq!(text.parse::<VerifyingKey>(), Err(error), "{text}");
        }
    }

    #[test]
    fn one_key_has_another_id_for_each_kind_of_signature() {
        let log = SigningKey::from_seed("example.org/log", SignatureKind::Log, &[3; 32]).unwrap();
        let witness = SigningKey::from_seed("example.org/log", SignatureKind::Witness, &[3; 32]).unwrap();
        assert_eq!(log.verifying().public(), witness.verifying().public());
        assert_ne!(log.verifying().id(), witness.verifying().id());
        assert!(!format!("{log:?}").contains("0303"), "the seed does not show");
        assert_eq!(witness.verifying().to_string().parse().as_ref(), Ok(witness.verifying()));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic_and_what_reads_prints_again(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            lines in "(\u{2014} [a-c+ ]{0,3} [A-Za-z0-9+/=]{0,12}\n?){0,4}",
            text in "[a\n\r\u{e9}]{0,12}",
        ) {
            let _ = Note::parse(&bytes);
            let note = format!("{text}\n{lines}");
            if let Ok(parsed) = Note::parse(note.as_bytes()) {
                prop_assert_eq!(parsed.to_string(), note);
            }
        }

        #[test]
        fn every_note_reads_back(
            text in "([a-z \u{e9}]{0,8}\n){1,5}",
            signatures in prop::collection::vec(("[a-z./]{1,9}", any::<u32>(), prop::collection::vec(any::<u8>(), 1..80)), 1..20),
        ) {
            let signatures = signatures.into_iter().map(|(name, id, bytes)| NoteSignature { name, id, bytes }).collect();
            let note = Note { text, signatures };
            prop_assert_eq!(Note::parse(note.to_string().as_bytes()), Ok(note));
        }
    }
}
