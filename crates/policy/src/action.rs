//! What is asked.

use keepwell_model::{Actor, Purpose, RecordId};

/// Everything that can be asked for. A new use case starts with a line here and its row in the golden matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// See the care content of a record.
    ReadRecord,
    /// See who looked at a record.
    ReadAccessLines,
    /// Add a reading that the person took.
    AddReading,
    /// Learn whether given details agree with a record: yes or no, nothing else.
    MatchPerson,
    /// Begin the record of a person who has none.
    CreateRecord,
    /// Add, change or delete what a source system holds about a person, under that system's own name.
    WriteFromSource,
    /// See organisations, practitioners and the like.
    ReadDirectory,
    /// Add, change or delete organisations, practitioners and the like, under the system's own name.
    WriteDirectory,
    /// Search the records of people without saying whose: each record that is looked into still takes a permit of its own.
    SearchPeople,
    /// Take out copies of all records that the system feeds: each of them still takes a permit of its own.
    ExportRecords,
    /// Register a source system.
    ManageClients,
    /// Move, merge, erase, check: work on sealed records that shows nothing of them.
    Housekeep,
}

impl Action {
    /// All of them, in the order of the matrix.
    pub const ALL: [Self; 12] = [
        Self::ReadRecord,
        Self::ReadAccessLines,
        Self::AddReading,
        Self::MatchPerson,
        Self::CreateRecord,
        Self::WriteFromSource,
        Self::ReadDirectory,
        Self::WriteDirectory,
        Self::SearchPeople,
        Self::ExportRecords,
        Self::ManageClients,
        Self::Housekeep,
    ];

    /// The action's name in logs and in the matrix.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReadRecord => "read-record",
            Self::ReadAccessLines => "read-access-lines",
            Self::AddReading => "add-reading",
            Self::MatchPerson => "match-person",
            Self::CreateRecord => "create-record",
            Self::WriteFromSource => "write-from-source",
            Self::ReadDirectory => "read-directory",
            Self::WriteDirectory => "write-directory",
            Self::SearchPeople => "search-people",
            Self::ExportRecords => "export-records",
            Self::ManageClients => "manage-clients",
            Self::Housekeep => "housekeep",
        }
    }
}

/// What it is to be done to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    /// The record of a person.
    Person(RecordId),
    /// The tenant's directory, which is about no person.
    Directory(RecordId),
    /// The tenant as a whole.
    Tenant,
}

impl Target {
    /// The record, where it is one.
    #[must_use]
    pub const fn record(self) -> Option<RecordId> {
        match self {
            Self::Person(record) | Self::Directory(record) => Some(record),
            Self::Tenant => None,
        }
    }
}

/// What is known about actor and record. `Default` is "nothing", which permits least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Facts<'a> {
    /// Whether the record holds something that this very source system wrote.
    pub feeds: bool,
    /// The source name under which a write would stand.
    pub source: Option<&'a str>,
    /// Whether the system's registration says that it may search across people.
    pub searches_people: bool,
    /// Whether the system's registration says that it may export.
    pub exports: bool,
}

/// A question for [`crate::permit`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request<'a> {
    /// Who asks.
    pub actor: &'a Actor,
    /// What for.
    pub purpose: Purpose,
    /// What.
    pub action: Action,
    /// To what.
    pub target: Target,
    /// What is known.
    pub facts: Facts<'a>,
}
