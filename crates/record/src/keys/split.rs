//! Sharing the root key among people: any `threshold` of the shares give it back, fewer say nothing about it at all
//! (Shamir, "How to share a secret", 1979), byte by byte over GF(256). Why this is our own code: docs/adr/0011.
//!
//! A share is one line that can be printed and typed in again:
//!
//! ```text
//! keepwell-share-1.<set>.<threshold>.<index>.<data and tag>.<check>
//! ```
//!
//! `set` (5 random bytes) tells one splitting from another. `tag` (8 bytes) is the beginning of a hash of the whole key,
//! the same in all shares of a set, so that a wrong key is never taken for the right one; the key is 256 random bits, so
//! its hash does not help to guess it. `check` (5 bytes) is the beginning of a hash of the share itself and catches
//! typing errors. Bytes are written in Crockford's base32, whose look-alikes (`o` for 0, `i` and `l` for 1), upper case,
//! hyphens and spaces are read as what was meant.

use std::fmt;
use std::hint::black_box;
use std::str::FromStr;

use aws_lc_rs::{constant_time, digest};
use keepwell_model::Random;
use zeroize::Zeroizing;

const KIND: &str = "keepwell-share-";
const VERSION: &str = "1";
const KEY: usize = 32;
const SET: usize = 5;
const TAG: usize = 8;
const CHECK: usize = 5;

/// Why shares cannot be made, read or put together, in words for the person who holds them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// The numbers asked for make no sense.
    #[error("at least 2 shares must be needed, and no more than there are")]
    Numbers,
    /// The line is something else.
    #[error("this is not a share of a root key: a share starts with keepwell-share-1 and is one whole line")]
    NotAShare,
    /// The line was made by a newer version.
    #[error("this share was made by a newer version of Keepwell")]
    UnknownVersion,
    /// The check does not fit: a character is wrong, missing or swapped.
    #[error("this share is mistyped: compare it with the original, character by character")]
    Mistyped,
    /// Shares of more than one splitting.
    #[error("these shares do not belong together: they come from different splits")]
    DifferentSets,
    /// The same share more than once.
    #[error("share {index} was given more than once")]
    Repeated {
        /// Which share.
        index: u8,
    },
    /// Not enough shares.
    #[error("{needed} shares are needed, and {given} were given")]
    TooFew {
        /// How many were given.
        given: usize,
        /// How many are needed (2 if none was given to say).
        needed: u8,
    },
    /// Whole shares of one set that do not give the key that was split.
    #[error("these shares do not give the key that was split: at least one of them was altered; try others")]
    WrongKey,
}

/// One share. It does not show in debug output; [`Share::to_line`] is what to print.
#[derive(Clone, PartialEq, Eq)]
pub struct Share {
    set: [u8; SET],
    threshold: u8,
    index: u8,
    data: Zeroizing<[u8; KEY]>,
    tag: [u8; TAG],
}

impl Share {
    /// The number of this share in its set, from 1.
    #[must_use]
    pub const fn index(&self) -> u8 {
        self.index
    }

    /// How many shares of the set are needed.
    #[must_use]
    pub const fn threshold(&self) -> u8 {
        self.threshold
    }

    /// The line to print and keep. It is a secret: enough of them are the root key.
    #[must_use]
    pub fn to_line(&self) -> Zeroizing<String> {
        let mut payload = Zeroizing::new([0u8; KEY + TAG]);
        payload[..KEY].copy_from_slice(&*self.data);
        payload[KEY..].copy_from_slice(&self.tag);
        // Room for all, so that growing leaves no copy behind.
        let mut line = Zeroizing::new(String::with_capacity(160));
        line.push_str(KIND);
        line.push_str(VERSION);
        line.push('.');
        encode(&self.set, 8, &mut line);
        line.push_str(&format!(".{}.{}.", self.threshold, self.index));
        encode(&*payload, 4, &mut line);
        line.push('.');
        encode(&self.check(), 8, &mut line);
        line
    }

    fn check(&self) -> [u8; CHECK] {
        let numbers = [self.threshold, self.index];
        hash(&[b"keepwell share check 1\n", &self.set, &numbers, &*self.data, &self.tag])
    }

    /// Whether two shares are of one set.
    fn same_set(&self, other: &Self) -> bool {
        (self.set, self.threshold, self.tag) == (other.set, other.threshold, other.tag)
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Share({} of a set that needs {})", self.index, self.threshold)
    }
}

impl FromStr for Share {
    type Err = SplitError;

