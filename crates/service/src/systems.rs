//! Other systems: who they are and what they are answered.

use std::collections::BTreeSet;

use bytes::Bytes;
use keepwell_model::{Actor, Label, RecordId, Seq, Timestamp};
use serde::{Deserialize, Serialize};

/// What kind of care an organisation's system comes from; it decides the label of what arrives without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CareSetting {
    /// General practice, hospital, community and anything else.
    #[default]
    General,
    /// A mental health service.
    MentalHealth,
    /// Social care.
    SocialCare,
    /// A sexual health clinic.
    SexualHealth,
}

impl CareSetting {
    /// The label of what arrives without one.
    #[must_use]
    pub const fn label(self) -> Label {
        match self {
            Self::General => Label::General,
            Self::MentalHealth => Label::MentalHealth,
            Self::SocialCare => Label::SocialCare,
            Self::SexualHealth => Label::SexualHealth,
        }
    }
}

/// What a system's registration allows beyond feeding records and reading back from those that it feeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grant {
    /// Search without saying whose record.
    SearchPeople,
    /// Take out copies of all records that it feeds.
    ExportRecords,
}

/// What becomes of a resource that does not keep the rules of FHIR R4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Validation {
    /// It is refused, with words that say what to mend.
    #[default]
    Strict,
    /// It is kept as it came, and what is wrong with it is kept beside it: for feeds that nobody can mend.
    Record,
    /// It is kept, and nobody looks.
    Off,
}

impl Validation {
    fn is_strict(&self) -> bool {
        *self == Self::Strict
    }
}

/// A registered system that feeds records. Only [`crate::Service::client_by_token`] and its like make one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Client {
    /// Its registered name, which is the source of all that it writes.
    pub name: String,
    /// The organisation in words.
    pub organisation: String,
    /// What kind of care it comes from.
    #[serde(default)]
    pub setting: CareSetting,
    /// What becomes of what it sends that is not valid.
    #[serde(default, skip_serializing_if = "Validation::is_strict")]
    pub validation: Validation,
    /// What it may beyond that.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub grants: BTreeSet<Grant>,
    /// When it was registered.
    pub added: Timestamp,
}

impl Client {
    /// The actor that it is in permits, authorship and access lines.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor::System { client: self.name.clone(), organisation: self.organisation.clone() }
    }
}

/// What came of a transaction.
#[derive(Debug, Clone)]
pub struct TransactionResponse {
    /// The `transaction-response` Bundle as JSON.
    pub json: Bytes,
    /// The record that it went to; none if it held directory resources only.
    pub record: Option<RecordId>,
    /// Entries in the Bundle.
    pub entries: usize,
    /// Entries that changed anything; the rest were there already.
    pub changed: usize,
}

/// One resource as it goes out.
#[derive(Debug, Clone)]
pub struct ResourceAnswer {
    /// The resource, with Keepwell's id, version and references.
    pub json: Bytes,
    /// Its version.
    pub version: Seq,
    /// When that version was written.
    pub last_updated: Timestamp,
}
