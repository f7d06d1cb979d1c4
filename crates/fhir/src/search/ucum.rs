//! The units of care, as far as one may stand for another: `1000 mg` is `1 g`, `10*3/uL` is `10*9/L`.
//!
//! A small reader of UCUM terms (unitsofmeasure.org): atoms with metric prefixes, powers, `.` and `/`, annotations in
//! braces. What it does not know it does not convert; such units are equal only if they are spelt alike. Temperatures in
//! different scales are not converted: their zeros differ.

use super::decimal::Decimal;

/// The system of UCUM's codes.
pub(super) const SYSTEM: &str = "http://unitsofmeasure.org";

/// A longer term is not read.
const LONGEST: usize = 64;

/// The base quantities, as places in [`Unit::powers`].
const BASES: usize = 11;
const MASS: usize = 0;
const LENGTH: usize = 1;
const TIME: usize = 2;
const AMOUNT: usize = 3;
const POTENCY: usize = 4;
const CHARGE: usize = 5;
const PARTICLES: usize = 6;
const PRESSURE: usize = 7;
const ENERGY: usize = 8;
const KELVIN: usize = 9;
const CELSIUS: usize = 10;

/// A unit as a multiple of base units: `over / under` of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unit {
    over: Decimal,
    under: Decimal,
    powers: [i8; BASES],
}

/// An atom: its name, whether metric prefixes go with it, numerator, denominator, and powers of the base quantities.
type Atom = (&'static str, bool, &'static str, &'static str, &'static [(usize, i8)]);

const ATOMS: [Atom; 34] = [
    ("g", true, "1", "1", &[(MASS, 1)]),
    ("m", true, "1", "1", &[(LENGTH, 1)]),
    ("L", true, "0.001", "1", &[(LENGTH, 3)]),
    ("l", true, "0.001", "1", &[(LENGTH, 3)]),
    ("s", true, "1", "1", &[(TIME, 1)]),
    ("min", false, "60", "1", &[(TIME, 1)]),
    ("h", false, "3600", "1", &[(TIME, 1)]),
    ("d", false, "86400", "1", &[(TIME, 1)]),
    ("wk", false, "604800", "1", &[(TIME, 1)]),
    ("mo", false, "2629800", "1", &[(TIME, 1)]),
    ("a", false, "31557600", "1", &[(TIME, 1)]),
    ("Hz", true, "1", "1", &[(TIME, -1)]),
    ("mol", true, "1", "1", &[(AMOUNT, 1)]),
    ("[iU]", true, "1", "1", &[(POTENCY, 1)]),
    ("[IU]", true, "1", "1", &[(POTENCY, 1)]),
    ("eq", true, "1", "1", &[(CHARGE, 1)]),
    ("osm", true, "1", "1", &[(PARTICLES, 1)]),
    ("U", true, "0.000001", "60", &[(AMOUNT, 1), (TIME, -1)]),
    ("kat", true, "1", "1", &[(AMOUNT, 1), (TIME, -1)]),
    ("Pa", true, "1", "1", &[(PRESSURE, 1)]),
    ("m[Hg]", true, "133322", "1", &[(PRESSURE, 1)]),
    ("m[H2O]", true, "9806.65", "1", &[(PRESSURE, 1)]),
    ("bar", true, "100000", "1", &[(PRESSURE, 1)]),
    ("J", true, "1", "1", &[(ENERGY, 1)]),
    ("cal", true, "4.184", "1", &[(ENERGY, 1)]),
    ("K", true, "1", "1", &[(KELVIN, 1)]),
    ("Cel", false, "1", "1", &[(CELSIUS, 1)]),
    ("[lb_av]", false, "453.59237", "1", &[(MASS, 1)]),
    ("[oz_av]", false, "28.349523125", "1", &[(MASS, 1)]),
    ("[stone_av]", false, "6350.29318", "1", &[(MASS, 1)]),
    ("[in_i]", false, "0.0254", "1", &[(LENGTH, 1)]),
    ("[ft_i]", false, "0.3048", "1", &[(LENGTH, 1)]),
    ("%", false, "0.01", "1", &[]),
    ("[ppm]", false, "0.000001", "1", &[]),
];

