//! Profiles and extensions.

use keepwell_fhir::definitions::{Definitions, r4};
use keepwell_fhir::json::compact;
use keepwell_fhir::outcome::Severity;
use keepwell_fhir::validate::{Options, Report, Validator};
use std::sync::Arc;

use super::{VALIDATOR, fine, only, report};

const BP: &str = "http://hl7.org/fhir/StructureDefinition/bp";

fn held(validator: &Validator, text: &str, profiles: &[&str]) -> Report {
    validator.validate(&compact(text.as_bytes()).unwrap(), &Options { profiles, ..Options::default() })
}

/// What is told of a document that is held to profiles.
fn told(validator: &Validator, text: &str, profiles: &[&str]) -> Vec<String> {
    held(validator, text, profiles).issues.iter().map(|it| format!("{}: {}", it.expression, it.words)).collect()
}

#[track_caller]
fn one(validator: &Validator, text: &str, profile: &str, path: &str, words: &str) {
    let told = told(validator, text, &[profile]);
    assert!(
        told.len() == 1 && told[0].starts_with(&format!("{path}: ")) && told[0].contains(words),
        "{text}\n{told:#?}"
    );
}

fn package(profiles: &[&str]) -> Validator {
    let definitions: Definitions = r4().with_package(profiles.iter().map(|it| it.as_bytes())).unwrap();
    Validator::new(Arc::new(definitions))
}

/// A profile of a type with these elements.
fn profile(name: &str, kind: &str, elements: &str) -> String {
    format!(
        r#"{{"resourceType":"StructureDefinition","url":"https://example.org/{name}","name":"{name}","kind":"resource","type":"{kind}",
        "derivation":"constraint","baseDefinition":"http://hl7.org/fhir/StructureDefinition/{kind}","differential":{{"element":[{elements}]}}}}"#
    )
}

fn component(code: &str, more: &str) -> String {
    format!(r#"{{"code":{{"coding":[{{"system":"http://loinc.org","code":"{code}"}}]}}{more}}}"#)
}

fn blood_pressure(category: &str, components: &[String]) -> String {
    format!(
        r#"{{"resourceType":"Observation","status":"final","category":[{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"{category}"}}]}}],
        "code":{{"coding":[{{"system":"http://loinc.org","code":"85354-9"}}]}},"subject":{{"reference":"Patient/1"}},"effectiveDateTime":"2026-11-23","component":[{}]}}"#,
        components.join(",")
    )
}

const MMHG: &str =
    r#","valueQuantity":{"value":120,"unit":"mmHg","system":"http://unitsofmeasure.org","code":"mm[Hg]"}"#;

#[test]
fn a_blood_pressure_is_held_to_the_profile_of_r4() {
    let both = [component("8480-6", MMHG), component("8462-4", MMHG)];
    assert_eq!(told(&VALIDATOR, &blood_pressure("vital-signs", &both), &[BP]), Vec::<String>::new());
    one(
        &VALIDATOR,
        &blood_pressure("laboratory", &both),
        BP,
        "Observation",
        "'category' of the kind 'VSCat', which is missing",
    );
    let twice = [component("8480-6", MMHG), component("8480-6", MMHG)];
    let told = told(&VALIDATOR, &blood_pressure("vital-signs", &twice), &[BP]);
    assert!(told.iter().any(|it| it.contains("'component' of the kind 'SystolicBP' at most 1")), "{told:#?}");
    assert!(told.iter().any(|it| it.contains("'component' of the kind 'DiastolicBP', which is missing")), "{told:#?}");
    let other = [component("8480-6", &MMHG.replace("mm[Hg]", "kPa")), component("8462-4", MMHG)];
    let said = self::told(&VALIDATOR, &blood_pressure("vital-signs", &other), &[BP]);
    assert_eq!(said.len(), 2, "{said:#?}");
    assert!(
        said[1].contains("Observation.component[0].value.code") && said[1].contains("exactly \"mm[Hg]\""),
        "{said:#?}"
    );
}

