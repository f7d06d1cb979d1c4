//! How queries are read: names, suggestions, leniency, the self link.

use keepwell_fhir::definitions::{SearchKind, TypeKind, r4};
use keepwell_fhir::outcome::{IssueCode, Severity};
use keepwell_fhir::search::{Handling, Query, Settings, Summary, Total, offered};

use super::{parsed, problem, problems};

#[test]
fn search_parse_names_the_nearest_parameter() {
    for (resource_type, query, meant) in [
        ("Patient", "birthdat=2000", "'birthdate'"),
        ("Patient", "birthDate=2000", "'birthdate'"),
        ("Patient", "nmae=x", "'name'"),
        ("Patient", "generalpractitioner=x", "'general-practitioner'"),
        ("Observation", "_cuont=5", "'_count'"),
        ("Observation", "_includ=x", "'_include'"),
        ("Observation", "valuequantity=5", "'value-quantity'"),
    ] {
        let outcome = problems(resource_type, query);
        let words = &outcome.issues[0].diagnostics;
        assert!(words.contains(&format!("Did you mean {meant}?")), "{words}");
        let name = query.split('=').next().unwrap();
        assert_eq!(outcome.issues[0].expression.as_deref(), Some(&*format!("http.{name}")));
        assert!(words.contains(name), "{words}");
    }
    assert!(problem("Patient", "shoesize=9").contains("It has: active, address"));
    assert_eq!(
        Query::parse(r4(), "Patiens", "", Handling::Strict).unwrap_err().issues[0].diagnostics,
        "'Patiens' is not a resource type of FHIR R4. Did you mean 'Patient'?"
    );
}

#[test]
fn search_parse_says_all_that_is_wrong_at_once() {
    let outcome = problems("Patient", "nmae=x&birthdate=then&_count=few&active=true");
    let places: Vec<_> = outcome.issues.iter().filter_map(|issue| issue.expression.as_deref()).collect();
    assert_eq!(places, ["http.nmae", "http.birthdate", "http._count"]);
}

#[test]
fn search_parse_lenient_leaves_out_what_it_does_not_understand_and_says_so() {
    let query = "nmae=x&birthdate=then&active=true&_sort=nothing&_format=xml&gender:exact=male";
    let query = Query::parse(r4(), "Patient", query, Handling::Lenient).unwrap();
    assert_eq!(query.self_link(), "active=true");
    assert_eq!(query.ignored().len(), 4);
    assert!(query.ignored().iter().all(|it| it.severity == Severity::Warning && it.diagnostics.ends_with("left out.")));
    assert_eq!(query.passed(), [("_format".to_owned(), "xml".to_owned())]);
    let types = Query::parse(r4(), None, "_type=Nothing&_id=1", Handling::Lenient).unwrap();
    assert_eq!(types.self_link(), "_id=1");
}

#[test]
fn search_parse_refuses_empty_and_broken_values() {
    assert!(problem("Patient", "name=").contains("no value"));
    assert!(problem("Patient", "name").contains("no value"));
    assert!(problem("Patient", "name=a,,b").contains("empty value"));
    assert!(problem("Patient", "name=%zz").contains("percent-encoded"));
    assert!(problem("Patient", "name=%ff").contains("percent-encoded"));
    assert_eq!(parsed("Patient", "&&name=a&").self_link(), "name=a");
}

#[test]
fn search_self_link_is_what_was_understood_and_reads_back() {
    for (resource_type, query) in [
        ("Patient", "name:exact=J%C3%B6rg&birthdate=ge2000&_sort=-birthdate,name&_count=7"),
        ("Observation", "code=http://loinc.org%7C8867-4,%7Cx&subject:Patient.name=a%5C,b"),
        ("Observation", "date=2020-06-15T12:30:00%2B02:00&_include=Observation:subject:Patient"),
        ("Patient", "_has:Observation:patient:code=1234-5&_revinclude:iterate=*&_summary=data&_total=accurate"),
        ("", "_type=Patient,Observation&_id=1&_elements=identifier"),
    ] {
        let once = parsed(resource_type, query).self_link();
        assert_eq!(once, query);
        assert_eq!(parsed(resource_type, &once).self_link(), once);
    }
    assert_eq!(parsed("Patient", "name=a+b%20%26c&_pretty=true").self_link(), "name=a%20b%20%26c");
}

