//! The statistics.

use crate::decimal::{Decimal, MAX_SCALE};

/// A statistic of HL7's list. `regression` is not among them: it is two numbers, and of what unit nobody says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is named as in HL7's list")]
pub enum Statistic {
    Average,
    Maximum,
    Minimum,
    Count,
    TotalCount,
    Median,
    StandardDeviation,
    Sum,
    Variance,
    Percentile20,
    Percentile80,
    LowerQuartile,
    UpperQuartile,
    QuartileDeviation,
    Quintile1,
    Quintile2,
    Quintile3,
    Quintile4,
    Skew,
    Kurtosis,
}

use Statistic::*;

/// Each statistic with its code and its name.
const ALL: [(Statistic, &str, &str); 20] = [
    (Average, "average", "Average"),
    (Maximum, "maximum", "Maximum"),
    (Minimum, "minimum", "Minimum"),
    (Count, "count", "Count"),
    (TotalCount, "total-count", "Total Count"),
    (Median, "median", "Median"),
    (StandardDeviation, "std-dev", "Standard Deviation"),
    (Sum, "sum", "Sum"),
    (Variance, "variance", "Variance"),
    (Percentile20, "20-percent", "20th Percentile"),
    (Percentile80, "80-percent", "80th Percentile"),
    (LowerQuartile, "4-lower", "Lower Quartile"),
    (UpperQuartile, "4-upper", "Upper Quartile"),
    (QuartileDeviation, "4-dev", "Quartile Deviation"),
    (Quintile1, "5-1", "1st Quintile"),
    (Quintile2, "5-2", "2nd Quintile"),
    (Quintile3, "5-3", "3rd Quintile"),
    (Quintile4, "5-4", "4th Quintile"),
    (Skew, "skew", "Skew"),
    (Kurtosis, "kurtosis", "Kurtosis"),
];

impl Statistic {
    /// The code system of the codes.
    pub const SYSTEM: &'static str = "http://terminology.hl7.org/CodeSystem/observation-statistics";

    /// The statistic with that code. The operation's own text says `max` and `min`, so these are understood too.
    #[must_use]
    pub fn of(code: &str) -> Option<Self> {
        match code {
            "max" => Some(Maximum),
            "min" => Some(Minimum),
            _ => ALL.iter().find(|it| it.1 == code).map(|it| it.0),
        }
    }

    /// Its code.
    #[must_use]
    pub fn code(self) -> &'static str {
        ALL[self as usize].1
    }

    /// Its name.
    #[must_use]
    pub fn display(self) -> &'static str {
        ALL[self as usize].2
    }

    /// What power of the measurements' unit the statistic has.
    pub(super) const fn power_of_unit(self) -> u8 {
        match self {
            Count | TotalCount | Skew | Kurtosis => 0,
            Variance => 2,
            _ => 1,
        }
    }

    /// The statistic of values in rising order; `None` if such values have none. What is calculated has two digits more
    /// than the values; what is not calculated is as it was sent.
    ///
    /// Percentiles, quartiles and quintiles lie between two values in proportion (method 7 of Hyndman and Fan, as
    /// spreadsheets have it). Variance and deviation are those of a sample. Skew and kurtosis are ratios of moments.
    pub(super) fn of_values(self, values: &[Decimal], ignored: usize) -> Option<Decimal> {
        let count = |count: usize| Decimal::new(i128::try_from(count).ok()?, 0);
        let scale = values.iter().map(|it| it.scale()).max().unwrap_or(0);
        let calculated = |value: Decimal| {
            let short = value.rounded(scale.saturating_add(2).min(MAX_SCALE))?.trimmed();
            if short.scale() < scale { short.rounded(scale) } else { Some(short) }
        };
        let between = |part: usize, of: usize| quantile(values, part, of).and_then(calculated);
        let sum = || values.iter().try_fold(Decimal::ZERO, |sum, value| sum.plus(*value));
        match self {
            Count => count(values.len()),
            TotalCount => count(values.len() + ignored),
            _ if values.is_empty() => None,
            Maximum => values.last().copied(),
            Minimum => values.first().copied(),
            Sum => calculated(sum()?),
            Average => calculated(sum()?.over(count(values.len())?)?),
            Median => between(1, 2),
            Percentile20 | Quintile1 => between(1, 5),
            Quintile2 => between(2, 5),
            Quintile3 => between(3, 5),
            Percentile80 | Quintile4 => between(4, 5),
            LowerQuartile => between(1, 4),
            UpperQuartile => between(3, 4),
            QuartileDeviation => {
                let range = quantile(values, 3, 4)?.minus(quantile(values, 1, 4)?)?;
                calculated(range.over(Decimal::from(2))?)
            }
            Variance => calculated(Decimal::from_f64(variance(values)?)?),
            StandardDeviation => calculated(Decimal::from_f64(variance(values)?.sqrt())?),
            Skew => ratio(values, 3),
            Kurtosis => ratio(values, 4),
        }
    }
}

