//! NICE NG136 home average, golden vectors.

use std::fmt::Write;

use keepwell_clinical::{Average, HomeReading, Session, Thresholds, Use, average, london};
use keepwell_model::Timestamp;
use proptest::prelude::*;

fn at(day: i8, hour: i8, minute: i8) -> Timestamp {
    london(jiff::civil::date(2026, 6, day).at(hour, minute, 0, 0)).unwrap().at
}

/// Two readings each morning and evening, a minute apart.
fn days(days: i8, systolic: f64, diastolic: f64) -> Vec<HomeReading> {
    let mut readings = Vec::new();
    for day in 1..=days {
        for (hour, minute) in [(8, 0), (8, 1), (20, 0), (20, 1)] {
            readings.push(HomeReading { at: at(day, hour, minute), systolic, diastolic });
        }
    }
    readings
}

fn of(readings: &[HomeReading]) -> Average {
    average(readings, &Thresholds::default())
}

#[test]
fn bp_4_the_first_day_is_left_out_and_all_the_rest_averaged() {
    for (n, counted) in [(4, 12), (5, 16), (7, 24)] {
        let mut readings = days(n, 130.0, 80.0);
        readings[0].systolic = 290.0;
        let result = of(&readings);
        assert_eq!((result.counted, result.mean), (counted, Some((130.0, 80.0))), "{n} days");
        assert_eq!(result.readings[3].2, Use::FirstDay);
    }
}

#[test]
fn bp_3_fewer_than_four_days_give_no_average() {
    for n in 0..4 {
        let result = of(&days(n, 160.0, 100.0));
        assert_eq!((result.mean, result.reaches, result.shown()), (None, 0, None), "{n} days");
    }
}

#[test]
fn bp_5_thresholds_are_compared_with_the_unrounded_mean() {
    for (systolic, diastolic, reaches, shown) in [
        (134.5, 80.0, 0, (135.0, 80.0)),
        (134.96, 80.0, 0, (135.0, 80.0)),
        (135.0, 80.0, 1, (135.0, 80.0)),
        (120.0, 84.96, 0, (120.0, 85.0)),
        (120.0, 85.0, 1, (120.0, 85.0)),
        (149.9, 94.9, 1, (150.0, 95.0)),
        (150.0, 80.0, 2, (150.0, 80.0)),
        (120.0, 95.0, 2, (120.0, 95.0)),
    ] {
        // Halves and quarters are exact in binary, so the mean of equal readings is the reading itself.
        let result = of(&days(5, systolic, diastolic));
        assert_eq!((result.reaches, result.shown()), (reaches, Some(shown)), "{systolic}/{diastolic}");
    }
}

#[test]
fn bp_5_a_mean_of_whole_readings_just_below_the_threshold_stays_below() {
    // 23 readings of 135 and one of 134 over seven days: 134.958…
    let mut readings = days(7, 135.0, 80.0);
    readings[27].systolic = 134.0;
    let result = of(&readings);
    assert!((result.mean.unwrap().0 - 134.958_333).abs() < 1e-5);
    assert_eq!((result.reaches, result.shown().unwrap().0), (0, 135.0));
}

#[test]
fn bp_1_a_reading_less_than_a_minute_after_another_does_not_count() {
    let mut readings = days(4, 130.0, 80.0);
    let first = readings[4].at;
    readings[5].at = first.plus_seconds(59);
    readings[5].systolic = 200.0;
    let result = of(&readings);
    assert_eq!((result.counted, result.mean), (11, Some((130.0, 80.0))));
    assert_eq!(result.readings[5].2, Use::TooSoon);
    readings[5].at = first.plus_seconds(60);
    assert_eq!(of(&readings).counted, 12);
}

#[test]
fn bp_2_a_missing_evening_and_a_missing_day_show_as_gaps() {
    let mut readings = days(5, 130.0, 80.0);
    let evening = at(2, 20, 0);
    readings.retain(|reading| reading.at < evening || reading.at >= at(3, 0, 0));
    readings.retain(|reading| reading.at < at(4, 0, 0) || reading.at >= at(5, 0, 0));
    let result = of(&readings);
    let gaps: Vec<_> = result.gaps.iter().map(|gap| (gap.date.as_str(), gap.session)).collect();
    assert_eq!(
        gaps,
        [("2026-06-02", Session::Evening), ("2026-06-04", Session::Morning), ("2026-06-04", Session::Evening)]
    );
    assert_eq!(result.days, 4);
}

#[test]
fn bp_9_days_are_local_days_also_when_the_clocks_change() {
    for (first, last) in [("2026-03-28", "2026-03-31"), ("2026-10-24", "2026-10-27")] {
        let mut readings = Vec::new();
        for date in first.parse::<jiff::civil::Date>().unwrap().series(jiff::Span::new().days(1)) {
            for (hour, minute) in [(0, 10), (8, 0), (20, 0), (23, 50)] {
                let at = london(date.at(hour, minute, 0, 0)).unwrap().at;
                readings.push(HomeReading { at, systolic: 130.0, diastolic: 80.0 });
            }
            if date.to_string() == last {
                break;
            }
        }
        let result = of(&readings);
        assert_eq!((result.days, result.counted, result.gaps.len()), (4, 12, 0), "{first}");
    }
}

#[test]
fn bp_10_the_workings_show_every_reading_and_what_became_of_it() {
    let mut readings = days(4, 134.0, 84.0);
    readings[6].systolic = 141.0;
    readings[9].at = readings[8].at.plus_seconds(20);
    let result = of(&readings);
    let mut out = String::new();
    for (reading, date, used) in &result.readings {
        let _ = writeln!(out, "{date} {} {}/{} {used:?}", reading.at, reading.systolic, reading.diastolic);
    }
    let _ = writeln!(out, "days {} gaps {:?}", result.days, result.gaps);
    let _ = writeln!(out, "{}/{} over {} readings", result.sums.0, result.sums.1, result.counted);
    let (top, bottom) = result.mean.unwrap();
    let _ = writeln!(out, "mean {top:.4}/{bottom:.4} shown {:?} reaches {}", result.shown().unwrap(), result.reaches);
    insta::assert_snapshot!(out);
}

proptest! {
    #[test]
    fn the_order_of_the_readings_does_not_matter(seed in prop::collection::vec((1i8..8, 0i8..24, 0i8..60, 90u32..200), 0..40)) {
        let mut readings: Vec<_> = seed
            .iter()
            .map(|&(day, hour, minute, systolic)| HomeReading { at: at(day, hour, minute), systolic: f64::from(systolic), diastolic: 70.0 })
            .collect();
        let there = of(&readings);
        readings.reverse();
        prop_assert_eq!(there, of(&readings));
    }
}
