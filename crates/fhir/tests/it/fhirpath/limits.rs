//! No expression hangs, fills the memory or blows the stack.

use keepwell_fhir::definitions::r4;
use keepwell_fhir::fhirpath::{Context, EvalError, Expression, Limits, ParseFault};
use keepwell_fhir::json::Node;
use proptest::prelude::*;

use super::alone;

#[test]
fn nesting_is_bounded_where_it_is_read() {
    for (start, middle, end) in [
        ("(", "1", ")"),
        ("-", "1", ""),
        ("iif(true, ", "1", ")"),
        ("a[", "0", "]"),
        ("1 + (2 * (", "3", "))"),
        ("a.where(b = (c | ", "d", "))"),
        ("true implies (true and (1 = (1 | (1 + (1 * ", "1", ")))))"),
    ] {
        let deep = format!("{}{middle}{}", start.repeat(1_000), end.repeat(1_000));
        let fault = Expression::parse(&deep).unwrap_err().fault;
        assert_eq!(fault, ParseFault::TooDeep, "{start}");
        let fine = format!("{}{middle}{}", start.repeat(8), end.repeat(8));
        let expression = Expression::parse(&fine).unwrap_or_else(|error| panic!("{fine}: {error}"));
        let _ = expression.evaluate(&Context::empty(r4()));
    }
}

#[test]
fn the_deepest_expression_is_evaluated() {
    for (start, end) in [("iif(true, ", ")"), ("(1).select(", ")"), ("-", ""), ("1 = (1 + (1 | ", "))")] {
        let deepest = (1..200)
            .rev()
            .find_map(|depth| Expression::parse(&format!("{}1{}", start.repeat(depth), end.repeat(depth))).ok());
        let _ = deepest.unwrap().evaluate(&Context::empty(r4()));
    }
}

#[test]
fn a_chain_of_any_length_is_evaluated() {
    let long = format!("0{}", " + 1".repeat(16_000));
    assert_eq!(alone(&long).unwrap(), ["16000"]);
    let long = format!("a{}", ".a".repeat(30_000));
    assert_eq!(alone(&long).unwrap(), [""; 0]);
    let long = format!("true{}", " and true".repeat(7_000));
    assert_eq!(alone(&long).unwrap(), ["true"]);
}

#[test]
fn work_is_bounded() {
    for text in
        ["1.repeat($this + 1)", "(1).repeat(iif($this < 2000000000, $this + 1, {}))", "('a').repeat($this + 'a')"]
    {
        assert!(matches!(alone(text), Err(EvalError::TooCostly | EvalError::TooLong)), "{text}");
    }
    // Each step doubles what the one before made.
    let doubled = format!("(1 | 2){}", ".select($this.combine($this))".repeat(60));
    assert_eq!(alone(&doubled), Err(EvalError::TooCostly));
    let doubled = format!("('ab'){}", ".select($this & $this)".repeat(60));
    assert_eq!(alone(&doubled), Err(EvalError::TooLong));
    let replaced = format!("('aa'){}", ".replace('a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')".repeat(20));
    assert_eq!(alone(&replaced), Err(EvalError::TooLong));
    let replaced = format!("('aa'){}", ".replaceMatches('a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')".repeat(20));
    assert_eq!(alone(&replaced), Err(EvalError::TooLong));
}

#[test]
fn a_limit_is_the_callers() {
    let expression = Expression::parse("(1 | 2 | 3).select($this + 1)").unwrap();
    let context = Context { limits: Limits { steps: 10, text: 10 }, ..Context::empty(r4()) };
    assert_eq!(expression.evaluate(&context).unwrap_err(), EvalError::TooCostly);
    let expression = Expression::parse("'123456' & '78901'").unwrap();
    assert_eq!(expression.evaluate(&context).unwrap_err(), EvalError::TooLong);
}

