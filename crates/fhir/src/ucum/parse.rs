//! The grammar of UCUM codes (UCUM §§3 to 14).

use super::Unit;
use super::factor::Factor;

/// A code longer than this is none: the longest in use have some forty characters.
const LONGEST: usize = 120;
/// How deep parentheses may nest.
const DEEPEST: usize = 8;

/// Looks a symbol without prefix up: the unit, and whether it may have a prefix.
pub(super) type Find<'f> = &'f dyn Fn(&str) -> Option<(Unit, bool)>;

const PREFIXES: [(&str, i32); 20] = [
    ("da", 1),
    ("Y", 24),
    ("Z", 21),
    ("E", 18),
    ("P", 15),
    ("T", 12),
    ("G", 9),
    ("M", 6),
    ("k", 3),
    ("h", 2),
    ("d", -1),
    ("c", -2),
    ("m", -3),
    ("u", -6),
    ("n", -9),
    ("p", -12),
    ("f", -15),
    ("a", -18),
    ("z", -21),
    ("y", -24),
];

const BINARY: [(&str, u64); 4] = [("Ki", 1 << 10), ("Mi", 1 << 20), ("Gi", 1 << 30), ("Ti", 1 << 40)];

/// Reads a whole code.
pub(super) fn unit(code: &str, find: Find<'_>) -> Option<Unit> {
    if code.is_empty() || code.len() > LONGEST || !code.is_ascii() {
        return None;
    }
    let mut reader = Reader { rest: code, find };
    let unit = reader.term(0)?;
    reader.rest.is_empty().then_some(unit)
}

struct Reader<'c, 'f> {
    rest: &'c str,
    find: Find<'f>,
}

impl Reader<'_, '_> {
    fn skip(&mut self, mark: char) -> bool {
        self.rest.strip_prefix(mark).inspect(|rest| self.rest = rest).is_some()
    }

    /// Components joined by `.` and `/`, perhaps with a `/` before the first.
    fn term(&mut self, depth: usize) -> Option<Unit> {
        if depth > DEEPEST {
            return None;
        }
        let first = if self.skip('/') { -1 } else { 1 };
        let mut product = Unit::ONE.times(self.component(depth)?, first)?;
        loop {
            let exponent = if self.skip('.') {
                1
            } else if self.skip('/') {
                -1
            } else {
                return Some(product);
            };
            product = product.times(self.component(depth)?, exponent)?;
        }
    }

    /// A unit, a number, an annotation, or a term in parentheses.
    fn component(&mut self, depth: usize) -> Option<Unit> {
        if self.skip('(') {
            let inside = self.term(depth + 1)?;
            return self.skip(')').then_some(inside);
        }
        if self.rest.starts_with('{') {
            self.annotation()?;
            return Some(Unit::ONE);
        }
        let length = symbol_length(self.rest)?;
        let (symbol, rest) = self.rest.split_at(length);
        self.rest = rest;
        if self.rest.starts_with('{') {
            self.annotation()?;
        }
        self.simple(symbol)
    }

    /// `{…}` says something to people, and nothing to a converter (UCUM §12).
    fn annotation(&mut self) -> Option<()> {
        let end = self.rest.find('}')?;
        let inside = self.rest.get(1..end)?;
        self.rest = self.rest.get(end + 1..)?;
        (!inside.contains('{')).then_some(())
    }

    /// A symbol, perhaps with a prefix and an exponent.
    fn simple(&self, symbol: &str) -> Option<Unit> {
        if symbol.bytes().all(|byte| byte.is_ascii_digit()) {
            let number = symbol.parse().ok()?;
            return Some(Unit { factor: Factor::whole(number)?, ..Unit::ONE });
        }
        let (name, exponent) = split_exponent(symbol)?;
        if matches!(name, "10*" | "10^") {
            return Some(Unit { factor: Factor::ten_to(1).power(exponent)?, ..Unit::ONE });
        }
        let unit = self.prefixed(name)?;
        if exponent == 1 { Some(unit) } else { Unit::ONE.times(unit, exponent) }
    }

    fn prefixed(&self, name: &str) -> Option<Unit> {
        if let Some((unit, _)) = (self.find)(name) {
            return Some(unit);
        }
        let decimal = PREFIXES.iter().map(|(prefix, tens)| (*prefix, Some(Factor::ten_to(*tens))));
        let binary = BINARY.iter().map(|(prefix, times)| (*prefix, Factor::whole(*times)));
        binary.chain(decimal).find_map(|(prefix, factor)| {
            let (unit, metric) = (self.find)(name.strip_prefix(prefix)?)?;
            let linear = metric && unit.shift.is_none();
            linear.then(|| Some(Unit { factor: unit.factor.times(factor?)?, ..unit })).flatten()
        })
    }
}

/// How long the symbol at the start is, its exponent included. What stands in square brackets belongs together.
fn symbol_length(text: &str) -> Option<usize> {
    let mut bracket = false;
    let end = text.bytes().position(|byte| {
        match byte {
            b'[' => bracket = true,
            b']' => bracket = false,
            _ => {}
        }
        !bracket && matches!(byte, b'.' | b'/' | b'(' | b')' | b'{' | b'}') || byte <= b' '
    });
    Some(end.unwrap_or(text.len())).filter(|&length| length > 0 && !bracket)
}

/// A symbol and the exponent at its end: `m2`, `s-1`, `10*-3`.
fn split_exponent(symbol: &str) -> Option<(&str, i8)> {
    let digits = symbol.bytes().rev().take_while(u8::is_ascii_digit).count();
    if digits == 0 {
        return Some((symbol, 1));
    }
    let (name, exponent) = symbol.split_at(symbol.len() - digits);
    let number: i8 = exponent.parse().ok()?;
    match name.as_bytes().last()? {
        b'-' => Some((name.strip_suffix('-')?, -number)),
        b'+' => Some((name.strip_suffix('+')?, number)),
        _ => Some((name, number)),
    }
}
