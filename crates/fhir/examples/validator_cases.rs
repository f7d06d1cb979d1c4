//! Cases for comparing the validator with another: the resources of a folder of FHIR Bundles as they are, and mutations of
//! some of them, each with what our validator says. One JSON object a line: `class`, `resource`, `errors`.
//! `cargo xtask test validator-oracle` runs it; the same folder gives the same cases every time.
#![expect(clippy::disallowed_methods, reason = "a tool reads its arguments")]
#![expect(clippy::unwrap_used, reason = "a tool for tests fails by panicking")]

use std::io::Write;

use keepwell_fhir::definitions::{Definitions, ElementDef, Strength, TypeDef, TypeKind, r4};
use keepwell_fhir::json::compact;
use keepwell_fhir::validate::{Options, Validator};
use keepwell_model::SeededRandom;
use serde_json::{Map, Value, json};

/// How many cases each class of mutation gets.
const CASES: usize = 16;

fn main() {
    let folder = std::env::args().nth(1).unwrap();
    let resources = resources(&folder);
    let validator = Validator::new(r4());
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut write = |class: &str, resource: &Value| {
        let bytes = compact(resource.to_string().as_bytes()).unwrap();
        let report = validator.validate(&bytes, &Options::default());
        let errors: Vec<String> = report.errors().map(|it| format!("{}: {}", it.expression, it.words)).collect();
        writeln!(out, "{}", json!({ "class": class, "resource": resource, "errors": errors })).unwrap();
    };
    resources.iter().for_each(|resource| write("as it is", resource));
    let random = SeededRandom::new(20_261_125);
    for &(class, mutate) in MUTATIONS {
        let mut made = 0;
        for _ in 0..4_000 {
            let resource = &resources[pick(&random, resources.len())];
            if let Some(changed) = mutated(resource, class, mutate, &random) {
                write(class, &changed);
                made += 1;
            }
            if made == CASES {
                break;
            }
        }
        assert!(made > 0, "no case of {class}");
    }
}

fn pick(random: &SeededRandom, bound: usize) -> usize {
    usize::try_from(random.below(bound.max(1) as u64)).unwrap()
}

/// The resources of all Bundles of a folder, in the order of the file names.
fn resources(folder: &str) -> Vec<Value> {
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    paths.sort();
    let mut resources = Vec::new();
    for path in paths.iter().filter(|it| it.extension().is_some_and(|it| it == "json")) {
        let mut bundle: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let entries = bundle["entry"].as_array_mut().unwrap();
        resources.extend(entries.iter_mut().map(|entry| entry["resource"].take()));
    }
    resources
}

/// A member of an object in a resource: the way to the object, the member's name, what it is.
struct Site<'d> {
    object: String,
    name: String,
    kind: &'d TypeDef,
    element: &'d ElementDef,
}

impl Site<'_> {
    fn is(&self, kind: &str) -> bool {
        self.kind.name == kind
    }

    /// Whether it is a text.
    fn is_text(&self) -> bool {
        self.kind.kind == TypeKind::Primitive
            && !["boolean", "decimal", "integer", "positiveInt", "unsignedInt"].iter().any(|it| self.is(it))
    }

    fn is_primitive(&self) -> bool {
        self.kind.kind == TypeKind::Primitive
    }

    fn is_required_code(&self) -> bool {
        self.element.binding.as_ref().is_some_and(|it| it.strength == Strength::Required)
    }
}

/// Every member of a resource.
fn sites<'d>(definitions: &'d Definitions, value: &Value, kind: &'d TypeDef, way: &str, found: &mut Vec<Site<'d>>) {
    for (name, member) in value.as_object().into_iter().flatten() {
        let Some((element, type_name)) = kind.element(name) else { continue };
        let Some(kind) = definitions.type_named(type_name) else { continue };
        found.push(Site { object: way.to_owned(), name: name.clone(), kind, element });
        match member {
            Value::Array(items) => {
                for (at, item) in items.iter().enumerate() {
                    let kind = resource_type(definitions, item).unwrap_or(kind);
                    sites(definitions, item, kind, &format!("{way}/{name}/{at}"), found);
                }
            }
            _ => sites(definitions, member, kind, &format!("{way}/{name}"), found),
        }
    }
}

fn resource_type<'d>(definitions: &'d Definitions, value: &Value) -> Option<&'d TypeDef> {
    definitions.type_named(value.get("resourceType")?.as_str()?)
}

