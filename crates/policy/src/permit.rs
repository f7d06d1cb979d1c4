//! What is answered.

use keepwell_model::{Actor, Author, Labels, Purpose, RecordId};

use crate::action::{Action, Target};

/// Proof that the policy said yes. Its fields are private and it cannot be copied, so that the only way to hold one is
/// to have asked, and one answer is used for one thing.
///
/// ```compile_fail
/// let forged = keepwell_policy::Permit { actor: keepwell_model::Actor::Operator };
/// ```
#[derive(Debug)]
#[must_use = "a permit that is not used was asked for in vain"]
pub struct Permit {
    pub(crate) actor: Actor,
    pub(crate) purpose: Purpose,
    pub(crate) action: Action,
    pub(crate) target: Target,
    pub(crate) filter: Filter,
    pub(crate) source: Option<String>,
    pub(crate) obligation: Obligation,
}

/// What a permit's holder must do before the answer leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Obligation {
    /// Nothing: the action shows nothing about a person.
    Nothing,
    /// The line that says who looked is durable in the record's access stream.
    AccessLine,
    /// The block that is written names the author; it is the line that says who wrote.
    AuthoredBlock,
}

/// Which entries of the record the permit reaches. An entry that it does not reach is treated as if it did not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    pub(crate) labels: Option<Labels>,
    pub(crate) own_source: Option<String>,
}

impl Filter {
    pub(crate) const NOTHING: Self = Self { labels: None, own_source: None };

    /// Whether an entry with these labels, from this source, is within reach.
    #[must_use]
    pub fn reaches(&self, labels: Labels, source: Option<&str>) -> bool {
        let own = self.own_source.is_some() && self.own_source.as_deref() == source;
        own || self.labels.is_some_and(|allowed| labels.within(allowed))
    }
}

impl Permit {
    /// Who may.
    #[must_use]
    pub const fn actor(&self) -> &Actor {
        &self.actor
    }

    /// For what purpose.
    #[must_use]
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// What they may do.
    #[must_use]
    pub const fn action(&self) -> Action {
        self.action
    }

    /// The record that they may do it to; `None` where it is the tenant.
    #[must_use]
    pub const fn record(&self) -> Option<RecordId> {
        self.target.record()
    }

    /// Which entries are within reach.
    #[must_use]
    pub const fn filter(&self) -> &Filter {
        &self.filter
    }

    /// The source name under which a write stands.
    #[must_use]
    pub fn source(&self) -> Option<&str> {
        self.source.as_deref()
    }

    /// What must be done before the answer leaves.
    #[must_use]
    pub const fn obligation(&self) -> Obligation {
        self.obligation
    }

    /// The author that a block written with this permit names.
    #[must_use]
    pub fn author(&self) -> Author {
        Author { actor: self.actor.clone(), purpose: self.purpose, source: self.source.clone() }
    }
}

/// The policy said no. To whoever asked this is "there is no such thing": the reason is for the operator's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not permitted: {reason}")]
pub struct Denied {
    /// Why.
    pub reason: Reason,
}

/// Why the policy said no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Reason {
    /// No rule allows this actor this action.
    #[error("no rule allows it")]
    NoRule,
    /// The rule that would allow it is for another purpose.
    #[error("not for this purpose")]
    Purpose,
    /// The record is somebody else's.
    #[error("not their own record")]
    NotTheirOwn,
    /// The system never wrote to this record.
    #[error("the system does not feed this record")]
    NotFed,
    /// The write would stand under another system's name.
    #[error("not the system's own source name")]
    NotTheirSource,
    /// The system's registration does not say that it may.
    #[error("not granted to this system")]
    NotGranted,
    /// The action does not go with such a target.
    #[error("not an action on such a target")]
    WrongTarget,
}
