//! What the FHIR door offers. The statement of what this server can do is made from this list, and so is the router that
//! does it: neither can have something that the other lacks.

/// An interaction of R4 §3.1.0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interaction {
    /// Read a resource.
    Read,
    /// Read one version of it.
    VersionRead,
    /// Replace it, by id or by a search.
    Update,
    /// Change a part of it, by id or by a search.
    Patch,
    /// Delete it, by id or by a search.
    Delete,
    /// Its versions.
    HistoryOfResource,
    /// The versions of a type.
    HistoryOfType,
    /// Keep a new resource.
    Create,
    /// Search in a type.
    SearchType,
    /// Search in all types.
    SearchAll,
    /// The versions of a record.
    HistoryOfRecord,
    /// A batch or a transaction.
    Bundle,
    /// What this server can do.
    Capabilities,
}

impl Interaction {
    /// All that are offered.
    pub const ALL: [Self; 13] = [
        Self::Read,
        Self::VersionRead,
        Self::Update,
        Self::Patch,
        Self::Delete,
        Self::HistoryOfResource,
        Self::HistoryOfType,
        Self::SearchType,
        Self::Create,
        Self::Bundle,
        Self::SearchAll,
        Self::HistoryOfRecord,
        Self::Capabilities,
    ];

    /// The codes by which a CapabilityStatement names it (`http://hl7.org/fhir/restful-interaction`).
    #[must_use]
    pub const fn codes(self) -> &'static [&'static str] {
        match self {
            Self::Read => &["read"],
            Self::VersionRead => &["vread"],
            Self::Update => &["update"],
            Self::Patch => &["patch"],
            Self::Delete => &["delete"],
            Self::HistoryOfResource => &["history-instance"],
            Self::HistoryOfType => &["history-type"],
            Self::Create => &["create"],
            Self::SearchType => &["search-type"],
            Self::SearchAll => &["search-system"],
            Self::HistoryOfRecord => &["history-system"],
            Self::Bundle => &["transaction", "batch"],
            // Not said of itself.
            Self::Capabilities => &[],
        }
    }

    /// Whether it is one of the whole server, not of a type.
    #[must_use]
    pub const fn is_of_server(self) -> bool {
        matches!(self, Self::SearchAll | Self::HistoryOfRecord | Self::Bundle | Self::Capabilities)
    }
}
