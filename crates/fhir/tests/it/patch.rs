//! Patching resources: JSON Patch.

use keepwell_fhir::compare::difference;
use keepwell_fhir::json::{Node, compact, quoted};
use keepwell_fhir::patch::{MAX_OPERATIONS, PatchError, Reason, json_patch};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::shared::shared;

const PATIENT: &str = r#"{"resourceType":"Patient","id":"p","active":true,"x-unknown":{"n":1.50},"name":[{"family":"Brook","given":["Una","Mae"]},{"text":"\u0055"}],"multipleBirthInteger":2}"#;

fn patched(patch: &str) -> Result<String, PatchError> {
    json_patch(PATIENT.as_bytes(), patch.as_bytes()).map(|bytes| String::from_utf8(bytes).unwrap())
}

fn refused(patch: &str) -> Reason {
    patched(patch).unwrap_err().reason
}

#[test]
fn what_a_patch_does_not_name_keeps_its_bytes() {
    let all = r#"[
        {"op": "test",    "path": "/x-unknown/n", "value": 15e-1},
        {"op": "add",     "path": "/name/0/given/1", "value": "Ann"},
        {"op": "add",     "path": "/name/0/given/-", "value": "Zoe"},
        {"op": "add",     "path": "/active", "value": false},
        {"op": "remove",  "path": "/name/1/text"},
        {"op": "replace", "path": "/multipleBirthInteger", "value": 3},
        {"op": "copy",    "from": "/name/0/given/0", "path": "/name/1/family"},
        {"op": "move",    "from": "/name/1", "path": "/name/0"},
        {"op": "add",     "path": "/birthDate", "value": "1970-01-01", "note": "unknown members of an operation are let be"}
    ]"#;
    assert_eq!(
        patched(all).unwrap(),
        r#"{"resourceType":"Patient","id":"p","active":false,"x-unknown":{"n":1.50},"name":[{"family":"Una"},{"family":"Brook","given":["Una","Ann","Mae","Zoe"]}],"multipleBirthInteger":3,"birthDate":"1970-01-01"}"#
    );
    assert_eq!(patched("[]").unwrap(), PATIENT);
}

