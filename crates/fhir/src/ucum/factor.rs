//! How much larger one unit is than another: a fraction with a power of ten.

use crate::decimal::Decimal;

/// `top / bottom × 10^tens`. Exact as long as its parts fit; then rounded to some twenty digits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Factor {
    top: u128,
    bottom: u128,
    tens: i32,
}

/// Larger powers of ten than any unit has.
const LARGEST: i32 = 2_000;

impl Factor {
    pub(super) const ONE: Self = Self { top: 1, bottom: 1, tens: 0 };

    pub(super) const fn ten_to(tens: i32) -> Self {
        Self { top: 1, bottom: 1, tens }
    }

    /// A whole number, such as the 12 in `12.[in_i]`; `None` for nought.
    pub(super) fn whole(number: u64) -> Option<Self> {
        (number > 0).then(|| Self { top: number.into(), bottom: 1, tens: 0 }.reduced())
    }

    /// A number as the table writes it, such as `1.602176634e-19` or `5/9`.
    pub(super) fn read(text: &str) -> Option<Self> {
        if let Some((top, bottom)) = text.split_once('/') {
            return Self::read(top)?.over(Self::read(bottom)?);
        }
        let (number, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let top: u128 = format!("{whole}{fraction}").parse().ok().filter(|&top| top > 0)?;
        let tens = exponent.parse::<i32>().ok()? - i32::try_from(fraction.len()).ok()?;
        Some(Self { top, bottom: 1, tens }.reduced())
    }

    pub(super) fn is_one(self) -> bool {
        let Self { top, bottom, tens } = self.reduced();
        top == 1 && bottom == 1 && tens == 0
    }

    fn reduced(self) -> Self {
        let Self { mut top, mut bottom, mut tens } = self;
        let common = greatest_common_divisor(top, bottom);
        (top, bottom) = (top / common, bottom / common);
        while top.is_multiple_of(10) {
            (top, tens) = (top / 10, tens + 1);
        }
        while bottom.is_multiple_of(10) {
            (bottom, tens) = (bottom / 10, tens - 1);
        }
        Self { top, bottom, tens }
    }

    pub(super) fn times(self, other: Self) -> Option<Self> {
        let (top, more) = multiply(self.top, other.top);
        let (bottom, less) = multiply(self.bottom, other.bottom);
        let tens = self.tens.checked_add(other.tens)?.checked_add(more - less)?;
        (tens.abs() <= LARGEST).then(|| Self { top, bottom, tens }.reduced())
    }

    pub(super) fn over(self, other: Self) -> Option<Self> {
        self.times(Self { top: other.bottom, bottom: other.top, tens: -other.tens })
    }

    pub(super) fn power(self, exponent: i8) -> Option<Self> {
        let base = if exponent < 0 { Self::ONE.over(self)? } else { self };
        (0..exponent.unsigned_abs()).try_fold(Self::ONE, |product, _| product.times(base))
    }

    /// The number times this factor; `None` if it does not fit.
    pub(super) fn times_decimal(self, number: Decimal) -> Option<Decimal> {
        let part = |part: u128| Decimal::new(i128::try_from(part).ok()?, 0);
        let ten = |power: u32| Decimal::new(10_i128.checked_pow(power)?, 0);
        let mut product = number.trimmed().times(part(self.top)?)?;
        if self.tens >= 0 {
            product = product.times(ten(self.tens.unsigned_abs())?)?;
            return if self.bottom == 1 { Some(product) } else { product.over(part(self.bottom)?) };
        }
        // Both divisions in one, so that nothing is rounded twice.
        match i128::try_from(self.bottom).ok()?.checked_mul(10_i128.checked_pow(self.tens.unsigned_abs())?) {
            Some(bottom) => product.over(Decimal::new(bottom, 0)?),
            None => product.over(part(self.bottom)?)?.over(ten(self.tens.unsigned_abs())?),
        }
    }
}

/// The product and how many powers of ten were taken from it so that it fits.
fn multiply(mut left: u128, mut right: u128) -> (u128, i32) {
    let mut taken = 0;
    loop {
        if let Some(product) = left.checked_mul(right) {
            return (product, taken);
        }
        let larger = if left > right { &mut left } else { &mut right };
        *larger = larger.saturating_add(5) / 10;
        taken += 1;
    }
}

fn greatest_common_divisor(mut left: u128, mut right: u128) -> u128 {
    while right != 0 {
        (left, right) = (right, left % right);
    }
    left.max(1)
}
