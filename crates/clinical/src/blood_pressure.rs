//! A blood pressure reading that a person took.

use std::fmt::Write;

use keepwell_model::RecordId;

use crate::local::LocalTime;
use crate::measurement::{self, UCUM};

/// One reading, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BloodPressure {
    /// Top number, mmHg.
    pub systolic: u32,
    /// Bottom number, mmHg.
    pub diastolic: u32,
    /// Pulse, beats a minute.
    pub pulse: Option<u32>,
    /// When it was taken.
    pub taken: LocalTime,
}

/// What a person must read at once when a reading is severe (BP-6). It gives no diagnosis.
pub const SAFETY_MESSAGE: &str = "This reading is very high. Sit down, rest for 5 minutes and measure again. \
If it is still 180 or more over 120 or more, or either number alone is that high, call your GP surgery now or NHS 111 and \
say what your reading is. Call 999 straight away if you have chest pain, trouble breathing, a sudden bad headache, \
trouble seeing or speaking, weakness in your face, an arm or a leg, or feel confused.";

/// Whether a reading is at or above the severe threshold of 180/120: either number alone is enough (BP-6).
#[must_use]
pub fn is_severe(systolic: f64, diastolic: f64) -> bool {
    systolic >= 180.0 || diastolic >= 120.0
}

impl BloodPressure {
    /// Whether the person must read [`SAFETY_MESSAGE`] at once.
    #[must_use]
    pub fn is_severe(&self) -> bool {
        is_severe(f64::from(self.systolic), f64::from(self.diastolic))
    }
}

/// The reading as a FHIR R4 Observation shaped by UK Core: one vital-signs panel, its parts as components, taken by the
/// person themselves.
#[must_use]
pub fn observation(reading: &BloodPressure, person: RecordId) -> String {
    let mut json = String::with_capacity(1_500);
    json.push_str(
        "{\"resourceType\":\"Observation\",\"status\":\"final\",\"category\":[{\"coding\":[{\"system\":\
         \"http://terminology.hl7.org/CodeSystem/observation-category\",\"code\":\"vital-signs\",\"display\":\
         \"Vital Signs\"}]}],",
    );
    concept(&mut json, "blood-pressure");
    let _ = write!(
        json,
        ",\"subject\":{{\"reference\":\"Patient/{person}\"}},\"effectiveDateTime\":\"{}\",\
         \"performer\":[{{\"reference\":\"Patient/{person}\"}}],\"component\":[",
        reading.taken.fhir
    );
    component(&mut json, "systolic", reading.systolic);
    json.push(',');
    component(&mut json, "diastolic", reading.diastolic);
    if let Some(pulse) = reading.pulse {
        json.push(',');
        component(&mut json, "pulse", pulse);
    }
    json.push_str("]}");
    json
}

fn component(json: &mut String, key: &str, value: u32) {
    let unit = known(key).unit.expect("each part of a blood pressure has a unit");
    json.push('{');
    concept(json, key);
    let _ = write!(
        json,
        ",\"valueQuantity\":{{\"value\":{value},\"unit\":\"{}\",\"system\":\"{UCUM}\",\"code\":\"{}\"}}}}",
        unit.display, unit.ucum
    );
}

/// The SNOMED CT and the LOINC code, which is how other systems find it. Every text here is a constant without characters
/// that JSON would need to escape (a test says so).
fn concept(json: &mut String, key: &str) {
    let known = known(key);
    json.push_str("\"code\":{\"coding\":[");
    for (i, code) in known.codes.iter().take(2).enumerate() {
        let comma = if i == 0 { "" } else { "," };
        let _ = write!(
            json,
            "{comma}{{\"system\":\"{}\",\"code\":\"{}\",\"display\":\"{}\"}}",
            code.system, code.code, code.display
        );
    }
    let _ = write!(json, "],\"text\":\"{}\"}}", known.name);
}

fn known(key: &str) -> &'static measurement::Definition {
    measurement::definition(key).expect("the parts of a blood pressure are known measurements")
}
