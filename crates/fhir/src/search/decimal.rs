//! Decimal numbers exactly as they are written: `0.1` is a tenth, and `5.35` lies on the edge of "5.4 to two figures".
//! Binary floating point would get such edges wrong.

use std::cmp::Ordering;

/// How many significant digits are kept. FHIR asks for 18; what follows the 24th is dropped.
const MOST_DIGITS: u32 = 24;
/// How large a power of ten may be.
const MOST_EXPONENT: i32 = 9_999;

/// `digits` times ten to the power of `exponent`. Compared by value: `1.0` equals `1`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decimal {
    digits: i128,
    exponent: i32,
}

impl Decimal {
    /// A whole number.
    pub(super) const fn whole(digits: i64) -> Self {
        Self { digits: digits as i128, exponent: 0 }
    }

    /// Ten to a power.
    pub(super) const fn power_of_ten(exponent: i32) -> Self {
        Self { digits: 1, exponent }
    }

    /// Reads `-12.50` or `1.2e-3`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        Written::parse(text).map(|written| written.value)
    }

    /// The product, unless it needs more digits than there is room for.
    pub(super) fn times(self, other: Self) -> Option<Self> {
        let (left, right) = (self.trimmed(), other.trimmed());
        let exponent = left.exponent.checked_add(right.exponent)?;
        Some(Self { digits: left.digits.checked_mul(right.digits)?, exponent })
    }

    /// The sum, unless it needs more digits than there is room for.
    pub(super) fn plus(self, other: Self) -> Option<Self> {
        let exponent = self.exponent.min(other.exponent);
        let aligned = |it: Self| {
            let scale = 10i128.checked_pow(it.exponent.abs_diff(exponent))?;
            it.digits.checked_mul(scale)
        };
        Some(Self { digits: aligned(self)?.checked_add(aligned(other)?)?, exponent })
    }

    /// A tenth less and a tenth more, the smaller first: what FHIR recommends for `ap`.
    pub(super) fn about(self) -> (Self, Self) {
        let scaled = |by: i128| Self { digits: self.digits * by, exponent: self.exponent - 1 };
        let (low, high) = (scaled(9), scaled(11));
        if self.digits < 0 { (high, low) } else { (low, high) }
    }

    /// The nearest floating point number: good enough for an order.
    pub(super) fn approximately(self) -> f64 {
        format!("{}e{}", self.digits, self.exponent).parse().unwrap_or(0.0)
    }

    /// The same value without zeros at the end.
    fn trimmed(self) -> Self {
        let (mut digits, mut exponent) = (self.digits, self.exponent);
        while digits != 0 && digits % 10 == 0 {
            digits /= 10;
            exponent += 1;
        }
        Self { digits, exponent: if digits == 0 { 0 } else { exponent } }
    }

    /// The power of ten just above the first digit. Only for values other than zero.
    fn magnitude(self) -> i64 {
        i64::from(self.digits.unsigned_abs().ilog10()) + i64::from(self.exponent)
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Decimal {}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_sign = self.digits.signum().cmp(&other.digits.signum());
        if by_sign.is_ne() || self.digits == 0 {
            return by_sign;
        }
        let by_magnitude = self.magnitude().cmp(&other.magnitude());
        let by_size = by_magnitude.then_with(|| {
            // Without zeros at the end, equal magnitudes differ in length by less than the digits there is room for.
            let (left, right) = (self.trimmed(), other.trimmed());
            let apart = left.exponent.abs_diff(right.exponent);
            let scale = 10i128.checked_pow(apart);
            let (l, r) = (left.digits.checked_abs(), right.digits.checked_abs());
            let longer = |digits: Option<i128>| digits?.checked_mul(scale?);
            match left.exponent.cmp(&right.exponent) {
                Ordering::Greater => longer(l).cmp(&r),
                Ordering::Less => l.cmp(&longer(r)),
                Ordering::Equal => l.cmp(&r),
            }
        });
        if self.digits < 0 { by_size.reverse() } else { by_size }
    }
}

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
    /// Reads a number and how precisely it was said (FHIR R4 §3.1.1.5.4): `100` is 99.5 to 100.5, `100.00` is 99.995 to
    /// 100.005. `1e2` is 95 to 105, as R4's own example has it: one digit with an exponent counts as two.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Some(read_exponent(exponent)?)),
            None => (text, None),
        };
        let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(w, f)| (w, Some(f)));
        let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !all_digits(whole) || fraction.is_some_and(|it| !all_digits(it)) {
            return None;
        }
        let fraction = fraction.unwrap_or_default();
        let mut digits = 0i128;
        let mut kept = 0;
        let mut dropped = 0i32;
        for digit in whole.bytes().chain(fraction.bytes()) {
            if kept == MOST_DIGITS {
                dropped = dropped.checked_add(1)?;
                continue;
            }
            digits = digits * 10 + i128::from(digit - b'0');
            kept += u32::from(digits != 0);
        }
        let places = i32::try_from(fraction.len()).ok()?;
        let last = exponent.unwrap_or(0).checked_sub(places)?.checked_add(dropped)?;
        if !(-MOST_EXPONENT..=MOST_EXPONENT).contains(&last) {
            return None;
        }
        let digits = if negative { -digits } else { digits };
        let value = Decimal { digits, exponent: last };
        let one_digit = exponent.is_some() && fraction.is_empty() && kept <= 1;
        let (scale, below) = if one_digit { (100, 2) } else { (10, 1) };
        let edge = |by: i128| Decimal { digits: digits * scale + by, exponent: last - below };
        Some(Self { value, low: edge(-5), high: edge(5) })
    }
}

