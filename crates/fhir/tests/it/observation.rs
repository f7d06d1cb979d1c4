//! What pages read of results.

use keepwell_fhir::element::Timing;
use keepwell_fhir::observation::{Observation, Report, Value};
use keepwell_fhir::resource::Resource;

const LOINC: &str = "http://loinc.org";
const SNOMED: &str = "http://snomed.info/sct";

fn read<T>(json: &str, with: impl FnOnce(Observation<'_>) -> T) -> T {
    let compact = keepwell_fhir::json::compact(json.as_bytes()).unwrap();
    with(Observation::of(&Resource::new(&compact).unwrap()).unwrap())
}

#[test]
fn a_result_is_read_as_it_was_sent() {
    let json = r#"{"resourceType":"Observation","status":"final","category":[{"coding":[{"system":
        "http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory"}]}],
        "code":{"coding":[{"system":"http://loinc.org","code":"2823-3","display":"Potassium"}],"text":"Serum potassium"},
        "effectiveDateTime":"2026-03","issued":"2026-03-02T10:00:00Z","valueQuantity":{"value":4.10,"comparator":"<",
        "unit":"mmol/L","system":"http://unitsofmeasure.org","code":"mmol/L"},"interpretation":[{"coding":[{"code":"H"}]}],
        "referenceRange":[{"low":{"value":3.5},"high":{"value":5.30},"text":"3.5 to 5.3"}],"note":[{"text":"Haemolysed"}],
        "performer":[{"reference":"Organization/lab"}]}"#;
    read(json, |it| {
        assert!(it.is_category("laboratory") && !it.is_category("vital-signs"));
        assert_eq!((it.code().words(), it.code().code(LOINC)), (Some("Serum potassium"), Some("2823-3")));
        assert_eq!(it.effective().unwrap().moment().unwrap().to_string(), "2026-03");
        assert_eq!(it.issued().unwrap(), "2026-03-02T10:00:00Z");
        let Some(Value::Quantity(quantity)) = it.value() else { panic!("a quantity") };
        assert_eq!((quantity.value, quantity.number()), (Some("4.10"), Some(4.1)));
        assert_eq!((quantity.comparator.as_deref(), quantity.unit_words()), (Some("<"), Some("mmol/L")));
        let range = &it.reference_range()[0];
        assert_eq!(range.high.as_ref().unwrap().value, Some("5.30"));
        assert_eq!(it.interpretation()[0].words(), Some("H"));
        assert_eq!(it.notes(), ["Haemolysed"]);
        assert_eq!(it.performers()[0].reference.as_deref(), Some("Organization/lab"));
        assert!(!format!("{:?} {:?} {:?}", it.value(), it.code(), it.reference_range()).contains("otassium"));
    });
}

#[test]
fn a_blood_pressure_is_its_components() {
    let json = r#"{"resourceType":"Observation","code":{"coding":[{"system":"http://snomed.info/sct","code":"75367002"}]},
        "effectivePeriod":{"end":"2026-01-02T03:04:05+00:00"},"component":[
        {"code":{"coding":[{"system":"http://snomed.info/sct","code":"271649006"}]},"valueQuantity":{"value":120}},
        {"code":{"text":"diastolic"},"dataAbsentReason":{"text":"refused"}}]}"#;
    read(json, |it| {
        assert!(it.value().is_none());
        assert!(matches!(it.effective(), Some(Timing::During(_))));
        assert_eq!(it.effective().unwrap().moment().unwrap().whole_date().unwrap(), "2026-01-02");
        let [systolic, diastolic] = &it.components()[..] else { panic!("two components") };
        assert!(systolic.code.is(SNOMED, "271649006"));
        assert!(matches!(&systolic.value, Some(Value::Quantity(quantity)) if quantity.value == Some("120")));
        assert_eq!(diastolic.data_absent.as_ref().unwrap().words(), Some("refused"));
    });
}

#[test]
fn every_kind_of_value_is_told_apart() {
    for (value, expected) in [
        (r#""valueString":"a\nb""#, Value::Text("a\nb".into())),
        (r#""valueBoolean":false"#, Value::Boolean(false)),
        (r#""valueInteger":7"#, Value::Integer("7")),
        (r#""valueDateTime":"2026""#, Value::Time("2026".into())),
        (r#""valueSampledData":{}"#, Value::Other),
    ] {
        let json = format!(r#"{{"resourceType":"Observation","valueless":1,{value}}}"#);
        read(&json, |it| assert!(it.value() == Some(expected), "{value}"));
    }
    for value in ["Range", "Ratio", "Period", "CodeableConcept", "Quantity"] {
        let json = format!(r#"{{"resourceType":"Observation","value{value}":{{}}}}"#);
        assert!(read(&json, |it| it.value().is_some_and(|it| it != Value::Other)), "{value}");
    }
    assert!(read(r#"{"resourceType":"Observation","valueQuantity":[1],"effectiveTiming":{}}"#, |it| it
        .value()
        .is_some()));
}

#[test]
fn a_report_names_its_results() {
    let json = br#"{"resourceType":"DiagnosticReport","code":{"text":"Full blood count"},"result":[{"reference":"Observation/1"},{"reference":"Observation/2"}],"conclusion":"Normal"}"#;
    let report = Report::of(&Resource::new(json).unwrap()).unwrap();
    assert_eq!(report.code().words(), Some("Full blood count"));
    assert_eq!(report.results().len(), 2);
    assert_eq!(report.conclusion().unwrap(), "Normal");
}
