//! Units of measure by their UCUM codes: which can be compared, and by what factor they differ.
//!
//! Written from the UCUM specification (version 2.1, case-sensitive codes). Conversion factors are exact fractions where
//! UCUM defines them so. Units on a scale of their own are understood where it is linear (`Cel`, `[degF]`, `[degRe]`);
//! logarithmic ones (`[pH]`, `dB`) are not, and two of them compare only under the same code.

mod factor;
mod parse;
mod table;

use crate::decimal::Decimal;
use factor::Factor;

/// The seven base units, in the order of [`Dimensions`]: m, s, g, rad, K, C, cd.
const BASES: usize = 7;

/// What a unit measures: the exponent of each base unit, and that of an arbitrary unit such as `[iU]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Dimensions {
    bases: [i8; BASES],
    /// A unit that no other can be converted to (UCUM §24), by its place in the table.
    arbitrary: Option<(u16, i8)>,
}

impl Dimensions {
    fn times(mut self, other: Self, exponent: i8) -> Option<Self> {
        for (ours, theirs) in self.bases.iter_mut().zip(other.bases) {
            *ours = ours.checked_add(theirs.checked_mul(exponent)?)?;
        }
        self.arbitrary = match (self.arbitrary, other.arbitrary) {
            (ours, None) => ours,
            (None, Some((unit, power))) => Some((unit, power.checked_mul(exponent)?)),
            (Some((ours, power)), Some((theirs, more))) if ours == theirs => {
                Some((ours, power.checked_add(more.checked_mul(exponent)?)?))
            }
            _ => return None,
        };
        self.arbitrary = self.arbitrary.filter(|(_, power)| *power != 0);
        Some(self)
    }
}

/// A unit that was understood.
#[derive(Debug, Clone, Copy)]
pub struct Unit {
    /// How many of the base units it is.
    factor: Factor,
    dimensions: Dimensions,
    /// Where its nought lies on the base unit's scale, counted in this unit.
    shift: Option<Decimal>,
}

impl Unit {
    /// Reads a UCUM code such as `mg/dL`, `10*9/L` or `mm[Hg]`; `None` for what is none, or is not understood.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        parse::unit(code, &table::find)
    }

    const ONE: Self =
        Self { factor: Factor::ONE, dimensions: Dimensions { bases: [0; BASES], arbitrary: None }, shift: None };

    /// Whether amounts in the two units can be compared.
    #[must_use]
    pub fn is_comparable(&self, other: &Self) -> bool {
        self.dimensions == other.dimensions
    }

    /// Whether it is just a number: `1`, or `m/m`.
    #[must_use]
    pub fn is_one(&self) -> bool {
        self.dimensions == Dimensions::default() && self.factor.is_one()
    }

    /// That many of this unit, told in the other; `None` if they cannot be compared or the number does not fit.
    #[must_use]
    pub fn convert(&self, amount: Decimal, to: &Self) -> Option<Decimal> {
        if !self.is_comparable(to) {
            return None;
        }
        let absolute = self.shift.map_or(Some(amount), |shift| amount.plus(shift))?;
        let told = self.factor.over(to.factor)?.times_decimal(absolute)?;
        to.shift.map_or(Some(told), |shift| told.minus(shift))
    }

    /// That many of this unit, told in base units: for putting amounts of all units that can be compared in one order.
    #[must_use]
    pub fn in_base(&self, amount: Decimal) -> Option<Decimal> {
        self.convert(amount, &Self { factor: Factor::ONE, shift: None, ..*self })
    }

    /// The base units that it is made of, as a text: the same for all units that can be compared.
    #[must_use]
    pub fn base_code(&self) -> String {
        let bases = ["m", "s", "g", "rad", "K", "C", "cd"].iter().zip(self.dimensions.bases);
        let mut code: String =
            bases.filter(|(_, power)| *power != 0).map(|(base, power)| format!("{base}{power}.")).collect();
        if let Some((unit, power)) = self.dimensions.arbitrary {
            code.push_str(&format!("[{unit}]{power}"));
        }
        code
    }

    fn times(self, other: Self, exponent: i8) -> Option<Self> {
        if self.shift.is_some() || other.shift.is_some() {
            // A temperature on a scale with a nought of its own does not multiply.
            let alone = self.is_one() && exponent == 1;
            return alone.then_some(other);
        }
        let dimensions = self.dimensions.times(other.dimensions, exponent)?;
        let factor = self.factor.times(other.factor.power(exponent)?)?;
        Some(Self { factor, dimensions, shift: None })
    }
}

/// The code of the product of two units.
#[must_use]
pub fn product(left: &str, right: &str) -> String {
    match (left, right) {
        ("1", other) | (other, "1") => other.to_owned(),
        _ if right.starts_with('/') => format!("{left}{right}"),
        _ => format!("{left}.{right}"),
    }
}