    fn from_str(line: &str) -> Result<Self, SplitError> {
        let mut typed = Zeroizing::new(String::with_capacity(line.len()));
        typed.extend(line.chars().filter(|c| !c.is_whitespace()));
        typed.make_ascii_lowercase();
        let mut fields = typed.split('.');
        let mut field = || fields.next().ok_or(SplitError::NotAShare);
        match field()?.strip_prefix(KIND) {
            Some(VERSION) => {}
            Some(version) if version.parse::<u32>().is_ok() => return Err(SplitError::UnknownVersion),
            _ => return Err(SplitError::NotAShare),
        }
        let set = *decode::<SET>(field()?)?;
        let threshold = field()?.parse().map_err(|_| SplitError::Mistyped)?;
        let index = field()?.parse().map_err(|_| SplitError::Mistyped)?;
        let payload = decode::<{ KEY + TAG }>(field()?)?;
        let check = decode::<CHECK>(field()?)?;
        if fields.next().is_some() {
            return Err(SplitError::NotAShare);
        }
        let mut share = Self { set, threshold, index, data: Zeroizing::new([0; KEY]), tag: [0; TAG] };
        share.data.copy_from_slice(&payload[..KEY]);
        share.tag.copy_from_slice(&payload[KEY..]);
        if share.check() != *check || threshold < 2 || index == 0 {
            return Err(SplitError::Mistyped);
        }
        Ok(share)
    }
}

/// Splits a key into `shares` shares of which any `threshold` give it back.
///
/// # Errors
/// [`SplitError::Numbers`] unless 2 ≤ `threshold` ≤ `shares`.
pub fn split(secret: &[u8; KEY], shares: u8, threshold: u8, random: &dyn Random) -> Result<Vec<Share>, SplitError> {
    if threshold < 2 || threshold > shares {
        return Err(SplitError::Numbers);
    }
    let mut set = [0; SET];
    random.fill(&mut set);
    // Coefficients of x, x², … for all bytes of the key. They are uniform over the whole field, zero included: leaving
    // out any value would tell the holders of too few shares something about the key.
    let mut coefficients = Zeroizing::new(vec![[0u8; KEY]; usize::from(threshold) - 1]);
    coefficients.iter_mut().for_each(|row| random.fill(row));
    let tag = tag(&set, threshold, secret);
    let share = |index| {
        let mut data = Zeroizing::new([0u8; KEY]);
        for (at, byte) in data.iter_mut().enumerate() {
            let above = coefficients.iter().rev().fold(0, |sum, row| multiply(sum ^ row[at], index));
            *byte = above ^ secret[at];
        }
        Share { set, threshold, index, data, tag }
    };
    Ok((1..=shares).map(share).collect())
}

/// Puts a key together again. More shares than needed do no harm; the first ones are used.
///
/// # Errors
/// [`SplitError`] in words for the person who typed the shares; a wrong key is never returned.
pub fn recover(shares: &[Share]) -> Result<Zeroizing<[u8; KEY]>, SplitError> {
    let first = shares.first().ok_or(SplitError::TooFew { given: 0, needed: 2 })?;
    if shares.iter().any(|share| !share.same_set(first)) {
        return Err(SplitError::DifferentSets);
    }
    for (at, share) in shares.iter().enumerate() {
        if shares[..at].iter().any(|earlier| earlier.index == share.index) {
            return Err(SplitError::Repeated { index: share.index });
        }
    }
    let used = shares
        .get(..usize::from(first.threshold))
        .ok_or(SplitError::TooFew { given: shares.len(), needed: first.threshold })?;
    let mut key = Zeroizing::new([0u8; KEY]);
    for share in used {
        // Lagrange's basis polynomial of this share at 0, where the key is. In this field minus is exclusive or.
        let weight = used
            .iter()
            .filter(|other| other.index != share.index)
            .fold(1, |product, other| multiply(product, multiply(other.index, inverse(other.index ^ share.index))));
        key.iter_mut().zip(share.data.iter()).for_each(|(sum, byte)| *sum ^= multiply(weight, *byte));
    }
    constant_time::verify_slices_are_equal(&tag(&first.set, first.threshold, &key), &first.tag)
        .map_err(|_| SplitError::WrongKey)?;
    Ok(key)
}

/// What binds the shares of a set to the key that was split.
fn tag(set: &[u8; SET], threshold: u8, secret: &[u8; KEY]) -> [u8; TAG] {
    hash(&[b"keepwell share tag 1\n", set, &[threshold], secret])
}