/// The value below which a part of the values lie.
fn quantile(values: &[Decimal], part: usize, of: usize) -> Option<Decimal> {
    let place = values.len().checked_sub(1)?.checked_mul(part)?;
    let (low, high) = (*values.get(place / of)?, values.get(place / of + 1));
    let rest = place % of;
    let Some(high) = high.filter(|_| rest > 0) else { return Some(low) };
    let share = |number: usize| Decimal::new(i128::try_from(number).ok()?, 0);
    low.plus(high.minus(low)?.times(share(rest)?)?.over(share(of)?)?)
}

fn numbers(values: &[Decimal]) -> (Vec<f64>, f64) {
    let numbers: Vec<f64> = values.iter().map(|it| it.to_f64()).collect();
    let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
    (numbers, mean)
}

/// The variance of a sample: of two values or more.
fn variance(values: &[Decimal]) -> Option<f64> {
    let (numbers, mean) = numbers(values);
    let squares: f64 = numbers.iter().map(|number| (number - mean).powi(2)).sum();
    (numbers.len() > 1).then(|| squares / (numbers.len() - 1) as f64)
}

/// A central moment over the power of the second that makes it a plain number, with four digits.
fn ratio(values: &[Decimal], power: i32) -> Option<Decimal> {
    let (numbers, mean) = numbers(values);
    let moment = |power: i32| numbers.iter().map(|it| (it - mean).powi(power)).sum::<f64>() / numbers.len() as f64;
    let spread = moment(2);
    // Of values that are all the same it is nought over nought.
    if spread <= 0.0 {
        return None;
    }
    let ratio = moment(power) / spread.powf(f64::from(power) / 2.0);
    Decimal::from_f64(ratio)?.rounded(4).map(Decimal::trimmed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(statistic: Statistic, values: &[&str]) -> Option<String> {
        let mut values: Vec<Decimal> = values.iter().map(|text| Decimal::parse(text).unwrap()).collect();
        values.sort();
        statistic.of_values(&values, 2).map(|it| it.to_string())
    }

    #[test]
    fn every_statistic_has_its_own_code() {
        for (statistic, code, _) in ALL {
            assert_eq!((Statistic::of(code), statistic.code()), (Some(statistic), code));
        }
        assert_eq!((Statistic::of("max"), Statistic::of("min")), (Some(Maximum), Some(Minimum)));
        assert_eq!(Statistic::of("regression"), None);
    }

    #[test]
    fn numbers_are_summed_up_exactly() {
        let values = ["1.1", "2.2", "3.3", "4.40"];
        for (statistic, expected) in [
            (Sum, "11.00"),
            (Average, "2.75"),
            (Maximum, "4.40"),
            (Minimum, "1.1"),
            (Count, "4"),
            (TotalCount, "6"),
            (Median, "2.75"),
            (Percentile20, "1.76"),
            (Percentile80, "3.74"),
            (LowerQuartile, "1.925"),
            (UpperQuartile, "3.575"),
            (QuartileDeviation, "0.825"),
            (Quintile2, "2.42"),
            (Quintile3, "3.08"),
            (Variance, "2.0167"),
            (StandardDeviation, "1.4201"),
            (Skew, "0"),
            (Kurtosis, "1.64"),
        ] {
            assert_eq!(of(statistic, &values).as_deref(), Some(expected), "{statistic:?}");
        }
        assert_eq!(of(Average, &["1", "1", "2"]).unwrap(), "1.33");
        assert_eq!(of(Average, &["-1", "-1", "-2"]).unwrap(), "-1.33");
        assert_eq!(of(Median, &["5.10"]).unwrap(), "5.10");
        assert_eq!(of(Median, &["120", "80", "100"]).unwrap(), "100");
        assert_eq!(of(Skew, &["1", "1", "1", "5"]).unwrap(), "1.1547");
    }

    #[test]
    fn what_values_do_not_have_is_absent() {
        for (statistic, ..) in ALL {
            let none = of(statistic, &[]);
            match statistic {
                Count => assert_eq!(none.as_deref(), Some("0")),
                TotalCount => assert_eq!(none.as_deref(), Some("2")),
                _ => assert_eq!(none, None),
            }
            let _ = of(statistic, &["99999999999999999999999999999999999999", "0.0000000000000000000000000001"]);
        }
        for statistic in [Variance, StandardDeviation, Skew, Kurtosis] {
            assert_eq!(of(statistic, &["7"]), None);
        }
        assert_eq!(of(Skew, &["7", "7"]), None);
        assert_eq!(of(StandardDeviation, &["7", "7"]).unwrap(), "0");
    }
}
