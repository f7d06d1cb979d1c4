use super::*;
use crate::decimal::Decimal;
use proptest::prelude::*;
use std::cmp::Ordering::{Equal, Greater, Less};

use super::compare::Comparison;

fn date_time(text: &str) -> Temporal {
    Temporal::date_time(text).unwrap()
}

fn later(text: &str, amount: &str, unit: Calendar) -> String {
    let start = Temporal::date(text).or_else(|| Temporal::date_time(text)).or_else(|| Temporal::time(text)).unwrap();
    start.plus(Decimal::parse(amount).unwrap(), unit).unwrap().to_string()
}

#[test]
fn as_much_as_was_said_is_kept() {
    for text in ["2015", "2015-02", "2015-02-04"] {
        assert_eq!(Temporal::date(text).unwrap().to_string(), text);
        assert_eq!(date_time(text).to_string(), text);
    }
    for text in ["2015-02-04T14", "2015-02-04T14:34", "2015-02-04T14:34:28Z", "2015-02-04T14:34:28.1-05:30"] {
        assert_eq!(date_time(text).to_string(), text);
        assert_eq!(Temporal::date(text), None);
    }
    assert_eq!(date_time("2015T").precision(), Precision::Year);
    for text in ["14", "14:34", "14:34:28", "14:34:28.123"] {
        assert_eq!(Temporal::time(text).unwrap().to_string(), text);
    }
    for text in ["", "15", "2015-2", "2015-13", "2015-02-30", "2015-02T10", "2015-02-04T25", "2015-02-04T10:00+1"] {
        assert_eq!(Temporal::date_time(text), None, "{text}");
    }
}

#[test]
fn comparing_stops_where_one_says_no_more() {
    let compare = |a: &str, b: &str| date_time(a).compare(&date_time(b));
    assert_eq!(compare("2018-03", "2018-03-01"), Comparison::Unknown);
    assert_eq!(compare("2018-03", "2018-04-01"), Comparison::Known(Less));
    assert_eq!(compare("2018", "2018"), Comparison::Known(Equal));
    assert_eq!(compare("2018-03-01T10:30:00", "2018-03-01T10:30:00.0"), Comparison::Known(Equal));
    assert_eq!(compare("2018-03-01T10:30", "2018-03-01T10:30:00"), Comparison::Unknown);
    assert_eq!(compare("2017-11-05T01:30:00.0-04:00", "2017-11-05T00:30:00.0-05:00"), Comparison::Known(Equal));
    assert_eq!(date_time("2018").compare(&Temporal::time("10").unwrap()), Comparison::OtherType);
}

#[test]
fn a_time_without_a_zone_is_compared_only_where_no_zone_changes_the_answer() {
    let compare = |a: &str, b: &str| date_time(a).compare(&date_time(b));
    assert_eq!(compare("2012-04-15T15:00:00Z", "2012-04-15T10:00:00"), Comparison::Unknown);
    assert_eq!(compare("2012-04-15T15:00:00Z", "2012-04-17T10:00:00"), Comparison::Known(Less));
    assert_eq!(compare("2012-04-17T15:00:00", "2012-04-15T10:00:00Z"), Comparison::Known(Greater));
    assert_eq!(compare("1974-12-25", "2026-04-15T10:00:00Z"), Comparison::Known(Less));
}

