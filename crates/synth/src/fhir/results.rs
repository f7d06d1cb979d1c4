//! Measurements and laboratory reports.

use super::{Code, Feed, coding, concept, concepts, snomed, snomed_loinc};
use crate::clock::Moment;
use crate::codes::{RADIOLOGY_REPORT, SNOMED, UCUM, tests_of as lab};
use crate::home::Week;
use crate::json::Json;
use crate::life::{Reading, Value};
use crate::names::Sex;
use crate::sources::HOSPITAL;

const CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/observation-category";
const INTERPRETATION: &str = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation";

fn category(j: &mut Json, code: &str) {
    let display = match code {
        "laboratory" => "Laboratory",
        "vital-signs" => "Vital Signs",
        "social-history" => "Social History",
        "survey" => "Survey",
        _ => "Exam",
    };
    concepts(j, "category", CATEGORY, code, display);
}

fn quantity(j: &mut Json, key: &str, value: i32, places: u32, unit: &str, ucum: &str, more_than: bool) {
    j.obj(key, |j| {
        j.decimal("value", value, places);
        if more_than {
            j.str("comparator", ">");
        }
        j.str("unit", unit);
        j.str("system", UCUM);
        j.str("code", ucum);
    });
}

/// The two parts of a blood pressure.
fn pressure(j: &mut Json, systolic: i32, diastolic: i32) {
    let loinc = Some(("85354-9", "Blood pressure panel with all children optional"));
    snomed_loinc(j, "code", lab::BLOOD_PRESSURE, loinc);
    j.arr("component", |j| {
        for (code, loinc, value) in [
            (lab::SYSTOLIC, ("8480-6", "Systolic blood pressure"), systolic),
            (lab::DIASTOLIC, ("8462-4", "Diastolic blood pressure"), diastolic),
        ] {
            j.object(|j| {
                snomed_loinc(j, "code", code, Some(loinc));
                quantity(j, "valueQuantity", value, 0, "mmHg", "mm[Hg]", false);
            });
        }
    });
}

/// Where a value stands to its range: HL7's code and word.
pub(crate) fn interpretation(value: &Value, sex: Sex) -> Option<(&'static str, &'static str)> {
    let (low, high) = range(value, sex);
    match (low, high) {
        (None, None) => None,
        (Some(low), _) if value.value < low => Some(("L", "Low")),
        (_, Some(high)) if value.value > high => Some(("H", "High")),
        _ => Some(("N", "Normal")),
    }
}

/// The reference range for a person's sex.
pub(crate) fn range(value: &Value, sex: Sex) -> (Option<i32>, Option<i32>) {
    match sex {
        Sex::Female => value.analyte.women,
        Sex::Male => value.analyte.men,
    }
}

