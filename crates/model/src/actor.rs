//! Who acts, and what for.

use serde::{Deserialize, Serialize};

use crate::ids::RecordId;

/// Who does something. Each variant carries what the "who looked" line must be able to say.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Actor {
    /// The person whose record it is.
    Resident {
        /// The resident's own record.
        record: RecordId,
    },
    /// Somebody acting for the person.
    Delegate {
        /// The delegate's own record.
        record: RecordId,
        /// The name to show.
        name: String,
    },
    /// A health or care professional.
    Professional {
        /// Stable id given by the identity provider.
        id: String,
        /// The name to show.
        name: String,
        /// Role in words, such as `General practitioner`.
        role: String,
        /// Organisation in words.
        organisation: String,
    },
    /// An organisation's system that feeds records, by its registered name.
    System {
        /// Registered client name, which is also the source of what it writes.
        client: String,
        /// Organisation in words.
        organisation: String,
    },
    /// Keepwell itself, doing housekeeping.
    Keepwell,
    /// A person with the operator's command line.
    Operator,
}

/// Why something is done (architecture.md §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// A person looks at, or adds to, their own record.
    OwnUse,
    /// Direct care.
    DirectCare,
    /// Emergency ("break glass").
    Emergency,
    /// Running the service: imports, merges, erasure, exports.
    Administration,
}

/// Who wrote a block, for what purpose, and from which source system.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Author {
    /// Who.
    pub actor: Actor,
    /// What for.
    pub purpose: Purpose,
    /// The source system, where the content came from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}
