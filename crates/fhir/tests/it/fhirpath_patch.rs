//! Patching resources: FHIRPath Patch, and the difference of versions as one.

use keepwell_fhir::compare::difference;
use keepwell_fhir::definitions::r4;
use keepwell_fhir::diff::{DiffError, diff};
use keepwell_fhir::json::{Node, compact, quoted};
use keepwell_fhir::patch::{MAX_OPERATIONS, PatchError, Reason, fhirpath_patch};
use keepwell_fhir::xml;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::outputs::assert_valid;
use crate::shared::shared;

const PATIENT: &str = r#"{"resourceType":"Patient","id":"p","active":true,"x-unknown":{"n":1.50},"birthDate":"1970-01-01","_birthDate":{"extension":[{"url":"u","valueString":"x"}]},"name":[{"family":"Brook","given":["Una",null,"Mae"],"_given":[null,{"id":"g"},null]},{"text":"U"}],"deceasedBoolean":false,"contact":[{"name":{"text":"C"}}]}"#;

/// The parameters for operations of a type, a path, and further parts.
fn parameters(operations: &[(&str, &str, &str)]) -> String {
    let one = |(kind, path, more): &(&str, &str, &str)| {
        let path = quoted(path);
        format!(
            r#"{{"name":"operation","part":[{{"name":"type","valueCode":"{kind}"}},{{"name":"path","valueString":{path}}}{more}]}}"#
        )
    };
    let all: Vec<String> = operations.iter().map(one).collect();
    format!(r#"{{"resourceType":"Parameters","parameter":[{}]}}"#, all.join(","))
}

fn patched(operations: &[(&str, &str, &str)]) -> Result<String, PatchError> {
    let result = fhirpath_patch(PATIENT.as_bytes(), parameters(operations).as_bytes(), r4());
    result.map(|bytes| String::from_utf8(bytes).unwrap())
}

fn refused(kind: &str, path: &str, more: &str) -> Reason {
    patched(&[(kind, path, more)]).unwrap_err().reason
}

/// What one operation puts in the place of a piece of the patient.
fn becomes(operation: (&str, &str, &str), piece: &str, with: &str) {
    assert!(PATIENT.contains(piece), "{piece}");
    assert_eq!(patched(&[operation]).unwrap(), PATIENT.replacen(piece, with, 1), "{operation:?}");
}

const NAMED: &str = r#",{"name":"name","valueString":"gender"},{"name":"value","valueCode":"female"}"#;

#[test]
fn what_a_fhirpath_patch_does_not_name_keeps_its_bytes() {
    let end = r#""text":"C"}}]}"#;
    becomes(("add", "Patient", NAMED), end, r#""text":"C"}}],"gender":"female"}"#);
    becomes(("add", "Patient.contact[0]", NAMED), end, r#""text":"C"},"gender":"female"}]}"#);
    let text = r#",{"name":"value","valueString":"Q"}"#;
    becomes(("replace", "Patient.name[1].text", text), r#""text":"U""#, r#""text":"Q""#);
    becomes(("replace", "Patient.name[0].given[0]", text), r#""Una""#, r#""Q""#);
    becomes(("replace", "name.where(family = 'Brook').family", text), r#""Brook""#, r#""Q""#);
    becomes(("delete", "Patient.active", ""), r#""active":true,"#, "");
    becomes(("delete", "Patient.gender", ""), "", "");
    becomes(("delete", "Patient.name.where(text = 'U')", ""), r#",{"text":"U"}"#, "");
    let name = r#",{"name":"name","valueString":"name"},{"name":"value","valueHumanName":{"text":"N"}}"#;
    becomes(("add", "Patient", name), r#"{"text":"U"}]"#, r#"{"text":"U"},{"text":"N"}]"#);
    let insert = r#",{"name":"index","valueInteger":1},{"name":"value","valueHumanName":{"text":"N"}}"#;
    becomes(("insert", "Patient.name", insert), r#"{"text":"U"}"#, r#"{"text":"N"},{"text":"U"}"#);
}

#[test]
fn a_primitive_keeps_its_place_beside_its_extensions() {
    let date = r#","birthDate":"1970-01-01","_birthDate":{"extension":[{"url":"u","valueString":"x"}]}"#;
    becomes(("delete", "Patient.birthDate", ""), date, "");
    becomes(
        ("replace", "Patient.birthDate", r#",{"name":"value","valueDate":"1971"}"#),
        date,
        r#","birthDate":"1971""#,
    );
    becomes(("delete", "Patient.birthDate.extension", ""), date, r#","birthDate":"1970-01-01""#);
    let given = r#""given":["Una",null,"Mae"],"_given":[null,{"id":"g"},null]"#;
    let put = |index: u8| format!(r#",{{"name":"index","valueInteger":{index}}},{{"name":"value","valueString":"Q"}}"#);
    becomes(
        ("insert", "Patient.name[0].given", &put(0)),
        given,
        r#""given":["Q","Una",null,"Mae"],"_given":[null,null,{"id":"g"},null]"#,
    );
    becomes(
        ("insert", "Patient.name[0].given", &put(3)),
        given,
        r#""given":["Una",null,"Mae","Q"],"_given":[null,{"id":"g"},null,null]"#,
    );
    becomes(("delete", "Patient.name[0].given[1]", ""), given, r#""given":["Una","Mae"]"#);
    becomes(("delete", "Patient.name[0].given[0]", ""), given, r#""given":[null,"Mae"],"_given":[{"id":"g"},null]"#);
    let shift = r#",{"name":"source","valueInteger":2},{"name":"destination","valueInteger":0}"#;
    becomes(
        ("move", "Patient.name[0].given", shift),
        given,
        r#""given":["Mae","Una",null],"_given":[null,null,{"id":"g"}]"#,
    );
    let extension = r#",{"name":"name","valueString":"extension"},{"name":"value","part":[{"name":"url","valueUri":"v"},{"name":"value","valueBoolean":true}]}"#;
    becomes(
        ("add", "Patient.active", extension),
        r#""text":"C"}}]}"#,
        r#""text":"C"}}],"_active":{"extension":[{"url":"v","valueBoolean":true}]}}"#,
    );
    becomes(
        ("add", "Patient.birthDate", extension),
        r#""valueString":"x"}]"#,
        r#""valueString":"x"},{"url":"v","valueBoolean":true}]"#,
    );
    let bare = r#",{"name":"name","valueString":"gender"},{"name":"value","_valueCode":{"id":"g"}}"#;
    becomes(("add", "Patient", bare), r#""text":"C"}}]}"#, r#""text":"C"}}],"_gender":{"id":"g"}}"#);
}

#[test]
fn a_choice_is_named_by_its_stem_and_takes_the_type_of_the_value() {
    let value = r#",{"name":"value","valueDateTime":"2026-01-01"}"#;
    becomes(("replace", "Patient.deceased", value), r#""deceasedBoolean":false"#, r#""deceasedDateTime":"2026-01-01""#);
    let birth =
        |name: &str| format!(r#",{{"name":"name","valueString":"{name}"}},{{"name":"value","valueInteger":2}}"#);
    for name in ["multipleBirth", "multipleBirthInteger"] {
        becomes(("add", "Patient", &birth(name)), r#""text":"C"}}]}"#, r#""text":"C"}}],"multipleBirthInteger":2}"#);
    }
    let second = r#",{"name":"name","valueString":"deceased"},{"name":"value","valueDateTime":"2026"}"#;
    assert_eq!(refused("add", "Patient", second), Reason::AlreadyThere);
    assert_eq!(refused("replace", "Patient.deceased", r#",{"name":"value","valueString":"x"}"#), Reason::WrongType);
}

#[test]
fn what_becomes_empty_is_gone() {
    becomes(("delete", "Patient.contact[0].name.text", ""), r#","contact":[{"name":{"text":"C"}}]"#, "");
    becomes(("delete", "Patient.name[1].text", ""), r#",{"text":"U"}"#, "");
}

#[test]
fn a_path_must_lead_to_what_the_operation_needs() {
    let value = r#",{"name":"value","valueString":"x"}"#;
    let at = |index: &str| format!(r#",{{"name":"index","valueInteger":{index}}}{value}"#);
    for (kind, path, more, expected) in [
        ("add", "Patient.maritalStatus", NAMED, Reason::Nowhere),
        ("replace", "Patient.gender", value, Reason::Nowhere),
        ("insert", "Patient.address", &at("0"), Reason::Nowhere),
        ("add", "Patient.name", NAMED, Reason::Several),
        ("delete", "Patient.name", "", Reason::Several),
        ("replace", "Patient.name.given", value, Reason::Several),
        ("insert", "Patient.name[0].given", &at("4"), Reason::NoPlace),
        ("insert", "Patient.name[0].given", &at("-1"), Reason::NoPlace),
        ("insert", "Patient.name[0].given.first()", &at("0"), Reason::NotWholeList),
        ("insert", "Patient.active", &at("0"), Reason::NotWholeList),
        (
            "move",
            "Patient.name",
            r#",{"name":"source","valueInteger":2},{"name":"destination","valueInteger":0}"#,
            Reason::NoPlace,
        ),
        (
            "move",
            "Patient.name",
            r#",{"name":"source","valueInteger":0},{"name":"destination","valueInteger":2}"#,
            Reason::NoPlace,
        ),
        ("delete", "Patient.name.count()", "", Reason::NotElement),
        ("delete", "'text'", "", Reason::NotElement),
        ("delete", "Patient", "", Reason::Identity),
        ("replace", "$this", value, Reason::Identity),
        ("delete", "Patient.id", "", Reason::Identity),
        ("replace", "Patient.id", value, Reason::Identity),
        (
            "add",
            "Patient",
            r#",{"name":"name","valueString":"nonsense"},{"name":"value","valueString":"x"}"#,
            Reason::NoElement,
        ),
        (
            "add",
            "Patient.active",
            r#",{"name":"name","valueString":"text"},{"name":"value","valueString":"x"}"#,
            Reason::NoElement,
        ),
        ("replace", "Patient.active", value, Reason::WrongType),
        ("replace", "Patient.name[0]", value, Reason::WrongType),
        ("replace", "Patient.name[0]", r#",{"name":"value","valueAddress":{"text":"x"}}"#, Reason::WrongType),
        (
            "replace",
            "Patient.birthDate",
            r#",{"name":"value","part":[{"name":"x","valueString":"x"}]}"#,
            Reason::WrongType,
        ),
        ("replace", "Patient.birthDate", r#",{"name":"value","resource":{"resourceType":"Basic"}}"#, Reason::WrongType),
        ("replace", "Patient.birthDate", r#",{"name":"value"}"#, Reason::Missing("value")),
        ("replace", "Patient.contact[0]", r#",{"name":"value","part":[]}"#, Reason::Missing("part")),
        ("add", "Patient", value, Reason::Missing("name")),
        ("insert", "Patient.name", value, Reason::Missing("index")),
        ("move", "Patient.name", "", Reason::Missing("source")),
    ] {
        assert_eq!(refused(kind, path, more), expected, "{kind} {path} {more}");
    }
    assert!(matches!(refused("delete", "Patient.name[", ""), Reason::Path(_)));
    assert!(matches!(refused("delete", "Patient.where(name)", ""), Reason::Evaluation(_)));
    assert!(matches!(refused("change", "Patient.name", ""), Reason::UnknownOperation(_)));
    assert_eq!(
        fhirpath_patch(PATIENT.as_bytes(), br#"{"resourceType":"Bundle"}"#, r4()).unwrap_err().reason,
        Reason::NotParameters
    );
    let other = br#"{"resourceType":"Parameters","parameter":[{"name":"other"}]}"#;
    assert_eq!(fhirpath_patch(PATIENT.as_bytes(), other, r4()).unwrap_err().reason, Reason::Missing("operation"));
}

#[test]
fn a_fhirpath_patch_is_done_whole_or_not_at_all_and_has_limits() {
    let error = patched(&[("delete", "Patient.active", ""), ("delete", "Patient.name", "")]).unwrap_err();
    assert_eq!((error.operation, error.is_mismatch()), (Some(1), true));
    assert!(patched(&vec![("delete", "Patient.gender", ""); MAX_OPERATIONS]).is_ok());
    let error = patched(&vec![("delete", "Patient.gender", ""); MAX_OPERATIONS + 1]).unwrap_err();
    assert_eq!(error.reason, Reason::TooMany);
    let heavy = "Patient.descendants().where(%resource.descendants().where(%resource.descendants().exists()).exists())";
    let error = patched(&vec![("delete", heavy, ""); MAX_OPERATIONS]).unwrap_err();
    assert!(matches!(error.reason, Reason::Evaluation(_) | Reason::Several), "{error}");
}

#[test]
fn contained_resources_are_patched_and_added_too() {
    let contained = r#",{"name":"name","valueString":"contained"},{"name":"value","resource":{"resourceType":"Organization","id":"o"}}"#;
    let name = r#",{"name":"name","valueString":"name"},{"name":"value","valueString":"GP"}"#;
    let result = patched(&[("add", "Patient", contained), ("add", "Patient.contained[0]", name)]).unwrap();
    assert!(result.ends_with(r#","contained":[{"resourceType":"Organization","id":"o","name":"GP"}]}"#), "{result}");
    assert_eq!(
        refused("add", "Patient", &contained.replace(r#"{"resourceType":"Organization","id":"o"}"#, "null")),
        Reason::WrongType
    );
}

/// A resource with the white space and the entities of its narrative made one: the file spells it in two ways.
fn tidied(resource: &[u8]) -> String {
    let mut resource: Value = serde_json::from_slice(resource).unwrap();
    if let Some(Value::String(div)) = resource.pointer_mut("/text/div") {
        *div = div.replace("&#10;", " ").replace("&quot;", "\"");
        *div = div.split_whitespace().collect::<Vec<_>>().join(" ").replace("> ", ">").replace(" <", "<");
    }
    resource.to_string()
}

fn assert_same(ours: &[u8], theirs: &[u8], name: &str) {
    let (ours, theirs) = (tidied(ours), tidied(theirs));
    assert_eq!(difference(Node::of_text(&ours), Node::of_text(&theirs)), None, "{name}");
}

#[test]
fn hl7s_cases_for_fhirpath_patch_pass() {
    let Some(path) = shared("fhir-test-cases/patch/fhir-patch-tests.xml") else { return };
    let text = std::fs::read_to_string(path).unwrap();
    let cases: Vec<&str> = text.split("<case ").skip(1).collect();
    assert_eq!(cases.len(), 33);
    for case in cases {
        let between = |start: &str, end: &str| Some(case.split_once(start)?.1.split_once(end)?.0);
        let name = between("name=\"", "\"").unwrap();
        let part = |name: &str| {
            let resource = between(&format!("<{name}>"), &format!("</{name}>"))?;
            Some(xml::read(resource.as_bytes(), r4()).unwrap())
        };
        let input = part("input").unwrap();
        let result = fhirpath_patch(&input, &part("diff").unwrap(), r4());
        match part("output") {
            Some(output) => {
                assert_same(&result.unwrap_or_else(|error| panic!("{name}: {error}")), &output, name);
                // The difference of the two says it as well.
                let ours = diff(&input, &output, r4()).unwrap();
                let again = fhirpath_patch(&input, &ours, r4()).unwrap_or_else(|error| panic!("{name}: {error}"));
                assert_same(&again, &output, name);
            }
            None => assert_eq!(result.unwrap_err().reason, Reason::Nowhere, "{name}"),
        }
    }
}

/// The operations of a difference, short: type, path, and the value.
fn short(older: &str, newer: &str) -> Vec<String> {
    let bytes = diff(&compact(older.as_bytes()).unwrap(), &compact(newer.as_bytes()).unwrap(), r4()).unwrap();
    assert_eq!(compact(&bytes).unwrap(), bytes);
    assert_valid(&bytes);
    let parameters: Value = serde_json::from_slice(&bytes).unwrap();
    let operations = parameters["parameter"].as_array().cloned().unwrap_or_default();
    let text = |operation: &Value| {
        let part = |name: &str| operation["part"].as_array().unwrap().iter().find(|it| it["name"] == name).cloned();
        let parts = ["type", "path", "name", "index", "value"].iter().filter_map(|name| part(name));
        let show = |part: Value| match part.as_object().unwrap().iter().find(|(name, _)| *name != "name").unwrap().1 {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        parts.map(show).collect::<Vec<_>>().join(" ")
    };
    operations.iter().map(text).collect()
}

#[test]
fn a_difference_says_what_changed_and_no_more() {
    let older = r#"{"resourceType":"Patient","id":"p","meta":{"versionId":"1","lastUpdated":"2026","tag":[{"code":"t"}]},"active":true,
        "name":[{"family":"Brook","given":["Una"]}],"telecom":[{"rank":2},{"rank":3},{"rank":4}],"deceasedBoolean":false}"#;
    let newer = r#"{"resourceType":"Patient","id":"p","active":true,"meta":{"lastUpdated":"2027","versionId":"2","tag":[{"code":"t"}]},
        "name":[{"family":"Brooke","given":["Una","Mae"]}],"telecom":[{"rank":2},{"rank":4}],"gender":"female","deceasedDateTime":"2026"}"#;
    assert_eq!(
        short(older, newer),
        [
            "add Patient gender female",
            "replace Patient.name[0].family Brooke",
            "add Patient.name[0] given Mae",
            "delete Patient.telecom[1]",
            "replace Patient.deceased 2026",
        ]
    );
    assert_eq!(short(older, older), [""; 0]);
    let text = |words: &str| {
        format!(
            r#"{{"resourceType":"Patient","text":{{"status":"generated","div":"<div xmlns='http://www.w3.org/1999/xhtml'>{words}</div>"}}}}"#
        )
    };
    assert_eq!(
        short(&text("a"), &text("b")),
        ["replace Patient.text.`div` <div xmlns='http://www.w3.org/1999/xhtml'>b</div>"]
    );
    let front = r#"{"resourceType":"Patient","telecom":[{"rank":1},{"rank":2}]}"#;
    let back = r#"{"resourceType":"Patient","telecom":[{"rank":2}]}"#;
    assert_eq!(short(back, front), [r#"insert Patient.telecom 0 {"rank":1}"#]);
    assert_eq!(short(front, back), ["delete Patient.telecom[0]"]);
}

#[test]
fn what_a_patch_cannot_say_is_refused() {
    let of = |older: &str, newer: &str| diff(older.as_bytes(), newer.as_bytes(), r4()).unwrap_err();
    let bare = r#"{"resourceType":"Patient"}"#;
    assert_eq!(of(bare, r#"{"resourceType":"Group"}"#), DiffError::NotVersions);
    assert_eq!(of(bare, r#"{"resourceType":"Patient","id":"p"}"#), DiffError::NotVersions);
    assert_eq!(of("[]", "[]"), DiffError::NotVersions);
    assert_eq!(of(r#"{"resourceType":"Nonsense"}"#, bare), DiffError::NotVersions);
    assert_eq!(of(bare, r#"{"resourceType":"Patient","x":1}"#), DiffError::Undefined("x".into()));
    assert_eq!(of(bare, r#"{"resourceType":"Patient","active":{"x":1}}"#), DiffError::Undefined("active".into()));
    assert!(diff(PATIENT.as_bytes(), PATIENT.replace("true", "false").as_bytes(), r4()).is_ok());
}

/// Values for a few elements of a Patient, nested, repeating, chosen and primitive.
fn any_patient() -> impl Strategy<Value = Value> {
    let text = || "[ab]{1,2}";
    let extension = || prop::option::of(text().prop_map(|it| json!([{"url": it, "valueDecimal": 1}])));
    let list = |item: BoxedStrategy<Value>| prop::option::of(prop::collection::vec(item, 1..4)).boxed();
    let coding = text().prop_map(|it| json!({"code": it})).boxed();
    let name =
        (prop::option::of(text()), prop::collection::vec((text(), extension()), 0..3)).prop_map(|(family, given)| {
            let mut name = json!({"use": "usual"});
            if let Some(family) = family {
                name["family"] = family.into();
            }
            if !given.is_empty() {
                name["given"] = given.iter().map(|it| it.0.clone()).collect();
                if given.iter().any(|it| it.1.is_some()) {
                    name["_given"] = given
                        .iter()
                        .map(|it| it.1.as_ref().map_or(Value::Null, |it| json!({"extension": it})))
                        .collect();
                }
            }
            name
        });
    let contact = (list(coding.clone()), prop::option::of(name.clone())).prop_map(|(relation, name)| {
        let mut contact = json!({"gender": "other"});
        if let Some(relation) = relation {
            contact["relationship"] = relation.into_iter().map(|it| json!({"coding": [it]})).collect();
        }
        if let Some(name) = name {
            contact["name"] = name;
        }
        contact
    });
    let contained = (text(), text()).prop_map(|(kind, name)| match kind.len() {
        1 => json!({"resourceType": "Organization", "id": "c", "name": name}),
        _ => json!({"resourceType": "Practitioner", "id": "c", "gender": name}),
    });
    let deceased = prop_oneof![
        Just(None),
        Just(Some(("deceasedBoolean", json!(true)))),
        text().prop_map(|it| Some(("deceasedDateTime", it.into())))
    ];
    (
        list(name.boxed()),
        list(contact.boxed()),
        list(contained.boxed()),
        deceased,
        extension(),
        prop::option::of(text()),
        extension(),
        list(coding),
    )
        .prop_map(|(name, contact, contained, deceased, extension, birth, beside, tag)| {
            let mut patient = json!({"resourceType": "Patient", "id": "p"});
            let lists = [("name", name), ("contact", contact), ("contained", contained)];
            for (member, value) in lists.into_iter().filter_map(|(name, value)| Some((name, value?))) {
                patient[member] = value.into();
            }
            if let Some(tag) = tag {
                patient["meta"] = json!({"tag": tag});
            }
            if let Some((member, value)) = deceased {
                patient[member] = value;
            }
            if let Some(extension) = extension {
                patient["extension"] = extension;
            }
            if let Some(birth) = birth {
                patient["birthDate"] = birth.into();
            }
            if let Some(beside) = beside {
                patient["_birthDate"] = json!({"extension": beside});
            }
            patient
        })
}

proptest! {
    #[test]
    fn applying_a_difference_to_the_older_gives_the_newer(older in any_patient(), newer in any_patient()) {
        let (older, newer) = (older.to_string(), newer.to_string());
        let patch = diff(older.as_bytes(), newer.as_bytes(), r4()).unwrap();
        let result = fhirpath_patch(older.as_bytes(), &patch, r4()).unwrap();
        let differs = difference(Node::new(&result).unwrap(), Node::of_text(&newer));
        prop_assert!(differs.is_none(), "{differs:?}\n{older}\n{newer}\n{}", String::from_utf8_lossy(&patch));
    }

    #[test]
    fn any_fhirpath_patch_gives_well_formed_json_or_an_error(
        patient in any_patient(),
        operations in prop::collection::vec((
            prop::sample::select(vec!["add", "insert", "delete", "replace", "move"]),
            prop::sample::select(vec!["Patient", "Patient.name", "Patient.name[0]", "Patient.name.given[0]", "name[0].given", "Patient.contact[0].name",
                "Patient.birthDate", "Patient.birthDate.extension", "Patient.deceased", "Patient.contained[0]", "Patient.extension[0].value", "Patient.descendants()[3]", "Patient.meta.tag"]),
            prop::sample::select(vec!["name", "given", "family", "extension", "contact", "deceased", "birthDate", "id", "value", "contained"]),
            0u8..3, 0u8..3,
            prop::sample::select(vec![r#""valueString":"x""#, r#""valueBoolean":true"#, r#""valueHumanName":{"text":"x"}"#, r#""valueHumanName":{}"#, r#""_valueDate":{"id":"x"}"#,
                r#""part":[{"name":"gender","valueCode":"x"}]"#, r#""part":[{"name":"url","valueUri":"x"}]"#, r#""resource":{"resourceType":"Basic"}"#, r#""resource":[]"#, r#""valueCode":null"#]),
        ), 0..5),
    ) {
        let more: Vec<String> = operations.iter().map(|(_, _, name, a, b, value)| {
            format!(r#",{{"name":"name","valueString":"{name}"}},{{"name":"index","valueInteger":{a}}},{{"name":"source","valueInteger":{a}}},{{"name":"destination","valueInteger":{b}}},{{"name":"value",{value}}}"#)
        }).collect();
        let operations: Vec<_> = operations.iter().zip(&more).map(|(it, more)| (it.0, it.1, more.as_str())).collect();
        if let Ok(result) = fhirpath_patch(patient.to_string().as_bytes(), parameters(&operations).as_bytes(), r4()) {
            prop_assert_eq!(&compact(&result).unwrap(), &result);
            let read: Value = serde_json::from_slice(&result).unwrap();
            prop_assert_eq!(&read["id"], "p");
        }
    }

    #[test]
    fn no_two_documents_panic(older in "[\\[\\]{}\":,a1]{0,40}", newer in "[\\[\\]{}\":,a1]{0,40}") {
        let patient = |inside: &str| format!(r#"{{"resourceType":"Patient","name":{inside},"active":{inside},"contact":[{inside}],"_birthDate":{inside}}}"#);
        let (older, newer) = (patient(&older), patient(&newer));
        if let (Ok(older), Ok(newer)) = (compact(older.as_bytes()), compact(newer.as_bytes())) {
            let _ = diff(&older, &newer, r4());
            let _ = fhirpath_patch(&older, parameters(&[("delete", "Patient.name", "")]).as_bytes(), r4());
        }
        let _ = diff(older.as_bytes(), newer.as_bytes(), r4());
        let _ = fhirpath_patch(older.as_bytes(), parameters(&[("delete", "Patient.contact.descendants()[0]", "")]).as_bytes(), r4());
    }
}
