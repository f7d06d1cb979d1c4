//! Profiles and extensions: those of R4, and those of packages that are added at run time.

use keepwell_fhir::definitions::{
    Constraint, Content, Definitions, DiscriminatorKind, ElementDef, Membership, PackageError, Profile, SlicingRules,
    Strength, ValueRule, r4,
};
use proptest::prelude::*;

fn load(resources: &[&str]) -> Result<Definitions, PackageError> {
    r4().with_package(resources.iter().map(|it| it.as_bytes()))
}

/// What a profile demands at a path: `component:SystolicBP.code`.
fn at<'a>(profile: &'a Profile, path: &str) -> &'a Constraint {
    path.split('.').fold(&profile.root, |here, step| {
        let (stem, slice) = step.split_once(':').map_or((step, None), |(stem, slice)| (stem, Some(slice)));
        let child = here.child(stem).unwrap_or_else(|| panic!("{path}"));
        slice.map_or(child, |name| child.slice(name).unwrap_or_else(|| panic!("{path}")))
    })
}

fn type_names(element: &ElementDef) -> Vec<&str> {
    element.types.iter().map(|it| &*it.name).collect()
}

#[test]
fn the_profiles_of_r4_are_there() {
    let bp = r4().structure("http://hl7.org/fhir/StructureDefinition/bp|4.0.1").unwrap();
    assert_eq!((&*bp.type_name, bp.is_abstract), ("Observation", false));
    assert_eq!(bp.base.as_deref(), Some("http://hl7.org/fhir/StructureDefinition/vitalsigns"));
    let component = at(bp, "component");
    assert_eq!((component.element.min, component.element.max), (2, None));
    assert_eq!(type_names(&component.element), ["Observation.component"]);
    let systolic = at(bp, "component:SystolicBP");
    assert_eq!((systolic.element.min, systolic.element.max), (1, Some(1)));
    let fixed = &at(bp, "component:SystolicBP.code.coding:SBPCode.code").element.rules;
    assert_eq!(*fixed, [ValueRule::Fixed("\"8480-6\"".into())]);
    assert!(bp.root.child("performer").is_none(), "of what the type says itself, nothing is kept");
    assert_eq!(r4().structure_urls().count(), 439);
    for url in r4().structure_urls() {
        assert!(r4().structure(url).is_some_and(|it| r4().type_named(&it.type_name).is_some()), "{url}");
    }
}

#[test]
fn an_extension_says_its_address_value_and_place() {
    let birth_place = r4().structure("http://hl7.org/fhir/StructureDefinition/patient-birthPlace").unwrap();
    assert_eq!(birth_place.type_name, "Extension");
    assert_eq!(birth_place.contexts[0].expression, "Patient");
    assert_eq!(type_names(&at(birth_place, "value").element), ["Address"]);
    let fixed = format!("\"{}\"", birth_place.url);
    assert_eq!(at(birth_place, "url").element.rules, [ValueRule::Fixed(fixed.into())]);
    assert_eq!(at(birth_place, "extension").element.max, Some(0));
}

const BASE: &str = r#"{"resourceType":"StructureDefinition","url":"https://example.org/base","kind":"resource","type":"Observation",
  "name":"Base","abstract":true,"derivation":"constraint","baseDefinition":"http://hl7.org/fhir/StructureDefinition/Observation",
  "differential":{"element":[
    {"id":"Observation","path":"Observation","constraint":[{"key":"x-1","severity":"error","human":"h","expression":"true"}]},
    {"id":"Observation.subject","path":"Observation.subject","min":1,
     "type":[{"code":"Reference","targetProfile":["http://hl7.org/fhir/StructureDefinition/Patient"]}]},
    {"id":"Observation.category","path":"Observation.category","slicing":{"discriminator":[{"type":"pattern","path":"$this"}],
     "ordered":true,"rules":"openAtEnd"}},
    {"id":"Observation.category:lab","path":"Observation.category","sliceName":"lab","min":1,"max":"1",
     "patternCodeableConcept":{"coding":[{"code":"laboratory"}]}},
    {"id":"Observation.component.referenceRange.low","path":"Observation.component.referenceRange.low","min":1}]}}"#;

