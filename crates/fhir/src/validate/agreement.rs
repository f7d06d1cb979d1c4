//! What is decided without the FHIRPath engine is decided as the engine would.

use proptest::prelude::*;

use super::formula::Verdict;
use super::rules::{Native, Rules, Shape, TypeRule};
use super::{Options, Primitive, Validator};
use crate::definitions::r4;
use crate::fhirpath::{Context, Element, Expression};
use crate::json::{Node, compact};
use keepwell_model::SeededRandom;

/// What the engine says of an object; `None` if it gives no answer.
fn engine(expression: &str, text: &str, kind: &str) -> Option<bool> {
    let path = Expression::parse(expression).unwrap();
    let resource = Node::of_text(r#"{"resourceType":"Basic"}"#);
    let context = Context::at(r4(), resource, Element::typed(Node::of_text(text), kind));
    match path.evaluate(&context).ok()?.as_slice() {
        [only] => only.boolean(),
        _ => None,
    }
}

/// A value for a member, as simple as its type allows.
fn value(rules: &Rules, member: super::rules::Member) -> &'static str {
    match member.shape {
        Shape::Primitive(Primitive::Boolean) => "true",
        Shape::Primitive(Primitive::Integer | Primitive::Decimal | Primitive::PositiveInt | Primitive::UnsignedInt) => {
            "3"
        }
        Shape::Primitive(Primitive::Date | Primitive::DateTime) => r#""2026-11-23""#,
        Shape::Primitive(Primitive::Instant) => r#""2026-11-23T09:30:00Z""#,
        Shape::Primitive(Primitive::Time) => r#""09:30:00""#,
        Shape::Primitive(_) => r#""x""#,
        Shape::AnyResource | Shape::Resource => r#"{"resourceType":"Basic","id":"x"}"#,
        _ if rules.types.get(usize::from(member.kind)).is_some_and(|it| it.members.len() > 2) => r#"{"id":"x"}"#,
        _ => r#"{"id":"x"}"#,
    }
}

/// An object with some of a type's elements, and the bits of those.
fn object(rules: &Rules, rule: &TypeRule, random: &SeededRandom) -> (String, u128) {
    let (mut text, mut bits) = (String::from("{"), 0u128);
    let share = 1 + random.below(4);
    for (name, member) in rule.names.iter().filter_map(|name| Some((name, rule.member(name)?))) {
        let element = &rule.elements[usize::from(member.element)];
        if random.below(4) >= share || bits & 1 << member.element != 0 {
            continue;
        }
        bits |= 1 << member.element;
        let separator = if text.len() > 1 { "," } else { "" };
        let value = value(rules, member);
        let value = match (element.repeats, random.below(2)) {
            (true, 0) => format!("[{value}]"),
            (true, _) => format!("[{value},{value}]"),
            _ => value.to_owned(),
        };
        text.push_str(&format!("{separator}\"{name}\":{value}"));
    }
    text.push('}');
    (text, bits)
}

#[test]
fn formulas_agree_with_the_engine() {
    let rules = Rules::compile(r4());
    let random = SeededRandom::new(11);
    let (mut decided, mut formulas, mut all) = (0, 0, 0);
    for rule in &rules.types {
        for check in &rule.checks {
            all += 1;
            let Some(formula) = &check.formula else { continue };
            formulas += 1;
            let expression = &check.invariant.expression;
            for _ in 0..40 {
                let (text, bits) = object(&rules, rule, &random);
                let ours = formula.verdict(bits);
                let theirs = engine(expression, &text, &rule.name);
                let fits = match ours {
                    Verdict::Open => continue,
                    Verdict::Broken => theirs == Some(false),
                    Verdict::Holds => theirs != Some(false),
                };
                assert!(
                    fits,
                    "{} {}: {expression}\n{text}\nours {ours:?}, engine {theirs:?}",
                    rule.name, check.invariant.key
                );
                decided += 1;
            }
        }
    }
    assert!(formulas * 2 > all && decided > 5_000, "{formulas} formulas of {all} rules, {decided} decisions");
}

#[test]
fn every_expression_of_r4_is_understood() {
    let rules = Rules::compile(r4());
    let elements = rules.types.iter().flat_map(|it| &it.elements).flat_map(|it| &it.checks);
    for check in rules.types.iter().flat_map(|it| &it.checks).chain(elements) {
        assert!(check.path().is_some(), "{}: {}", check.invariant.key, check.invariant.expression);
    }
}

fn invariant(kind: &str, key: &str) -> String {
    let definition = r4().type_named(kind).unwrap();
    definition.invariants.iter().find(|it| it.key == key).unwrap().expression.to_string()
}

