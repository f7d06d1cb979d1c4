//! Compression with zstd (RFC 8878). Small frames use a dictionary that is part of the format: its number is in each
//! block, so that a newer dictionary can be added without touching what is stored. docs/performance.md, "Dictionary", has
//! the measurements behind the numbers here.

use std::cell::RefCell;
use std::sync::OnceLock;

use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};
use zstd::zstd_safe::CParameter;

/// The newest dictionary.
pub(crate) const NEWEST: u16 = 1;

/// Frames up to this size gain from a dictionary.
const DICTIONARY_UP_TO: usize = 256 << 10;
/// Frames up to this size are worth more time: it is short beside that of sealing and storing them.
const SMALL_UP_TO: usize = 16 << 10;
/// Level of small frames and of others with a dictionary.
const SMALL: i32 = 6;
const MEDIUM: i32 = 3;
/// Level of frames too large for a dictionary: they compress well anyway.
const LARGE: i32 = 1;

/// A dictionary, digested when it is first used.
struct Dictionary {
    bytes: &'static [u8],
    small: OnceLock<EncoderDictionary<'static>>,
    medium: OnceLock<EncoderDictionary<'static>>,
    decoder: OnceLock<DecoderDictionary<'static>>,
}

/// The dictionaries; number n is the nth. None is ever changed or removed once a release has written with it.
static DICTIONARIES: [Dictionary; NEWEST as usize] = [Dictionary::new(include_bytes!("../../dictionary/1.zdict"))];

impl Dictionary {
    const fn new(bytes: &'static [u8]) -> Self {
        Self { bytes, small: OnceLock::new(), medium: OnceLock::new(), decoder: OnceLock::new() }
    }

    fn numbered(number: u16) -> Option<&'static Self> {
        DICTIONARIES.get(usize::from(number).checked_sub(1)?)
    }

    fn encoder(&self, plain_len: usize) -> &EncoderDictionary<'static> {
        let (digested, level) = if plain_len <= SMALL_UP_TO { (&self.small, SMALL) } else { (&self.medium, MEDIUM) };
        digested.get_or_init(|| EncoderDictionary::copy(self.bytes, level))
    }

    fn decoder(&self) -> &DecoderDictionary<'static> {
        self.decoder.get_or_init(|| DecoderDictionary::copy(self.bytes))
    }
}

/// The dictionary to use for a block whose frames are of this size at most: the newest one allowed, or none.
pub(crate) fn dictionary_for(plain_len: usize, newest_allowed: u16) -> u16 {
    if plain_len <= DICTIONARY_UP_TO { newest_allowed.min(NEWEST) } else { 0 }
}

thread_local! {
    static COMPRESSOR: RefCell<Compressor<'static>> = RefCell::new(compressor());
    static DECOMPRESSOR: RefCell<Decompressor<'static>> = RefCell::default();
}

/// A compressor that writes nothing that the block says already: no checksum, length or dictionary number.
fn compressor() -> Compressor<'static> {
    let mut compressor = Compressor::default();
    for parameter in
        [CParameter::ChecksumFlag(false), CParameter::ContentSizeFlag(false), CParameter::DictIdFlag(false)]
    {
        compressor.set_parameter(parameter).expect("the parameter exists in every zstd of version 1");
    }
    compressor
}

/// Compresses one frame.
pub(crate) fn compress(number: u16, plain: &[u8]) -> Vec<u8> {
    COMPRESSOR.with_borrow_mut(|compressor| {
        if number == 0 {
            let level = if plain.len() <= DICTIONARY_UP_TO { MEDIUM } else { LARGE };
            compressor.set_compression_level(level).expect("the level exists");
        } else {
            let dictionary = Dictionary::numbered(number).expect("only known dictionaries are asked for");
            compressor.set_prepared_dictionary(dictionary.encoder(plain.len())).expect("the dictionary is digested");
        }
        compressor.compress(plain).expect("compressing into a buffer of the bound's size cannot fail")
    })
}

/// Decompresses one frame to exactly `plain_len` bytes; `None` if it does not come to that.
pub(crate) fn decompress(number: u16, compressed: &[u8], plain_len: usize) -> Option<Vec<u8>> {
    DECOMPRESSOR.with_borrow_mut(|decompressor| {
        match number {
            0 => decompressor.set_dictionary(&[]).ok()?,
            _ => decompressor.set_prepared_dictionary(Dictionary::numbered(number)?.decoder()).ok()?,
        }
        let plain = decompressor.decompress(compressed, plain_len).ok()?;
        (plain.len() == plain_len).then_some(plain)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::digest;

    /// SHA-256 of each dictionary, from docs/storage-format.md. A line here is never changed.
    const SUMS: [&str; NEWEST as usize] = ["a416f0d08f8e96769044fff88d99e7111f903cde906ad2cbd13da9de857b8e26"];

    #[test]
    fn no_dictionary_has_changed() {
        for (dictionary, expected) in DICTIONARIES.iter().zip(SUMS) {
            let sum = digest::digest(&digest::SHA256, dictionary.bytes);
            let hex: String = sum.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(hex, expected);
        }
    }

    #[test]
    fn every_size_reads_back_with_every_dictionary_in_any_order() {
        let text: Vec<u8> = br#"{"resourceType":"Observation","status":"final"}"#.repeat(8 << 10);
        for round in 0..2 {
            for number in (0..=NEWEST).rev() {
                for len in [0, 1, 200, SMALL_UP_TO, SMALL_UP_TO + 1, DICTIONARY_UP_TO, DICTIONARY_UP_TO + 1] {
                    let compressed = compress(number, &text[..len]);
                    assert_eq!(compressed, compress(number, &text[..len]), "round {round}");
                    assert_eq!(decompress(number, &compressed, len).as_deref(), Some(&text[..len]));
                    assert_eq!(decompress(number, &compressed, len + 1), None);
                    assert!(len == 0 || decompress(number, &compressed, len - 1).is_none());
                }
            }
        }
    }

    #[test]
    fn an_unknown_dictionary_opens_nothing() {
        assert_eq!(decompress(NEWEST + 1, &compress(NEWEST, b"text"), 4), None);
    }

    #[test]
    fn a_dictionary_is_used_for_small_frames_and_only_as_new_as_allowed() {
        assert_eq!(dictionary_for(0, u16::MAX), NEWEST);
        assert_eq!(dictionary_for(DICTIONARY_UP_TO, NEWEST), NEWEST);
        assert_eq!(dictionary_for(DICTIONARY_UP_TO + 1, NEWEST), 0);
        assert_eq!(dictionary_for(100, 0), 0);
    }
}