#[test]
fn patterns_are_bounded_and_matched_in_linear_time() {
    let evil = format!("'{}'.matches('^(a+)+$')", "a".repeat(50_000) + "b");
    assert_eq!(alone(&evil).unwrap(), ["false"]);
    // At worst every state is visited at every byte: counted as work.
    let heavy = format!("(1 | 2 | 3 | 4 | 5).select('{}'.matches('(a?){{3000}}b'))", "a".repeat(60_000));
    assert_eq!(alone(&heavy), Err(EvalError::TooCostly));
    let many = "(1 | 2 | 3 | 4 | 5).select('a'.matches('\\\\w{' & (20 + $this).toString() & '}'))";
    assert!(alone(many).is_ok());
    for pattern in ["(a", "a{1000}{1000}{1000}", "(?=a)", &"(".repeat(1_000), &"a".repeat(5_000)] {
        assert_eq!(alone(&format!("'a'.matches('{pattern}')")), Err(EvalError::Pattern), "{pattern}");
        assert_eq!(alone(&format!("'a'.matches('{pattern}' & '')")), Err(EvalError::Pattern), "{pattern}");
    }
}

/// Pieces that expressions are made of.
fn fragment() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "Patient",
        "name",
        "given",
        "value",
        "contained",
        "extension",
        "$this",
        "$index",
        "$total",
        "%resource",
        "%x",
        "{}",
        "1",
        "0",
        "-",
        "+",
        "*",
        "/",
        "div",
        "mod",
        "&",
        "|",
        "=",
        "!=",
        "~",
        "!~",
        "<",
        ">",
        "<=",
        ">=",
        "in",
        "contains",
        "and",
        "or",
        "xor",
        "implies",
        "is",
        "as",
        "Quantity",
        "string",
        "'a'",
        "''",
        "1.5",
        "4 days",
        "5 'mg'",
        "@2015-02",
        "@T10:30",
        "@2015-02-04T10:00Z",
        "true",
        "(",
        ")",
        "[",
        "]",
        ".",
        ",",
        "where(",
        "select(",
        "exists()",
        "first()",
        "repeat(",
        "children()",
        "descendants()",
        "count()",
        "iif(",
        "ofType(Patient)",
        "toString()",
        "toQuantity()",
        "lowBoundary()",
        "matches('a')",
        "aggregate(",
        "sort(",
        "type()",
        "resolve()",
        "substring(1)",
        "distinct()",
        "not()",
    ])
    .prop_map(str::to_owned)
}

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|it| it.to_string()),
        (-1_000_000i64..1_000_000).prop_map(|it| it.to_string()),
        (-1_000i32..1_000).prop_map(|it| format!("{it}.50e1")),
        prop::sample::select(vec!["\"a\"", "\"Patient\"", "\"2015-02\"", "\"#1\"", "\"\\u0041\\n\"", "\"\""])
            .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        let names = prop::sample::select(vec![
            "resourceType",
            "name",
            "_name",
            "given",
            "_given",
            "value",
            "valueQuantity",
            "valueString",
            "_valueString",
            "extension",
            "url",
            "contained",
            "id",
            "birthDate",
            "_birthDate",
            "code",
            "system",
            "reference",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec((names, inner), 0..6).prop_map(|members| {
                let members: Vec<String> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics_the_parser(text in ".*|[a-z().'`@%$0-9 +*/|=<>!~&,{}\\[\\]-]{0,80}") {
        let _ = Expression::parse(&text);
    }

    #[test]
    fn no_expression_panics_over_any_json(parts in prop::collection::vec(fragment(), 1..14), json in json()) {
        for text in [parts.join(" "), parts.join("."), parts.concat()] {
            if let Ok(expression) = Expression::parse(&text) {
                let limits = Limits { steps: 3_000, text: 10_000 };
                let context = Context { limits, resolve_types: true, ..Context::of(r4(), Node::of_text(&json)) };
                let _ = expression.evaluate(&context);
            }
        }
    }

    #[test]
    fn no_bytes_that_were_never_checked_panic(json in "[{}\\[\\]\":,a-z_0-9 \\\\]{0,60}") {
        let context = Context::of(r4(), Node::of_text(&json));
        for text in ["descendants().distinct().count()", "name.given.extension.value", "descendants() ~ children()"] {
            let _ = Expression::parse(text).unwrap().evaluate(&context);
        }
    }
}