#[test]
fn a_resource_is_held_to_what_it_claims() {
    let patient = |profile: &str| format!(r#"{{"resourceType":"Patient","meta":{{"profile":["{profile}"]}}}}"#);
    only(&patient(BP), "Patient", "is about Observation, and this is Patient");
    fine(&patient("http://hl7.org/fhir/StructureDefinition/Patient"));
    only(&patient("http://hl7.org/fhir/StructureDefinition/Observation"), "Patient", "is about Observation");
    fine(&patient("https://example.org/nobody-knows"));
    let options = Options { level: Severity::Information, ..Options::default() };
    let report = VALIDATOR.validate(patient("https://example.org/nobody-knows").as_bytes(), &options);
    assert!(report.issues.iter().any(|it| it.words.contains("is not loaded")));
}

#[test]
fn a_known_extension_keeps_to_its_definition() {
    let patient = |extension: &str| format!(r#"{{"resourceType":"Patient","extension":[{extension}]}}"#);
    let url = "http://hl7.org/fhir/StructureDefinition/patient-birthPlace";
    fine(&patient(&format!(r#"{{"url":"{url}","valueAddress":{{"city":"Leeds"}}}}"#)));
    only(
        &patient(&format!(r#"{{"url":"{url}","valueString":"Leeds"}}"#)),
        "Patient.extension[0].value",
        "to be Address, and this is string",
    );
}

#[test]
fn counts_fixed_values_patterns_and_codes_are_held() {
    let profile = profile(
        "p",
        "Patient",
        r#"{"path":"Patient.name","min":1,"max":"1"},{"path":"Patient.name.family","min":1,"maxLength":5},{"path":"Patient.photo","max":"0"},
           {"path":"Patient.active","fixedBoolean":true},
           {"path":"Patient.maritalStatus","patternCodeableConcept":{"coding":[{"system":"http://a","code":"M"}]}},
           {"path":"Patient.gender","binding":{"strength":"required","valueSet":"https://example.org/vs"}},
           {"path":"Patient.deceased[x]","type":[{"code":"boolean"}]},
           {"path":"Patient.generalPractitioner","type":[{"code":"Reference","targetProfile":["http://hl7.org/fhir/StructureDefinition/Organization"]}]},
           {"path":"Patient.birthDate","minValueDate":"1900-01-01"}"#,
    );
    let set = r#"{"resourceType":"ValueSet","url":"https://example.org/vs","compose":{"include":[{"system":"http://hl7.org/fhir/administrative-gender","concept":[{"code":"male"},{"code":"other"}]}]}}"#;
    let validator = package(&[&profile, set]);
    let patient = |more: &str| format!(r#"{{"resourceType":"Patient","name":[{{"family":"Smith"}}]{more}}}"#);
    let p = "https://example.org/p";
    assert_eq!(
        told(&validator, &patient(r#","active":true,"gender":"male","birthDate":"1980""#), &[p]),
        Vec::<String>::new()
    );
    one(&validator, r#"{"resourceType":"Patient"}"#, p, "Patient", "p needs 'name', which is missing.");
    one(&validator, r#"{"resourceType":"Patient","name":[{"text":"x"}]}"#, p, "Patient.name[0]", "needs 'family'");
    one(
        &validator,
        r#"{"resourceType":"Patient","name":[{"family":"A"},{"family":"B"}]}"#,
        p,
        "Patient",
        "at most 1 times",
    );
    one(
        &validator,
        r#"{"resourceType":"Patient","name":[{"family":"Longer"}]}"#,
        p,
        "Patient.name[0].family",
        "at most 5 characters",
    );
    one(&validator, &patient(r#","photo":[{"title":"x"}]"#), p, "Patient", "does not allow 'photo'");
    one(&validator, &patient(r#","active":false"#), p, "Patient.active", "exactly true");
    let marital = |code: &str| {
        patient(&format!(
            r#","maritalStatus":{{"coding":[{{"code":"X"}},{{"system":"http://a","code":"{code}","display":"y"}}],"text":"z"}}"#
        ))
    };
    assert_eq!(told(&validator, &marital("M"), &[p]), Vec::<String>::new());
    one(&validator, &marital("N"), p, "Patient.maritalStatus", "to hold");
    one(&validator, &patient(r#","gender":"female""#), p, "Patient.gender", "'female' is not one");
    one(&validator, &patient(r#","deceasedDateTime":"2020""#), p, "Patient.deceased", "to be boolean");
    one(
        &validator,
        &patient(r#","generalPractitioner":[{"reference":"Practitioner/1"}]"#),
        p,
        "Patient.generalPractitioner[0]",
        "to lead to Organization, not to Practitioner",
    );
    one(&validator, &patient(r#","birthDate":"1850-01-01""#), p, "Patient.birthDate", "or more");
}

#[test]
fn slices_are_told_apart_by_value_type_and_presence() {
    let p = "https://example.org/s";
    let sliced = |discriminator: &str, rules: &str, slices: &str| {
        package(&[&profile(
            "s",
            "Patient",
            &format!(
                r#"{{"path":"Patient.identifier","slicing":{{"discriminator":[{discriminator}],"rules":"{rules}","ordered":true}}}},{slices}"#
            ),
        )])
    };
    let identifiers = |inside: &str| format!(r#"{{"resourceType":"Patient","identifier":[{inside}]}}"#);
    let by_system = r#"{"path":"Patient.identifier","sliceName":"nhs","min":1,"max":"1"},
        {"path":"Patient.identifier.system","min":1,"fixedUri":"http://nhs"},{"path":"Patient.identifier.value","min":1},
        {"path":"Patient.identifier","sliceName":"local"},{"path":"Patient.identifier.system","patternUri":"http://local"}"#;
    let value = r#"{"type":"value","path":"system"}"#;
    let nhs = r#"{"system":"http://nhs","value":"1"}"#;
    let local = r#"{"system":"http://local"}"#;
    let other = r#"{"system":"http://other"}"#;
    let open = sliced(value, "open", by_system);
    assert_eq!(told(&open, &identifiers(&[nhs, local, other].join(",")), &[p]), Vec::<String>::new());
    one(&open, &identifiers(local), p, "Patient", "needs 'identifier' of the kind 'nhs'");
    one(&open, &identifiers(r#"{"system":"http://nhs"}"#), p, "Patient.identifier[0]", "needs 'value'");
    one(&open, &identifiers(&[local, nhs].join(",")), p, "Patient.identifier[1]", "the order counts");
    let closed = sliced(value, "closed", by_system);
    one(
        &closed,
        &identifiers(&[nhs, other].join(",")),
        p,
        "Patient.identifier[1]",
        "for 'identifier' only: nhs, local",
    );
    let at_end = sliced(value, "openAtEnd", by_system);
    one(&at_end, &identifiers(&[nhs, other, local].join(",")), p, "Patient.identifier[2]", "the order counts");
    let exists = sliced(
        r#"{"type":"exists","path":"period"}"#,
        "closed",
        r#"{"path":"Patient.identifier","sliceName":"dated","max":"1"},{"path":"Patient.identifier.period","min":1},
           {"path":"Patient.identifier","sliceName":"undated","max":"1"},{"path":"Patient.identifier.period","max":"0"}"#,
    );
    let dated = r#"{"value":"1","period":{"start":"2020"}}"#;
    assert_eq!(told(&exists, &identifiers(&format!(r#"{dated},{{"value":"2"}}"#)), &[p]), Vec::<String>::new());
    one(&exists, &identifiers(&format!("{dated},{dated}")), p, "Patient", "of the kind 'dated' at most 1 times");
}

#[test]
fn a_choice_is_sliced_by_its_type() {
    let validator = package(&[&profile(
        "o",
        "Observation",
        r#"{"path":"Observation.value[x]","slicing":{"discriminator":[{"type":"type","path":"$this"}],"rules":"open"}},
           {"path":"Observation.value[x]","sliceName":"valueQuantity","type":[{"code":"Quantity"}]},
           {"path":"Observation.value[x].unit","min":1}"#,
    )]);
    let observation =
        |value: &str| format!(r#"{{"resourceType":"Observation","status":"final","code":{{"text":"x"}},{value}}}"#);
    let p = "https://example.org/o";
    assert_eq!(told(&validator, &observation(r#""valueString":"x""#), &[p]), Vec::<String>::new());
    assert_eq!(
        told(&validator, &observation(r#""valueQuantity":{"value":1,"unit":"mg"}"#), &[p]),
        Vec::<String>::new()
    );
    one(&validator, &observation(r#""valueQuantity":{"value":1}"#), p, "Observation.value", "needs 'unit'");
}

#[test]
fn entries_of_a_bundle_are_sliced_by_type_and_profile() {
    let entries = |by: &str, slices: &str| {
        let bundle = profile(
            "b",
            "Bundle",
            &format!(
                r#"{{"path":"Bundle.entry","slicing":{{"discriminator":[{{"type":"{by}","path":"resource"}}],"rules":"open"}}}},{slices}"#
            ),
        );
        let named = profile("named", "Patient", r#"{"path":"Patient.name","min":1}"#);
        package(&[&bundle, &named])
    };
    let bundle = |inside: &str| format!(r#"{{"resourceType":"Bundle","type":"collection","entry":[{inside}]}}"#);
    let b = "https://example.org/b";
    let typed = entries(
        "type",
        r#"{"path":"Bundle.entry","sliceName":"who","min":1,"max":"1"},{"path":"Bundle.entry.resource","type":[{"code":"Patient"}]}"#,
    );
    let (named, nameless) = (
        r#"{"resource":{"resourceType":"Patient","name":[{"text":"x"}]}}"#,
        r#"{"resource":{"resourceType":"Patient"}}"#,
    );
    assert_eq!(told(&typed, &bundle(nameless), &[b]), Vec::<String>::new());
    one(
        &typed,
        &bundle(r#"{"resource":{"resourceType":"Basic","code":{"text":"x"}}}"#),
        b,
        "Bundle",
        "of the kind 'who'",
    );
    let profiled = entries(
        "profile",
        r#"{"path":"Bundle.entry","sliceName":"who","min":1},{"path":"Bundle.entry.resource","type":[{"code":"Patient","profile":["https://example.org/named"]}]}"#,
    );
    assert_eq!(told(&profiled, &bundle(&format!("{nameless},{named}")), &[b]), Vec::<String>::new());
    one(&profiled, &bundle(nameless), b, "Bundle", "of the kind 'who'");
}

#[test]
fn an_extension_of_a_profile_is_found_by_its_address() {
    let extension = r#"{"resourceType":"StructureDefinition","url":"https://example.org/ext","name":"ext","kind":"complex-type","type":"Extension",
        "derivation":"constraint","baseDefinition":"http://hl7.org/fhir/StructureDefinition/Extension","differential":{"element":[
        {"path":"Extension.url","fixedUri":"https://example.org/ext"},{"path":"Extension.value[x]","min":1,"type":[{"code":"code"}]}]}}"#;
    let patient = profile(
        "e",
        "Patient",
        r#"{"path":"Patient.extension","sliceName":"ext","min":1,"max":"1","type":[{"code":"Extension","profile":["https://example.org/ext"]}]}"#,
    );
    let validator = package(&[extension, &patient]);
    let e = "https://example.org/e";
    let with = |inside: &str| format!(r#"{{"resourceType":"Patient","extension":[{inside}]}}"#);
    let good = r#"{"url":"https://example.org/ext","valueCode":"a"}"#;
    assert_eq!(told(&validator, &with(good), &[e]), Vec::<String>::new());
    one(&validator, r#"{"resourceType":"Patient"}"#, e, "Patient", "of the kind 'ext', which is missing");
    one(&validator, &with(&format!("{good},{good}")), e, "Patient", "at most 1 times");
    // Told once by the extension's own definition, and once by the profile that asks for it.
    let wrong = told(&validator, &with(r#"{"url":"https://example.org/ext","valueString":"a"}"#), &[e]);
    assert!(!wrong.is_empty() && wrong.iter().all(|it| it.contains("to be code, and this is string")), "{wrong:#?}");
}

#[test]
fn a_profile_that_is_too_much_work_ends() {
    let nested = profile(
        "w",
        "Patient",
        r#"{"path":"Patient.contact","slicing":{"discriminator":[{"type":"value","path":"relationship.coding.code"}],"rules":"open"}},
           {"path":"Patient.contact","sliceName":"a"},{"path":"Patient.contact.relationship","min":1},
           {"path":"Patient.contact.relationship.coding.code","fixedCode":"x"}"#,
    );
    let validator = package(&[&nested]);
    let contact = r#"{"gender":"male","name":{"text":"x"},"relationship":[{"coding":[{"code":"y"}]}]}"#;
    let text = format!(r#"{{"resourceType":"Patient","contact":[{}]}}"#, vec![contact; 3_000].join(","));
    assert!(held(&validator, &text, &["https://example.org/w"]).is_valid());
    assert!(report(&text).is_valid());
}

#[test]
fn a_slice_inside_a_slice_is_told_apart_as_it_is_outside() {
    // As UK Core's blood pressure: the systems are fixed for every component, the codes for one kind of component.
    let profile = profile(
        "i",
        "Observation",
        r#"{"id":"Observation.component","path":"Observation.component","slicing":{"discriminator":[{"type":"value","path":"code.text"}],"rules":"closed"}},
           {"id":"Observation.component.code.coding","path":"Observation.component.code.coding","slicing":{"discriminator":[{"type":"value","path":"system"}],"rules":"open"}},
           {"id":"Observation.component.code.coding:loinc","path":"Observation.component.code.coding","sliceName":"loinc","min":1},
           {"id":"Observation.component.code.coding:loinc.system","path":"Observation.component.code.coding.system","fixedUri":"http://loinc.org"},
           {"id":"Observation.component:a","path":"Observation.component","sliceName":"a"},
           {"id":"Observation.component:a.code.coding:loinc","path":"Observation.component.code.coding","sliceName":"loinc","min":1},
           {"id":"Observation.component:a.code.coding:loinc.code","path":"Observation.component.code.coding.code","fixedCode":"1-8"},
           {"id":"Observation.component:a.code.text","path":"Observation.component.code.text","fixedString":"A"}"#,
    );
    let validator = package(&[&profile]);
    let observation = |code: &str| {
        format!(
            r#"{{"resourceType":"Observation","status":"final","code":{{"text":"x"}},"component":[{{"code":{{"coding":[{{"system":"http://snomed.info/sct","code":"9"}},{{"system":"http://loinc.org","code":"{code}"}}],"text":"A"}}}}]}}"#
        )
    };
    let i = "https://example.org/i";
    assert_eq!(told(&validator, &observation("1-8"), &[i]), Vec::<String>::new());
    one(&validator, &observation("2-6"), i, "Observation.component[0].code.coding[1].code", "exactly \"1-8\"");
}

#[test]
fn an_extension_stands_where_it_belongs() {
    let with = |holder: &str, url: &str, value: &str| {
        holder.replace(
            "EXT",
            &format!(r#""extension":[{{"url":"http://hl7.org/fhir/StructureDefinition/{url}",{value}}}]"#),
        )
    };
    let time = r#""valueDateTime":"1970-03-30T09:30:00Z""#;
    fine(&with(r#"{"resourceType":"Patient","birthDate":"1970-03-30","_birthDate":{EXT}}"#, "patient-birthTime", time));
    only(
        &with(r#"{"resourceType":"Patient",EXT}"#, "patient-birthTime", time),
        "Patient.extension[0]",
        "belongs on Patient.birthDate, not here",
    );
    let address = r#""valueAddress":{"city":"Leeds"}"#;
    fine(&with(r#"{"resourceType":"Patient",EXT}"#, "patient-birthPlace", address));
    only(
        &with(r#"{"resourceType":"Patient","name":[{EXT}]}"#, "patient-birthPlace", address),
        "Patient.name[0].extension[0]",
        "belongs on Patient, not here",
    );
    fine(&with(r#"{"resourceType":"Patient","name":[{EXT}]}"#, "humanname-assembly-order", r#""valueCode":"F""#));
}
