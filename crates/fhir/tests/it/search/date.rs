//! Dates (FHIR R4 §3.1.1.5.3 and §3.1.1.5.5).

use super::{Items, check, problem};

fn encounters() -> Items {
    let period = |id: &str, period: &str| {
        format!(r#"{{"resourceType":"Encounter","id":"{id}","status":"finished","period":{period}}}"#)
    };
    let all = [
        period("day", r#"{"start":"2020-06-15","end":"2020-06-15"}"#),
        period("june", r#"{"start":"2020-06-01","end":"2020-06-30"}"#),
        period("across", r#"{"start":"2020-05-20","end":"2020-06-10"}"#),
        period("open", r#"{"start":"2020-06-20"}"#),
        period("began", r#"{"end":"2020-05-31"}"#),
        period("year", r#"{"start":"2020","end":"2020"}"#),
    ];
    let mut items = Items::of(&all.each_ref().map(String::as_str));
    items.add(br#"{"resourceType":"Encounter","id":"none","status":"planned"}"#);
    items
}

fn observations() -> Items {
    let at = |id: &str, text: &str| {
        format!(r#"{{"resourceType":"Observation","id":"{id}","status":"final","effectiveDateTime":"{text}"}}"#)
    };
    let all = [
        at("year", "2020"),
        at("month", "2020-06"),
        at("day", "2020-06-15"),
        at("minute", "2020-06-15T10:30:00Z"),
        at("milli", "2020-06-15T10:30:00.250Z"),
        at("east", "2020-06-16T00:30:00+02:00"),
        at("late", "2021-01-01T00:00:00Z"),
    ];
    Items::of(&all.each_ref().map(String::as_str))
}

#[test]
fn search_date_eq_contains_what_is_found() {
    check(
        &observations(),
        "Observation",
        &[
            ("date=2020", &["year", "month", "day", "minute", "milli", "east"]),
            ("date=eq2020-06", &["month", "day", "minute", "milli", "east"]),
            ("date=2020-06-15", &["day", "minute", "milli", "east"]),
            ("date=2020-06-15T10:30Z", &["minute", "milli"]),
            ("date=2020-06-15T10:30:00Z", &["minute", "milli"]),
            ("date=2020-06-15T10:30:00.250Z", &["milli"]),
            ("date=2020-06-15T12:30:00%2B02:00", &["minute", "milli"]),
            ("date=2020-06-15T12:30:00+02:00", &["minute", "milli"]),
        ],
    );
    check(
        &encounters(),
        "Encounter",
        &[
            ("date=2020", &["day", "june", "across", "year"]),
            ("date=2020-06", &["day", "june"]),
            ("date=2020-06-15", &["day"]),
        ],
    );
}

#[test]
fn search_date_ne_is_what_is_not_contained() {
    check(&encounters(), "Encounter", &[("date=ne2020-06", &["across", "open", "began", "year"])]);
}

#[test]
fn search_date_gt_reaches_beyond() {
    check(&encounters(), "Encounter", &[("date=gt2020-06-15", &["june", "open", "year"]), ("date=gt2020", &["open"])]);
    check(&observations(), "Observation", &[("date=gt2020-06-15", &["year", "month", "late"])]);
}

#[test]
fn search_date_lt_begins_before() {
    check(&encounters(), "Encounter", &[("date=lt2020-06-15", &["june", "across", "began", "year"])]);
    check(&observations(), "Observation", &[("date=lt2020-06-15", &["year", "month"])]);
}

#[test]
fn search_date_ge_reaches_it_or_beyond() {
    check(
        &encounters(),
        "Encounter",
        &[
            ("date=ge2020-06-15", &["day", "june", "open", "year"]),
            ("date=ge2020-06-10", &["day", "june", "across", "open", "year"]),
        ],
    );
    check(
        &observations(),
        "Observation",
        &[
            ("date=ge2020-06-15T10:30:00Z", &["year", "month", "day", "minute", "milli", "east", "late"]),
            ("date=ge2020-06-16", &["year", "month", "late"]),
        ],
    );
}

#[test]
fn search_date_le_begins_before_or_on_it() {
    check(
        &encounters(),
        "Encounter",
        &[("date=le2020-06-15", &["day", "june", "across", "began", "year"]), ("date=le2020-06-20&date=sa2020", &[])],
    );
}

#[test]
fn search_date_sa_starts_after_the_end() {
    check(
        &encounters(),
        "Encounter",
        &[("date=sa2020-06-15", &["open"]), ("date=sa2020-05-31", &["day", "june", "open"])],
    );
}

#[test]
fn search_date_eb_ends_before_the_start() {
    check(&encounters(), "Encounter", &[("date=eb2020-06-15", &["across", "began"])]);
}

#[test]
fn search_date_ap_is_within_a_tenth_of_the_time_from_now() {
    // Now is November 2026, so a tenth of the way back to June 2020 is more than seven months.
    check(
        &observations(),
        "Observation",
        &[
            ("date=ap2020-06-15", &["year", "month", "day", "minute", "milli", "east", "late"]),
            ("date=ap2019", &["year", "month", "day", "minute", "milli", "east"]),
            ("date=ap2026", &[]),
        ],
    );
}

#[test]
fn search_date_missing_tells_those_without() {
    check(&encounters(), "Encounter", &[("date:missing=true", &["none"])]);
}

#[test]
fn search_date_eq_takes_ranges_of_two_parameters() {
    check(
        &encounters(),
        "Encounter",
        &[("date=ge2020-06-01&date=le2020-06-30", &["day", "june", "across", "open", "year"])],
    );
    check(&observations(), "Observation", &[("date=2021,2020-06-15T10:30:00.250Z", &["milli", "late"])]);
}

#[test]
fn search_date_eq_of_a_timing_minds_its_outer_limits() {
    let items = Items::of(&[
        r#"{"resourceType":"ServiceRequest","id":"a","occurrenceTiming":{"event":["2020-01-05","2020-03-05"]}}"#,
        r#"{"resourceType":"ServiceRequest","id":"b","occurrenceTiming":{"repeat":{"boundsPeriod":{"start":"2020-02-01","end":"2020-02-10"},"frequency":1}}}"#,
        r#"{"resourceType":"ServiceRequest","id":"c","occurrenceTiming":{"repeat":{"frequency":1}}}"#,
    ]);
    check(
        &items,
        "ServiceRequest",
        &[
            ("occurrence=2020-02", &["b"]),
            ("occurrence=ge2020-03", &["a"]),
            ("occurrence=sa2020-01", &["b"]),
            ("occurrence:missing=true", &["c"]),
        ],
    );
}

#[test]
fn search_date_refuses_what_is_no_date() {
    for value in ["yesterday", "2020-13", "20-01-01", "2020-06-15T10Z", "xx2020", "gt", "2020-06-15T10:30:00+99:00"] {
        assert!(problem("Observation", &format!("date={value}")).contains("is not a date"), "{value}");
    }
    assert!(problem("Observation", "date:exact=2020").contains("':exact'"));
}
