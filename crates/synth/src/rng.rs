//! Repeatable choices. Each person has streams of their own, derived from the seed, the person's index and a purpose, so
//! that no person's data depends on how many others were made before.

/// Multiplier of the stream counter (SplitMix64).
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// What a stream is used for. Adding a draw to one purpose leaves the others as they were.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    /// Who lives with whom in a block of people.
    Household = 1,
    /// Names, contact details, address and death of one person.
    Identity = 2,
    /// Conditions and care of one person.
    Life = 3,
    /// Blood pressure measured at home by one person.
    Home = 4,
}

/// A stream of pseudo-random numbers.
pub(crate) struct Rng(u64);

fn mix(value: u64) -> u64 {
    let z = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Rng {
    /// The stream of one thing (a person or a block) for one purpose.
    pub(crate) fn new(seed: u64, index: u32, purpose: Purpose) -> Self {
        Self(mix(mix(seed.wrapping_add(STEP)).wrapping_add(u64::from(index)).wrapping_mul(STEP) ^ purpose as u64))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mix(self.0)
    }

    /// A number below `bound`, which must not be 0.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        let high = self.next() >> 32;
        u32::try_from((high * u64::from(bound)) >> 32).expect("smaller than the bound")
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn range(&mut self, low: i32, high: i32) -> i32 {
        debug_assert!(low <= high);
        low + i32::try_from(self.below((high - low + 1).unsigned_abs())).expect("within the range")
    }

    /// True in `per_mille` cases out of 1,000.
    pub(crate) fn chance(&mut self, per_mille: u32) -> bool {
        self.below(1_000) < per_mille
    }

    /// One of the items, each as likely as the others.
    pub(crate) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(u32::try_from(items.len()).expect("a short list")) as usize]
    }

    /// One of the items, with the given weights.
    pub(crate) fn weighted<'a, T>(&mut self, items: &'a [(u32, T)]) -> &'a T {
        let total = items.iter().map(|(weight, _)| weight).sum();
        let mut left = self.below(total);
        for (weight, item) in items {
            if left < *weight {
                return item;
            }
            left -= weight;
        }
        unreachable!("the weights add up to the total")
    }

    /// A bell-shaped number around 0 that stays within three times `spread`, in steps of whole numbers.
    pub(crate) fn around(&mut self, spread: i32) -> i32 {
        let sum = self.range(-spread, spread) + self.range(-spread, spread) + self.range(-spread, spread);
        sum * 10 / 17
    }
}

/// The natural logarithm, from basic arithmetic only so that every platform gives the same bits.
pub(crate) fn ln(value: f64) -> f64 {
    let (mut mantissa, mut halvings) = (value, 0.0);
    while mantissa > 1.5 {
        mantissa /= 2.0;
        halvings += 1.0;
    }
    while mantissa < 0.75 {
        mantissa *= 2.0;
        halvings -= 1.0;
    }
    let ratio = (mantissa - 1.0) / (mantissa + 1.0);
    let (square, mut power, mut sum) = (ratio * ratio, ratio, 0.0);
    for odd in 0..12 {
        sum += power / f64::from(2 * odd + 1);
        power *= square;
    }
    2.0 * sum + halvings * std::f64::consts::LN_2
}

/// The exponential function, likewise.
pub(crate) fn exp(value: f64) -> f64 {
    let scaled = value / 64.0;
    let (mut term, mut sum) = (1.0, 1.0);
    for n in 1..14 {
        term *= scaled / f64::from(n);
        sum += term;
    }
    for _ in 0..6 {
        sum *= sum;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithm_and_exponential_agree_with_the_library_to_ten_digits() {
        for n in 1..400 {
            let x = f64::from(n) * 0.05;
            assert!((ln(x) - x.ln()).abs() < 1e-10, "ln {x}");
            let y = x - 8.0;
            assert!((exp(y) / y.exp() - 1.0).abs() < 1e-10, "exp {y}");
        }
    }

    #[test]
    fn streams_of_neighbours_and_of_purposes_differ() {
        let first = |index, purpose| Rng::new(7, index, purpose).next();
        assert_ne!(first(1, Purpose::Life), first(2, Purpose::Life));
        assert_ne!(first(1, Purpose::Life), first(1, Purpose::Identity));
    }
}