const PREFIXES: [(&str, i32); 12] = [
    ("da", 1),
    ("h", 2),
    ("k", 3),
    ("M", 6),
    ("G", 9),
    ("d", -1),
    ("c", -2),
    ("m", -3),
    ("u", -6),
    ("n", -9),
    ("p", -12),
    ("f", -15),
];

impl Unit {
    /// Reads a UCUM code; `None` if it holds something unknown.
    pub(super) fn parse(code: &str) -> Option<Self> {
        if code.is_empty() || code.len() > LONGEST {
            return None;
        }
        let one = Decimal::whole(1);
        let mut unit = Self { over: one, under: one, powers: [0; BASES] };
        let mut rest = code;
        let mut divide = false;
        if let Some(after) = rest.strip_prefix('/') {
            (rest, divide) = (after, true);
        }
        loop {
            let end = term_end(rest);
            unit.take(&rest[..end], divide)?;
            match rest.as_bytes().get(end) {
                None => return Some(unit),
                Some(b'/') => divide = true,
                Some(_) => divide = false,
            }
            rest = &rest[end + 1..];
        }
    }

    /// Whether both measure the same thing, so that amounts can be compared.
    pub(super) fn fits(&self, other: &Self) -> bool {
        self.powers == other.powers
    }

    /// What to multiply an amount in this unit and one in the other with before comparing them.
    pub(super) fn scales(&self, other: &Self) -> Option<(Decimal, Decimal)> {
        Some((self.over.times(other.under)?, other.over.times(self.under)?))
    }

    /// What it measures, as a text: the same for units that fit.
    pub(super) fn dimension(&self) -> String {
        self.powers.iter().map(|power| format!("{power:+}")).collect()
    }

    /// An amount of it in base units, nearly: good enough for an order.
    pub(super) fn in_base(&self, amount: Decimal) -> f64 {
        amount.approximately() * self.over.approximately() / self.under.approximately()
    }

    /// Multiplies or divides by one term: an atom with a power, a whole number, a power of ten, an annotation.
    fn take(&mut self, term: &str, divide: bool) -> Option<()> {
        let annotation = term.find('{');
        let term = match annotation {
            Some(at) if term.ends_with('}') => &term[..at],
            Some(_) => return None,
            None => term,
        };
        if term.is_empty() {
            return annotation.map(|_| ());
        }
        if let Some(power) = term.strip_prefix("10*").or(term.strip_prefix("10^")) {
            let power: i32 = power.parse().ok().filter(|power: &i32| power.abs() <= 30)?;
            return self.scale(Decimal::power_of_ten(power), Decimal::whole(1), divide);
        }
        if term.bytes().all(|b| b.is_ascii_digit()) {
            return self.scale(Decimal::parse(term)?, Decimal::whole(1), divide);
        }
        let end = term.trim_end_matches(|c: char| c.is_ascii_digit());
        let name = end.trim_end_matches(['-', '+']);
        let power: i8 = match &term[name.len()..] {
            "" => 1,
            text => text.parse().ok().filter(|power: &i8| (1..=4).contains(&power.unsigned_abs()))?,
        };
        let (prefix, (_, _, over, under, powers)) = atom(name)?;
        let over = Decimal::parse(over)?.times(Decimal::power_of_ten(prefix))?;
        let under = Decimal::parse(under)?;
        for _ in 0..power.unsigned_abs() {
            self.scale(over, under, divide != (power < 0))?;
        }
        for &(base, each) in *powers {
            let change = each.checked_mul(power)?;
            let slot = self.powers.get_mut(base)?;
            *slot = if divide { slot.checked_sub(change)? } else { slot.checked_add(change)? };
        }
        Some(())
    }

