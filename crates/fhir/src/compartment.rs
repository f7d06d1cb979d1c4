//! Whom a resource is about, and what belongs to nobody.
//!
//! A person's record holds what FHIR R4's patient compartment holds; the directory holds the people, places and
//! definitions that records refer to.

use crate::reference::{Reference, Target};
use crate::resource::Resource;

/// For each type of the patient compartment (CompartmentDefinition/patient, R4 4.0.1), the elements that may refer to
/// the patient; the first is the one that says whom the resource is about. Device, GuidanceResponse and Binary are not in
/// HL7's compartment but do name a patient, and what names a patient belongs to that patient.
const COMPARTMENT: [(&str, &[&str]); 69] = [
    ("Account", &["subject"]),
    ("AdverseEvent", &["subject"]),
    ("AllergyIntolerance", &["patient", "recorder", "asserter"]),
    ("Appointment", &["participant.actor"]),
    ("AppointmentResponse", &["actor"]),
    ("AuditEvent", &["agent.who", "entity.what"]),
    ("Basic", &["subject", "author"]),
    ("Binary", &["securityContext"]),
    ("BodyStructure", &["patient"]),
    ("CarePlan", &["subject", "activity.detail.performer"]),
    ("CareTeam", &["subject", "participant.member"]),
    ("ChargeItem", &["subject"]),
    ("Claim", &["patient", "payee.party"]),
    ("ClaimResponse", &["patient"]),
    ("ClinicalImpression", &["subject"]),
    ("Communication", &["subject", "sender", "recipient"]),
    ("CommunicationRequest", &["subject", "sender", "recipient", "requester"]),
    ("Composition", &["subject", "author", "attester.party"]),
    ("Condition", &["subject", "asserter"]),
    ("Consent", &["patient"]),
    ("Coverage", &["beneficiary", "policyHolder", "subscriber", "payor"]),
    ("CoverageEligibilityRequest", &["patient"]),
    ("CoverageEligibilityResponse", &["patient"]),
    ("DetectedIssue", &["patient"]),
    ("Device", &["patient"]),
    ("DeviceRequest", &["subject", "performer"]),
    ("DeviceUseStatement", &["subject"]),
    ("DiagnosticReport", &["subject"]),
    ("DocumentManifest", &["subject", "author", "recipient"]),
    ("DocumentReference", &["subject", "author"]),
    ("Encounter", &["subject"]),
    ("EnrollmentRequest", &["candidate"]),
    ("EpisodeOfCare", &["patient"]),
    ("ExplanationOfBenefit", &["patient", "payee.party"]),
    ("FamilyMemberHistory", &["patient"]),
    ("Flag", &["subject"]),
    ("Goal", &["subject"]),
    ("Group", &["member.entity"]),
    ("GuidanceResponse", &["subject"]),
    ("ImagingStudy", &["subject"]),
    ("Immunization", &["patient"]),
    ("ImmunizationEvaluation", &["patient"]),
    ("ImmunizationRecommendation", &["patient"]),
    ("Invoice", &["subject", "recipient"]),
    ("List", &["subject", "source"]),
    ("MeasureReport", &["subject"]),
    ("Media", &["subject"]),
    ("MedicationAdministration", &["subject", "performer.actor"]),
    ("MedicationDispense", &["subject", "receiver"]),
    ("MedicationRequest", &["subject"]),
    ("MedicationStatement", &["subject"]),
    ("MolecularSequence", &["patient"]),
    ("NutritionOrder", &["patient"]),
    ("Observation", &["subject", "performer"]),
    ("Person", &["link.target"]),
    ("Procedure", &["subject", "performer.actor"]),
    ("Provenance", &["target"]),
    ("QuestionnaireResponse", &["subject", "author"]),
    ("RelatedPerson", &["patient"]),
    ("RequestGroup", &["subject", "action.participant"]),
    ("ResearchSubject", &["individual"]),
    ("RiskAssessment", &["subject"]),
    ("Schedule", &["actor"]),
    ("ServiceRequest", &["subject", "performer"]),
    ("Specimen", &["subject"]),
    ("SupplyDelivery", &["patient"]),
    ("SupplyRequest", &["deliverTo"]),
    ("Task", &["for", "focus"]),
    ("VisionPrescription", &["patient"]),
];

