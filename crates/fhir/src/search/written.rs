//! A number of a query, and how precisely it was said (FHIR R4 §3.1.1.5.4).

use crate::decimal::{Decimal, MAX_SCALE};

/// A number as somebody wrote it: its value, and the half of its last digit's worth on either side.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written {
    /// The value itself.
    pub(super) value: Decimal,
    /// The lower end of what was meant, included.
    pub(super) low: Decimal,
    /// The upper end of what was meant, not included.
    pub(super) high: Decimal,
}

impl Written {
    /// Reads a number: `100` is 99.5 to 100.5, `100.00` is 99.995 to 100.005. `1e2` is 95 to 105, as R4's own example has
    /// it: one digit with an exponent counts as two.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if !text.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
            return None;
        }
        let value = Decimal::parse(text)?;
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Some(exponent.parse::<i32>().ok()?)),
            None => (text, None),
        };
        let fraction = mantissa.split_once('.').map_or("", |(_, fraction)| fraction);
        let digits = mantissa.bytes().filter(u8::is_ascii_digit).skip_while(|digit| *digit == b'0').count();
        let one_digit = exponent.is_some() && fraction.is_empty() && digits <= 1;
        let last = exponent.unwrap_or(0).checked_sub(i32::try_from(fraction.len()).ok()?)?;
        let half = half_of(last.checked_sub(i32::from(one_digit))?)?;
        Some(Self { value, low: value.minus(half)?, high: value.plus(half)? })
    }

    /// A tenth less and a tenth more, the smaller first: what FHIR recommends for `ap` (§3.1.1.5.3).
    pub(super) fn about(&self) -> Option<(Decimal, Decimal)> {
        let tenth = self.value.abs()?.times(Decimal::new(1, 1)?)?;
        Some((self.value.minus(tenth)?, self.value.plus(tenth)?))
    }
}

/// Half of a power of ten.
fn half_of(power: i32) -> Option<Decimal> {
    if power > 0 {
        return Decimal::new(5 * 10i128.checked_pow(power.unsigned_abs() - 1)?, 0);
    }
    // What is finer than a decimal can hold is as fine as it can hold.
    let scale = power.unsigned_abs().checked_add(1)?.min(u32::from(MAX_SCALE));
    Decimal::new(5, u8::try_from(scale).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_number_means_half_of_its_last_digit_either_way() {
        let decimal = |text| Decimal::parse(text).unwrap();
        for (text, low, high) in [
            ("100", "99.5", "100.5"),
            ("100.00", "99.995", "100.005"),
            ("1e2", "95", "105"),
            ("1.0e2", "95", "105"),
            ("12e3", "11500", "12500"),
            ("5.4e-3", "0.00535", "0.00545"),
            ("-2", "-2.5", "-1.5"),
            ("0", "-0.5", "0.5"),
        ] {
            let written = Written::parse(text).unwrap();
            assert_eq!((written.low, written.high), (decimal(low), decimal(high)), "{text}");
        }
        let (low, high) = Written::parse("-20").unwrap().about().unwrap();
        assert_eq!((low, high), (decimal("-22"), decimal("-18")));
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in ["", "-", ".", "1.", ".5", "+1", "1e", "1e+", "1e99999", "0x1", "1,5", "NaN", "1 ", "--1", "١"] {
            assert!(Written::parse(text).is_none(), "{text}");
        }
        assert!(Written::parse(&"9".repeat(90_000)).is_none());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "-?[0-9]{0,50}\\.?[0-9]{0,50}(e[+-]?[0-9]{0,5})?|.*") {
            if let Some(written) = Written::parse(&text) {
                prop_assert!(written.low < written.value && written.value < written.high);
                prop_assert!(written.about().is_none_or(|(low, high)| low <= high));
            }
        }
    }
}