    fn scale(&mut self, over: Decimal, under: Decimal, divide: bool) -> Option<()> {
        let (over, under) = if divide { (under, over) } else { (over, under) };
        self.over = self.over.times(over)?;
        self.under = self.under.times(under)?;
        Some(())
    }
}

/// Where the first term of a code ends: at `.` or `/`, but not inside an annotation.
fn term_end(code: &str) -> usize {
    let mut inside = false;
    for (at, byte) in code.bytes().enumerate() {
        match byte {
            b'{' => inside = true,
            b'}' => inside = false,
            b'.' | b'/' if !inside => return at,
            _ => {}
        }
    }
    code.len()
}

/// The atom of that name, or of that name behind a metric prefix, with the prefix's power of ten.
fn atom(name: &str) -> Option<(i32, &'static Atom)> {
    let named = |name: &str| ATOMS.iter().find(|atom| atom.0 == name);
    if let Some(atom) = named(name) {
        return Some((0, atom));
    }
    PREFIXES.iter().find_map(|(prefix, power)| {
        let atom = named(name.strip_prefix(prefix)?).filter(|atom| atom.1)?;
        Some((*power, atom))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Whether so many of one are exactly so many of the other.
    fn same(left: (&str, &str), right: (&str, &str)) -> bool {
        let (a, b) = (Unit::parse(left.1).unwrap(), Unit::parse(right.1).unwrap());
        let (l, r) = a.scales(&b).unwrap();
        let amount = |text: &str, scale: Decimal| Decimal::parse(text).unwrap().times(scale).unwrap();
        a.fits(&b) && amount(left.0, l) == amount(right.0, r)
    }

    #[test]
    fn units_of_care_stand_for_each_other() {
        for (left, right) in [
            (("1000", "mg"), ("1", "g")),
            (("1.5", "kg"), ("1500", "g")),
            (("5.2", "mmol/L"), ("5200", "umol/L")),
            (("180", "cm"), ("1.80", "m")),
            (("90", "min"), ("1.5", "h")),
            (("2", "wk"), ("14", "d")),
            (("5", "10*9/L"), ("5", "10*3/uL")),
            (("5", "10*9/l"), ("5000", "/uL")),
            (("70", "/min"), ("70", "{beats}/min")),
            (("60", "/min"), ("1", "Hz")),
            (("120", "mm[Hg]"), ("15998.64", "Pa")),
            (("1", "U/L"), ("1", "umol/min/L")),
            (("25", "kg/m2"), ("25000", "g/m2")),
            (("1", "m-1"), ("1", "/m")),
            (("90", "mL/min/{1.73_m2}"), ("0.09", "L/min")),
            (("1", "[lb_av]"), ("453.59237", "g")),
            (("95", "%"), ("0.95", "1")),
            (("1", "ug/mL"), ("1", "mg/L")),
        ] {
            assert!(same(left, right), "{left:?} {right:?}");
        }
    }

    #[test]
    fn different_things_do_not_fit() {
        for (left, right) in [("mg", "mL"), ("mmol/L", "mg/dL"), ("Cel", "K"), ("[iU]/L", "U/L"), ("m", "m2")] {
            assert!(!Unit::parse(left).unwrap().fits(&Unit::parse(right).unwrap()), "{left} {right}");
        }
    }

    #[test]
    fn what_is_not_known_is_not_converted() {
        for code in ["", "[degF]", "kmin", "mg/", "mg//L", "(mg)", "mg{x", "x", "10*99", "m9", "µg", &"m.".repeat(40)]
        {
            assert_eq!(Unit::parse(code), None, "{code}");
        }
    }

    proptest! {
        #[test]
        fn no_code_panics(code in "[a-zA-Z0-9/.*^{}\\[\\]%-]{0,70}|.*") {
            let _ = Unit::parse(&code);
        }
    }
}