/// Holds that a native rule says what the engine says, where it says anything.
fn native_agrees(
    native: Native,
    kind: &str,
    key: &str,
    names: [&str; 2],
    values: [&str; 2],
) -> Result<(), TestCaseError> {
    let text = format!(r#"{{"{}":{},"{}":{}}}"#, names[0], values[0], names[1], values[1]);
    let ours = native.verdict(Some(Node::of_text(values[0])), Some(Node::of_text(values[1])));
    let theirs = engine(&invariant(kind, key), &text, kind);
    match ours {
        Verdict::Open => {}
        Verdict::Broken => prop_assert_eq!(theirs, Some(false), "{}", text),
        Verdict::Holds => prop_assert_ne!(theirs, Some(false), "{}", text),
    }
    Ok(())
}

proptest! {
    #[test]
    fn periods_agree_with_the_engine(
        start in "20(19|20)(-0[1-3](-0[1-3](T0[0-2]:00:00(\\.5)?(Z|[+-]0[12]:00))?)?)?",
        end in "20(19|20)(-0[1-3](-0[1-3](T0[0-2]:00:00(\\.5)?(Z|[+-]0[12]:00))?)?)?",
    ) {
        native_agrees(Native::Period, "Period", "per-1", ["start", "end"], [&format!("\"{start}\""), &format!("\"{end}\"")])?;
    }

    #[test]
    fn ranges_agree_with_the_engine(
        low in "-?[0-3](\\.[0-9]{1,3})?", high in "-?[0-3](\\.[0-9]{1,3})?", unit in 0usize..3, other in 0usize..3,
    ) {
        let units = ["", r#","unit":"mg","system":"http://unitsofmeasure.org","code":"mg""#,
            r#","unit":"g","system":"http://unitsofmeasure.org","code":"g""#];
        let quantity = |value: &str, unit: usize| format!(r#"{{"value":{value}{}}}"#, units[unit]);
        native_agrees(Native::Range, "Range", "rng-2", ["low", "high"], [&quantity(&low, unit), &quantity(&high, other)])?;
    }
}

/// Documents, and the rules of the walk itself that each breaks.
const WALKED: &[(&str, &[&str])] = &[
    (r#"{"resourceType":"Patient","name":[{"text":"x"}]}"#, &[]),
    (r#"{"resourceType":"Patient","name":[{"id":"x"}]}"#, &["ele-1"]),
    (
        r##"{"resourceType":"Patient","contained":[{"resourceType":"Basic","id":"b","code":{"text":"x"},"subject":{"reference":"#"}}]}"##,
        &[],
    ),
    (
        r##"{"resourceType":"Patient","contained":[{"resourceType":"Patient","id":"b","contained":[{"resourceType":"Patient","id":"c"}]}],"link":[{"other":{"reference":"#b"},"type":"refer"}]}"##,
        &["dom-2"],
    ),
    (
        r##"{"resourceType":"Patient","contained":[{"resourceType":"Patient","id":"b","meta":{"versionId":"1"}}],"link":[{"other":{"reference":"#b"},"type":"refer"}]}"##,
        &["dom-4"],
    ),
    (
        r##"{"resourceType":"Patient","contained":[{"resourceType":"Patient","id":"b","meta":{"security":[{"code":"x"}]}}],"link":[{"other":{"reference":"#b"},"type":"refer"}]}"##,
        &["dom-5"],
    ),
    (r#"{"resourceType":"Patient","contained":[{"resourceType":"Patient","id":"b"}]}"#, &["dom-3"]),
    (r##"{"resourceType":"Patient","managingOrganization":{"reference":"#b"}}"##, &["ref-1"]),
    (r#"{"resourceType":"Bundle","type":"transaction","entry":[{"resource":{"resourceType":"Patient"}}]}"#, &["bdl-3"]),
    (
        r#"{"resourceType":"Bundle","type":"batch-response","entry":[{"resource":{"resourceType":"Patient"}}]}"#,
        &["bdl-4"],
    ),
    (
        r#"{"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"urn:x:1","resource":{"resourceType":"Patient"}},{"fullUrl":"urn:x:1","resource":{"resourceType":"Patient"}}]}"#,
        &["bdl-7"],
    ),
    (
        r#"{"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"urn:x:1","resource":{"resourceType":"Patient","meta":{"versionId":"1"}}},{"fullUrl":"urn:x:1","resource":{"resourceType":"Patient","meta":{"versionId":"2"}}}]}"#,
        &[],
    ),
];

#[test]
fn rules_of_the_walk_agree_with_the_engine() {
    let validator = Validator::new(r4());
    for (text, broken) in WALKED {
        let bytes = compact(text.as_bytes()).unwrap();
        let report = validator.validate(&bytes, &Options::default());
        let node = Node::new(&bytes).unwrap();
        let kind = node.get_text("resourceType").unwrap();
        for key in ["dom-2", "dom-3", "dom-4", "dom-5", "ref-1", "ele-1", "bdl-3", "bdl-4", "bdl-7"] {
            let told = report.issues.iter().any(|it| it.words.contains(&format!("({key})")));
            assert_eq!(told, broken.contains(&key), "{key}: {text}\n{:?}", report.issues);
            // The two below speak of elements: their focus is not the resource.
            let (expression, focus) = match key {
                "ref-1" => (invariant("Reference", key), node.get("managingOrganization").map(|it| (it, "Reference"))),
                "ele-1" => (invariant("Element", key), node.first("name").map(|it| (it, "HumanName"))),
                key if key.starts_with("dom") && kind != "Bundle" => {
                    (invariant("Patient", key), Some((node, "Patient")))
                }
                key if key.starts_with("bdl") && kind == "Bundle" => (invariant("Bundle", key), Some((node, "Bundle"))),
                _ => continue,
            };
            let Some((focus, kind)) = focus else { continue };
            let path = Expression::parse(&expression).unwrap();
            let context = Context { as_filters: true, ..Context::at(r4(), node, Element::typed(focus, kind)) };
            let answer = path.evaluate(&context).unwrap();
            let theirs = answer.as_slice().first().and_then(|it| it.boolean()) == Some(false);
            assert_eq!(told, theirs, "{key}: {text}");
        }
    }
}