#[test]
fn durations_keep_to_the_calendar() {
    use Calendar::*;
    assert_eq!(later("1973-12-25", "7.7", Day), "1974-01-01");
    assert_eq!(later("2024-01-31", "1", Month), "2024-02-29");
    assert_eq!(later("2024-02-29", "-1", Year), "2023-02-28");
    assert_eq!(later("2014", "24", Month), "2016");
    assert_eq!(later("2014", "23", Month), "2015");
    assert_eq!(later("2014-01", "65", Day), "2014-03");
    assert_eq!(later("2019-03-01", "25", Hour), "2019-03-02");
    assert_eq!(later("1973-12-25T00:00:00.000+10:00", "10", Millisecond), "1973-12-25T00:00:00.010+10:00");
    assert_eq!(later("2026-01-31T10:00:00Z", "1.5", Second), "2026-01-31T10:00:01.500Z");
    assert_eq!(later("2026-01-31T10:00:00+00:00", "1.5", Minute), "2026-01-31T10:01:00+00:00");
    assert_eq!(later("2016-12-31T23:59:59Z", "1", Second), "2017-01-01T00:00:00Z");
    assert_eq!(later("23:30", "45", Minute), "00:15");
    assert_eq!(later("01:00:00", "-2", Hour), "23:00:00");
    let end = Temporal::date("9999-12-31").unwrap();
    assert_eq!(end.plus(Decimal::from(1), Day), None);
    assert_eq!(Temporal::time("10").unwrap().plus(Decimal::from(1), Day), None);
}

#[test]
fn boundaries_fill_what_was_not_said() {
    let low = |text: &str, digits| date_time(text).boundary(false, digits).unwrap().to_string();
    let high = |text: &str, digits| date_time(text).boundary(true, digits).unwrap().to_string();
    assert_eq!(low("2014-01-01T08", Some(17)), "2014-01-01T08:00:00.000+14:00");
    assert_eq!(low("2014-01-01T08", Some(8)), "2014-01-01");
    assert_eq!(high("2014-01-01T08:05-05:00", Some(17)), "2014-01-01T08:05:59.999-05:00");
    assert_eq!(high("2012-02", None), "2012-02-29T23:59:59.999-12:00");
    assert_eq!(high("2012-02-01T10:00:00.5Z", None), "2012-02-01T10:00:00.599Z");
    assert_eq!(Temporal::date("2014").unwrap().boundary(true, Some(6)).unwrap().to_string(), "2014-12");
    assert_eq!(Temporal::date("2014").unwrap().boundary(true, Some(17)), None);
    assert_eq!(Temporal::time("10:30").unwrap().boundary(true, None).unwrap().to_string(), "10:30:59.999");
    assert_eq!(date_time("2014-01-05T10:30:00.000").digits_said(), 17);
    assert_eq!(Temporal::time("10:30").unwrap().digits_said(), 4);
}

#[test]
fn a_moment_is_told_on_the_clock_of_its_zone() {
    let moment = keepwell_model::Timestamp::from_micros(1_764_000_000_123_456);
    assert_eq!(Temporal::at(moment, 60).unwrap().to_string(), "2025-11-24T17:00:00.123+01:00");
    assert_eq!(Temporal::at(moment, 0).unwrap().to_date().unwrap().to_string(), "2025-11-24");
}

proptest! {
    #[test]
    fn no_text_panics(text in "[0-9TZ:.+-]{0,40}|.*") {
        let _ = (Temporal::date(&text), Temporal::date_time(&text), Temporal::time(&text));
    }

    #[test]
    fn adding_and_taking_away_days_comes_back(year in 100u16..9900, days in -30_000i32..30_000) {
        let start = Temporal::date(&format!("{year:04}-05-17")).unwrap();
        let there = start.plus(Decimal::from(days), Calendar::Day).unwrap();
        prop_assert_eq!(there.plus(Decimal::from(-days), Calendar::Day).unwrap(), start);
        prop_assert_eq!(Temporal::date(&there.to_string()), Some(there));
    }

    #[test]
    fn no_amount_panics(amount in any::<i128>(), scale in 0u8..28, unit in 0usize..8) {
        let amount = Decimal::new(amount, scale).unwrap();
        for text in ["2014", "2014-02", "2014-02-28", "2014-02-28T10", "2014-02-28T23:59:60.999Z"] {
            let _ = date_time(text).plus(amount, Calendar::ALL[unit]);
        }
        let _ = Temporal::time("23:59:59").unwrap().plus(amount, Calendar::ALL[unit]);
    }
}
