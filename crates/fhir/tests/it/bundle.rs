//! Reading transaction Bundles.

use keepwell_fhir::bundle::{Bundle, Method, Response, wrap};
use keepwell_fhir::json::{check, compact};

/// The issues that a Bundle is refused with, one a line; nothing if it is taken.
fn issues(json: &str) -> String {
    let checked = check(json.as_bytes()).unwrap();
    let lines = match Bundle::read(&checked.bytes, &checked.outline) {
        Ok(_) => Vec::new(),
        Err(outcome) => outcome
            .issues
            .iter()
            .map(|it| format!("{} {}", it.code.code(), it.expression.as_deref().unwrap_or_default()))
            .collect(),
    };
    lines.join("\n")
}

fn entries(entries: &str) -> String {
    format!(r#"{{"resourceType":"Bundle","type":"transaction","entry":[{entries}]}}"#)
}

#[test]
fn entries_are_read_with_their_bytes() {
    let json = r#" { "type":"transaction", "entry":[
        { "fullUrl":"urn:uuid:1", "request":{ "method":"POST", "url":"Patient", "ifNoneExist":"identifier=a|b" },
          "resource":{ "resourceType" : "Patient", "id":"p1", "name":[ { "family":"Ødegård" } ] } },
        { "resource":{ "id":"o.1", "valueQuantity":{"value":1.50}, "resourceType":"Observation" },
          "request":{ "url":"Observation\/o.1", "method":"PUT", "ifMatch":"W/\"2\"" } },
        { "request":{ "method":"DELETE", "url":"Observation?identifier=x" } } ], "resourceType":"Bundle" } "#;
    let checked = check(json.as_bytes()).unwrap();
    let bundle = Bundle::read(&checked.bytes, &checked.outline).unwrap();
    let [patient, observation, gone] = &bundle.entries[..] else { panic!("three entries") };
    assert_eq!((patient.method, patient.full_url.as_deref()), (Method::Post, Some("urn:uuid:1")));
    assert_eq!(patient.if_none_exist.as_deref(), Some("identifier=a|b"));
    let (resource, range) = patient.resource.as_ref().unwrap();
    assert_eq!((resource.resource_type, resource.id.as_deref()), ("Patient", Some("p1")));
    assert_eq!(
        std::str::from_utf8(&checked.bytes[range.clone()]).unwrap(),
        r#"{"resourceType":"Patient","id":"p1","name":[{"family":"Ødegård"}]}"#
    );
    assert_eq!((observation.url.resource_type, observation.url.id()), ("Observation", Some("o.1")));
    assert_eq!(observation.if_match.as_deref(), Some("W/\"2\""));
    let (resource, range) = observation.resource.as_ref().unwrap();
    assert_eq!(resource.fields.first("valueQuantity.value").unwrap().number(), Some("1.50"));
    assert_eq!(resource.fields.node().raw().as_bytes(), &checked.bytes[range.clone()]);
    assert_eq!((gone.method, gone.url.query(), gone.url.id()), (Method::Delete, Some("identifier=x"), None));
    assert_eq!(gone.resource_expression(), "Bundle.entry[2].resource");
}