#[test]
fn a_patch_is_done_whole_or_not_at_all_and_says_which_operation_was_at_fault() {
    let error = patched(r#"[{"op":"remove","path":"/active"},{"op":"test","path":"/id","value":"q"}]"#).unwrap_err();
    assert_eq!(error, PatchError { operation: Some(1), reason: Reason::TestFailed });
    assert!(error.is_mismatch());
    assert_eq!(
        error.to_string(),
        "operation 2 of the patch: the resource does not have the value that the patch tests for"
    );
}

#[test]
fn a_pointer_must_lead_somewhere() {
    for (operation, expected) in [
        (r#""remove","path":"/gender""#, Reason::Nowhere),
        (r#""remove","path":"/gender/text""#, Reason::Nowhere),
        (r#""remove","path":"/name/2""#, Reason::Nowhere),
        (r#""remove","path":"/name/-""#, Reason::Nowhere),
        (r#""remove","path":"/name/00""#, Reason::Nowhere),
        (r#""remove","path":"/active/0""#, Reason::Nowhere),
        (r#""replace","path":"/gender","value":"female""#, Reason::Nowhere),
        (r#""test","path":"/gender","value":null"#, Reason::Nowhere),
        (r#""add","path":"/contact/0","value":{}"#, Reason::NoHolder),
        (r#""add","path":"/active/0","value":{}"#, Reason::NoHolder),
        (r#""add","path":"/name/3","value":{}"#, Reason::NoPlace),
        (r#""add","path":"/name/01","value":{}"#, Reason::NoPlace),
        (r#""add","path":"/name/+1","value":{}"#, Reason::NoPlace),
        (r#""add","path":"/name/99999999999999999999","value":{}"#, Reason::NoPlace),
        (r#""add","path":"/name/family","value":{}"#, Reason::NoPlace),
        (r#""copy","from":"/gender","path":"/language""#, Reason::Nowhere),
        (r#""move","from":"/gender","path":"/language""#, Reason::Nowhere),
        (r#""move","from":"/name","path":"/name/0/given""#, Reason::IntoItself),
        (r#""add","path":"name","value":1"#, Reason::Pointer),
        (r#""add","path":"/a~2","value":1"#, Reason::Pointer),
        (r#""add","path":"/a~","value":1"#, Reason::Pointer),
        (r#""add","path":"/a\"b","value":1"#, Reason::Name),
        (r#""add","path":"/a\nb","value":1"#, Reason::Name),
        (r#""add","path":"/name""#, Reason::Missing("value")),
        (r#""add","value":1"#, Reason::Missing("path")),
        (r#""copy","path":"/name""#, Reason::Missing("from")),
    ] {
        assert_eq!(refused(&format!("[{{\"op\":{operation}}}]")), expected, "{operation}");
    }
    assert!(matches!(refused(r#"[{"op":"merge","path":"/name","value":1}]"#), Reason::UnknownOperation(_)));
    assert_eq!(refused(r#"[{"path":"/name","value":1}]"#), Reason::Missing("op"));
    assert_eq!(refused("[1]"), Reason::Missing("op"));
    assert_eq!(refused(r#"{"op":"remove","path":"/name"}"#), Reason::NotList);
    assert!(matches!(refused(r#"[{"op":"remove","path":"/name","op":"test"}]"#), Reason::Json(_)));
}

#[test]
fn moving_a_value_onto_itself_changes_nothing() {
    assert_eq!(patched(r#"[{"op":"move","from":"/name/0","path":"/name/0"}]"#).unwrap(), PATIENT);
    assert_eq!(refused(r#"[{"op":"move","from":"/name/7","path":"/name/7"}]"#), Reason::Nowhere);
}

#[test]
fn a_patch_cannot_make_another_resource_of_it() {
    for operation in [
        r#"{"op":"remove","path":""}"#,
        r#"{"op":"replace","path":"","value":{"resourceType":"Patient"}}"#,
        r#"{"op":"replace","path":"","value":{"resourceType":"Group","id":"p"}}"#,
        r#"{"op":"add","path":"","value":[]}"#,
        r#"{"op":"copy","from":"/name","path":""}"#,
        r#"{"op":"replace","path":"/resourceType","value":"Group"}"#,
        r#"{"op":"remove","path":"/resourceType"}"#,
        r#"{"op":"replace","path":"/id","value":"q"}"#,
        r#"{"op":"remove","path":"/id"}"#,
    ] {
        assert_eq!(refused(&format!("[{operation}]")), Reason::Identity, "{operation}");
    }
    let whole = r#"{"resourceType":"Patient","id":"p","gender":"other"}"#;
    assert_eq!(patched(&format!(r#"[{{"op":"replace","path":"","value":{whole}}}]"#)).unwrap(), whole);
    let bare = br#"{"resourceType":"Patient"}"#;
    let given = json_patch(bare, br#"[{"op":"add","path":"/id","value":"mine"}]"#).unwrap_err();
    assert_eq!(given.reason, Reason::Identity);
}

#[test]
fn patches_have_limits() {
    let many = |count: usize| format!("[{}]", vec![r#"{"op":"test","path":"/id","value":"p"}"#; count].join(","));
    assert!(patched(&many(MAX_OPERATIONS)).is_ok());
    assert_eq!(refused(&many(MAX_OPERATIONS + 1)), Reason::TooMany);
    // Each copy puts the whole document one level deeper.
    let double = format!("[{}]", vec![r#"{"op":"copy","from":"","path":"/x-unknown/again"}"#; 300].join(","));
    assert!(matches!(refused(&double), Reason::Result(_)));
    let wide = format!(
        "[{},{}]",
        r#"{"op":"add","path":"/all","value":[]}"#,
        vec![r#"{"op":"copy","from":"","path":"/all/-"}"#; 900].join(",")
    );
    assert_eq!(refused(&wide), Reason::TooLarge);
    let deep = format!(r#"[{{"op":"add","path":"/deep","value":{}{}}}]"#, "[".repeat(63), "]".repeat(63));
    assert!(matches!(refused(&deep), Reason::Json(_)));
    let text = quoted(&"x".repeat(10 << 20));
    let heavy = format!(r#"[{{"op":"add","path":"/all","value":{text}}},{}"#, &many(MAX_OPERATIONS - 1)[1..]);
    assert_eq!(refused(&heavy), Reason::TooCostly);
}

/// Applies a patch to a document that stands for a resource.
fn applied(document: &Value, patch: &Value) -> Result<Value, Reason> {
    let mut document = document.clone();
    document["resourceType"] = json!("Basic");
    let result = json_patch(document.to_string().as_bytes(), patch.to_string().as_bytes());
    let mut result: Value = serde_json::from_slice(&result.map_err(|error| error.reason)?).unwrap();
    result.as_object_mut().unwrap().remove("resourceType");
    Ok(result)
}

#[test]
fn hl7s_cases_for_json_patch_pass() {
    let Some(path) = shared("fhir-test-cases/patch/json-patch-tests.json") else { return };
    let cases: Vec<Value> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert!(cases.len() >= 16);
    for case in cases {
        let result = applied(&case["doc"], &case["patch"]);
        match case.get("expected") {
            Some(expected) => assert_eq!(result.as_ref(), Ok(expected), "{}", case["comment"]),
            None => assert!(result.is_err(), "{}", case["comment"]),
        }
    }
}

/// What RFC 6902 shows in its appendix, told with other documents.
#[test]
fn rfc_6902_appendix_a_holds() {
    let list = json!({"list": ["a", "b", "c"], "in": {"x": 1, "y": null}, "/": 9, "~1": 10});
    for (rule, patch, expected) in [
        ("A.1", json!([{"op": "add", "path": "/new", "value": "v"}]), Some(json!({"new": "v"}))),
        ("A.2", json!([{"op": "add", "path": "/list/1", "value": "n"}]), Some(json!({"list": ["a", "n", "b", "c"]}))),
        ("A.3", json!([{"op": "remove", "path": "/in/x"}]), Some(json!({"in": {"y": null}}))),
        ("A.4", json!([{"op": "remove", "path": "/list/1"}]), Some(json!({"list": ["a", "c"]}))),
        ("A.5", json!([{"op": "replace", "path": "/in/x", "value": []}]), Some(json!({"in": {"x": [], "y": null}}))),
        ("A.6", json!([{"op": "move", "from": "/in/x", "path": "/z"}]), Some(json!({"in": {"y": null}, "z": 1}))),
        ("A.7", json!([{"op": "move", "from": "/list/0", "path": "/list/2"}]), Some(json!({"list": ["b", "c", "a"]}))),
        ("A.8", json!([{"op": "test", "path": "/list/1", "value": "b"}]), Some(json!({}))),
        ("A.9", json!([{"op": "test", "path": "/list/1", "value": "c"}]), None),
        ("A.10", json!([{"op": "add", "path": "/child", "value": {"k": {}}}]), Some(json!({"child": {"k": {}}}))),
        ("A.11", json!([{"op": "add", "path": "/new", "value": 1, "xyz": 2}]), Some(json!({"new": 1}))),
        ("A.12", json!([{"op": "add", "path": "/no/where", "value": 1}]), None),
        ("A.14", json!([{"op": "test", "path": "/~01", "value": 10}]), Some(json!({}))),
        ("A.14", json!([{"op": "test", "path": "/~1", "value": 9}]), Some(json!({}))),
        ("A.15", json!([{"op": "test", "path": "/~01", "value": "10"}]), None),
        (
            "A.16",
            json!([{"op": "add", "path": "/list/-", "value": ["d"]}]),
            Some(json!({"list": ["a", "b", "c", ["d"]]})),
        ),
        ("4.6 null", json!([{"op": "test", "path": "/in/y", "value": null}]), Some(json!({}))),
        ("4.6 order", json!([{"op": "test", "path": "/in", "value": {"y": null, "x": 1.0}}]), Some(json!({}))),
    ] {
        let expected = expected.map(|changes| {
            let mut whole = list.clone();
            whole.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
            whole
        });
        assert_eq!(applied(&list, &patch).ok(), expected, "{rule}");
    }
    // A.13: the same member twice is not acceptable JSON.
    assert!(json_patch(b"{}", br#"[{"op":"add","path":"/b","value":1,"op":"remove"}]"#).is_err());
}

/// Every place in a document as a JSON Pointer.
fn places(node: Node<'_>, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    for (name, value) in node.members() {
        places(value, &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), found);
    }
    for (index, value) in node.items().enumerate() {
        places(value, &format!("{at}/{index}"), found);
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".*".prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("[a-z~/é]{0,3}", inner, 0..4)
                .prop_map(|it| Value::Object(it.into_iter().collect())),
        ]
    })
}

/// A document that stands for a resource.
fn any_document() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::hash_map("[a-z~/é]{1,3}", any_json(), 0..5).prop_map(|members| {
        let mut document: serde_json::Map<String, Value> = members.into_iter().collect();
        document.insert("resourceType".into(), "Basic".into());
        compact(Value::Object(document).to_string().as_bytes()).unwrap()
    })
}

fn any_pointer() -> impl Strategy<Value = String> {
    "(/([a-c~/é]{0,2}|[0-3]|-|~0|~1)){0,4}|.{0,6}"
}

proptest! {
    #[test]
    fn adding_and_removing_gives_the_bytes_back(document in any_document(), value in any_json(), pick in any::<prop::sample::Index>(), end in any::<bool>()) {
        let root = Node::new(&document).unwrap();
        let mut all = Vec::new();
        places(root, "", &mut all);
        // A new member of an object, or a new item of a list.
        let at = pick.get(&all);
        let holder = serde_json::from_slice::<Value>(&document).unwrap().pointer(at).cloned().unwrap();
        let path = match holder {
            Value::Object(_) => format!("{at}/brand new"),
            Value::Array(items) => format!("{at}/{}", if end { items.len() } else { 0 }),
            _ => return Ok(()),
        };
        let patch = json!([{"op": "add", "path": path, "value": value}, {"op": "test", "path": path, "value": value}, {"op": "remove", "path": path}]);
        let back = json_patch(&document, patch.to_string().as_bytes()).unwrap();
        prop_assert_eq!(back, document);
    }

    #[test]
    fn moving_there_and_back_keeps_the_meaning(document in any_document(), pick in any::<prop::sample::Index>()) {
        let mut all = Vec::new();
        places(Node::new(&document).unwrap(), "", &mut all);
        all.retain(|at| !at.is_empty() && at != "/resourceType");
        if all.is_empty() {
            return Ok(());
        }
        let at = pick.get(&all);
        let patch = json!([{"op": "move", "from": at, "path": "/elsewhere"}, {"op": "move", "from": "/elsewhere", "path": at}]);
        let back = json_patch(&document, patch.to_string().as_bytes()).unwrap();
        prop_assert_eq!(difference(Node::new(&back).unwrap(), Node::new(&document).unwrap()), None);
    }

    #[test]
    fn any_patch_gives_well_formed_json_or_an_error(
        document in any_document(),
        operations in prop::collection::vec(
            (prop::sample::select(vec!["add", "remove", "replace", "move", "copy", "test", "other"]), any_pointer(), any_pointer(), any_json()),
            0..6,
        ),
    ) {
        let patch: Vec<Value> = operations
            .into_iter()
            .map(|(op, path, from, value)| json!({"op": op, "path": path, "from": from, "value": value}))
            .collect();
        if let Ok(result) = json_patch(&document, Value::from(patch).to_string().as_bytes()) {
            prop_assert_eq!(&compact(&result).unwrap(), &result);
            prop_assert_eq!(&serde_json::from_slice::<Value>(&result).unwrap()["resourceType"], "Basic");
        }
    }

    #[test]
    fn no_bytes_panic(resource in prop::collection::vec(any::<u8>(), 0..40), patch in ".{0,40}") {
        let _ = json_patch(&resource, patch.as_bytes());
        let _ = json_patch(&resource, br#"[{"op":"add","path":"/a/0","value":1},{"op":"move","from":"/a","path":"/b"}]"#);
    }
}
