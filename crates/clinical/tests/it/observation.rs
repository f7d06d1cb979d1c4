//! The FHIR shape of a reading.

use keepwell_clinical::{BloodPressure, DEFINITIONS, SAFETY_MESSAGE, in_london, observation};
use keepwell_model::{RecordId, Timestamp};

fn reading(pulse: Option<u32>) -> serde_json::Value {
    let taken = in_london(Timestamp::from_micros(1_782_889_200_000_000));
    let reading = BloodPressure { systolic: 128, diastolic: 76, pulse, taken };
    serde_json::from_str(&observation(&reading, RecordId::from_bytes([7; 10]))).unwrap()
}

#[test]
fn a_reading_is_one_uk_core_panel_with_its_parts_as_components() {
    let json = reading(None);
    insta::assert_snapshot!(serde_json::to_string_pretty(&json).unwrap());
}

#[test]
fn a_pulse_is_one_more_component() {
    let json = reading(Some(68));
    let components = json["component"].as_array().unwrap();
    assert_eq!(components.len(), 3);
    assert_eq!(components[2]["code"]["coding"][0]["code"], "78564009");
    assert_eq!(components[2]["valueQuantity"]["code"], "/min");
    assert_eq!(components[2]["valueQuantity"]["value"], 68);
}

#[test]
fn the_texts_of_the_definitions_need_no_escaping_in_json() {
    for known in DEFINITIONS {
        let unit = known.unit.map(|unit| [unit.ucum, unit.display]).unwrap_or_default();
        let codes = known.codes.iter().flat_map(|code| [code.system, code.code, code.display]);
        for text in codes.chain(unit).chain([known.name]) {
            assert!(!text.contains(['"', '\\']) && !text.contains(char::is_control), "{text}");
        }
    }
}

#[test]
fn the_safety_message_names_no_condition() {
    for word in ["hypertension", "stroke", "heart attack", "diagnos"] {
        assert!(!SAFETY_MESSAGE.to_lowercase().contains(word), "{word}");
    }
}
