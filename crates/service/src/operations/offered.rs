//! Which operations the FHIR door offers. The statement of what this server can do is made from this list, and so is the
//! router that does it.

/// An operation of R4 §3.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// A person's whole record.
    Everything,
    /// The International Patient Summary.
    Summary,
    /// Whether somebody's details agree with a record.
    Match,
    /// A Composition with all that it refers to.
    Document,
    /// The newest observations of each kind.
    LastN,
    /// Figures about the values of a test.
    Stats,
    /// The documents of a person.
    DocRef,
    /// The codes of a value set.
    Expand,
    /// What a code means.
    LookUp,
    /// Whether a code belongs to a value set or a code system.
    ValidateCode,
    /// How one code stands to another.
    Subsumes,
    /// Whether a resource keeps the rules of R4.
    Validate,
    /// What changed between two versions.
    Diff,
    /// What is known about resources beside their content.
    Meta,
    /// Copies of all records that a system feeds.
    Export,
    /// An upload of many resources.
    Import,
}

impl Operation {
    /// All that are offered.
    pub const ALL: [Self; 16] = [
        Self::Everything,
        Self::Summary,
        Self::Match,
        Self::Document,
        Self::LastN,
        Self::Stats,
        Self::DocRef,
        Self::Expand,
        Self::LookUp,
        Self::ValidateCode,
        Self::Subsumes,
        Self::Validate,
        Self::Diff,
        Self::Meta,
        Self::Export,
        Self::Import,
    ];

    /// What it is called by, without the dollar sign.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Everything => "everything",
            Self::Summary => "summary",
            Self::Match => "match",
            Self::Document => "document",
            Self::LastN => "lastn",
            Self::Stats => "stats",
            Self::DocRef => "docref",
            Self::Expand => "expand",
            Self::LookUp => "lookup",
            Self::ValidateCode => "validate-code",
            Self::Subsumes => "subsumes",
            Self::Validate => "validate",
            Self::Diff => "diff",
            Self::Meta => "meta",
            Self::Export => "export",
            Self::Import => "import",
        }
    }

    /// Of which types it is, and what defines it there; of all types where none is said.
    #[must_use]
    pub const fn definitions(self) -> &'static [(Option<&'static str>, &'static str)] {
        match self {
            Self::Everything => &[(Some("Patient"), "http://hl7.org/fhir/OperationDefinition/Patient-everything")],
            Self::Summary => &[(Some("Patient"), "http://hl7.org/fhir/uv/ips/OperationDefinition/summary")],
            Self::Match => &[(Some("Patient"), "http://hl7.org/fhir/OperationDefinition/Patient-match")],
            Self::Document => &[(Some("Composition"), "http://hl7.org/fhir/OperationDefinition/Composition-document")],
            Self::LastN => &[(Some("Observation"), "http://hl7.org/fhir/OperationDefinition/Observation-lastn")],
            Self::Stats => &[(Some("Observation"), "http://hl7.org/fhir/OperationDefinition/Observation-stats")],
            Self::DocRef => &[(Some("DocumentReference"), "http://hl7.org/fhir/us/core/OperationDefinition/docref")],
            Self::Expand => &[(Some("ValueSet"), "http://hl7.org/fhir/OperationDefinition/ValueSet-expand")],
            Self::LookUp => &[(Some("CodeSystem"), "http://hl7.org/fhir/OperationDefinition/CodeSystem-lookup")],
            Self::ValidateCode => &[
                (Some("ValueSet"), "http://hl7.org/fhir/OperationDefinition/ValueSet-validate-code"),
                (Some("CodeSystem"), "http://hl7.org/fhir/OperationDefinition/CodeSystem-validate-code"),
            ],
            Self::Subsumes => &[(Some("CodeSystem"), "http://hl7.org/fhir/OperationDefinition/CodeSystem-subsumes")],
            Self::Validate => &[(None, "http://hl7.org/fhir/OperationDefinition/Resource-validate")],
            Self::Diff => &[(None, "urn:keepwell:operation:diff")],
            Self::Meta => &[(None, "http://hl7.org/fhir/OperationDefinition/Resource-meta")],
            Self::Export => &[
                (Some("Patient"), "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/patient-export"),
                (Some("Group"), "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/group-export"),
            ],
            Self::Import => &[],
        }
    }

    /// What defines it where it is called on the server as a whole; `None` if it cannot be.
    #[must_use]
    pub const fn of_server(self) -> Option<&'static str> {
        match self {
            Self::Meta => Some("http://hl7.org/fhir/OperationDefinition/Resource-meta"),
            Self::Export => Some("http://hl7.org/fhir/uv/bulkdata/OperationDefinition/export"),
            Self::Import => Some("urn:keepwell:operation:import"),
            _ => None,
        }
    }
}