/// Types that belong to the directory, whoever refers to them.
const DIRECTORY: [&str; 63] = [
    "ActivityDefinition",
    "CapabilityStatement",
    "CatalogEntry",
    "ChargeItemDefinition",
    "CodeSystem",
    "CompartmentDefinition",
    "ConceptMap",
    "DeviceDefinition",
    "DeviceMetric",
    "EffectEvidenceSynthesis",
    "Endpoint",
    "EventDefinition",
    "Evidence",
    "EvidenceVariable",
    "ExampleScenario",
    "GraphDefinition",
    "HealthcareService",
    "ImplementationGuide",
    "InsurancePlan",
    "Library",
    "Location",
    "Measure",
    "Medication",
    "MedicationKnowledge",
    "MedicinalProduct",
    "MedicinalProductAuthorization",
    "MedicinalProductContraindication",
    "MedicinalProductIndication",
    "MedicinalProductIngredient",
    "MedicinalProductInteraction",
    "MedicinalProductManufactured",
    "MedicinalProductPackaged",
    "MedicinalProductPharmaceutical",
    "MedicinalProductUndesirableEffect",
    "MessageDefinition",
    "NamingSystem",
    "ObservationDefinition",
    "OperationDefinition",
    "Organization",
    "OrganizationAffiliation",
    "PlanDefinition",
    "Practitioner",
    "PractitionerRole",
    "Questionnaire",
    "ResearchDefinition",
    "ResearchElementDefinition",
    "ResearchStudy",
    "RiskEvidenceSynthesis",
    "SearchParameter",
    "Slot",
    "SpecimenDefinition",
    "StructureDefinition",
    "StructureMap",
    "Substance",
    "SubstanceNucleicAcid",
    "SubstancePolymer",
    "SubstanceProtein",
    "SubstanceReferenceInformation",
    "SubstanceSourceMaterial",
    "SubstanceSpecification",
    "TerminologyCapabilities",
    "TestScript",
    "ValueSet",
];

/// Types that go to the directory as long as they name no patient.
const EITHER: [&str; 4] = ["Device", "Group", "Person", "Schedule"];

/// Where a resource belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Home<'a> {
    /// It is the Patient itself.
    Patient,
    /// It is about a patient: the references that may be to that patient, the likeliest first. Never empty.
    About(Vec<Subject<'a>>),
    /// It belongs to the directory.
    Directory,
    /// It should name a patient but does not; the paths say where it could.
    Unlinked(&'static [&'static str]),
    /// A type that is not kept as a resource of its own, such as Bundle.
    NotKept,
}

/// A reference that may be to the patient whom a resource is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject<'a> {
    /// The reference.
    pub reference: Reference<'a>,
    /// Where it stands, below the resource: `subject`, `participant.actor`.
    pub path: &'static str,
    /// Whether it names the type Patient. If not, it is a `urn:` to an entry of the same Bundle, or an identifier.
    pub named: bool,
}

/// Where a resource belongs, judged by itself alone.
#[must_use]
pub fn home<'a>(resource: &Resource<'a>) -> Home<'a> {
    let name = resource.resource_type;
    if name == "Patient" {
        return Home::Patient;
    }
    if let Some(paths) = compartment(name) {
        let subjects = subjects(resource, paths);
        if !subjects.is_empty() {
            return Home::About(subjects);
        }
        return if EITHER.contains(&name) { Home::Directory } else { Home::Unlinked(paths) };
    }
    if DIRECTORY.binary_search(&name).is_ok() { Home::Directory } else { Home::NotKept }
}

/// The reference to the patient whom a resource is about: the likeliest of [`Home::About`].
#[must_use]
pub fn subject_of<'a>(resource: &Resource<'a>) -> Option<Subject<'a>> {
    match home(resource) {
        Home::About(subjects) => subjects.into_iter().next(),
        Home::Patient | Home::Directory | Home::Unlinked(_) | Home::NotKept => None,
    }
}

/// The elements through which a type may refer to a patient.
#[must_use]
pub fn compartment(resource_type: &str) -> Option<&'static [&'static str]> {
    COMPARTMENT.binary_search_by_key(&resource_type, |(name, _)| name).ok().map(|at| COMPARTMENT[at].1)
}

fn subjects<'a>(resource: &Resource<'a>, paths: &'static [&'static str]) -> Vec<Subject<'a>> {
    let mut found = Vec::new();
    for (rank, &path) in paths.iter().enumerate() {
        for node in resource.fields.all(path) {
            let reference = Reference::of(node);
            // An element further down the list is often somebody else (a performer, a payee), so there only a
            // reference that says "Patient" counts.
            match patient_like(&reference) {
                Some(true) => found.push(Subject { reference, path, named: true }),
                Some(false) if rank == 0 => found.push(Subject { reference, path, named: false }),
                Some(false) | None => {}
            }
        }
        if !found.is_empty() {
            break;
        }
    }
    found.sort_by_key(|subject| !subject.named);
    found
}