const DERIVED: &str = r#"{"resourceType":"StructureDefinition","url":"https://example.org/a","kind":"resource","type":"Observation",
  "derivation":"constraint","baseDefinition":"https://example.org/base","differential":{"element":[
    {"path":"Observation.extension","sliceName":"x","type":[{"code":"Extension","profile":["https://example.org/x"]}]},
    {"path":"Observation.code.coding","slicing":{"discriminator":[{"type":"value","path":"system"}],"rules":"closed"}},
    {"path":"Observation.code.coding","sliceName":"snomed","max":"1"},
    {"path":"Observation.code.coding.system","min":1,"fixedUri":"http://snomed.info/sct"},
    {"path":"Observation.code.coding","sliceName":"loinc"},
    {"path":"Observation.code.coding.system","min":1,"fixedUri":"http://loinc.org"},
    {"path":"Observation.subject","mustSupport":true},
    {"path":"Observation.valueQuantity","min":1},
    {"path":"Observation.valueQuantity.code","min":1,"binding":{"strength":"required","valueSet":"https://example.org/units"}}]}}"#;

#[test]
fn a_differential_is_laid_over_what_it_builds_on() {
    // The order in the package does not matter.
    for resources in [[BASE, DERIVED], [DERIVED, BASE]] {
        let definitions = load(&resources).unwrap();
        let derived = definitions.structure("https://example.org/a").unwrap();
        assert_eq!(derived.root.element.invariants[0].key, "x-1");
        let subject = &at(derived, "subject").element;
        assert_eq!((subject.min, subject.must_support), (1, true));
        assert_eq!(subject.types[0].target_profiles, ["http://hl7.org/fhir/StructureDefinition/Patient"]);
        let category = at(derived, "category").slicing.as_ref().unwrap();
        assert_eq!((category.is_ordered, category.rules), (true, SlicingRules::OpenAtEnd));
        assert_eq!(category.discriminators[0].kind, DiscriminatorKind::Pattern);
        let lab = &at(derived, "category:lab").element;
        assert_eq!(lab.rules, [ValueRule::Pattern(r#"{"coding":[{"code":"laboratory"}]}"#.into())]);
        assert_eq!(at(derived, "component.referenceRange.low").element.min, 1);
        assert_eq!(type_names(&at(derived, "component.referenceRange").element), ["Observation.referenceRange"]);
    }
}

#[test]
fn slices_are_found_without_ids_and_by_short_names() {
    let definitions = load(&[BASE, DERIVED]).unwrap();
    let derived = definitions.structure("https://example.org/a").unwrap();
    assert_eq!(at(derived, "extension").slicing.as_ref().unwrap().discriminators[0].path, "url");
    assert_eq!(at(derived, "extension:x").element.types[0].profiles, ["https://example.org/x"]);
    assert_eq!(at(derived, "code.coding").slicing.as_ref().unwrap().rules, SlicingRules::Closed);
    for (slice, system) in [("snomed", "http://snomed.info/sct"), ("loinc", "http://loinc.org")] {
        let rules = &at(derived, &format!("code.coding:{slice}.system")).element.rules;
        assert_eq!(*rules, [ValueRule::Fixed(format!("\"{system}\"").into())]);
    }
    assert_eq!(
        (at(derived, "code.coding:snomed").element.max, at(derived, "code.coding:loinc").element.max),
        (Some(1), None)
    );
    let value = at(derived, "value");
    assert_eq!((type_names(&value.element), value.element.min), (vec!["Quantity"], 0));
    assert_eq!(value.slicing.as_ref().unwrap().rules, SlicingRules::Closed);
    assert_eq!(at(derived, "value:valueQuantity").element.min, 1);
    let unit = at(derived, "value:valueQuantity.code").element.binding.as_ref().unwrap();
    assert_eq!((unit.strength, unit.value_set.as_deref()), (Strength::Required, Some("https://example.org/units")));
}

#[test]
fn a_snapshot_goes_before_the_differential() {
    let profile = r#"{"resourceType":"StructureDefinition","url":"https://example.org/s","kind":"resource","type":"Patient",
      "derivation":"constraint","baseDefinition":"https://example.org/unknown",
      "snapshot":{"element":[{"path":"Patient"},{"path":"Patient.name","min":1,"max":"*"},{"path":"Patient.gender","min":0,"max":"1"}]},
      "differential":{"element":[{"path":"Patient.gender","min":1}]}}"#;
    let definitions = load(&[profile]).unwrap();
    let profile = definitions.structure("https://example.org/s").unwrap();
    assert_eq!(at(profile, "name").element.min, 1);
    assert!(profile.root.child("gender").is_none(), "it says of the gender what the type says");
}

#[test]
fn codes_and_search_parameters_of_a_package_are_added() {
    let system = r#"{"resourceType":"CodeSystem","url":"https://example.org/cs","content":"complete","concept":[
      {"code":"a","display":"A","concept":[{"code":"b"},{"code":"c","property":[{"code":"inactive","valueBoolean":true}]}]},{"code":"d"}]}"#;
    let set = r#"{"resourceType":"ValueSet","url":"https://example.org/vs","compose":{
      "include":[{"system":"https://example.org/cs","filter":[{"property":"concept","op":"is-a","value":"a"}]},
        {"valueSet":["http://hl7.org/fhir/ValueSet/administrative-gender"]}],
      "exclude":[{"system":"https://example.org/cs","concept":[{"code":"c"}]}]}}"#;
    let expansion = r#"{"resourceType":"ValueSet","url":"https://example.org/e","expansion":{"contains":[
      {"system":"s","code":"1","display":"One"},{"abstract":true,"display":"group","contains":[{"system":"t","code":"2"}]}]}}"#;
    let parameter = r#"{"resourceType":"SearchParameter","url":"https://example.org/sp","code":"shoe-size","base":["Patient"],
      "type":"number","expression":"Patient.extension('x').value"}"#;
    let newer = r#"{"resourceType":"ValueSet","url":"https://example.org/e",
      "compose":{"include":[{"system":"x","concept":[{"code":"y"}]}]}}"#;
    let definitions = load(&[set, system, expansion, parameter, r#"{"resourceType":"ImplementationGuide"}"#]).unwrap();
    let codes = definitions.expand("https://example.org/vs|1.0").unwrap();
    let listed: Vec<&str> = codes.entries().iter().map(|it| &*it.code).collect();
    assert_eq!(listed, ["a", "b", "male", "female", "other", "unknown"]);
    assert!(!definitions.code_system("https://example.org/cs").unwrap().concept("c").unwrap().is_active());
    assert_eq!(definitions.expand("https://example.org/e").unwrap().has(Some("t"), "2"), Membership::Yes);
    assert_eq!(definitions.search_parameter("Patient", "shoe-size").unwrap().url, "https://example.org/sp");
    assert!(r4().search_parameter("Patient", "shoe-size").is_none(), "what is shared stays as it was");
    // A package's value set takes the place of the one with the same address.
    let codes =
        definitions.with_package([newer.as_bytes()].into_iter()).unwrap().expand("https://example.org/e").unwrap();
    assert_eq!(codes.entries().last().unwrap().code, "y");
}

#[test]
fn value_sets_that_include_one_another_come_to_an_end() {
    let set = |url: &str, other: &str| {
        format!(
            r#"{{"resourceType":"ValueSet","url":"{url}","compose":{{"include":[{{"valueSet":["{other}","{other}"]}}]}}}}"#
        )
    };
    let (a, b) = (set("a", "b"), set("b", "a"));
    let codes = load(&[&a, &b]).unwrap().expand("a").unwrap();
    assert!(!codes.is_complete() && codes.entries().is_empty());
}

#[test]
fn a_package_that_cannot_be_understood_is_refused_with_a_reason() {
    let profile = |of: &str, base: &str, path: &str| {
        format!(
            r#"{{"resourceType":"StructureDefinition","url":"u","type":"{of}","derivation":"constraint","baseDefinition":"{base}",
            "differential":{{"element":[{{"path":"{path}"}}]}}}}"#
        )
    };
    let patient = "http://hl7.org/fhir/StructureDefinition/Patient";
    for (resource, expected) in [
        ("{".to_owned(), "resource 1 of the package is not acceptable JSON: expected a property name in double quotes"),
        (profile("Nobody", patient, "Nobody"), "is about the type 'Nobody', which FHIR R4 does not have"),
        (
            profile("Patient", "https://example.org/none", "Patient"),
            "builds on https://example.org/none, which is not loaded",
        ),
        (profile("Patient", "u", "Patient"), "the profile u builds on itself"),
        (profile("Patient", "http://hl7.org/fhir/StructureDefinition/bp", "Patient"), "which is about another type"),
        (profile("Patient", "http://hl7.org/fhir/StructureDefinition/Observation", "Patient"), "which is not loaded"),
        (profile("Patient", patient, "Patient.shoeSize"), "names the element 'Patient.shoeSize', which does not exist"),
    ] {
        let error = load(&[&resource]).unwrap_err().to_string();
        assert!(error.contains(expected) || error.contains("ends too early"), "{error}");
    }
    let bare = r#"{"resourceType":"StructureDefinition","url":"u","kind":"resource"}"#;
    let error = Definitions::default().with_package([bare.as_bytes()].into_iter()).unwrap_err().to_string();
    assert!(error.contains("no complete list of elements"), "{error}");
}

