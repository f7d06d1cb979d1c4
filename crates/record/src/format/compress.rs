//! Compression with zstd (RFC 8878). Small frames use a dictionary that is part of the format: its number is in each
//! block, so that a newer dictionary can be added without touching what is stored.

use std::cell::RefCell;
use std::collections::HashMap;

use zstd::bulk::{Compressor, Decompressor};

/// Frames up to this size gain from a dictionary.
const DICTIONARY_UP_TO: usize = 64 << 10;
/// Frames over this size are compressed at the fastest level: they compress well anyway.
const THOROUGH_UP_TO: usize = 256 << 10;

/// The dictionaries by number; number 0 means none.
static DICTIONARIES: &[(u16, &[u8])] = &[];

/// The dictionary to use for a block whose frames are of this size at most.
pub(crate) fn dictionary_for(plain_len: usize) -> u16 {
    if plain_len <= DICTIONARY_UP_TO { DICTIONARIES.last().map_or(0, |(number, _)| *number) } else { 0 }
}

fn dictionary(number: u16) -> Option<&'static [u8]> {
    if number == 0 {
        return Some(&[]);
    }
    DICTIONARIES.iter().find(|(n, _)| *n == number).map(|(_, bytes)| *bytes)
}

thread_local! {
    static COMPRESSORS: RefCell<HashMap<(u16, i32), Compressor<'static>>> = RefCell::default();
    static DECOMPRESSORS: RefCell<HashMap<u16, Decompressor<'static>>> = RefCell::default();
}

/// Compresses one frame.
pub(crate) fn compress(number: u16, plain: &[u8]) -> Vec<u8> {
    let level = if plain.len() <= THOROUGH_UP_TO { 3 } else { 1 };
    COMPRESSORS.with_borrow_mut(|all| {
        let compressor = all.entry((number, level)).or_insert_with(|| {
            let dictionary = dictionary(number).expect("only known dictionaries are asked for");
            let mut fresh = Compressor::with_dictionary(level, dictionary).expect("level and dictionary are valid");
            for parameter in [
                zstd::zstd_safe::CParameter::ChecksumFlag(false),
                zstd::zstd_safe::CParameter::ContentSizeFlag(false),
                zstd::zstd_safe::CParameter::DictIdFlag(false),
            ] {
                fresh.set_parameter(parameter).expect("the parameter exists in every zstd of version 1");
            }
            fresh
        });
        compressor.compress(plain).expect("compressing into a buffer of the bound's size cannot fail")
    })
}

/// Decompresses one frame to exactly `plain_len` bytes; `None` if it does not come to that.
pub(crate) fn decompress(number: u16, compressed: &[u8], plain_len: usize) -> Option<Vec<u8>> {
    let dictionary = dictionary(number)?;
    DECOMPRESSORS.with_borrow_mut(|all| {
        let decompressor = match all.entry(number) {
            std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::hash_map::Entry::Vacant(entry) => {
                entry.insert(Decompressor::with_dictionary(dictionary).ok()?)
            }
        };
        let plain = decompressor.decompress(compressed, plain_len).ok()?;
        (plain.len() == plain_len).then_some(plain)
    })
}
