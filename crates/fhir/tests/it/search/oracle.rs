//! The rules for dates, numbers and quantities against a naive reading of the specification that shares no code with ours.

use proptest::prelude::*;

use super::Items;

const PREFIXES: [&str; 8] = ["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb"];

/// A date with a precision: year, month, day or minute. Its minutes since 2000 are counted one by one, by walking the
/// calendar.
#[derive(Debug, Clone, Copy)]
struct Day {
    year: u32,
    month: u32,
    day: u32,
    minute: u32,
    precision: u8,
}

fn month_length(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl Day {
    fn text(self) -> String {
        let Self { year, month, day, minute, precision } = self;
        match precision {
            0 => format!("{year}"),
            1 => format!("{year}-{month:02}"),
            2 => format!("{year}-{month:02}-{day:02}"),
            _ => format!("{year}-{month:02}-{day:02}T{:02}:{:02}Z", minute / 60, minute % 60),
        }
    }

    /// The first and the last minute that it may mean.
    fn minutes(self) -> (i64, i64) {
        let mut first = None;
        let mut last = 0;
        let mut at = 0i64;
        for year in 2000..=self.year {
            for month in 1..=12 {
                for day in 1..=month_length(year, month) {
                    let inside = year == self.year
                        && (self.precision < 1 || month == self.month)
                        && (self.precision < 2 || day == self.day);
                    if inside {
                        let (from, to) = if self.precision < 3 {
                            (0, 1_439)
                        } else {
                            (i64::from(self.minute), i64::from(self.minute))
                        };
                        first.get_or_insert(at + from);
                        last = at + to;
                    }
                    at += 1_440;
                }
            }
        }
        (first.unwrap(), last)
    }
}

fn days() -> impl Strategy<Value = Day> {
    (2000u32..2004, 1u32..=12, 1u32..=31, 0u32..1_440, 0u8..4).prop_map(|(year, month, day, minute, precision)| Day {
        year,
        month,
        day: day.min(month_length(year, month)),
        minute,
        precision,
    })
}

/// What a prefix says about two stretches of minutes, ends included.
fn says(prefix: &str, asked: (i64, i64), value: (i64, i64)) -> bool {
    let within = asked.0 <= value.0 && value.1 <= asked.1;
    match prefix {
        "eq" => within,
        "ne" => !within,
        "gt" => value.1 > asked.1,
        "lt" => value.0 < asked.0,
        "ge" => value.1 >= asked.0,
        "le" => value.0 <= asked.1,
        "sa" => value.0 > asked.1,
        "eb" => value.1 < asked.0,
        _ => unreachable!(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn search_date_prefixes_agree_with_counting_minutes(
        asked in days(), start in proptest::option::of(days()), end in proptest::option::of(days()),
    ) {
        prop_assume!(start.is_some() || end.is_some());
        let part = |name: &str, day: Option<Day>| day.map(|day| format!(r#""{name}":"{}""#, day.text()));
        let parts: Vec<String> = part("start", start).into_iter().chain(part("end", end)).collect();
        let body = format!(r#"{{"resourceType":"Encounter","id":"e","status":"finished","period":{{{}}}}}"#, parts.join(","));
        let items = Items::of(&[&body]);
        let value = (start.map_or(i64::MIN, |it| it.minutes().0), end.map_or(i64::MAX, |it| it.minutes().1));
        // A period that ends before it starts means nothing.
        prop_assume!(value.0 <= value.1);
        for prefix in PREFIXES {
            let query = format!("date={prefix}{}", asked.text());
            let expected = says(prefix, asked.minutes(), value);
            prop_assert_eq!(!items.find("Encounter", &query).is_empty(), expected, "{} {}", query, body);
        }
    }

    #[test]
    fn search_quantity_prefixes_agree_with_whole_numbers(
        asked in -5_000i64..5_000, places in 0usize..4, value in -6_000_000i64..6_000_000, in_grams in any::<bool>(),
    ) {
        // Everything in millionths of a kilogram: whole numbers, no fractions.
        let text = |n: i64, places: usize| {
            let scale = 10i64.pow(u32::try_from(places).unwrap());
            let sign = if n < 0 { "-" } else { "" };
            if places == 0 { n.to_string() } else { format!("{sign}{}.{:0places$}", n.abs() / scale, n.abs() % scale) }
        };
        let unit = if in_grams { "g" } else { "kg" };
        let worth = if in_grams { 1 } else { 1_000 };
        let body = format!(
            r#"{{"resourceType":"Observation","id":"o","status":"final","valueQuantity":{{"value":{},"system":"http://unitsofmeasure.org","code":"{unit}"}}}}"#,
            text(value, 3)
        );
        let items = Items::of(&[&body]);
        let value = value * worth;
        let last_digit = 1_000_000 / 10i64.pow(u32::try_from(places).unwrap());
        let middle = asked * last_digit;
        for prefix in PREFIXES {
            let within = value * 2 >= middle * 2 - last_digit && value * 2 < middle * 2 + last_digit;
            let expected = match prefix {
                "eq" => within,
                "ne" => !within,
                "gt" | "sa" => value > middle,
                "lt" | "eb" => value < middle,
                "ge" => value >= middle,
                _ => value <= middle,
            };
            let query = format!("value-quantity={prefix}{}|http://unitsofmeasure.org|kg", text(asked, places));
            prop_assert_eq!(!items.find("Observation", &query).is_empty(), expected, "{} {}", query, body);
        }
    }
}
