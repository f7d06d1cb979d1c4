//! Parameters of all types: `_id`, `_lastUpdated`, `_tag`, `_profile`, `_text`, `_list` and so on (FHIR R4 §3.1.1.4).

use keepwell_fhir::definitions::r4;
use keepwell_fhir::search::{Columns, Handling, Query, Search};

use super::{Items, NOW, check, problem};

fn items() -> Items {
    let mut items = Items::of(&[
        r#"{"resourceType":"Condition","id":"a","meta":{"profile":["http://p.example/one|1.0"],"source":"http://s.example/feed#1",
            "tag":[{"system":"http://t.example","code":"urgent"}],"security":[{"code":"R"}]},
            "text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">Cancer of the <b>bone</b> &amp; liver</div>"},
            "note":[{"text":"Metastases seen"}]}"#,
        r#"{"resourceType":"Condition","id":"b","code":{"text":"Bone fracture"}}"#,
        r#"{"resourceType":"Condition","id":"c","text":{"status":"generated","div":"<div>Liver failure</div>"}}"#,
        r#"{"resourceType":"Patient","id":"a","meta":{"tag":[{"system":"http://t.example","code":"urgent"}]}}"#,
    ]);
    items.lists.insert("42".to_owned(), vec![1, 3]);
    items.lists.insert("$current-problems".to_owned(), vec![0]);
    items
}

#[test]
fn search_id_finds_by_the_id_that_goes_out() {
    check(
        &items(),
        "Condition",
        &[
            ("_id=a", &["a"]),
            ("_id=a,c,x", &["a", "c"]),
            ("_id=x", &[]),
            ("_id:not=a", &["b", "c"]),
            ("_id=a&_id=b", &[]),
            ("_id:missing=true", &[]),
            ("_id:missing=false&_id=c", &["c"]),
        ],
    );
    assert!(problem("Condition", "_id=a/b").contains("is not an id"));
    assert!(problem("Condition", "_id:exact=a").contains("':exact'"));
}

#[test]
fn search_last_updated_finds_by_the_time_of_change() {
    check(
        &items(),
        "Condition",
        &[
            ("_lastUpdated=2026-01-01", &["a"]),
            ("_lastUpdated=gt2026-01-01", &["b", "c"]),
            ("_lastUpdated=ge2026-01-02&_lastUpdated=lt2026-01-03", &["b"]),
            ("_lastUpdated=2026-01-01T00:00:00Z", &["a"]),
            ("_lastUpdated=2026-01-01,2026-01-03", &["a", "c"]),
        ],
    );
    assert!(problem("Condition", "_lastUpdated=now").contains("is not a date"));
    assert!(problem("Condition", "_lastupdated=2026").contains("Did you mean '_lastUpdated'?"));
}

#[test]
fn search_tag_and_security_are_tokens() {
    check(
        &items(),
        "Condition",
        &[
            ("_tag=urgent", &["a"]),
            ("_tag=http://t.example|urgent", &["a"]),
            ("_tag:not=urgent", &["b", "c"]),
            ("_security=R", &["a"]),
            ("_security:missing=true", &["b", "c"]),
        ],
    );
}

#[test]
fn search_profile_and_source_are_addresses() {
    check(
        &items(),
        "Condition",
        &[
            ("_profile=http://p.example/one", &["a"]),
            ("_profile=http://p.example/one%7C1.0", &["a"]),
            ("_profile=http://p.example/one%7C2.0", &[]),
            ("_profile:below=http://p.example", &["a"]),
            ("_source=http://s.example/feed%231", &["a"]),
            ("_source:below=http://s.example/feed", &["a"]),
        ],
    );
}

#[test]
fn search_text_looks_at_the_narrative() {
    check(
        &items(),
        "Condition",
        &[
            ("_text=bone", &["a"]),
            ("_text=BONE+liver", &["a"]),
            ("_text=liver", &["a", "c"]),
            ("_text=bone,failure", &["a", "c"]),
            ("_text=div", &[]),
            ("_text=one", &[]),
            ("_text=metastases", &[]),
        ],
    );
    assert!(problem("Condition", "_text=...").contains("a word to look for"));
}

