//! What an entry of a record is called, labelled and known as elsewhere.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The two chains of blocks inside a record. They are separate so that reading (which writes to `Access`) never
/// contends with writing care content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stream {
    /// Content, consents, demographics.
    Care,
    /// Who looked.
    Access,
}

impl Stream {
    /// The byte that stands for the stream in storage.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Care => 1,
            Self::Access => 2,
        }
    }

    /// The stream a storage byte stands for.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Care),
            2 => Some(Self::Access),
            _ => None,
        }
    }
}

/// What kind of thing an entry holds: `fhir/Observation`, `hl7v2/raw`, `consent`, `document`, `access` … One to 64
/// characters of letters, digits, `/`, `-`, `.` and `_`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Kind(Box<str>);

/// Why a text is not a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a kind is 1 to 64 characters of letters, digits, '/', '-', '.' and '_'")]
pub struct KindError;

impl Kind {
    /// A kind from its text.
    ///
    /// # Errors
    /// [`KindError`] if the text has another length or other characters.
    pub fn new(text: &str) -> Result<Self, KindError> {
        let fits = (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'.' | b'_'));
        if fits { Ok(Self(text.into())) } else { Err(KindError) }
    }

    /// The kind's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The FHIR resource type of a `fhir/…` kind.
    #[must_use]
    pub fn fhir_type(&self) -> Option<&str> {
        self.0.strip_prefix("fhir/")
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kind({})", self.0)
    }
}

impl TryFrom<String> for Kind {
    type Error = KindError;
    fn try_from(text: String) -> Result<Self, KindError> {
        Self::new(&text)
    }
}

impl From<Kind> for String {
    fn from(kind: Kind) -> Self {
        kind.0.into()
    }
}

/// One privacy label of an entry (architecture.md §6). The bit values are storage format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Label {
    /// Ordinary care. Every entry without another label is general.
    General = 1,
    /// Sexual health.
    SexualHealth = 2,
    /// Mental health.
    MentalHealth = 4,
    /// Social care.
    SocialCare = 8,
    /// Safeguarding.
    Safeguarding = 16,
}

/// The privacy labels of an entry, as a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Labels(u8);

impl Labels {
    /// Just `General`.
    pub const GENERAL: Self = Self(Label::General as u8);
    /// Every label there is.
    pub const ALL: Self = Self(31);

    /// The set of the given labels; an empty list means `General`, so that no entry is ever without one.
    #[must_use]
    pub fn of(labels: &[Label]) -> Self {
        let bits = labels.iter().fold(0, |bits, &label| bits | label as u8);
        if bits == 0 { Self::GENERAL } else { Self(bits) }
    }

    /// The storage byte.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// From a storage byte; `None` for an empty set or an unknown bit (fail closed).
    #[must_use]
    pub const fn from_bits(bits: u8) -> Option<Self> {
        if bits == 0 || bits & !Self::ALL.0 != 0 { None } else { Some(Self(bits)) }
    }

    /// Whether the set holds the label.
    #[must_use]
    pub const fn contains(self, label: Label) -> bool {
        self.0 & label as u8 != 0
    }

    /// The labels of both: what is labelled at all is not ordinary care any more.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        match (self.0 | other.0) & !(Label::General as u8) {
            0 => Self::GENERAL,
            bits => Self(bits),
        }
    }

    /// Whether every label of this set is in `allowed`.
    #[must_use]
    pub const fn within(self, allowed: Self) -> bool {
        self.0 & !allowed.0 == 0
    }
}

/// The name a source system gave a thing: a re-sent item updates its entry, and references between a source's items
/// resolve through these keys.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SourceKey {
    /// The registered name of the source system, such as `gp-systm`.
    pub source: String,
    /// The type the source gave, such as `Observation`.
    pub kind: String,
    /// The id the source gave, exactly as sent.
    pub id: String,
}
