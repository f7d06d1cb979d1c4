//! UC-5: what a measurement is called, coded, measured in and can be, all agree. The table here is written by hand from the
//! code systems, apart from the definitions, so that a mix-up in one of them shows.

use keepwell_clinical::{DEFINITIONS, LOINC, SNOMED, definition, definition_of};

/// What each code measures, in what kind of quantity.
const CODES: &[(&str, &str, &str)] = &[
    (SNOMED, "75367002", "blood-pressure"),
    (LOINC, "85354-9", "blood-pressure"),
    (LOINC, "55284-4", "blood-pressure"),
    (SNOMED, "271649006", "systolic"),
    (SNOMED, "72313002", "systolic"),
    (SNOMED, "413606001", "systolic"),
    (SNOMED, "1162737008", "systolic"),
    (LOINC, "8480-6", "systolic"),
    (SNOMED, "271650006", "diastolic"),
    (SNOMED, "1091811000000102", "diastolic"),
    (SNOMED, "413605002", "diastolic"),
    (SNOMED, "1162735000", "diastolic"),
    (LOINC, "8462-4", "diastolic"),
    (SNOMED, "78564009", "pulse"),
    (SNOMED, "364075005", "pulse"),
    (LOINC, "8867-4", "pulse"),
    (SNOMED, "86290005", "respiratory-rate"),
    (LOINC, "9279-1", "respiratory-rate"),
    (SNOMED, "27113001", "weight"),
    (LOINC, "29463-7", "weight"),
    (SNOMED, "50373000", "height"),
    (LOINC, "8302-2", "height"),
    (SNOMED, "60621009", "bmi"),
    (LOINC, "39156-5", "bmi"),
    (SNOMED, "386725007", "temperature"),
    (SNOMED, "276885007", "temperature"),
    (LOINC, "8310-5", "temperature"),
    (LOINC, "8331-1", "temperature"),
    (SNOMED, "18491006", "peak-flow"),
    (LOINC, "19935-6", "peak-flow"),
    (SNOMED, "434912009", "glucose"),
    (LOINC, "15074-8", "glucose"),
    (LOINC, "14743-9", "glucose"),
    (SNOMED, "431314004", "oxygen-saturation"),
    (LOINC, "59408-5", "oxygen-saturation"),
    (LOINC, "2708-6", "oxygen-saturation"),
    (SNOMED, "363812007", "head-circumference"),
    (LOINC, "9843-4", "head-circumference"),
];

/// For each measurement: its UCUM unit, values that people have, and values that only a mix-up gives.
const VALUES: &[(&str, &str, &[f64], &[f64])] = &[
    ("systolic", "mm[Hg]", &[60.0, 118.0, 135.0, 240.0], &[16.5, 39.9, 301.0]),
    ("diastolic", "mm[Hg]", &[35.0, 76.0, 140.0], &[9.0, 201.0]),
    ("pulse", "/min", &[38.0, 68.0, 190.0], &[1.1, 350.0]),
    ("respiratory-rate", "/min", &[8.0, 16.0, 40.0], &[110.0, 350.0, 450.0]),
    ("weight", "kg", &[0.9, 3.4, 72.5, 210.0], &[0.0, 3_400.0, 72_500.0]),
    ("height", "cm", &[30.0, 50.0, 172.0, 210.0], &[1.72, 1_720.0]),
    ("bmi", "kg/m2", &[12.0, 24.5, 55.0], &[0.002, 245.0]),
    ("temperature", "Cel", &[34.0, 36.8, 41.0], &[98.6, 310.0]),
    ("peak-flow", "L/min", &[60.0, 350.0, 700.0], &[16.0, 5.8]),
    ("glucose", "mmol/L", &[2.1, 5.4, 33.0], &[99.0, 180.0]),
    ("oxygen-saturation", "%", &[70.0, 97.0, 100.0], &[0.97, 101.0]),
    ("head-circumference", "cm", &[25.0, 35.0, 57.0], &[350.0, 0.35]),
];

#[test]
fn uc_5_every_code_belongs_to_exactly_the_measurement_that_the_code_system_says() {
    for &(system, code, key) in CODES {
        assert_eq!(definition_of(system, code).map(|known| known.key), Some(key), "{system} {code}");
    }
    let defined: usize = DEFINITIONS.iter().map(|known| known.codes.len()).sum();
    assert_eq!(defined, CODES.len(), "a code was added without its row here, or stands twice");
}

#[test]
fn uc_5_every_measurement_has_its_unit_and_a_range_that_fits_people_and_catches_mix_ups() {
    for &(key, ucum, people, mix_ups) in VALUES {
        let known = definition(key).unwrap();
        assert_eq!(known.unit.unwrap().ucum, ucum, "{key}");
        for &value in people {
            assert!(known.is_plausible(value), "{key} {value}");
        }
        for &value in mix_ups.iter().chain(&[f64::NAN, f64::INFINITY, -1.0]) {
            assert!(!known.is_plausible(value), "{key} {value}");
        }
    }
    let single = DEFINITIONS.iter().filter(|known| known.parts.is_empty()).count();
    assert_eq!(single, VALUES.len(), "a measurement was added without its row here");
}

#[test]
fn uc_5_peak_flow_is_not_respiratory_rate() {
    let peak_flow = definition("peak-flow").unwrap();
    let breathing = definition("respiratory-rate").unwrap();
    assert!(peak_flow.codes.iter().all(|code| !["86290005", "9279-1"].contains(&code.code)));
    assert_ne!(peak_flow.unit, breathing.unit);
    assert!(peak_flow.is_plausible(350.0) && !breathing.is_plausible(350.0));
}

#[test]
fn the_code_that_is_written_first_is_snomed_ct_and_the_second_loinc() {
    for known in DEFINITIONS {
        assert_eq!((known.codes[0].system, known.codes[1].system), (SNOMED, LOINC), "{}", known.key);
    }
}

#[test]
fn every_part_of_a_panel_is_a_measurement_and_no_key_stands_twice() {
    let mut keys: Vec<_> = DEFINITIONS.iter().map(|known| known.key).collect();
    for part in DEFINITIONS.iter().flat_map(|known| known.parts) {
        assert!(definition(part).is_some_and(|known| known.unit.is_some()), "{part}");
    }
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), DEFINITIONS.len());
}
