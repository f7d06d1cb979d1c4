//! Where the axes of a chart have their marks.

use jiff::civil::Date;

/// About `wanted` round numbers from below `low` to above `high`.
pub(crate) fn values(low: f64, high: f64, wanted: usize) -> Vec<f64> {
    let span = (high - low).max(f64::EPSILON * low.abs().max(1.0));
    #[expect(clippy::cast_precision_loss, reason = "a handful")]
    let rough = span / wanted.max(1) as f64;
    let magnitude = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].map(|factor| factor * magnitude).into_iter().find(|step| *step >= rough);
    let step = step.unwrap_or(10.0 * magnitude);
    let (mut at, end) = ((low / step).floor(), (high / step).ceil());
    let mut ticks = Vec::new();
    while at <= end && ticks.len() < 20 {
        ticks.push(at * step);
        at += 1.0;
    }
    ticks
}

/// A number of an axis with no more decimals than the step needs.
pub(crate) fn label(value: f64, step: f64) -> String {
    let decimals = (0..6).find(|&d| {
        let scaled = step * 10f64.powi(d);
        (scaled - scaled.round()).abs() < 1e-6
    });
    let text = format!("{value:.*}", usize::try_from(decimals.unwrap_or(6)).unwrap_or(6));
    if text.starts_with('-') && text.trim_matches(['-', '0', '.']).is_empty() { text[1..].to_owned() } else { text }
}

/// What the marks of a time axis stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grain {
    /// Days.
    Day,
    /// First days of months.
    Month,
    /// First days of years.
    Year,
}

/// At most `most` calendar marks between two dates, evenly apart.
pub(crate) fn dates(first: Date, last: Date, most: usize) -> (Grain, Vec<Date>) {
    const STEPS: [(Grain, i32); 14] = [
        (Grain::Day, 1),
        (Grain::Day, 2),
        (Grain::Day, 7),
        (Grain::Day, 14),
        (Grain::Month, 1),
        (Grain::Month, 2),
        (Grain::Month, 3),
        (Grain::Month, 6),
        (Grain::Year, 1),
        (Grain::Year, 2),
        (Grain::Year, 5),
        (Grain::Year, 10),
        (Grain::Year, 20),
        (Grain::Year, 50),
    ];
    for (grain, step) in STEPS {
        let marks = marks(first, last, grain, step, most + 1);
        if marks.len() <= most {
            return (grain, marks);
        }
    }
    (Grain::Year, Vec::new())
}

fn marks(first: Date, last: Date, grain: Grain, step: i32, limit: usize) -> Vec<Date> {
    let mut out = Vec::new();
    let mut index = index_of(first, grain).div_euclid(step) * step;
    while out.len() < limit {
        let Some(date) = date_of(index, grain) else { break };
        if date > last {
            break;
        }
        if date >= first {
            out.push(date);
        }
        index += step;
    }
    out
}

const EPOCH: Date = jiff::civil::date(1970, 1, 5);

fn index_of(date: Date, grain: Grain) -> i32 {
    match grain {
        Grain::Day => EPOCH.until(date).map_or(0, |span| span.get_days()),
        Grain::Month => i32::from(date.year()) * 12 + i32::from(date.month()) - 1,
        Grain::Year => i32::from(date.year()),
    }
}

fn date_of(index: i32, grain: Grain) -> Option<Date> {
    let (year, month) = match grain {
        Grain::Day => return EPOCH.checked_add(jiff::Span::new().try_days(index).ok()?).ok(),
        Grain::Month => (index.div_euclid(12), index.rem_euclid(12) + 1),
        Grain::Year => (index, 1),
    };
    Date::new(year.try_into().ok()?, month.try_into().ok()?, 1).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    #[test]
    fn values_are_round_and_enclose_the_data() {
        assert_eq!(values(41.0, 62.0, 4), [40.0, 50.0, 60.0, 70.0]);
        assert_eq!(label(0.4, 0.2), "0.4");
        assert_eq!(label(40.0, 10.0), "40");
        assert_eq!(label(2.5, 2.5), "2.5");
        assert_eq!(label(-0.0, 1.0), "0");
    }

    #[test]
    fn dates_fall_on_the_calendar() {
        let (grain, marks) = dates(date(2021, 3, 9), date(2026, 10, 9), 5);
        assert_eq!(grain, Grain::Year);
        assert_eq!(marks, [2022, 2023, 2024, 2025, 2026].map(|year| date(year, 1, 1)));
        let (grain, marks) = dates(date(2026, 1, 20), date(2026, 6, 10), 3);
        assert_eq!(grain, Grain::Month);
        assert_eq!(marks, [date(2026, 3, 1), date(2026, 5, 1)]);
        assert_eq!(dates(date(2026, 6, 1), date(2026, 6, 4), 5).0, Grain::Day);
    }

    proptest! {
        #[test]
        fn ticks_always_enclose_the_data_and_are_few(low in -1e6f64..1e6, span in 0f64..1e6, wanted in 2usize..7) {
            let ticks = values(low, low + span, wanted);
            prop_assert!(!ticks.is_empty() && ticks.len() <= 20);
            prop_assert!(*ticks.first().unwrap() <= low + 1e-6);
            prop_assert!(*ticks.last().unwrap() >= low + span - span * 1e-9 - 1e-6);
        }

        #[test]
        fn calendar_marks_are_inside_and_not_too_many(days in 0i32..30_000, most in 1usize..7) {
            let first = date(1930, 2, 3);
            let last = first.checked_add(jiff::Span::new().days(days)).unwrap();
            let (_, marks) = dates(first, last, most);
            prop_assert!(marks.len() <= most);
            prop_assert!(marks.iter().all(|mark| (first..=last).contains(mark)));
        }
    }
}