#[test]
fn nobody_redefines_a_type_of_r4_or_adds_one() {
    for name in ["Patient", "Shoe", "string"] {
        let patient = format!(
            r#"{{"resourceType":"StructureDefinition","url":"http://hl7.org/fhir/StructureDefinition/{name}","kind":"resource",
            "type":"{name}","derivation":"specialization","snapshot":{{"element":[{{"path":"{name}"}}]}}}}"#
        );
        let error = load(&[&patient]).unwrap_err().to_string();
        assert!(error.contains(&format!("defines the type '{name}'")), "{error}");
    }
}

#[test]
fn what_r4_says_itself_no_package_loosens() {
    let gender = r#"{"resourceType":"ValueSet","url":"http://hl7.org/fhir/ValueSet/administrative-gender",
      "compose":{"include":[{"system":"x","concept":[{"code":"y"}]}]}}"#;
    let genders = r#"{"resourceType":"CodeSystem","url":"http://hl7.org/fhir/administrative-gender","content":"complete",
      "concept":[{"code":"y"}]}"#;
    // Required of Condition.clinicalStatus, by way of a value set; not under the addresses of FHIR itself.
    let clinical = r#"{"resourceType":"CodeSystem","url":"http://terminology.hl7.org/CodeSystem/condition-clinical",
      "content":"complete","concept":[{"code":"y"}]}"#;
    // R4 has a part of it only.
    let partial = |url: &&str| r4().code_system(url).is_some_and(|it| it.content != Content::Complete);
    let partly = r4().code_system_urls().filter(partial).min().unwrap();
    let whole = format!(
        r#"{{"resourceType":"CodeSystem","url":"{partly}","content":"complete","concept":[{{"code":"y-y"}}]}}"#
    );
    let bp = r#"{"resourceType":"StructureDefinition","url":"http://hl7.org/fhir/StructureDefinition/bp","kind":"resource",
      "type":"Observation","derivation":"constraint","baseDefinition":"http://hl7.org/fhir/StructureDefinition/Observation",
      "differential":{"element":[{"path":"Observation"}]}}"#;
    let parameter = |url: &str, code: &str, base: &str| {
        format!(
            r#"{{"resourceType":"SearchParameter","url":"{url}","code":"{code}","base":["{base}"],"type":"token",
            "expression":"{base}.language"}}"#
        )
    };
    let parameters = [
        parameter("http://hl7.org/fhir/SearchParameter/Patient-identifier", "identifier", "Patient"),
        parameter("https://example.org/1", "identifier", "Patient"),
        parameter("https://example.org/2", "_id", "Patient"),
        parameter("https://example.org/3", "_count", "Patient"),
        parameter("https://example.org/4", "a:b", "Patient"),
        parameter("https://example.org/5", "", "Patient"),
        parameter("https://example.org/7", "tongue", "Patient"),
        parameter("https://example.org/6", "tongue", "Patient"),
    ];
    let compartment = r#"{"resourceType":"CompartmentDefinition","url":"https://example.org/c","code":"Patient",
      "resource":[{"code":"Observation","param":["encounter"]},{"code":"Organization","param":["partof"]}]}"#;
    let mut all = vec![gender, genders, clinical, &whole, bp, compartment];
    all.extend(parameters.iter().map(String::as_str));
    let definitions = load(&all).unwrap();
    let set = "http://hl7.org/fhir/ValueSet/administrative-gender";
    assert_eq!(definitions.expand(set).unwrap().entries(), r4().expand(set).unwrap().entries());
    let set = "http://hl7.org/fhir/ValueSet/condition-clinical";
    assert_eq!(definitions.expand(set).unwrap().entries(), r4().expand(set).unwrap().entries());
    assert!(definitions.code_system(partly).unwrap().concept("y-y").is_some());
    let bp = "http://hl7.org/fhir/StructureDefinition/bp";
    assert_eq!(definitions.structure(bp), r4().structure(bp));
    for code in ["identifier", "_id", "_count", "a:b", ""] {
        assert_eq!(definitions.search_parameter("Patient", code), r4().search_parameter("Patient", code), "{code}");
    }
    assert_eq!(definitions.search_parameter("Patient", "tongue").unwrap().url, "https://example.org/6");
    assert_eq!(definitions.search_parameters("Patient").filter(|it| it.code == "tongue").count(), 1);
    for name in ["Observation", "Organization"] {
        assert_eq!(definitions.patient_compartment(name), r4().patient_compartment(name));
    }
}