#[test]
fn search_parse_passes_on_what_is_for_others() {
    let settings = Settings { pass: &["_page"], ..Settings::default() };
    let query = Query::parse_with(r4(), "Patient", "_page=abc&_pretty=true&name=x", &settings).unwrap();
    assert_eq!(query.self_link(), "name=x");
    assert_eq!(query.passed().len(), 2);
    assert!(problem("Patient", "_page=abc").contains("'_page'"));
}

#[test]
fn search_parse_reads_what_shapes_the_answer() {
    let query = parsed("Patient", "_summary=true&_total=none&_count=5&name=x");
    assert_eq!((query.summary(), query.total(), query.page()), (Summary::True, Total::None, 5));
    assert!(!query.is_unfiltered() && !query.is_count_only() && !query.has_includes());
    assert!(parsed("Patient", "_include=Patient:link").is_unfiltered());
    assert_eq!(parsed("Patient", "_elements=name,birthDate").elements().collect::<Vec<_>>(), ["name", "birthDate"]);
    assert!(problem("Patient", "_elements=nme").contains("Did you mean 'name'?"));
    assert!(problem("Patient", "_elements=name.family").contains("inside another element"));
    assert!(problem("Patient", "_summary=yes").contains("true, text, data, count, false"));
}

#[test]
fn search_parse_never_prints_what_is_looked_for() {
    let query = parsed("Patient", "name=Rodriguez&_id=abc&_text=secret");
    assert_eq!(format!("{query:?}"), "Query([\"Patient\"], 3 filters)");
}

#[test]
fn search_parse_too_large_is_refused_even_leniently() {
    let many = |n: usize, part: &str| vec![part; n].join("&");
    let values = format!("code={}", vec!["x"; 3_000].join(","));
    let chain = format!("encounter.{}subject:Patient.name=x", "part-of.".repeat(9));
    for query in [&*"a".repeat(300_000), &many(200, "name=x"), &many(80, "_include=Patient:link"), &*values, &chain] {
        let resource_type = if query.starts_with('c') || query.starts_with('e') { "Observation" } else { "Patient" };
        let outcome = Query::parse(r4(), resource_type, query, Handling::Lenient).unwrap_err();
        assert_eq!(outcome.issues[0].code, IssueCode::TooCostly, "{}", &query[..30]);
    }
}

#[test]
fn search_offers_what_it_can_answer_and_nothing_else() {
    let mut offers = 0;
    for definition in r4().types().filter(|it| it.kind == TypeKind::Resource && !it.is_abstract) {
        let all: Vec<&str> = offered(r4(), &definition.name).map(|it| &*it.code).collect();
        for parameter in r4().search_parameters(&definition.name) {
            let value = match parameter.kind {
                SearchKind::Date => "2020",
                SearchKind::Composite if parameter.components.len() == 3 => "1$1$1",
                SearchKind::Composite if parameter.code.ends_with("date") => "1$2020",
                SearchKind::Composite => "1$1",
                SearchKind::Token if matches!(&*parameter.code, "active" | "deceased") => "true",
                _ => "1",
            };
            let read =
                |value| Query::parse(r4(), &*definition.name, &format!("{}={value}", parameter.code), Handling::Strict);
            let is_read = read(value).is_ok() || read("true").is_ok();
            assert_eq!(is_read, all.contains(&&*parameter.code), "{} {}", definition.name, parameter.code);
            offers += usize::from(is_read);
        }
    }
    assert!(offers > 2_000, "{offers}");
}
