//! Decimal numbers, exact: FHIR forbids that `0.010` becomes `0.01` (R4 §2.24.0.1), so no binary float will do.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

/// How many digits may stand after the point. FHIRPath asks for at least eight (N1 §2.5); more are rounded.
pub const MAX_SCALE: u8 = 28;

/// A decimal number that remembers how many digits were written after its point: `1.50` shows as `1.50`, yet equals `1.5`.
///
/// An operation whose result does not fit (about 38 digits) answers `None`.
#[derive(Clone, Copy)]
pub struct Decimal {
    units: i128,
    scale: u8,
}

impl Decimal {
    /// Nought.
    pub const ZERO: Self = Self { units: 0, scale: 0 };

    /// `units` divided by ten to the power of `scale`; a scale above [`MAX_SCALE`] is refused.
    #[must_use]
    pub const fn new(units: i128, scale: u8) -> Option<Self> {
        if scale > MAX_SCALE { None } else { Some(Self { units, scale }) }
    }

    /// Reads a number as JSON writes it, with or without a plus sign and leading noughts: `-1.50`, `1e3`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let (number, exponent) = match digits.find(['e', 'E']) {
            Some(at) => (&digits[..at], digits[at + 1..].parse::<i32>().ok()?),
            None => (digits, 0),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() || number.ends_with('.') {
            return None;
        }
        let mut units: i128 = 0;
        for byte in whole.bytes().chain(fraction.bytes()) {
            if !byte.is_ascii_digit() {
                return None;
            }
            units = units.checked_mul(10)?.checked_add(i128::from(byte - b'0'))?;
        }
        let scale = i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
        let units = if negative { -units } else { units };
        Self::scaled(units, scale)
    }

    /// `units` over ten to the power of any scale, rounded where it is finer than [`MAX_SCALE`].
    fn scaled(units: i128, scale: i32) -> Option<Self> {
        match u8::try_from(scale) {
            Ok(scale) if scale <= MAX_SCALE => Some(Self { units, scale }),
            Ok(scale) => {
                let drop = u32::from(scale - MAX_SCALE);
                let units = power_of_ten(drop).map_or(0, |by| divide_rounded(units, by));
                Some(Self { units, scale: MAX_SCALE })
            }
            Err(_) if scale > 0 => Some(Self { units: 0, scale: MAX_SCALE }),
            Err(_) if units == 0 => Some(Self::ZERO),
            Err(_) => Some(Self { units: units.checked_mul(power_of_ten(scale.unsigned_abs())?)?, scale: 0 }),
        }
    }

    /// The nearest decimal to a float, to its shortest text; `None` for what is no number or too large.
    #[must_use]
    pub fn from_f64(number: f64) -> Option<Self> {
        if number.is_finite() { Self::parse(&format!("{number:e}")) } else { None }
    }

    /// The nearest float.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        self.to_string().parse().unwrap_or(f64::NAN)
    }

    /// How many digits stand after the point.
    #[must_use]
    pub const fn scale(self) -> u8 {
        self.scale
    }

    /// The number without its point.
    #[must_use]
    pub const fn units(self) -> i128 {
        self.units
    }

    /// The whole number it is, if it is one.
    #[must_use]
    pub fn to_integer(self) -> Option<i128> {
        let short = self.trimmed();
        (short.scale == 0).then_some(short.units)
    }

    /// Without noughts at the end of the fraction.
    #[must_use]
    pub fn trimmed(self) -> Self {
        let Self { mut units, mut scale } = self;
        while scale > 0 && units % 10 == 0 {
            units /= 10;
            scale -= 1;
        }
        Self { units, scale }
    }

    /// Whether it is below nought.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.units < 0
    }

    /// Whether it is nought.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.units == 0
    }

    /// Without its sign.
    #[must_use]
    pub fn abs(self) -> Option<Self> {
        Some(Self { units: self.units.checked_abs()?, ..self })
    }

    /// With the other sign.
    #[must_use]
    pub fn negated(self) -> Option<Self> {
        Some(Self { units: self.units.checked_neg()?, ..self })
    }

    /// The same number with at least that many digits after the point.
    fn widened(self, scale: u8) -> Option<i128> {
        let more = u32::from(scale.checked_sub(self.scale)?);
        self.units.checked_mul(power_of_ten(more)?)
    }

    /// The sum.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        let units = self.widened(scale)?.checked_add(other.widened(scale)?)?;
        Some(Self { units, scale })
    }

    /// The difference.
    #[must_use]
    pub fn minus(self, other: Self) -> Option<Self> {
        self.plus(other.negated()?)
    }

    /// The product.
    #[must_use]
    pub fn times(self, other: Self) -> Option<Self> {
        if let Some(units) = self.units.checked_mul(other.units) {
            return Self::scaled(units, i32::from(self.scale) + i32::from(other.scale));
        }
        let (short, other) = (self.trimmed(), other.trimmed());
        let units = short.units.checked_mul(other.units)?;
        Self::scaled(units, i32::from(short.scale) + i32::from(other.scale))
    }

    /// The quotient, to about 28 significant digits; `None` for a division by nought.
    #[must_use]
    pub fn over(self, other: Self) -> Option<Self> {
        // With a divisor this short, ten times any remainder still fits.
        const LONGEST: u128 = 10_u128.pow(36);
        const ENOUGH: u128 = 10_u128.pow(27);
        let (mut top, mut bottom) = (self.trimmed(), other.trimmed());
        while bottom.units.unsigned_abs() > LONGEST {
            bottom.units /= 10;
            top.units /= 10;
        }
        let mut quotient = top.units.checked_div(bottom.units)?;
        let mut rest = top.units.checked_rem(bottom.units)?;
        let mut scale = i32::from(top.scale) - i32::from(bottom.scale);
        while scale < 0 || rest != 0 && scale < i32::from(MAX_SCALE) && quotient.unsigned_abs() < ENOUGH {
            quotient = quotient.checked_mul(10)?.checked_add(rest * 10 / bottom.units)?;
            rest = rest * 10 % bottom.units;
            scale += 1;
        }
        let (left, whole) = (rest.unsigned_abs(), bottom.units.unsigned_abs());
        if left != 0 && left >= whole - left {
            quotient = quotient.checked_add(if (rest < 0) == (bottom.units < 0) { 1 } else { -1 })?;
        }
        Self::scaled(quotient, scale).map(Self::trimmed)
    }

    /// The quotient without its fraction.
    #[must_use]
    pub fn whole_over(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        let units = self.widened(scale)?.checked_div(other.widened(scale)?)?;
        Some(Self { units, scale: 0 })
    }

    /// What a whole division leaves, with the sign of the dividend.
    #[must_use]
    pub fn rest_over(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        let units = self.widened(scale)?.checked_rem(other.widened(scale)?)?;
        Some(Self { units, scale })
    }

    /// Cut to that many digits after the point, or filled up with noughts.
    #[must_use]
    pub fn cut(self, scale: u8) -> Option<Self> {
        if scale >= self.scale {
            return Self::new(self.widened(scale)?, scale);
        }
        let by = power_of_ten(u32::from(self.scale - scale))?;
        Some(Self { units: self.units / by, scale })
    }

    /// Rounded to that many digits after the point, halves away from nought, or filled up with noughts.
    #[must_use]
    pub fn rounded(self, scale: u8) -> Option<Self> {
        if scale >= self.scale {
            return Self::new(self.widened(scale)?, scale);
        }
        let by = power_of_ten(u32::from(self.scale - scale))?;
        Some(Self { units: divide_rounded(self.units, by), scale })
    }

    /// The greatest whole number not above it.
    #[must_use]
    pub fn floor(self) -> i128 {
        self.units.div_euclid(power_of_ten(u32::from(self.scale)).unwrap_or(i128::MAX))
    }

    /// The least whole number not below it.
    #[must_use]
    pub fn ceiling(self) -> i128 {
        let by = power_of_ten(u32::from(self.scale)).unwrap_or(i128::MAX);
        self.units.div_euclid(by) + i128::from(self.units.rem_euclid(by) != 0)
    }

    /// Whole numbers of a power: exact where it fits.
    #[must_use]
    pub fn power(self, exponent: u32) -> Option<Self> {
        let (mut result, mut base, mut left) = (Self::from(1), self, exponent);
        while left > 0 {
            if left & 1 == 1 {
                result = result.times(base)?;
            }
            left >>= 1;
            if left > 0 {
                base = base.times(base)?;
            }
        }
        Some(result)
    }
}

