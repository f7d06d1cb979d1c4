//! Checking and reading JSON.

use keepwell_fhir::compare::difference;
use keepwell_fhir::json::{MAX_DEPTH, MAX_MEMBERS, Node, Reason, check, compact, push_string};
use proptest::prelude::*;
use serde_json::Value;

fn reason(text: &str) -> Reason {
    compact(text.as_bytes()).unwrap_err().reason
}

#[test]
fn only_white_space_between_tokens_is_left_out() {
    let pretty = "\r\n {\t\"a b\" : [ 1.50 , -0 , 1E+400, true,false ,null ],\n\n        \"c\":\" d\\u00e9\\/ \" , \"e\": { } , \"f\":[ ] } \n";
    let expected = r#"{"a b":[1.50,-0,1E+400,true,false,null],"c":" d\u00e9\/ ","e":{},"f":[]}"#;
    assert_eq!(String::from_utf8(compact(pretty.as_bytes()).unwrap()).unwrap(), expected);
    assert_eq!(compact(expected.as_bytes()).unwrap(), expected.as_bytes());
}

#[test]
fn what_json_does_not_allow_is_refused_with_its_place() {
    for (text, expected) in [
        ("", Reason::Empty),
        (" \n", Reason::Empty),
        ("\u{feff}{}", Reason::ByteOrderMark),
        ("{", Reason::Unfinished),
        ("[1", Reason::Unfinished),
        ("{\"a\"", Reason::Unfinished),
        ("\"a", Reason::Unfinished),
        ("{\"a\":}", Reason::Value),
        ("[1,]", Reason::Value),
        ("{\"a\":1,}", Reason::Name),
        ("{a:1}", Reason::Name),
        ("{\"a\" 1}", Reason::Colon),
        ("{\"a\":1 \"b\":2}", Reason::ObjectEnd),
        ("{\"a\":1]", Reason::ObjectEnd),
        ("[1 2]", Reason::ArrayEnd),
        ("[1}", Reason::ArrayEnd),
        ("{} {}", Reason::Trailing),
        ("1 2", Reason::Trailing),
        ("[01]", Reason::ArrayEnd),
        ("[1.]", Reason::Number),
        ("[.5]", Reason::Value),
        ("[-]", Reason::Number),
        ("[1e]", Reason::Number),
        ("[+1]", Reason::Value),
        ("[nul]", Reason::Value),
        ("[NaN]", Reason::Value),
        ("[\"\t\"]", Reason::Control),
        ("{\"\n\":1}", Reason::Control),
        (r#"["\x"]"#, Reason::Escape),
        (r#"["\u12g4"]"#, Reason::Escape),
        (r#"["\ud800"]"#, Reason::Surrogate),
        (r#"["\udc00\ud800"]"#, Reason::Surrogate),
        (r#"["\ud800\u0041"]"#, Reason::Surrogate),
        (r#"{"\u0061":1}"#, Reason::EscapedName),
        (r#"{"a":1,"b":2,"a":3}"#, Reason::Duplicate("a".into())),
        (r#"{"x":{"longer name":1,"longer name":1}}"#, Reason::Duplicate("longer name".into())),
    ] {
        assert_eq!(reason(text), expected, "{text}");
    }
    assert_eq!(compact(b"[\"\xff\"]").unwrap_err().reason, Reason::NotUtf8);
    let error = compact("{\n \"é\": [1,\n  2,, 3]}".as_bytes()).unwrap_err();
    assert_eq!((error.line, error.column), (3, 5));
    assert_eq!(error.to_string(), "expected a value (line 3, column 5)");
}

#[test]
fn the_same_name_may_stand_in_different_objects() {
    for text in [r#"{"a":{"a":{"a":1}}}"#, r#"[{"a":1},{"a":2}]"#, r#"{"ab":1,"abc":2,"abcdefghi":3,"abcdefghj":4}"#] {
        assert_eq!(compact(text.as_bytes()).unwrap(), text.as_bytes());
    }
}

#[test]
fn depth_and_width_have_limits() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert!(compact(nested(MAX_DEPTH).as_bytes()).is_ok());
    assert_eq!(reason(&nested(MAX_DEPTH + 1)), Reason::TooDeep);
    let wide = |members: usize| {
        let members: Vec<_> = (0..members).map(|n| format!("\"member number {n}\":{n}")).collect();
        format!("{{{}}}", members.join(","))
    };
    assert!(compact(wide(MAX_MEMBERS).as_bytes()).is_ok());
    assert_eq!(reason(&wide(MAX_MEMBERS + 1)), Reason::TooManyMembers);
    assert_eq!(
        reason(&wide(MAX_MEMBERS).replace("number 255", "number 31")),
        Reason::Duplicate("member number 31".into())
    );
}

#[test]
fn a_cursor_reads_by_name_path_and_place() {
    let text =
        r#"{"code":{"coding":[{"system":"s"},{"system":"t","code":"c\n"}]},"value":1.50,"flag":true,"none":null}"#;
    let node = Node::new(text.as_bytes()).unwrap();
    assert_eq!(node.first("code.coding.code").and_then(Node::text).unwrap(), "c\n");
    assert_eq!(node.all("code.coding.system").into_iter().filter_map(Node::text).collect::<Vec<_>>(), ["s", "t"]);
    assert_eq!(node.get("value").and_then(Node::number), Some("1.50"));
    assert_eq!(node.get("flag").and_then(Node::boolean), Some(true));
    assert_eq!(node.get("none").map(Node::raw), Some("null"));
    assert!(node.get("cod").is_none() && node.first("value.x").is_none() && node.first("code.none").is_none());
    let value = node.get("value").unwrap();
    assert_eq!(&text[value.place_in(text.as_bytes()).unwrap()], "1.50");
    assert!(value.place_in(b"elsewhere").is_none());
}

/// Any JSON value whose names need no escape.
fn any_json() -> impl Strategy<Value = Value> {
    let number = prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter("finite", |n| n.is_finite()).prop_map(Value::from)
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number,
        ".*".prop_map(Value::from),
        "[\\\\\"/\u{0}-\u{20}𝄞é]{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::hash_map("[^\\\\\"\\x00-\\x1f]{0,12}", inner, 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Reads a value back through the cursor.
fn through_node(node: Node<'_>) -> Value {
    use keepwell_fhir::json::Kind;
    match node.kind() {
        Kind::Object => node.members().map(|(name, value)| (name.to_owned(), through_node(value))).collect(),
        Kind::Array => node.items().map(through_node).collect(),
        Kind::String => node.text().unwrap().into_owned().into(),
        Kind::Number => serde_json::from_str(node.number().unwrap()).unwrap(),
        Kind::Bool => node.boolean().unwrap().into(),
        Kind::Null => Value::Null,
    }
}

proptest! {
    #[test]
    fn any_json_round_trips(value in any_json()) {
        let pretty = serde_json::to_vec_pretty(&value).unwrap();
        let plain = serde_json::to_vec(&value).unwrap();
        let checked = check(&pretty).unwrap();
        prop_assert_eq!(&compact(&pretty).unwrap(), &plain);
        prop_assert_eq!(&compact(&plain).unwrap(), &plain);
        prop_assert_eq!(&checked.bytes, &plain);
        let node = Node::new(&plain).unwrap();
        prop_assert_eq!(through_node(node), serde_json::from_slice::<Value>(&plain).unwrap());
        prop_assert_eq!(difference(node, node), None);
        if let Some(fields) = checked.outline.fields(&checked.bytes) {
            let members: Vec<_> = fields.iter().collect();
            prop_assert_eq!(members, node.members().collect::<Vec<_>>());
            for (name, value) in node.members() {
                let outlined = fields.object(name).map(|it| it.iter().map(|(name, _)| name).collect::<Vec<_>>());
                let walked = value.raw().starts_with('{').then(|| value.members().map(|(name, _)| name).collect());
                prop_assert_eq!(outlined, walked);
                let objects: Vec<_> = fields.objects(name).into_iter().map(|it| it.map(|it| it.node())).collect();
                let items: Vec<_> = value.items().map(|it| it.raw().starts_with('{').then_some(it)).collect();
                prop_assert_eq!(objects, items);
            }
        }
    }

    #[test]
    fn any_text_round_trips_as_a_string(text in ".*|[\\\\\"\u{0}-\u{20}𝄞é]{0,40}") {
        let mut out = Vec::new();
        push_string(&mut out, &text);
        prop_assert_eq!(&serde_json::from_slice::<String>(&out).unwrap(), &text);
        prop_assert_eq!(&compact(&out).unwrap(), &out);
        prop_assert_eq!(Node::new(&out).unwrap().text().unwrap(), text.as_str());
    }

    #[test]
    fn bytes_that_pass_mean_the_same_to_another_reader(bytes in prop::collection::vec(prop_oneof![
        Just(b'{'), Just(b'}'), Just(b'['), Just(b']'), Just(b'"'), Just(b':'), Just(b','), Just(b' '), Just(b'\\'),
        Just(b'1'), Just(b'-'), Just(b'.'), Just(b'e'), Just(b'0'), Just(b'u'), Just(b'a'), Just(b'\n'), any::<u8>()
    ], 0..24)) {
        let other = serde_json::from_slice::<serde::de::IgnoredAny>(&bytes);
        match compact(&bytes) {
            Ok(_) => prop_assert!(other.is_ok()),
            Err(error) => prop_assert!(
                other.is_err() || matches!(error.reason, Reason::EscapedName | Reason::Duplicate(_) | Reason::Surrogate),
                "{error}"
            ),
        }
    }

    #[test]
    fn a_cursor_over_unchecked_bytes_never_panics(text in "[\\[\\]{}\":,\\\\a1 é]{0,40}") {
        let node = Node::of_text(&text);
        let _ = (node.text(), node.number(), node.first("a.a"), node.all("a"), node.fields().objects("a"));
        let _ = (node.items().count(), node.members().count());
        let _ = difference(node, Node::of_text("{\"a\":[1]}"));
    }
}
