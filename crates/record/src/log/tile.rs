//! Tiles: how the tree is cut up for storing and serving (C2SP tlog-tiles).

use std::fmt;
use std::str::FromStr;

use super::merkle::Hash;

/// Hashes in a full tile: tiles are 8 levels high.
pub const TILE_WIDTH: u16 = 256;

/// The largest size of a log: a size is kept as a signed 64-bit number.
pub(super) const MAX_SIZE: u64 = i64::MAX as u64;

/// The first part of every tile's path.
const PREFIX: &str = "tile/";

/// Where a stored tile belongs.
///
/// Level 0 keeps the entries themselves (block hashes); its leaf hashes are computed when they are asked for. A tile of
/// level 1 or above keeps the roots of full tiles of the level below. There is one stored tile per key: the rightmost
/// one of a level is rewritten as it grows, and only ever grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TileKey {
    /// 0 for the entries, 1 and up for hashes of tiles.
    pub level: u8,
    /// Position in its level, from 0 at the left.
    pub index: u64,
}

impl TileKey {
    /// How many hashes this tile has in a log of `size` entries: 0 (no such tile) to 256.
    #[must_use]
    pub fn width(self, size: u64) -> u16 {
        let at_level = size.checked_shr(8 * u32::from(self.level)).unwrap_or(0);
        let before = self.index.saturating_mul(u64::from(TILE_WIDTH));
        let width = at_level.saturating_sub(before).min(u64::from(TILE_WIDTH));
        u16::try_from(width).expect("at most 256")
    }
}

/// A tile to store: `bytes` replaces whatever is stored under `key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tile {
    /// Where it belongs.
    pub key: TileKey,
    /// 1 to 256 hashes of 32 bytes, one after the other.
    pub bytes: Vec<u8>,
}

impl Tile {
    /// How many hashes it has.
    #[must_use]
    pub fn width(&self) -> u16 {
        u16::try_from(self.bytes.len() / size_of::<Hash>()).expect("at most 256")
    }

    /// Whether it is full: it will never change again.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.width() == TILE_WIDTH
    }
}

/// What a log serves below its prefix, besides its checkpoint: C2SP tlog-tiles, "Merkle Tree" and "Log entries".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TilePath {
    /// `tile/<level>/<index>[.p/<width>]`: hashes, those of the leaves at level 0.
    Hashes {
        /// Level, 0 to 63.
        level: u8,
        /// Position in its level.
        index: u64,
        /// 1 to 256; 256 is a full tile.
        width: u16,
    },
    /// `tile/entries/<index>[.p/<width>]`: the entries, each behind its length in two bytes.
    Entries {
        /// Position, counted in bundles of 256.
        index: u64,
        /// 1 to 256; 256 is a full bundle.
        width: u16,
    },
}

/// The text is not the path of a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the path of a tile")]
pub struct TilePathError;

impl TilePath {
    /// The stored tile that this path is answered from.
    #[must_use]
    pub const fn key(self) -> TileKey {
        match self {
            Self::Hashes { level, index, .. } => TileKey { level, index },
            Self::Entries { index, .. } => TileKey { level: 0, index },
        }
    }

    /// How many hashes or entries the path asks for.
    #[must_use]
    pub const fn width(self) -> u16 {
        match self {
            Self::Hashes { width, .. } | Self::Entries { width, .. } => width,
        }
    }
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PREFIX)?;
        match self {
            Self::Hashes { level, .. } => write!(f, "{level}/")?,
            Self::Entries { .. } => f.write_str("entries/")?,
        }
        let digits = self.key().index.to_string();
        let padded = format!("{digits:0>width$}", width = digits.len().div_ceil(3) * 3);
        let groups = padded.len() / 3;
        for i in 0..groups {
            let (mark, end) = if i + 1 == groups { ("", "") } else { ("x", "/") };
            write!(f, "{mark}{}{end}", &padded[3 * i..3 * i + 3])?;
        }
        match self.width() {
            TILE_WIDTH => Ok(()),
            width => write!(f, ".p/{width}"),
        }
    }
}

impl FromStr for TilePath {
    type Err = TilePathError;

    /// Reads the one spelling that [`Display`](fmt::Display) writes and no other.
    fn from_str(text: &str) -> Result<Self, TilePathError> {
        let parsed = parse(text).ok_or(TilePathError)?;
        // Zeros in front, an x000 that could be left out, a partial width of 256: all are a second name of one tile.
        if parsed.to_string() == text { Ok(parsed) } else { Err(TilePathError) }
    }
}