/// Ten to that power, where it fits.
fn power_of_ten(exponent: u32) -> Option<i128> {
    10_i128.checked_pow(exponent)
}

fn divide_rounded(units: i128, by: i128) -> i128 {
    let (quotient, rest) = (units / by, units % by);
    if rest.abs() >= by - rest.abs() { quotient + units.signum() } else { quotient }
}

impl From<i32> for Decimal {
    fn from(number: i32) -> Self {
        Self { units: number.into(), scale: 0 }
    }
}

impl From<i64> for Decimal {
    fn from(number: i64) -> Self {
        Self { units: number.into(), scale: 0 }
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        if self.scale == other.scale {
            return self.units.cmp(&other.units);
        }
        let part = |it: &Self| {
            let by = power_of_ten(u32::from(it.scale)).unwrap_or(i128::MAX);
            let fraction = it.units.rem_euclid(by);
            (it.units.div_euclid(by), fraction * power_of_ten(u32::from(MAX_SCALE - it.scale)).unwrap_or(1))
        };
        part(self).cmp(&part(other))
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal {}

impl Hash for Decimal {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let short = self.trimmed();
        (short.units, short.scale).hash(state);
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.units < 0 { "-" } else { "" };
        let digits = self.units.unsigned_abs();
        if self.scale == 0 {
            return write!(f, "{sign}{digits}");
        }
        let by = 10_u128.pow(u32::from(self.scale));
        let width = usize::from(self.scale);
        write!(f, "{sign}{}.{:0width$}", digits / by, digits % by)
    }
}

impl fmt::Debug for Decimal {
    /// Never the number: it may be health data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Decimal(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn digits_after_the_point_are_kept() {
        for text in ["0", "1.50", "-0.010", "1234567890987654321.0", "120", "0.00000001"] {
            assert_eq!(decimal(text).to_string(), text);
        }
        for (text, shown) in [("1e3", "1000"), ("1.5E-3", "0.0015"), ("+1.20e1", "12.0"), ("007", "7"), ("0e999", "0")]
        {
            assert_eq!(decimal(text).to_string(), shown);
        }
        for text in ["", "-", ".5", "5.", "1e", "1e99", "--1", "1x", "9".repeat(40).as_str()] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_are_equal_however_written() {
        assert_eq!(decimal("1.50"), decimal("1.5"));
        assert!(decimal("-0.1") > decimal("-0.11"));
        assert!(decimal("99999999999999999999999999999999999999") > decimal("0.0000000000000000000000000001"));
    }