#[test]
fn search_content_looks_at_all_words() {
    check(
        &items(),
        "Condition",
        &[("_content=bone", &["a", "b"]), ("_content=metastases+bone", &["a"]), ("_content=condition", &[])],
    );
}

#[test]
fn search_list_finds_what_a_list_has() {
    check(
        &items(),
        "Condition",
        &[
            ("_list=42", &["b"]),
            ("_list=List/42", &["b"]),
            ("_list=$current-problems", &["a"]),
            ("_list=42,$current-problems", &["a", "b"]),
            ("_list=43", &[]),
        ],
    );
    assert!(problem("Condition", "_list=a b").contains("is not the id of a list"));
}

#[test]
fn search_type_goes_over_several_types() {
    check(
        &items(),
        "",
        &[
            ("_type=Condition,Patient&_tag=urgent", &["a", "a"]),
            ("_type=Patient&_tag=urgent", &["a"]),
            ("_tag=urgent", &["a", "a"]),
            ("_type=Condition&code:text=bone", &["b"]),
            ("_id=a&_sort=-_lastUpdated", &["a", "a"]),
            ("_lastUpdated=2026-01-04", &["a"]),
        ],
    );
    assert_eq!(items().run("", "_type=Condition,Patient&_sort=-_lastUpdated").unwrap().matches, [3, 2, 1, 0]);
    assert!(problem("", "_type=Conditio").contains("Did you mean 'Condition'?"));
    assert!(problem("", "code=x").contains("all types"));
    assert!(problem("", "_type=Condition,Patient&code=x").contains("of Patient"));
    assert!(problem("Patient", "_type=Patient").contains("already"));
}

#[test]
fn search_that_is_not_supported_is_refused_politely() {
    for (resource_type, query) in [
        ("Location", "near=53.8|-1.5|10|km"),
        ("Patient", "_filter=name eq x"),
        ("Patient", "_query=current"),
        ("Patient", "_contained=true"),
        ("Patient", "_contained=both"),
        ("Patient", "_containedType=contained"),
    ] {
        let words = problem(resource_type, query);
        assert!(words.contains("not s") || words.contains("no named queries"), "{words}");
    }
    check(&items(), "Patient", &[("_contained=false&_containedType=container", &["a"])]);
}

#[test]
fn search_parameters_of_packages_may_use_all_of_fhirpath() {
    let parameter = |code: &str, kind: &str, expression: &str| {
        format!(
            r#"{{"resourceType":"SearchParameter","url":"http://x.example/{code}","code":"{code}","base":["Patient"],"type":"{kind}","expression":"{expression}"}}"#
        )
    };
    let resources = [
        parameter("birthplace", "string", "Patient.extension.where(url = 'http://x.example/place').value.as(string)"),
        parameter("several-names", "token", "Patient.name.count() > 1"),
        parameter("last-family", "string", "Patient.name.last().family"),
        parameter("started", "date", "Patient.name.period.start.first()"),
        parameter("broken", "token", "Patient.nothing.of.it"),
    ];
    let definitions = r4().with_package(resources.iter().map(String::as_bytes)).unwrap();
    let items = Items::of(&[
        r#"{"resourceType":"Patient","id":"a","extension":[{"url":"http://x.example/place","valueString":"Leeds"},
            {"url":"http://x.example/other","valueString":"York"}],"name":[{"family":"Lee"},{"family":"Ray"}]}"#,
        r#"{"resourceType":"Patient","id":"b","name":[{"family":"Lee","period":{"start":"2001-02-03"}}]}"#,
    ]);
    let find = |query: &str| {
        let query = Query::parse(&definitions, "Patient", query, Handling::Strict).unwrap();
        let columns = Columns::default();
        Search::new(&items, &definitions, &columns, NOW).matches(&query).unwrap()
    };
    assert_eq!(find("birthplace=leeds"), [0]);
    assert!(find("birthplace=york").is_empty());
    assert_eq!(find("several-names=true"), [0]);
    assert_eq!(find("several-names:not=true"), [1]);
    assert_eq!(find("last-family=lee"), [1]);
    assert_eq!(find("started=2001&_sort=started"), [1]);
    let refused = Query::parse(&definitions, "Patient", "broken=1", Handling::Strict).unwrap_err();
    assert!(refused.issues[0].diagnostics.contains("not supported"));
}