/// The beginning of SHA-256 over parts of fixed length.
fn hash<const N: usize>(parts: &[&[u8]]) -> [u8; N] {
    let mut context = digest::Context::new(&digest::SHA256);
    parts.iter().for_each(|part| context.update(part));
    *context.finish().as_ref().first_chunk().expect("N is at most 32")
}

/// All ones if the lowest bit is set, else zero; opaque to the compiler, so that no branch is made of it.
fn mask(bit: u8) -> u8 {
    black_box(0u8.wrapping_sub(bit & 1))
}

/// The product in GF(256) = GF(2)\[x\] / (x⁸ + x⁴ + x³ + x + 1), the field of AES. Takes the same steps for all values
/// and looks nothing up in a table, so neither time nor cache tells what they are.
fn multiply(mut a: u8, b: u8) -> u8 {
    let mut product = 0;
    for bit in 0..8 {
        product ^= a & mask(b >> bit);
        a = (a << 1) ^ (0x1b & mask(a >> 7));
    }
    product
}

/// The inverse of a value other than 0: its 254th power, a² · a⁴ · … · a¹²⁸.
fn inverse(a: u8) -> u8 {
    let mut square = a;
    (0..7).fold(1, |product, _| {
        square = multiply(square, square);
        multiply(product, square)
    })
}

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// All ones if both are equal, else zero.
fn equal(a: u8, b: u8) -> u8 {
    let different = u16::from(a ^ b);
    mask((different.wrapping_sub(1) >> 8) as u8)
}

/// Writes bytes, five of them as eight symbols, with a hyphen after every `group` symbols. Each symbol is found by
/// going through the whole alphabet.
fn encode(bytes: &[u8], group: usize, out: &mut String) {
    let mut count = 0;
    for five in bytes.chunks_exact(5) {
        let wide = five.iter().fold(0u64, |wide, byte| wide << 8 | u64::from(*byte));
        for place in (0..8).rev() {
            let value = (wide >> (5 * place) & 31) as u8;
            let symbol = (0u8..).zip(ALPHABET).fold(0, |found, (at, symbol)| found | symbol & equal(at, value));
            if count > 0 && count % group == 0 {
                out.push('-');
            }
            out.push(char::from(symbol));
            count += 1;
        }
    }
}