/// The code of the quotient of two units.
#[must_use]
pub fn quotient(left: &str, right: &str) -> String {
    match (left, right) {
        (_, "1") => left.to_owned(),
        _ if left == right => "1".to_owned(),
        ("1", _) if !right.contains(['/', '.']) => format!("/{right}"),
        _ if right.contains(['/', '.']) => format!("{left}/({right})"),
        _ => format!("{left}/{right}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn convert(amount: &str, from: &str, to: &str) -> Option<String> {
        let amount = Decimal::parse(amount).unwrap();
        let told = Unit::parse(from).unwrap().convert(amount, &Unit::parse(to).unwrap())?;
        Some(told.trimmed().to_string())
    }

    #[test]
    fn amounts_are_converted_exactly() {
        for (amount, from, to, told) in [
            ("4.0000", "g", "mg", "4000"),
            ("0.3", "g", "mg", "300"),
            ("1", "[in_i]", "cm", "2.54"),
            ("185", "[lb_av]", "kg", "83.91458845"),
            ("1", "wk", "d", "7"),
            ("1", "a", "d", "365.25"),
            ("60", "/min", "/s", "1"),
            ("5", "mg/dL", "g/L", "0.05"),
            ("7.5", "mmol/L", "umol/mL", "7.5"),
            ("120", "mm[Hg]", "kPa", "15.9986399999999"),
            ("1", "10*9/L", "/nL", "1"),
            ("1", "10*3/uL", "10^9/L", "1"),
            ("2", "[iU]/mL", "k[iU]/L", "2"),
            ("1", "[gal_us]", "L", "3.785411784"),
            ("1", "kcal", "J", "4184"),
            ("12", "{breaths}/min", "/min", "12"),
            ("5", "%", "1", "0.05"),
            ("37", "Cel", "[degF]", "98.6"),
            ("98.6", "[degF]", "Cel", "37"),
            ("0", "Cel", "K", "273.15"),
            ("70", "kg/m2", "g/cm2", "7"),
            ("1", "mL/min/{1.73_m2}", "mL/min", "1"),
            ("1", "(kg.m)/s2", "N", "1"),
            ("1", "U/L", "umol/(min.L)", "1"),
            ("1", "meq/L", "mmol/L", "1"),
        ] {
            let found = convert(amount, from, to);
            if from == "mm[Hg]" {
                assert!(found.unwrap().starts_with("15.99864"));
            } else {
                assert_eq!(found.as_deref(), Some(told), "{from} to {to}");
            }
        }
    }

    #[test]
    fn amounts_of_one_kind_have_one_order() {
        let base = |amount: &str, code: &str| {
            let unit = Unit::parse(code).unwrap();
            (unit.base_code(), unit.in_base(Decimal::parse(amount).unwrap()).unwrap())
        };
        assert_eq!(base("1500", "mg"), base("1.5", "g"));
        assert!(base("36.6", "Cel") < base("99", "[degF]"));
        assert_ne!(base("1", "g").0, base("1", "m").0);
        assert_ne!(base("1", "[iU]").0, base("1", "1").0);
    }

    #[test]
    fn what_measures_something_else_does_not_convert() {
        for (from, to) in [("cm", "s"), ("[iU]", "1"), ("[iU]", "[arb'U]"), ("mg", "mL"), ("Cel", "m")] {
            assert_eq!(convert("1", from, to), None, "{from} to {to}");
        }
    }

    #[test]
    fn what_is_no_code_is_not_understood() {
        for code in [
            "", "[s]", "foo", "mg//dL", "mg/", "(mg", "mg)", "m{", "m}", "2m", "m-", "kfoo", "Cel/m", "[pH]", "m.",
            "%%",
        ] {
            assert!(Unit::parse(code).is_none(), "{code}");
        }
    }

    #[test]
    fn every_unit_of_the_table_is_understood() {
        assert_eq!(table::unresolved(), Vec::<&str>::new());
    }

    #[test]
    fn products_and_quotients_have_codes() {
        for (code, same) in [
            (product("cm", "m"), "m2"),
            (quotient("g", "m"), "g/m"),
            (quotient("m", "m"), "1"),
            (quotient("1", "s"), "Hz"),
            (quotient("m", "m/s"), "s"),
            (product("1", "s"), "s"),
        ] {
            let (ours, theirs) = (Unit::parse(&code).unwrap(), Unit::parse(same).unwrap());
            assert!(ours.is_comparable(&theirs), "{code}");
        }
    }

    proptest! {
        #[test]
        fn no_code_panics(code in "[a-zA-Z0-9./(){}\\[\\]'%*^+-]{0,40}|.*", amount in any::<i64>()) {
            if let Some(unit) = Unit::parse(&code) {
                let _ = unit.convert(Decimal::from(amount), &Unit::parse("m").unwrap());
                let _ = unit.convert(Decimal::from(amount), &unit);
            }
        }
    }
}
