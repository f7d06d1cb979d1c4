//! Order, pages and totals (FHIR R4 §3.1.1.5.11 to §3.1.1.5.14).

use keepwell_fhir::definitions::r4;
use keepwell_fhir::search::{Columns, Handling, Limits, Query, Search, SearchError, Settings};

use super::{Items, NOW, check, parsed, problem};

fn observations() -> Items {
    let of = |id: &str, rest: &str| format!(r#"{{"resourceType":"Observation","id":"{id}"{rest}}}"#);
    let all = [
        of(
            "a",
            r#","status":"final","effectiveDateTime":"2020-03-01","valueQuantity":{"value":2,"system":"http://unitsofmeasure.org","code":"g"}"#,
        ),
        of(
            "b",
            r#","status":"amended","effectivePeriod":{"start":"2020-01-01","end":"2020-12-31"},"valueQuantity":{"value":1500,"system":"http://unitsofmeasure.org","code":"mg"}"#,
        ),
        of("c", r#","status":"final","effectiveDateTime":"2020-03-01","valueString":"Zebra""#),
        of("d", r#","status":"final","effectiveDateTime":"2021","valueString":"äpfel""#),
        of("e", r#","status":"final","valueQuantity":{"value":-1,"system":"http://unitsofmeasure.org","code":"kg"}"#),
    ];
    Items::of(&all.each_ref().map(String::as_str))
}

#[test]
fn search_sort_by_a_date_puts_those_without_last_either_way() {
    check(
        &observations(),
        "Observation",
        &[
            ("_sort=date", &["b", "a", "c", "d", "e"]),
            ("_sort=-date", &["d", "a", "c", "b", "e"]),
            ("_sort=-date&date=2020-03-01", &["a", "c"]),
        ],
    );
}

#[test]
fn search_sort_by_several_keys() {
    check(
        &observations(),
        "Observation",
        &[("_sort=status,-date", &["b", "d", "a", "c", "e"]), ("_sort=-status,-_id", &["e", "d", "c", "a", "b"])],
    );
}

#[test]
fn search_sort_by_text_quantity_id_and_time_of_change() {
    check(
        &observations(),
        "Observation",
        &[
            ("_sort=value-string", &["d", "c", "a", "b", "e"]),
            ("_sort=value-quantity", &["e", "b", "a", "c", "d"]),
            ("_sort=-value-quantity", &["a", "b", "e", "c", "d"]),
            ("_sort=-_id", &["e", "d", "c", "b", "a"]),
            ("_sort=-_lastUpdated", &["e", "d", "c", "b", "a"]),
            ("", &["a", "b", "c", "d", "e"]),
        ],
    );
}

#[test]
fn search_sort_takes_of_several_values_the_first_in_the_order() {
    let items = Items::of(&[
        r#"{"resourceType":"Patient","id":"a","name":[{"family":"M"},{"family":"B"}]}"#,
        r#"{"resourceType":"Patient","id":"b","name":[{"family":"C"},{"family":"Z"}]}"#,
    ]);
    check(&items, "Patient", &[("_sort=family", &["a", "b"]), ("_sort=-family", &["b", "a"])]);
}

#[test]
fn search_sort_refuses_what_has_no_order() {
    assert!(problem("Observation", "_sort=dat").contains("Did you mean 'date'?"));
    assert!(problem("Observation", "_sort=code-value-quantity").contains("cannot be sorted"));
    assert!(problem("Observation", "_sort=date&_sort=code").contains("twice"));
    assert!(problem("Observation", "_sort:desc=date").contains("no modifier"));
}

#[test]
fn search_count_pages_fit_together() {
    let mut items = Items::default();
    for n in 0..23 {
        let body = format!(
            r#"{{"resourceType":"Observation","id":"o{n}","status":"final","effectiveDateTime":"2020-01-{:02}"}}"#,
            n % 5 + 1
        );
        items.add(body.as_bytes());
    }
    let columns = Columns::default();
    let search = Search::new(&items, r4(), &columns, NOW);
    for sort in ["", "&_sort=-date", "&_sort=status,date"] {
        let query = parsed("Observation", &format!("_count=4{sort}"));
        let whole = search.matches(&query).unwrap();
        let mut pages = Vec::new();
        for offset in (0..).step_by(4) {
            let page = search.run(&query, offset).unwrap();
            assert_eq!(page.total, Some(23));
            pages.extend(page.matches);
            if !page.has_next {
                break;
            }
        }
        assert_eq!(pages, whole);
        let beyond = search.run(&query, usize::MAX).unwrap();
        assert!(beyond.matches.is_empty() && !beyond.has_next);
    }
}

#[test]
fn search_count_zero_only_counts() {
    for query in ["_count=0", "_summary=count"] {
        let answer = observations().run("Observation", query).unwrap();
        assert!(answer.matches.is_empty() && !answer.has_next);
        assert_eq!(answer.total, Some(5), "{query}");
    }
    assert_eq!(observations().run("Observation", "_count=0&status=final").unwrap().total, Some(4));
}

#[test]
fn search_count_is_held_within_the_limit_and_the_self_link_says_so() {
    let settings = Settings { limits: Limits { page: 10, ..Limits::default() }, ..Settings::default() };
    let query = Query::parse_with(r4(), "Patient", "_count=5000&name=x", &settings).unwrap();
    assert_eq!((query.page(), query.self_link()), (10, "_count=10&name=x".to_owned()));
    let huge = Query::parse_with(r4(), "Patient", &format!("_count={}", "9".repeat(50)), &settings).unwrap();
    assert_eq!(huge.page(), 10);
    for wrong in ["-1", "ten", "1.5", "%2B1"] {
        assert!(problem("Patient", &format!("_count={wrong}")).contains("whole number"));
    }
}

#[test]
fn search_total_is_left_out_where_it_is_not_wanted() {
    let total = |query: &str| observations().run("Observation", query).unwrap().total;
    assert_eq!(total("_total=none"), None);
    assert_eq!(total("_total=estimate&_count=1"), Some(5));
    assert_eq!(total("_total=accurate&_count=1"), Some(5));
    assert!(problem("Observation", "_total=some").contains("none, estimate, accurate"));
}

#[test]
fn search_that_is_cancelled_has_no_answer() {
    let mut items = Items::default();
    for n in 0..600 {
        items.add(format!(r#"{{"resourceType":"Observation","id":"o{n}","status":"final"}}"#).as_bytes());
    }
    items.cancelled.set(true);
    for query in ["status=final", "_content=final", "subject.name=x", "_revinclude=Provenance:target"] {
        let handled = Query::parse(r4(), "Observation", query, Handling::Strict).unwrap();
        let outcome = Search::new(&items, r4(), &Columns::default(), NOW).run(&handled, 0);
        assert_eq!(outcome, Err(SearchError::Cancelled), "{query}");
    }
}

#[test]
fn search_sort_over_several_worlds_is_one_order() {
    let of = |ids: &[(&str, &str)]| {
        let mut items = Items::default();
        for (id, date) in ids {
            let body = format!(
                r#"{{"resourceType":"Observation","id":"{id}","status":"final","effectiveDateTime":"{date}"}}"#
            );
            items.add(body.as_bytes());
        }
        items
    };
    let worlds = [of(&[("a", "2020"), ("b", "2023")]), of(&[("c", "2021"), ("d", "2019"), ("e", "2024")])];
    let query = parsed("Observation", "_sort=-date&_count=3");
    let mut all = Vec::new();
    let mut totals = 0;
    for world in &worlds {
        let columns = Columns::default();
        let (ranked, total) = Search::new(world, r4(), &columns, NOW).ranked(&query, 2).unwrap();
        totals += total;
        all.extend(ranked.into_iter().map(|(rank, handle)| (rank, &*world.item(handle).id)));
    }
    all.sort_by(|(left, _), (right, _)| left.cmp(right));
    assert_eq!(all.iter().map(|(_, id)| *id).collect::<Vec<_>>(), ["e", "b", "c", "a"]);
    assert_eq!(totals, 5);
    assert_eq!(format!("{:?}", all[0].0), "Rank(1 keys)");
}