fn read_exponent(text: &str) -> Option<i32> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if unsigned.is_empty() || unsigned.len() > 4 || !unsigned.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let size: i32 = unsigned.parse().ok()?;
    Some(if text.starts_with('-') { -size } else { size })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn numbers_are_ordered_by_value_and_not_by_spelling() {
        let ordered =
            ["-1e9999", "-10", "-9.99", "-0.1", "0", "1e-9999", "0.09999", "0.1", "1", "1.0000001", "2", "1e3"];
        for (at, left) in ordered.iter().enumerate() {
            for (other, right) in ordered.iter().enumerate() {
                assert_eq!(decimal(left).cmp(&decimal(right)), at.cmp(&other), "{left} {right}");
            }
        }
        for (left, right) in [("1", "1.000"), ("1e2", "100"), ("-0", "0"), ("0.00", "0e5"), ("0012", "12")] {
            assert_eq!(decimal(left), decimal(right));
        }
    }

    #[test]
    fn a_number_means_half_of_its_last_digit_either_way() {
        for (text, low, high) in [
            ("100", "99.5", "100.5"),
            ("100.00", "99.995", "100.005"),
            ("1e2", "95", "105"),
            ("1.0e2", "95", "105"),
            ("5.4e-3", "0.00535", "0.00545"),
            ("-2", "-2.5", "-1.5"),
            ("0", "-0.5", "0.5"),
        ] {
            let written = Written::parse(text).unwrap();
            assert_eq!((written.low, written.high), (decimal(low), decimal(high)), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in ["", "-", ".", "1.", ".5", "+1", "1e", "1e+", "1e99999", "0x1", "1,5", "NaN", "1 ", "--1", "١"] {
            assert!(Decimal::parse(text).is_none(), "{text}");
        }
        assert!(Decimal::parse(&"9".repeat(9_000)).is_some());
        assert!(Decimal::parse(&"9".repeat(90_000)).is_none());
    }

    proptest! {
        #[test]
        fn small_decimals_compare_as_whole_numbers_of_thousandths_do(a in -99_999_999i64..99_999_999, b in -99_999_999i64..99_999_999) {
            let text = |n: i64| format!("{}{}.{:03}", if n < 0 { "-" } else { "" }, n.abs() / 1_000, n.abs() % 1_000);
            prop_assert_eq!(decimal(&text(a)).cmp(&decimal(&text(b))), a.cmp(&b));
            let product = decimal(&text(a)).times(decimal(&text(b))).unwrap();
            let exact = Decimal { digits: i128::from(a) * i128::from(b), exponent: -6 };
            prop_assert_eq!(product, exact);
            let sum = decimal(&text(a)).plus(decimal(&text(b))).unwrap();
            prop_assert_eq!(sum, Decimal { digits: i128::from(a) + i128::from(b), exponent: -3 });
        }

        #[test]
        fn no_text_panics(text in "-?[0-9]{0,50}\\.?[0-9]{0,50}(e[+-]?[0-9]{0,5})?|.*") {
            if let Some(written) = Written::parse(&text) {
                prop_assert!(written.low < written.value && written.value < written.high);
                let (low, high) = written.value.about();
                prop_assert!(low <= high);
                prop_assert_eq!(written.value.times(Decimal::whole(1)), Some(written.value));
            }
        }
    }
}