/// A profile of Patient with that differential.
fn derived(url: &str, base: &str, elements: &str) -> String {
    format!(
        r#"{{"resourceType":"StructureDefinition","url":"{url}","kind":"resource","type":"Patient","derivation":"constraint",
        "baseDefinition":"{base}","differential":{{"element":[{elements}]}}}}"#
    )
}

#[test]
fn profiles_that_build_on_one_another_for_ever_or_swell_are_refused() {
    let refused = |resources: &[String]| {
        let resources: Vec<&str> = resources.iter().map(String::as_str).collect();
        load(&resources).unwrap_err().to_string()
    };
    let patient = "http://hl7.org/fhir/StructureDefinition/Patient";
    let circle = refused(&[derived("a", "b", ""), derived("b", "c", ""), derived("c", "a|1.0", "")]);
    assert_eq!(circle, "the profile c builds on itself, by way of what it builds on");
    let long: Vec<String> = (0..60).map(|at| derived(&format!("p{at:02}"), &format!("p{:02}", at + 1), "")).collect();
    assert!(refused(&long).contains("more than 32 others"));
    let many = vec![r#"{"path":"Patient.name","min":1}"#; 10_001].join(",");
    assert_eq!(refused(&[derived("a", patient, &many)]), "a is too large: more than 10000 elements");
    // Small profiles that each take over all of a large one.
    let slice = |at: usize| format!(r#"{{"id":"Patient.name:s{at}","path":"Patient.name","sliceName":"s{at}"}}"#);
    let large = (0..9_000).map(slice).collect::<Vec<_>>().join(",");
    let mut all = vec![derived("a", patient, &large)];
    all.extend((0..1_000).map(|at| derived(&format!("b{at}"), "a", "")));
    assert!(refused(&all).contains("more than 500000 elements in all profiles together"));
}

#[test]
fn the_work_over_a_value_set_is_bounded() {
    let concepts: Vec<String> = (0..20_000)
        .map(|at| format!(r#"{{"code":"c{at}","property":[{{"code":"child","valueCode":"c{}"}}]}}"#, at + 1))
        .collect();
    let system =
        format!(r#"{{"resourceType":"CodeSystem","url":"s","content":"complete","concept":[{}]}}"#, concepts.join(","));
    let below = |with: &str| {
        let part = r#"{"system":"s","filter":[{"property":"concept","op":"is-a","value":"c0"}]}"#;
        format!(r#"{{"resourceType":"ValueSet","url":"v","compose":{{"include":[{part}{with}]}}}}"#)
    };
    let codes = load(&[&system, &below("")]).unwrap().expand("v").unwrap();
    assert!(codes.is_complete() && codes.entries().len() == 20_000, "a long chain takes one step for each code");
    let again = r#",{"system":"s"}"#.repeat(50_000);
    let codes = load(&[&system, &below(&again)]).unwrap().expand("v").unwrap();
    assert!(!codes.is_complete(), "what is too much work is not said to be known");
    assert_eq!(codes.has(Some("s"), "c7"), Membership::Yes);
    assert_eq!(codes.has(Some("t"), "x"), Membership::Unknown);
}

proptest! {
    #[test]
    fn damaged_packages_never_panic(at in any::<prop::sample::Index>(), with in "[\\[\\]{}:,\"a-z.0-9]{0,3}", cut in 0usize..8, which in 0usize..3) {
        let system = r#"{"resourceType":"CodeSystem","url":"a","concept":[{"code":"b","property":[{"code":"child","valueCode":"b"}]}]}"#;
        let mut text = [BASE, DERIVED, system][which].to_owned();
        let start = at.index(text.len());
        text.replace_range(start..(start + cut).min(text.len()), &with);
        let set = r#"{"resourceType":"ValueSet","url":"v","compose":{"include":[{"system":"a","filter":[{"property":"concept","op":"is-a","value":"b"}]}]}}"#;
        if let Ok(definitions) = load(&[BASE, &text, set]) {
            let _ = (definitions.expand("v"), definitions.structure("https://example.org/a"));
        }
    }
}
