//! What a Patient says about the person.

use keepwell_fhir::person::Person;
use keepwell_fhir::resource::Resource;

const PATIENT: &str = r#"{"resourceType":"Patient","id":"1","identifier":[
{"system":"https://fhir.nhs.uk/Id/nhs-number","value":"9000000009"},
{"system":"https://fhir.nhs.uk/Id/nhs-number","value":"900 000 0009"},
{"use":"old","system":"https://fhir.nhs.uk/Id/nhs-number","value":"9434765919"},
{"system":"https://fhir.nhs.uk/Id/nhs-number","value":"1234567890"},
{"system":"https://hospital.example/number","value":"H1"},{"value":"no system"}],
"name":[{"use":"official","family":"Nkemdirim","given":["Adaeze","Chidinma"],"prefix":["Dr"]},
{"use":"usual","text":"Ada Nkemdirim"},{"use":"old","family":"Obi"}],
"birthDate":"1984-02-29","gender":"female","deceasedBoolean":false,
"address":[{"use":"home","line":["1 Fictional Row","Headingley"],"city":"Leeds","postalCode":"LS6 1AA"}]}"#;

#[test]
fn a_person_is_read_from_their_patient() {
    let compact = keepwell_fhir::json::compact(PATIENT.as_bytes()).unwrap();
    let person = Person::of(&Resource::new(&compact).unwrap()).unwrap();
    let numbers: Vec<_> = person.nhs_numbers().iter().map(ToString::to_string).collect();
    assert_eq!(numbers, ["900 000 0009"], "old, wrong and repeated numbers do not count");
    assert_eq!(person.identifiers().len(), 4);
    assert_eq!(person.name().unwrap().line(), "Ada Nkemdirim");
    assert_eq!(person.names()[0].line(), "Dr Adaeze Chidinma Nkemdirim");
    assert_eq!(person.birth_date().unwrap(), "1984-02-29");
    assert_eq!(person.gender().unwrap(), "female");
    assert!(!person.is_deceased());
    let address = &person.addresses()[0];
    assert_eq!((address.line.len(), address.postal_code.as_deref()), (2, Some("LS6 1AA")));
}

#[test]
fn debug_output_says_nothing_about_the_person() {
    let compact = keepwell_fhir::json::compact(PATIENT.as_bytes()).unwrap();
    let resource = Resource::new(&compact).unwrap();
    let person = Person::of(&resource).unwrap();
    let shown = format!(
        "{person:?} {:?} {:?} {:?} {:?}",
        person.names(),
        person.identifiers(),
        person.addresses(),
        resource.fields
    );
    for secret in ["Nkemdirim", "900", "Headingley", "1984"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn only_a_patient_is_a_person() {
    assert!(Person::of(&Resource::new(br#"{"resourceType":"Practitioner"}"#).unwrap()).is_none());
}