#[test]
fn what_is_wrong_is_said_entry_by_entry() {
    let post = r#""request":{"method":"POST","url":"Patient"}"#;
    let patient = r#""resource":{"resourceType":"Patient"}"#;
    let json = entries(
        &[
            format!("{{{patient}}}"),
            format!(r#"{{{patient},"request":{{"method":"post","url":"Patient"}}}}"#),
            format!(r#"{{{patient},"request":{{"method":"POST","url":"https://other.example/Patient"}}}}"#),
            format!("{{{post}}}"),
            format!(r#"{{{post},"resource":{{"resourceType":"Pateint"}}}}"#),
            format!(r#"{{{post},"resource":{{"resourceType":"Observation"}}}}"#),
            format!(r#"{{{post},"resource":{{"resourceType":"Patient","id":"not an id"}}}}"#),
            format!(r#"{{{post},"resource":[]}}"#),
            format!(r#"{{{patient},"request":{{"method":"PUT","url":"Patient/1"}}}}"#),
            r#"{"resource":{"resourceType":"Patient","id":"2"},"request":{"method":"PUT","url":"Patient/1"}}"#
                .to_owned(),
            format!(r#"{{{patient},"request":{{"method":"DELETE","url":"Patient/1"}}}}"#),
            r#"{"request":{"method":"DELETE","url":"Patient"}}"#.to_owned(),
            "7".to_owned(),
        ]
        .join(","),
    );
    assert_eq!(
        issues(&json),
        "required Bundle.entry[0].request\n\
         required Bundle.entry[1].request.method\n\
         value Bundle.entry[2].request.url\n\
         required Bundle.entry[3].resource\n\
         structure Bundle.entry[4].resource\n\
         value Bundle.entry[5].request.url\n\
         structure Bundle.entry[6].resource\n\
         structure Bundle.entry[7].resource\n\
         required Bundle.entry[8].resource.id\n\
         value Bundle.entry[9].resource.id\n\
         structure Bundle.entry[10].resource\n\
         value Bundle.entry[11].request.url\n\
         structure Bundle.entry[12]"
    );
}

#[test]
fn a_bundle_that_is_no_transaction_is_refused() {
    for (json, expected) in [
        ("[]", "structure Bundle"),
        ("{}", "structure Bundle"),
        (r#"{"resourceType":"Patient"}"#, "structure Bundle"),
        (r#"{"resourceType":"Bundle"}"#, "required Bundle.type"),
        (r#"{"resourceType":"Bundle","type":"batch"}"#, "not-supported Bundle.type"),
        (r#"{"resourceType":"Bundle","type":"transaction","entry":{}}"#, "structure Bundle.entry"),
        (r#"{"resourceType":"Bundle","type":"transaction"}"#, ""),
        (r#"{"resourceType":"Bundle","type":"transaction","entry":[]}"#, ""),
    ] {
        assert_eq!(issues(json), expected, "{json}");
    }
}

#[test]
fn two_entries_may_not_share_a_full_url() {
    let entry =
        r#"{"fullUrl":"urn:uuid:1","resource":{"resourceType":"Patient"},"request":{"method":"POST","url":"Patient"}}"#;
    assert_eq!(issues(&entries(&format!("{entry},{entry}"))), "duplicate Bundle.entry[1].fullUrl");
}

#[test]
fn a_hopeless_bundle_is_not_read_to_its_end() {
    assert_eq!(issues(&entries(&vec!["1"; 500].join(","))).lines().count(), 20);
}

#[test]
fn the_answer_is_a_bundle() {
    let mut response = Response::new();
    response.push("201 Created", Some("Patient/1/_history/1"), Some("W/\"1\""), Some("2026-11-23T09:30:00.000Z"));
    response.push("204 No Content", None, None, None);
    assert_eq!(
        String::from_utf8(response.finish()).unwrap(),
        r#"{"resourceType":"Bundle","type":"transaction-response","entry":[{"response":{"status":"201 Created","location":"Patient/1/_history/1","etag":"W/\"1\"","lastModified":"2026-11-23T09:30:00.000Z"}},{"response":{"status":"204 No Content"}}]}"#
    );
    compact(&Response::new().finish()).unwrap();
}

#[test]
fn loose_resources_are_wrapped_as_a_transaction() {
    let loose: [&[u8]; 2] = [br#"{"resourceType":"Patient","id":"1"}"#, br#"{"resourceType":"Observation"}"#];
    let bundle = wrap(loose).unwrap();
    let checked = check(&bundle).unwrap();
    let read = Bundle::read(&checked.bytes, &checked.outline).unwrap();
    let asked: Vec<_> = read.entries.iter().map(|it| format!("{} {}", it.method.name(), it.url.text)).collect();
    assert_eq!(asked, ["PUT Patient/1", "POST Observation"]);
    assert_eq!(wrap([b"{}".as_slice()]).unwrap_err().0, 0);
    assert_eq!(wrap([]).unwrap(), br#"{"resourceType":"Bundle","type":"transaction"}"#);
}