/// Whether a reference is to a patient: says so, may be, or is not.
fn patient_like(reference: &Reference<'_>) -> Option<bool> {
    let says_patient = reference.resource_type.as_deref().map(|name| name == "Patient");
    match reference.target() {
        Some(Target::Urn(_)) => says_patient.or(Some(false)).filter(|_| says_patient != Some(false)),
        Some(Target::Contained(_)) => None,
        Some(target) => (target.resource_type() == Some("Patient")).then_some(true),
        None if reference.identifier.is_some() => match says_patient {
            Some(true) => Some(true),
            Some(false) => None,
            None => Some(false),
        },
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types;

    fn home_of(json: &str) -> String {
        let resource = Resource::new(json.as_bytes()).unwrap();
        match home(&resource) {
            Home::About(subjects) => subjects
                .iter()
                .map(|s| format!("{}={} ", s.path, s.reference.reference.as_deref().unwrap_or("by identifier")))
                .collect(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn every_type_has_one_home() {
        assert!(COMPARTMENT.is_sorted_by_key(|(name, _)| name));
        assert!(DIRECTORY.is_sorted());
        let homeless: Vec<_> = types::all()
            .iter()
            .filter(|name| compartment(name).is_none() && DIRECTORY.binary_search(name).is_err() && **name != "Patient")
            .copied()
            .collect();
        assert_eq!(homeless, NOT_KEPT);
        for name in DIRECTORY {
            assert!(types::known(name).is_some() && compartment(name).is_none(), "{name}");
        }
        for (name, paths) in COMPARTMENT {
            assert!(types::known(name).is_some() && !paths.is_empty(), "{name}");
        }
    }

    const NOT_KEPT: [&str; 13] = [
        "BiologicallyDerivedProduct",
        "Bundle",
        "Contract",
        "EnrollmentResponse",
        "Linkage",
        "MessageHeader",
        "OperationOutcome",
        "Parameters",
        "PaymentNotice",
        "PaymentReconciliation",
        "Subscription",
        "TestReport",
        "VerificationResult",
    ];

    #[test]
    fn a_resource_is_about_its_subject() {
        for (json, expected) in [
            (r#"{"resourceType":"Observation","subject":{"reference":"Patient/1"}}"#, "subject=Patient/1 "),
            (r#"{"resourceType":"Observation","subject":{"reference":"urn:uuid:1"}}"#, "subject=urn:uuid:1 "),
            (
                r#"{"resourceType":"Claim","patient":{"reference":"https://a.example/fhir/Patient/1/_history/2"}}"#,
                "patient=https://a.example/fhir/Patient/1/_history/2 ",
            ),
            (r#"{"resourceType":"Task","for":{"identifier":{"system":"s","value":"v"}}}"#, "for=by identifier "),
            (
                r#"{"resourceType":"Appointment","participant":[{"actor":{"reference":"Practitioner/1"}},
                {"actor":{"reference":"urn:uuid:1"}},{"actor":{"reference":"Patient/1"}}]}"#,
                "participant.actor=Patient/1 participant.actor=urn:uuid:1 ",
            ),
            (r#"{"resourceType":"Observation","performer":[{"reference":"Patient/1"}]}"#, "performer=Patient/1 "),
            (r#"{"resourceType":"Patient"}"#, "Patient"),
            (r#"{"resourceType":"Organization"}"#, "Directory"),
            (r#"{"resourceType":"Medication"}"#, "Directory"),
            (r#"{"resourceType":"Device"}"#, "Directory"),
            (r#"{"resourceType":"Device","patient":{"reference":"Patient/1"}}"#, "patient=Patient/1 "),
            (r#"{"resourceType":"Bundle"}"#, "NotKept"),
        ] {
            let compact = crate::json::compact(json.as_bytes()).unwrap();
            assert_eq!(home_of(std::str::from_utf8(&compact).unwrap()), expected, "{json}");
        }
    }

    #[test]
    fn somebody_else_is_not_the_subject() {
        for json in [
            r#"{"resourceType":"Observation"}"#,
            r#"{"resourceType":"Observation","subject":{"reference":"Group/1"}}"#,
            r##"{"resourceType":"Observation","subject":{"reference":"#p"}}"##,
            r#"{"resourceType":"Observation","performer":[{"reference":"urn:uuid:1"}]}"#,
            r#"{"resourceType":"Observation","subject":{"reference":"urn:uuid:1","type":"Device"}}"#,
            r#"{"resourceType":"Observation","subject":{"display":"Somebody"}}"#,
        ] {
            assert!(home_of(json).starts_with("Unlinked"), "{json}");
        }
    }
}
