//! What a person would call a resource.

use keepwell_fhir::observation::{Observation, Report};
use keepwell_fhir::resource::Resource;

use crate::views::Category;

/// Which page an Observation belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Test results.
    Test,
    /// Measurements.
    Measurement,
    /// Neither: surveys, social history and the like.
    Other,
}

/// The laboratory comes first: a glucose from the laboratory is a test result, one from a finger prick a measurement.
pub(crate) fn class_of(observation: &Observation<'_>) -> Class {
    if observation.is_category("laboratory") {
        return Class::Test;
    }
    let code = observation.code();
    let known = |system: &str, code: &str| keepwell_clinical::definition_of(system, code).is_some();
    let is_known = code
        .codings
        .iter()
        .any(|coding| known(coding.system.as_deref().unwrap_or_default(), coding.code.as_deref().unwrap_or_default()));
    if is_known || observation.is_category("vital-signs") { Class::Measurement } else { Class::Other }
}

/// The category of a resource; only Observations and reports have to be looked into.
pub(crate) fn category_of(resource_type: &str, body: &[u8]) -> Category {
    let inside = || Resource::new(body).ok();
    match resource_type {
        "Observation" => match inside().and_then(|resource| Some(class_of(&Observation::of(&resource)?))) {
            Some(Class::Test) => Category::TestResults,
            Some(Class::Measurement) => Category::Measurements,
            _ => Category::Other,
        },
        "DiagnosticReport" => match inside().and_then(|resource| Some(is_laboratory(&Report::of(&resource)?))) {
            Some(true) => Category::TestResults,
            _ => Category::Documents,
        },
        other => category_of_type(other),
    }
}

/// Whether a report says that it comes from a laboratory.
pub(crate) fn is_laboratory(report: &Report<'_>) -> bool {
    let sections = ["LAB", "CH", "CP", "HM", "BLB", "MB", "IMM", "SP", "VR", "TX", "MCB", "MYC", "PAR"];
    report.categories().iter().flat_map(|category| &category.codings).any(|coding| {
        let code = coding.code.as_deref().unwrap_or_default();
        let observation_category = coding.system.as_deref() == Some(keepwell_fhir::observation::CATEGORY_SYSTEM);
        match coding.system.as_deref() {
            Some("http://terminology.hl7.org/CodeSystem/v2-0074") => sections.contains(&code),
            Some("http://snomed.info/sct") => code == "15220000",
            _ => observation_category && code == "laboratory",
        }
    })
}

/// The category of a type that need not be looked into.
pub(crate) fn category_of_type(resource_type: &str) -> Category {
    match resource_type {
        "Patient" | "RelatedPerson" | "Person" | "Coverage" | "Account" => Category::Person,
        "Condition" => Category::Conditions,
        "MedicationRequest" | "MedicationStatement" | "MedicationDispense" | "MedicationAdministration" => {
            Category::Medicines
        }
        "AllergyIntolerance" => Category::Allergies,
        "Immunization" | "ImmunizationRecommendation" => Category::Vaccinations,
        "Procedure" => Category::Procedures,
        "Encounter" | "Appointment" | "EpisodeOfCare" | "ServiceRequest" => Category::Visits,
        "DocumentReference" | "Composition" | "DiagnosticReport" => Category::Documents,
        "CarePlan" | "Goal" | "CareTeam" => Category::Plans,
        _ => Category::Other,
    }
}