impl Feed<'_> {
    pub(super) fn results(&mut self) {
        self.vitals();
        self.scans();
        if self.source == HOSPITAL {
            self.reports();
        }
    }

    fn vitals(&mut self) {
        let (record, source) = (self.record, self.source);
        for (at, vital) in record.vitals.iter().enumerate().filter(|(_, v)| v.by.source == source) {
            let visit = vital.visit.filter(|v| self.mine(record.visits[*v].by));
            let id = self.id("obs", at);
            let (profile, kind) = match &vital.reading {
                Reading::Pressure(..) => ("UKCore-Observation-VitalSigns-BloodPressure", "vital-signs"),
                Reading::Quantity(measure, _) => (measure.profile, measure.category),
                Reading::Answer(..) => ("UKCore-Observation", "social-history"),
            };
            self.entry("Observation", &id, profile, |j, refs| {
                j.str("status", "final");
                category(j, kind);
                match &vital.reading {
                    Reading::Pressure(systolic, diastolic) => pressure(j, *systolic, *diastolic),
                    Reading::Quantity(measure, value) => {
                        snomed_loinc(j, "code", measure.code, measure.loinc);
                        quantity(j, "valueQuantity", *value, measure.places, measure.unit, measure.ucum, false);
                    }
                    Reading::Answer(question, answer) => {
                        snomed(j, "code", *question);
                        snomed(j, "valueCodeableConcept", *answer);
                    }
                }
                refs.patient(j, "subject");
                if let Some(visit) = visit {
                    refs.own(j, "encounter", "Encounter", "enc", visit);
                }
                j.moment("effectiveDateTime", vital.at);
                j.one("performer", |j| refs.staff_reference(j, vital.by));
            });
        }
    }

    /// Reports of scans and X-rays.
    fn scans(&mut self) {
        let (record, source) = (self.record, self.source);
        for (at, scan) in record.operations.iter().enumerate().filter(|(_, o)| o.by.source == source) {
            let Some(finding) = scan.finding else { continue };
            let id = self.id("img", at);
            self.entry("DiagnosticReport", &id, "UKCore-DiagnosticReport", |j, refs| {
                j.str("status", "final");
                let system = "http://terminology.hl7.org/CodeSystem/v2-0074";
                concepts(j, "category", system, "RAD", "Radiology");
                snomed(j, "code", RADIOLOGY_REPORT);
                refs.patient(j, "subject");
                j.day("effectiveDateTime", scan.day);
                j.moment("issued", scan.day.at(16 * 60 + 30));
                j.one("performer", |j| j.str("reference", "Organization/org"));
                j.one("resultsInterpreter", |j| refs.staff_reference(j, scan.by));
                j.parts("conclusion", &[scan.code.term, ": ", finding]);
            });
        }
    }

    /// Observations first, so that a reader who goes from the top meets nothing it has not seen.
    fn reports(&mut self) {
        let (record, sex) = (self.record, self.who.sex);
        for (at, report) in record.reports.iter().enumerate() {
            let issued = report.taken.plus(report.delay);
            let specimen = self.id("spec", at);
            self.entry("Specimen", &specimen, "UKCore-Specimen", |j, refs| {
                j.str("status", "available");
                let (code, display) = if report.panel.urine {
                    ("122575003", "Urine specimen")
                } else {
                    ("122555007", "Venous blood specimen")
                };
                concept(j, "type", SNOMED, code, display);
                refs.patient(j, "subject");
                j.obj("collection", |j| j.moment("collectedDateTime", report.taken));
            });
            for (number, value) in report.values.iter().enumerate() {
                let id = self.id("lab", at * 10 + number);
                self.entry("Observation", &id, "UKCore-Observation-Lab", |j, refs| {
                    j.str("status", "final");
                    category(j, "laboratory");
                    named(j, value.analyte.code);
                    refs.patient(j, "subject");
                    j.moment("effectiveDateTime", report.taken);
                    j.moment("issued", issued);
                    j.one("performer", |j| j.str("reference", "Organization/org-lab"));
                    result(j, value, sex);
                    refs.own(j, "specimen", "Specimen", "spec", at);
                });
            }
            let id = self.id("rep", at);
            let number = format!("{}-{:05}", self.number, at + 1);
            self.entry("DiagnosticReport", &id, "UKCore-DiagnosticReport-Lab", |j, refs| {
                j.one("identifier", |j| {
                    j.str("system", "https://leeds-hospital.example/Id/laboratory-report");
                    j.str("value", &number);
                });
                j.str("status", "final");
                let system = "http://terminology.hl7.org/CodeSystem/v2-0074";
                concepts(j, "category", system, "LAB", "Laboratory");
                named(j, report.panel.code);
                refs.patient(j, "subject");
                j.moment("effectiveDateTime", report.taken);
                j.moment("issued", issued);
                j.one("performer", |j| {
                    j.str("reference", "Organization/org-lab");
                    j.str("display", "Aire Valley Pathology Laboratory");
                });
                let doctor = crate::life::By { source: HOSPITAL, staff: super::people::pathologist() };
                j.one("resultsInterpreter", |j| refs.staff_reference(j, doctor));
                j.one("specimen", |j| refs.own_reference(j, "Specimen", "spec", at));
                j.arr("result", |j| {
                    for number in 0..report.values.len() {
                        j.object(|j| refs.own_reference(j, "Observation", "lab", at * 10 + number));
                    }
                });
                if let Some(comment) = report.comment {
                    j.str("conclusion", comment);
                }
            });
        }
    }

    /// Readings that a resident took at home.
    pub(super) fn home_readings(&mut self, weeks: &[Week]) {
        let mut at = 0;
        for week in weeks {
            for reading in &week.readings {
                let id = self.id("home", at);
                at += 1;
                self.home_reading(&id, reading.at, reading.systolic, reading.diastolic);
            }
        }
    }

    fn home_reading(&mut self, id: &str, at: Moment, systolic: i32, diastolic: i32) {
        self.entry("Observation", id, "UKCore-Observation-VitalSigns-BloodPressure", |j, refs| {
            j.str("status", "final");
            category(j, "vital-signs");
            pressure(j, systolic, diastolic);
            refs.patient(j, "subject");
            j.moment("effectiveDateTime", at);
            j.one("performer", |j| refs.patient_reference(j));
            j.one("note", |j| j.str("text", "Measured at home by the person, sitting, left arm."));
        });
    }
}

fn result(j: &mut Json, value: &Value, sex: Sex) {
    let analyte = value.analyte;
    quantity(j, "valueQuantity", value.value, analyte.places, analyte.unit, analyte.ucum, value.more_than);
    if let Some((code, display)) = interpretation(value, sex) {
        concepts(j, "interpretation", INTERPRETATION, code, display);
    }
    let (low, high) = range(value, sex);
    if low.is_none() && high.is_none() {
        return;
    }
    j.one("referenceRange", |j| {
        for (key, bound) in [("low", low), ("high", high)] {
            if let Some(bound) = bound {
                quantity(j, key, bound, analyte.places, analyte.unit, analyte.ucum, false);
            }
        }
    });
}

/// A test's code with the laboratory's own words for it, where the term is not what anybody calls it.
fn named(j: &mut Json, code: Code) {
    j.obj("code", |j| {
        j.one("coding", |j| coding(j, SNOMED, code.code, code.term));
        if let Some(words) = lab::words(code) {
            j.str("text", words);
        }
    });
}
