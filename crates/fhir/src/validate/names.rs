//! The JSON names of a type's members, found by hash; and the known name nearest to one that is not known.

/// The longest name that is searched for a likeness. No FHIR name is longer.
const LONGEST: usize = 64;

/// Names, each with a number.
#[derive(Debug, Default)]
pub(super) struct Names {
    slots: Box<[Slot]>,
    text: Box<str>,
}

/// One name: its first eight bytes, its place in the text, its number. An empty slot has the length 0.
#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    head: u64,
    start: u32,
    length: u16,
    number: u16,
}

#[inline(always)]
fn head(name: &[u8]) -> u64 {
    match name.first_chunk::<8>() {
        Some(chunk) => u64::from_le_bytes(*chunk),
        None => name.iter().rev().fold(0, |head, &byte| head << 8 | u64::from(byte)),
    }
}

#[inline(always)]
fn hash(head: u64, name: &[u8]) -> u64 {
    let last = name.last().map_or(0, |&byte| u64::from(byte));
    let mixed = (head ^ (name.len() as u64) << 40 ^ last << 50).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ mixed >> 29
}

impl Names {
    /// A table of at most 65,535 names, each shorter than 65,536 bytes and none empty; others are left out.
    pub(super) fn of<'a>(names: impl IntoIterator<Item = (&'a str, u16)>) -> Self {
        let names: Vec<(&str, u16)> = names.into_iter().collect();
        let mut slots = vec![Slot::default(); (names.len() * 2).next_power_of_two().max(4)];
        let mut text = String::new();
        let mask = slots.len() - 1;
        for (name, number) in names {
            let (Ok(length), Ok(start)) = (u16::try_from(name.len()), u32::try_from(text.len())) else { continue };
            if length == 0 {
                continue;
            }
            let head = head(name.as_bytes());
            let mut at = at(head, name.as_bytes(), mask);
            while slots[at].length != 0 {
                at = (at + 1) & mask;
            }
            slots[at] = Slot { head, start, length, number };
            text.push_str(name);
        }
        Self { slots: slots.into(), text: text.into() }
    }

    /// The number of a name.
    #[inline]
    pub(super) fn find(&self, name: &str) -> Option<u16> {
        let bytes = name.as_bytes();
        let head = head(bytes);
        let mask = self.slots.len().checked_sub(1)?;
        let mut at = at(head, bytes, mask);
        loop {
            let slot = self.slots.get(at)?;
            if slot.length == 0 {
                return None;
            }
            if slot.head == head && usize::from(slot.length) == bytes.len() {
                let start = slot.start as usize;
                if bytes.len() <= 8 || self.text.as_bytes().get(start + 8..start + bytes.len()) == bytes.get(8..) {
                    return Some(slot.number);
                }
            }
            at = (at + 1) & mask;
        }
    }

    /// All names.
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        let used = self.slots.iter().filter(|slot| slot.length != 0);
        used.filter_map(|slot| self.text.get(slot.start as usize..slot.start as usize + usize::from(slot.length)))
    }

    /// The name that was probably meant.
    pub(super) fn nearest(&self, name: &str) -> Option<&str> {
        nearest(name, self.iter())
    }
}

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "the mask takes the lower bits")]
fn at(head: u64, name: &[u8], mask: usize) -> usize {
    hash(head, name) as usize & mask
}

/// The name among `known` that was probably meant by `name`: one with at most two letters other, left out, added or
/// swapped (one in a short name), whatever their case.
pub(super) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > LONGEST {
        return None;
    }
    let wanted: Vec<char> = name.to_lowercase().chars().collect();
    let most = if wanted.len() < 5 { 1 } else { 2 };
    let distances = known.into_iter().filter(|it| it.len().abs_diff(name.len()) <= 2 * most).map(|other| {
        let letters: Vec<char> = other.to_lowercase().chars().collect();
        (distance(&wanted, &letters), other)
    });
    // By name too, so that the answer does not depend on the order of a table.
    distances.filter(|&(distance, _)| distance <= most).min().map(|(_, other)| other)
}

/// How many letters must change: the Damerau-Levenshtein distance, neighbours swapped counting once.
fn distance(from: &[char], to: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    for (row, &letter) in from.iter().enumerate() {
        let mut next = vec![row + 1];
        for (column, &other) in to.iter().enumerate() {
            let mut best =
                (last[column] + usize::from(letter != other)).min(last[column + 1] + 1).min(next[column] + 1);
            let swapped = row > 0 && column > 0 && letter == to[column - 1] && from[row - 1] == other;
            if swapped {
                best = best.min(before[column - 1] + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut last, next);
    }
    last[to.len()]
}