/// A resource with a mutation at some place where it applies.
fn mutated(resource: &Value, class: &str, mutation: Mutation, random: &SeededRandom) -> Option<Value> {
    let definitions = r4();
    let mut all = Vec::new();
    sites(definitions, resource, resource_type(definitions, resource)?, "", &mut all);
    let fit: Vec<&Site<'_>> = all.iter().filter(|site| (mutation.fits)(site)).collect();
    let site = fit.get(pick(random, fit.len()))?;
    let mut changed = resource.clone();
    let object = changed.pointer_mut(&site.object)?.as_object_mut()?;
    (mutation.apply)(object, site);
    assert!(changed != *resource, "{class} at {}/{} changes nothing", site.object, site.name);
    Some(changed)
}

/// Where a mutation fits, and what it does to the object that has the member.
#[derive(Clone, Copy)]
struct Mutation {
    fits: fn(&Site<'_>) -> bool,
    apply: fn(&mut Map<String, Value>, &Site<'_>),
}

const fn mutation(fits: fn(&Site<'_>) -> bool, apply: fn(&mut Map<String, Value>, &Site<'_>)) -> Mutation {
    Mutation { fits, apply }
}

/// Puts a value at a site: into the first place of an array.
fn put(object: &mut Map<String, Value>, site: &Site<'_>, value: Value) {
    match object.get_mut(&site.name) {
        Some(Value::Array(items)) => items[0] = value,
        _ => _ = object.insert(site.name.clone(), value),
    }
}

fn anything(_: &Site<'_>) -> bool {
    true
}

fn not_an_id(site: &Site<'_>) -> bool {
    site.name != "id"
}

const MUTATIONS: &[(&str, Mutation)] = &[
    (
        "an optional element is left out",
        mutation(
            |it| {
                it.element.min == 0 && it.object.is_empty() && it.name == "meta"
                    || it.name == "issued"
                    || it.name == "display"
            },
            |object, site| _ = object.remove(&site.name),
        ),
    ),
    (
        "an extension is added",
        mutation(
            |it| it.object.is_empty() && it.name == "id",
            |object, _| {
                _ = object.insert("extension".into(), json!([{ "url": "http://example.org/x", "valueCode": "y" }]))
            },
        ),
    ),
    ("a required element is left out", mutation(|it| it.element.min > 0, |object, site| _ = object.remove(&site.name))),
    ("an unknown element is added", mutation(anything, |object, _| _ = object.insert("shoeSize".into(), json!(43)))),
    (
        "an element is misspelt",
        mutation(not_an_id, |object, site| {
            let value = object.remove(&site.name).unwrap_or_default();
            object.insert(format!("{}s", site.name), value);
        }),
    ),
    ("a text is a number", mutation(|it| it.is_text(), |object, site| put(object, site, json!(5)))),
    ("a boolean is a text", mutation(|it| it.is("boolean"), |object, site| put(object, site, json!("true")))),
    (
        "a number is a text",
        mutation(|it| it.is("decimal") || it.is("positiveInt"), |object, site| put(object, site, json!("1"))),
    ),
    (
        "a primitive is an object",
        mutation(|it| it.is_primitive(), |object, site| put(object, site, json!({ "value": "x" }))),
    ),
    ("an object is a text", mutation(|it| !it.is_primitive(), |object, site| put(object, site, json!("x")))),
    (
        "an array is left without its brackets",
        mutation(
            |it| it.element.repeats(),
            |object, site| {
                let first = object[&site.name][0].take();
                object.insert(site.name.clone(), first);
            },
        ),
    ),
    (
        "a single value is an array",
        mutation(
            |it| !it.element.repeats() && it.name != "id",
            |object, site| {
                let value = object[&site.name].take();
                object.insert(site.name.clone(), json!([value]));
            },
        ),
    ),
    ("a value is null", mutation(not_an_id, |object, site| _ = object.insert(site.name.clone(), Value::Null))),
    ("an array holds null", mutation(|it| it.element.repeats(), |object, site| put(object, site, Value::Null))),
    ("a text is empty", mutation(|it| it.is_text(), |object, site| put(object, site, json!("")))),
    (
        "an array is empty",
        mutation(|it| it.element.repeats(), |object, site| _ = object.insert(site.name.clone(), json!([]))),
    ),
    ("an object is empty", mutation(|it| !it.is_primitive(), |object, site| put(object, site, json!({})))),
    (
        "a day that is not in the calendar",
        mutation(|it| it.is("date") || it.is("dateTime"), |object, site| put(object, site, json!("2021-02-30"))),
    ),
    (
        "a date in another form",
        mutation(|it| it.is("date") || it.is("dateTime"), |object, site| put(object, site, json!("3/2/2021"))),
    ),
    (
        "a time without a zone",
        mutation(|it| it.is("dateTime"), |object, site| put(object, site, json!("2021-02-03T10:00:00"))),
    ),
    (
        "an instant without a time",
        mutation(|it| it.is("instant"), |object, site| put(object, site, json!("2021-02-03"))),
    ),
    (
        "a code that is not in its required set",
        mutation(|it| it.is("code") && it.is_required_code(), |object, site| put(object, site, json!("no-such-code"))),
    ),
    (
        "a coding that is not in its required set",
        mutation(
            |it| it.is("CodeableConcept") && it.is_required_code(),
            |object, site| put(object, site, json!({ "coding": [{ "system": "http://example.org", "code": "x" }] })),
        ),
    ),
    (
        "a code with two spaces",
        mutation(|it| it.is("code") && !it.is_required_code(), |object, site| put(object, site, json!("a  b"))),
    ),
    ("an address with a space", mutation(|it| it.is("uri"), |object, site| put(object, site, json!("http://a b")))),
    ("an id with an underscore", mutation(|it| it.is("id"), |object, site| put(object, site, json!("a_b")))),
    ("a positive number is zero", mutation(|it| it.is("positiveInt"), |object, site| put(object, site, json!(0)))),
    (
        "a whole number with a fraction",
        mutation(|it| it.is("positiveInt") || it.is("unsignedInt"), |object, site| put(object, site, json!(1.5))),
    ),
    (
        "a choice is made twice",
        mutation(
            |it| it.element.is_choice && it.element.types.len() > 1,
            |object, site| {
                let other = site.element.types.iter().find(|it| it.name != site.kind.name).unwrap();
                let mut name = other.name.to_string();
                name[..1].make_ascii_uppercase();
                let value = match &*other.name {
                    "boolean" => json!(true),
                    "dateTime" | "date" => json!("2021"),
                    "Reference" => json!({ "display": "x" }),
                    "CodeableConcept" => json!({ "text": "x" }),
                    "Quantity" | "Age" => json!({ "value": 1 }),
                    "Period" => json!({ "start": "2021" }),
                    _ => json!("x"),
                };
                object.insert(format!("{}{name}", site.element.name), value);
            },
        ),
    ),
    (
        "a choice of a type that is not allowed",
        mutation(
            |it| it.element.is_choice,
            |object, site| {
                object.remove(&site.name);
                object.insert(format!("{}Meta", site.element.name), json!({ "source": "http://example.org" }));
            },
        ),
    ),
    (
        "a reference to a type that is not allowed",
        mutation(
            |it| it.is("Reference") && it.element.types[0].target_profiles.len() < 6,
            |object, site| put(object, site, json!({ "reference": "Account/1" })),
        ),
    ),
    (
        "a reference that is no address",
        mutation(|it| it.is("Reference"), |object, site| put(object, site, json!({ "reference": "somebody" }))),
    ),
    (
        "a reference to nothing contained",
        mutation(|it| it.is("Reference"), |object, site| put(object, site, json!({ "reference": "#nothing" }))),
    ),
    (
        "a value and a reason for its absence (obs-6)",
        mutation(
            |it| it.object.is_empty() && it.element.name == "value",
            |object, _| _ = object.insert("dataAbsentReason".into(), json!({ "text": "x" })),
        ),
    ),
    (
        "a period that ends before it starts (per-1)",
        mutation(
            |it| it.is("Period"),
            |object, site| put(object, site, json!({ "start": "2021-02-03", "end": "2020-02-03" })),
        ),
    ),
    (
        "a unit without its system (qty-3)",
        mutation(|it| it.is("Quantity"), |object, site| put(object, site, json!({ "value": 1, "code": "mg" }))),
    ),
    (
        "an extension without a value (ext-1)",
        mutation(|it| it.is("Extension"), |object, site| put(object, site, json!({ "url": "http://example.org/x" }))),
    ),
    (
        "a script in the narrative (txt-1)",
        mutation(
            |it| it.is("Narrative"),
            |object, site| {
                let div = "<div xmlns=\"http://www.w3.org/1999/xhtml\"><script>x</script></div>";
                put(object, site, json!({ "status": "generated", "div": div }));
            },
        ),
    ),
];