/// Reads a path, more leniently than it is written.
fn parse(text: &str) -> Option<TilePath> {
    let (kind, rest) = text.strip_prefix(PREFIX)?.split_once('/')?;
    let (place, width) = match rest.split_once(".p/") {
        Some((place, width)) => (place, number(width).filter(|w| (1..256).contains(w))?),
        None => (rest, u64::from(TILE_WIDTH)),
    };
    let width = u16::try_from(width).ok()?;
    let mut index = 0u64;
    for group in place.split('/') {
        let digits = group.strip_prefix('x').unwrap_or(group);
        if digits.len() != 3 {
            return None;
        }
        index = index.checked_mul(1000)?.checked_add(number(digits)?)?;
    }
    if kind == "entries" {
        return Some(TilePath::Entries { index, width });
    }
    let level = u8::try_from(number(kind)?).ok().filter(|level| *level < 64)?;
    Some(TilePath::Hashes { level, index, width })
}

/// Digits only: `str::parse` would also take a plus sign.
pub(super) fn number(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// A decimal number with exactly one spelling: no zeros in front.
pub(super) fn canonical_number(text: &str) -> Option<u64> {
    if text.len() > 1 && text.starts_with('0') { None } else { number(text) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_are_spelt_as_the_specification_says() {
        for (path, text) in [
            (TilePath::Hashes { level: 0, index: 1_234_067, width: 256 }, "tile/0/x001/x234/067"),
            (TilePath::Hashes { level: 0, index: 0, width: 256 }, "tile/0/000"),
            (TilePath::Hashes { level: 1, index: 0, width: 17 }, "tile/1/000.p/17"),
            (TilePath::Hashes { level: 63, index: 999, width: 1 }, "tile/63/999.p/1"),
            (TilePath::Entries { index: 273, width: 112 }, "tile/entries/273.p/112"),
            (TilePath::Entries { index: 1000, width: 255 }, "tile/entries/x001/000.p/255"),
        ] {
            assert_eq!(path.to_string(), text);
            assert_eq!(text.parse(), Ok(path));
        }
    }

    #[test]
    fn a_second_spelling_of_a_tile_is_refused() {
        for text in [
            "",
            "tile",
            "tile/",
            "tile/0",
            "tile/0/",
            "tile/0/0",
            "tile/0/x000/000",
            "tile/0/x001/x234/x067",
            "tile/0/001/234/067",
            "tile/0/x01/067",
            "tile/00/000",
            "tile/+1/000",
            "tile/64/000",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/01",
            "tile/0/000.p/",
            "tile/0/000.p/1/",
            "tile/0/+00",
            "tile/0/000/",
            "tile/0//000",
            "/tile/0/000",
            "tile/entries/000.p/300",
            "tile/Entries/000",
            "tile/0/x999/x999/x999/x999/x999/x999/999",
            "tile/0/../000",
        ] {
            assert_eq!(text.parse::<TilePath>(), Err(TilePathError), "{text}");
        }
    }

    #[test]
    fn a_log_of_70000_entries_has_the_tiles_of_the_specifications_example() {
        let width = |level, index| TileKey { level, index }.width(70_000);
        assert_eq!((width(0, 272), width(0, 273), width(0, 274)), (256, 112, 0));
        assert_eq!((width(1, 0), width(1, 1), width(1, 2)), (256, 17, 0));
        assert_eq!((width(2, 0), width(2, 1), width(3, 0)), (1, 0, 0));
        assert_eq!(TileKey { level: 0, index: 0 }.width(256), 256);
        assert_eq!(TileKey { level: 1, index: 0 }.width(256), 1);
        assert_eq!(TileKey { level: 255, index: u64::MAX }.width(u64::MAX), 0);
    }

    proptest! {
        #[test]
        fn every_path_reads_back(level in 0u8..64, index: u64, width in 1u16..=256, entries: bool) {
            let path = if entries {
                TilePath::Entries { index, width }
            } else {
                TilePath::Hashes { level, index, width }
            };
            prop_assert_eq!(path.to_string().parse(), Ok(path));
        }

        #[test]
        fn no_text_is_read_as_a_path_it_does_not_spell(text in "(tile/)?[0-9a-z/.x+]{0,24}(\\.p/[0-9]{1,4})?") {
            if let Ok(path) = text.parse::<TilePath>() {
                prop_assert_eq!(path.to_string(), text);
            }
        }
    }
}