/// Reads what [`encode`] wrote, hyphens or not, look-alikes included.
fn decode<const N: usize>(text: &str) -> Result<Zeroizing<[u8; N]>, SplitError> {
    let mut bytes = Zeroizing::new([0; N]);
    let mut symbols = text.bytes().filter(|symbol| *symbol != b'-');
    for five in bytes.chunks_exact_mut(5) {
        let mut wide = 0u64;
        for _ in 0..8 {
            let symbol = match symbols.next().ok_or(SplitError::Mistyped)? {
                b'o' => b'0',
                b'i' | b'l' => b'1',
                other => other,
            };
            let (value, known) = (0u8..).zip(ALPHABET).fold((0, 0), |(value, known), (at, candidate)| {
                let same = equal(*candidate, symbol);
                (value | at & same, known | same)
            });
            if known == 0 {
                return Err(SplitError::Mistyped);
            }
            wide = wide << 5 | u64::from(value);
        }
        five.copy_from_slice(&wide.to_be_bytes()[3..]);
    }
    if symbols.next().is_some() { Err(SplitError::Mistyped) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use keepwell_model::SeededRandom;
    use proptest::prelude::*;

    use super::*;

    /// Multiplication as the definition has it: polynomials over GF(2), then the remainder.
    fn by_definition(a: u8, b: u8) -> u8 {
        let mut product = (0..8).filter(|bit| b >> bit & 1 == 1).fold(0u16, |sum, bit| sum ^ u16::from(a) << bit);
        for bit in (8..15).rev() {
            if product >> bit & 1 == 1 {
                product ^= 0x11b << (bit - 8);
            }
        }
        u8::try_from(product).unwrap()
    }

    fn secret(seed: u64) -> [u8; KEY] {
        let mut secret = [0; KEY];
        SeededRandom::new(seed).fill(&mut secret);
        secret
    }

    fn five_of_which_three() -> Vec<Share> {
        split(&secret(1), 5, 3, &SeededRandom::new(2)).unwrap()
    }

    #[test]
    fn every_product_is_that_of_the_fields_definition() {
        for a in 0..=255 {
            for b in 0..=255 {
                assert_eq!(multiply(a, b), by_definition(a, b), "{a} times {b}");
            }
        }
        assert_eq!(multiply(0x57, 0x83), 0xc1, "the example of FIPS 197");
    }

    #[test]
    fn every_value_but_zero_has_its_inverse() {
        for a in 1..=255 {
            assert_eq!(multiply(a, inverse(a)), 1, "{a}");
        }
        assert_eq!(inverse(0), 0);
    }

    #[test]
    fn masks_tell_equal_from_different() {
        for a in 0..=255 {
            for b in 0..=255 {
                assert_eq!(equal(a, b), if a == b { 255 } else { 0 });
            }
        }
    }

    /// One share of two says nothing: over all coefficients, each secret byte gives each share byte exactly once.
    #[test]
    fn a_single_share_fits_every_key_equally_well() {
        for index in [1, 2, 255] {
            for secret in 0..=255u8 {
                let mut seen = [false; 256];
                (0..=255).for_each(|coefficient| seen[usize::from(multiply(coefficient, index) ^ secret)] = true);
                assert!(seen.iter().all(|seen| *seen));
            }
        }
    }

    #[test]
    fn every_choice_of_enough_shares_gives_the_key_back_in_any_order() {
        let shares = five_of_which_three();
        for mask in 0u8..32 {
            let chosen: Vec<_> = shares.iter().filter(|s| mask >> (s.index - 1) & 1 == 1).cloned().collect();
            let outcome = recover(&chosen);
            if chosen.len() < 3 {
                let needed = if chosen.is_empty() { 2 } else { 3 };
                assert_eq!(outcome, Err(SplitError::TooFew { given: chosen.len(), needed }));
            } else {
                assert_eq!(*outcome.unwrap(), secret(1));
                let backwards: Vec<_> = chosen.into_iter().rev().collect();
                assert_eq!(*recover(&backwards).unwrap(), secret(1));
            }
        }
    }

    #[test]
    fn losing_one_share_of_a_two_of_three_split_loses_nothing() {
        let shares = split(&secret(9), 3, 2, &SeededRandom::new(4)).unwrap();
        for lost in 0..3 {
            let mut left = shares.clone();
            left.remove(lost);
            assert_eq!(*recover(&left).unwrap(), secret(9));
        }
    }

    #[test]
    fn the_largest_split_works() {
        let shares = split(&secret(1), 255, 255, &SeededRandom::new(5)).unwrap();
        assert_eq!(*recover(&shares).unwrap(), secret(1));
        assert_eq!(recover(&shares[1..]), Err(SplitError::TooFew { given: 254, needed: 255 }));
    }

    #[test]
    fn senseless_numbers_are_refused() {
        for (shares, threshold) in [(0, 0), (1, 1), (3, 1), (3, 0), (2, 3), (0, 2)] {
            let outcome = split(&secret(1), shares, threshold, &SeededRandom::new(1));
            assert_eq!(outcome.err(), Some(SplitError::Numbers), "{threshold} of {shares}");
        }
    }

    #[test]
    fn a_share_is_one_line_that_reads_back() {
        for share in five_of_which_three() {
            let line = share.to_line();
            assert!(line.bytes().all(|b| b.is_ascii_graphic()) && line.len() < 160);
            assert!(line.capacity() == 160, "it never grew");
            assert_eq!(line.parse().as_ref(), Ok(&share));
            assert!(!format!("{share:?}").contains(&line[40..60]));
        }
    }

    #[test]
    fn a_share_is_read_however_it_was_typed() {
        let share = &five_of_which_three()[1];
        let line = share.to_line();
        let body = &line["keepwell-share-1".len()..];
        for typed in [
            format!("  {}\n", line.as_str()),
            line.to_ascii_uppercase(),
            line.replace('.', " . "),
            format!("keepwell-share-1{}", body.replace('-', "")),
            format!("keepwell-share-1{}", body.replace('-', "\n  ")),
            format!("keepwell-share-1.{}", body[1..].replace('0', "O")),
        ] {
            assert_eq!(typed.parse::<Share>().as_ref(), Ok(share), "{typed}");
        }
        let (head, tail) = body.split_at(".xxxxxxxx.3.2.".len());
        for one in ["i", "L"] {
            let typed = format!("keepwell-share-1{head}{}", tail.replace('1', one));
            assert_eq!(typed.parse::<Share>().as_ref(), Ok(share), "{typed}");
        }
    }

    #[test]
    fn every_single_typing_error_is_noticed() {
        let line = five_of_which_three()[0].to_line();
        let start = "keepwell-share-1.".len();
        for at in start..line.len() {
            for other in ALPHABET.iter().chain(b".-u ") {
                let mut typed = line.as_bytes().to_vec();
                typed[at] = *other;
                let typed = String::from_utf8(typed).unwrap();
                // A hyphen is decoration: it may be missing.
                if typed == *line || (line.as_bytes()[at] == b'-' && b"- ".contains(other)) {
                    continue;
                }
                assert!(typed.parse::<Share>().is_err(), "{other} at {at}");
            }
            let mut missing = line.to_string();
            if missing.remove(at) != '-' {
                assert!(missing.parse::<Share>().is_err(), "without {at}");
            }
            let mut swapped = line.as_bytes().to_vec();
            swapped.swap(at - 1, at);
            let swapped = String::from_utf8(swapped).unwrap();
            if swapped.replace('-', "") != line.replace('-', "") {
                assert!(swapped.parse::<Share>().is_err(), "swapped at {at}");
            }
        }
        assert_eq!("".parse::<Share>(), Err(SplitError::NotAShare));
        assert_eq!("hello".parse::<Share>(), Err(SplitError::NotAShare));
        assert_eq!("keepwell-share-2.x".parse::<Share>(), Err(SplitError::UnknownVersion));
        assert_eq!("keepwell-share-1".parse::<Share>(), Err(SplitError::NotAShare));
        assert_eq!(format!("{}.1", line.as_str()).parse::<Share>(), Err(SplitError::NotAShare));
    }

    #[test]
    fn shares_that_do_not_belong_together_are_told_apart() {
        let one = five_of_which_three();
        let other = split(&secret(1), 5, 3, &SeededRandom::new(3)).unwrap();
        let mixed = [one[0].clone(), one[1].clone(), other[2].clone()];
        assert_eq!(recover(&mixed), Err(SplitError::DifferentSets), "even if the key is the same");
        let repeated = [one[0].clone(), one[1].clone(), one[0].clone()];
        assert_eq!(recover(&repeated), Err(SplitError::Repeated { index: 1 }));
        let mut altered = one.clone();
        altered[1].data[31] ^= 1;
        let line = altered[1].to_line();
        altered[1] = line.parse().expect("its check was made anew");
        assert_eq!(recover(&altered), Err(SplitError::WrongKey));
        assert_eq!(*recover(&altered[2..]).unwrap(), secret(1));
    }

    #[test]
    fn the_format_of_version_1_stays() {
        let lines: Vec<_> =
            split(&[7; KEY], 3, 2, &SeededRandom::new(42)).unwrap().iter().map(|s| s.to_line().to_string()).collect();
        assert_eq!(lines, COMMITTED);
        let shares: Vec<Share> = COMMITTED[1..].iter().map(|line| line.parse().unwrap()).collect();
        assert_eq!(*recover(&shares).unwrap(), [7; KEY]);
    }

    const COMMITTED: [&str; 3] = [
        "keepwell-share-1.jnqepbs6.2.1.0kv6-3d9m-wkm2-yncr-10a5-0r2n-829y-8k89-z3k1-pqzn-4h7j-6qaz-qc7e-2syy-kras-n9f2.h16aczxy",
        "keepwell-share-1.jnqepbs6.2.2.07zc-py31-vb15-f8s2-34gt-kjd3-h4td-n4rv-wbf3-zdzr-86bm-zcxq-cgay-2syy-kras-n9f2.wmnmcjwd",
        "keepwell-share-1.jnqepbs6.2.3.087t-vjjj-74pq-zwdx-2rsf-xbqh-stg3-kp8n-3mzj-7vra-cbfp-qtff-v0ee-2syy-kras-n9f2.zywmpgj2",
    ];

    proptest! {
        #[test]
        fn any_key_split_anyhow_comes_back(key: [u8; 32], seed: u64, shares in 2u8..40, threshold in 2u8..40, skip in 0usize..38) {
            prop_assume!(threshold <= shares);
            let made = split(&key, shares, threshold, &SeededRandom::new(seed)).unwrap();
            let lines: Vec<_> = made.iter().map(Share::to_line).collect();
            let read: Vec<Share> = lines.iter().map(|line| line.parse().unwrap()).collect();
            let skip = skip.min(usize::from(shares - threshold));
            prop_assert_eq!(*recover(&read[skip..]).unwrap(), key);
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "(keepwell-share-1)?[a-z0-9.\u{e9} -]{0,60}", tail in "\\PC{0,40}") {
            let line = text + &tail;
            prop_assert!(line.parse::<Share>().is_err());
        }
    }
}