    #[test]
    fn arithmetic_is_exact() {
        assert_eq!(decimal("0.1").plus(decimal("0.2")).unwrap().to_string(), "0.3");
        assert_eq!(decimal("1.8").minus(decimal("1.2")).unwrap().to_string(), "0.6");
        assert_eq!(decimal("1.2").times(decimal("1.8")).unwrap().to_string(), "2.16");
        assert_eq!(decimal("1").over(decimal("8")).unwrap().to_string(), "0.125");
        assert_eq!(decimal("100").over(decimal("0.25")).unwrap().to_string(), "400");
        assert_eq!(decimal("1.2").over(decimal("1.8")).unwrap().to_string(), format!("0.{}7", "6".repeat(27)));
        assert_eq!(decimal("1").over(decimal("0")), None);
        assert_eq!(decimal("2.2").whole_over(decimal("1.8")).unwrap().to_string(), "1");
        assert_eq!(decimal("-5.5").rest_over(decimal("0.7")).unwrap().to_string(), "-0.6");
        assert_eq!(decimal("2.5").power(2).unwrap().to_string(), "6.25");
        assert_eq!(decimal("10").power(40), None);
    }

    #[test]
    fn rounding_goes_away_from_nought_at_a_half() {
        assert_eq!(decimal("3.14159").rounded(3).unwrap().to_string(), "3.142");
        assert_eq!(decimal("-2.5").rounded(0).unwrap().to_string(), "-3");
        assert_eq!(decimal("-2.5").cut(0).unwrap().to_string(), "-2");
        assert_eq!(decimal("1.5").rounded(3).unwrap().to_string(), "1.500");
        assert_eq!((decimal("-2.1").floor(), decimal("-2.1").ceiling(), decimal("1.1").ceiling()), (-3, -2, 2));
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(units in any::<i64>(), scale in 0u8..=20) {
            let number = Decimal::new(i128::from(units), scale).unwrap();
            let back = decimal(&number.to_string());
            prop_assert_eq!((back.units, back.scale), (number.units, number.scale));
        }

        #[test]
        fn no_text_panics(text in "[0-9eE.+-]{0,60}|.*") {
            let _ = Decimal::parse(&text);
        }

        #[test]
        fn no_operation_panics(a in any::<i128>(), b in any::<i128>(), p in 0u8..=28, q in 0u8..=28) {
            let (a, b) = (Decimal::new(a, p).unwrap(), Decimal::new(b, q).unwrap());
            let _ = (a.plus(b), a.minus(b), a.times(b), a.over(b), a.whole_over(b), a.rest_over(b), a.cmp(&b));
            let _ = (a.abs(), a.negated(), a.power(3), a.to_string(), a.to_f64(), a.to_integer());
            let _ = (a.cut(q), a.rounded(q));
            let _ = (a.floor(), a.ceiling());
        }

        #[test]
        fn a_quotient_times_its_divisor_is_near_the_dividend(a in any::<i32>(), b in any::<i32>()) {
            prop_assume!(b != 0);
            let (a, b) = (Decimal::from(a), Decimal::from(b));
            let back = a.over(b).unwrap().times(b).unwrap();
            prop_assert!(back.minus(a).unwrap().abs().unwrap() < decimal("0.0000000001"));
        }
    }
}
