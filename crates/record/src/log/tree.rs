//! The growing tree: appending to its right edge, and reading roots and proofs out of stored tiles.
//!
//! Reading goes in two steps, so that a store may be asynchronous and this module need not be: first ask which tiles a
//! question needs ([`tiles_for_root`], [`tiles_for_inclusion`], [`tiles_for_consistency`]), load them into a map, then
//! ask the question with the map as [`TileSource`]. What comes out of damaged tiles is a wrong root or proof, never a
//! panic; compare with a signed root.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use super::merkle::{Hash, empty_root, fold_peaks, leaf_hash, node_hash, peaks};
use super::tile::{MAX_SIZE, TILE_WIDTH, Tile, TileKey, TilePath};

/// Levels of the tree in one tile.
const TILE_HEIGHT: u32 = 8;

/// Where stored tiles come from. A tile may be longer than a question needs: it has grown since.
pub trait TileSource {
    /// The bytes stored under a key, if there are any.
    fn tile(&self, key: TileKey) -> Option<&[u8]>;
}

impl<B: AsRef<[u8]>> TileSource for BTreeMap<TileKey, B> {
    fn tile(&self, key: TileKey) -> Option<&[u8]> {
        self.get(&key).map(AsRef::as_ref)
    }
}

impl<B: AsRef<[u8]>> TileSource for HashMap<TileKey, B> {
    fn tile(&self, key: TileKey) -> Option<&[u8]> {
        self.get(&key).map(AsRef::as_ref)
    }
}

/// Why a question about the tree has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// A tile is not there.
    #[error("tile {} of level {} of the log is missing", .key.index, .key.level)]
    Missing {
        /// Which one.
        key: TileKey,
    },
    /// A tile is there and has too few hashes.
    #[error("tile {} of level {} of the log is too short: {found} bytes where {needed} are needed", .key.index, .key.level)]
    TooShort {
        /// Which one.
        key: TileKey,
        /// Bytes needed.
        needed: usize,
        /// Bytes found.
        found: usize,
    },
    /// The entry, or the older tree, lies beyond the end of the tree.
    #[error("{asked} is beyond a log of {size} entries")]
    Beyond {
        /// The index or the older size.
        asked: u64,
        /// The size of the tree.
        size: u64,
    },
    /// A log holds at most 2^63 − 1 entries.
    #[error("the log is full")]
    Full,
}

/// The right edge of the tree: all that is needed to append. At most 8 KiB for each level in use.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TreeState {
    size: u64,
    /// Roots of the complete subtrees, largest first: one per one bit of `size`.
    peaks: Vec<Hash>,
    /// What the unfinished tile of each level holds so far: entries at level 0, hashes above.
    edge: Vec<Vec<Hash>>,
}

/// What appending gives: store the tiles and, in the same transaction, the new size; then use the new state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The tree after appending.
    pub state: TreeState,
    /// Index of the first entry appended; the others follow it.
    pub first: u64,
    /// New or longer tiles, ordered by key, each key once.
    pub tiles: Vec<Tile>,
}

impl TreeState {
    /// The empty tree.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Loads the right edge of the tree of `size` entries; [`TreeState::tiles`] names the tiles it needs.
    ///
    /// # Errors
    /// [`TreeError`] if a tile is missing or too short. Compare [`TreeState::root`] with the last checkpoint.
    pub fn load(size: u64, source: &impl TileSource) -> Result<Self, TreeError> {
        if size > MAX_SIZE {
            return Err(TreeError::Full);
        }
        let mut state = Self { size, peaks: Vec::new(), edge: Vec::new() };
        for key in edge_keys(size) {
            let hashes = read(source, key, 0..usize::from(key.width(size)))?;
            state.edge.resize(usize::from(key.level), Vec::new());
            state.edge.push(hashes);
        }
        for (level, hashes) in state.edge.iter().enumerate().rev() {
            state.peaks.extend(peaks(&as_nodes(level == 0, hashes)));
        }
        Ok(state)
    }

    /// The tiles that [`TreeState::load`] reads.
    #[must_use]
    pub fn tiles(size: u64) -> Vec<TileKey> {
        edge_keys(size).collect()
    }

    /// How many entries the tree has.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root of the tree.
    #[must_use]
    pub fn root(&self) -> Hash {
        fold_peaks(&self.peaks).unwrap_or_else(empty_root)
    }

    /// Appends entries. The state itself stays as it is, so that a transaction which fails changes nothing.
    ///
    /// # Errors
    /// [`TreeError::Full`] beyond 2^63 − 1 entries.
    pub fn append(&self, entries: &[Hash]) -> Result<Appended, TreeError> {
        let count = u64::try_from(entries.len()).map_err(|_| TreeError::Full)?;
        self.size.checked_add(count).filter(|size| *size <= MAX_SIZE).ok_or(TreeError::Full)?;
        let mut state = self.clone();
        let mut tiles = BTreeMap::new();
        for entry in entries {
            state.push(entry, &mut tiles);
        }
        let tiles = tiles.into_iter().map(|(key, hashes)| Tile { key, bytes: hashes.concat() }).collect();
        Ok(Appended { state, first: self.size, tiles })
    }

    /// Appends one entry; `changed` collects the newest content of each tile that it touches.
    fn push(&mut self, entry: &Hash, changed: &mut BTreeMap<TileKey, Vec<Hash>>) {
        self.extend_tile(0, *entry, changed);
        let mut node = leaf_hash(entry);
        for height in 1..=self.size.trailing_ones() {
            node = node_hash(&self.peaks.pop().expect("one peak per one bit of the size"), &node);
            if height % TILE_HEIGHT == 0 {
                // A subtree as high as a tile is finished: its root goes into the tile above.
                self.extend_tile((height / TILE_HEIGHT) as usize, node, changed);
            }
        }
        self.peaks.push(node);
        self.size += 1;
    }

    /// Adds a hash to the unfinished tile of a level.
    fn extend_tile(&mut self, level: usize, hash: Hash, changed: &mut BTreeMap<TileKey, Vec<Hash>>) {
        if self.edge.len() <= level {
            self.edge.resize(level + 1, Vec::new());
        }
        let level_number = u8::try_from(level).expect("63 levels of a tree fit into 8 levels of tiles");
        // The size is that of before this entry, whose place at every level is the one being filled.
        let index = (self.size >> (TILE_HEIGHT * u32::from(level_number))) / u64::from(TILE_WIDTH);
        let key = TileKey { level: level_number, index };
        let tile = &mut self.edge[level];
        tile.push(hash);
        match changed.get_mut(&key) {
            Some(so_far) => so_far.push(hash),
            None => {
                changed.insert(key, tile.clone());
            }
        }
        if tile.len() == usize::from(TILE_WIDTH) {
            tile.clear();
        }
    }
}

/// The unfinished tiles of a tree, lowest level first.
fn edge_keys(size: u64) -> impl Iterator<Item = TileKey> {
    (0..TILE_HEIGHT as u8)
        .map(move |level| {
            let at_level = size >> (TILE_HEIGHT * u32::from(level));
            TileKey { level, index: at_level / u64::from(TILE_WIDTH) }
        })
        .filter(move |key| key.width(size) > 0)
}

/// Reads hashes out of a stored tile.
fn read(source: &impl TileSource, key: TileKey, range: Range<usize>) -> Result<Vec<Hash>, TreeError> {
    let bytes = source.tile(key).ok_or(TreeError::Missing { key })?;
    let (hashes, _) = bytes.as_chunks::<32>();
    let needed = range.end * size_of::<Hash>();
    hashes.get(range).map(<[Hash]>::to_vec).ok_or(TreeError::TooShort { key, needed, found: bytes.len() })
}

/// What a stored tile holds, as nodes of the tree.
fn as_nodes(entries: bool, hashes: &[Hash]) -> Vec<Hash> {
    if entries { hashes.iter().map(|entry| leaf_hash(entry)).collect() } else { hashes.to_vec() }
}

/// A complete subtree: `2^height` entries, the `index`th of that size from the left.
#[derive(Clone, Copy)]
struct Subtree {
    height: u32,
    index: u64,
}

impl Subtree {
    /// The tile whose hashes this subtree is computed from: the nearest tile level below.
    fn key(self) -> TileKey {
        let first = self.index << (self.height % TILE_HEIGHT);
        let level = u8::try_from(self.height / TILE_HEIGHT).expect("a tree is at most 63 high");
        TileKey { level, index: first / u64::from(TILE_WIDTH) }
    }

    fn hash(self, source: &impl TileSource) -> Result<Hash, TreeError> {
        let low = self.height % TILE_HEIGHT;
        let first = usize::try_from((self.index << low) % u64::from(TILE_WIDTH)).expect("below 256");
        let key = self.key();
        let nodes = as_nodes(key.level == 0, &read(source, key, first..first + (1 << low))?);
        Ok(fold_peaks(&peaks(&nodes)).expect("at least one node"))
    }
}

/// The complete subtrees of a range of entries that RFC 6962 hashes as one node, largest first.
fn subtrees(range: &Range<u64>) -> impl Iterator<Item = Subtree> {
    let mut at = range.start;
    let count = range.end - range.start;
    (0..u64::BITS).rev().filter(move |height| (count >> height) & 1 == 1).map(move |height| {
        let subtree = Subtree { height, index: at >> height };
        at += 1 << height;
        subtree
    })
}

/// The hash of such a range.
fn range_hash(range: &Range<u64>, source: &impl TileSource) -> Result<Hash, TreeError> {
    let peaks = subtrees(range).map(|subtree| subtree.hash(source)).collect::<Result<Vec<_>, _>>()?;
    Ok(fold_peaks(&peaks).unwrap_or_else(empty_root))
}

/// The tiles that such ranges are computed from.
fn tiles_for(ranges: &[Range<u64>]) -> Vec<TileKey> {
    ranges.iter().flat_map(subtrees).map(Subtree::key).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Where RFC 6962 §2.1 splits a tree of more than one entry: at the largest power of two below its size.
fn split(range: &Range<u64>) -> u64 {
    let count = range.end - range.start;
    range.start + (1 << (count - 1).ilog2())
}

/// The ranges whose hashes make up the inclusion proof PATH(index, D\[size\]), RFC 6962 §2.1.1.
fn inclusion_ranges(index: u64, size: u64) -> Result<Vec<Range<u64>>, TreeError> {
    if index >= size || size > MAX_SIZE {
        return Err(TreeError::Beyond { asked: index, size });
    }
    let mut ranges = Vec::new();
    let mut range = 0..size;
    while range.end - range.start > 1 {
        let middle = split(&range);
        let (inside, beside) = if index < middle {
            (range.start..middle, middle..range.end)
        } else {
            (middle..range.end, range.start..middle)
        };
        ranges.push(beside);
        range = inside;
    }
    ranges.reverse();
    Ok(ranges)
}

/// The ranges whose hashes make up the consistency proof PROOF(old, D\[new\]), RFC 6962 §2.1.2.
fn consistency_ranges(old: u64, new: u64) -> Result<Vec<Range<u64>>, TreeError> {
    if old > new || new > MAX_SIZE {
        return Err(TreeError::Beyond { asked: old, size: new });
    }
    let mut ranges = Vec::new();
    if old == 0 || old == new {
        return Ok(ranges);
    }
    let mut range = 0..new;
    while range.end != old {
        let middle = split(&range);
        if old <= middle {
            ranges.push(middle..range.end);
            range.end = middle;
        } else {
            ranges.push(range.start..middle);
            range.start = middle;
        }
    }
    // A remainder that starts at 0 is the old tree itself, whose root the verifier has.
    if range.start != 0 {
        ranges.push(range);
    }
    ranges.reverse();
    Ok(ranges)
}

fn range_hashes(ranges: &[Range<u64>], source: &impl TileSource) -> Result<Vec<Hash>, TreeError> {
    ranges.iter().map(|range| range_hash(range, source)).collect()
}

/// The tiles that [`root_at`] reads.
#[must_use]
pub fn tiles_for_root(size: u64) -> Vec<TileKey> {
    tiles_for(std::slice::from_ref(&(0..size.min(MAX_SIZE))))
}

/// The root of the tree when it had `size` entries.
///
/// # Errors
/// [`TreeError`] if a tile is missing or too short.
pub fn root_at(size: u64, source: &impl TileSource) -> Result<Hash, TreeError> {
    if size > MAX_SIZE {
        return Err(TreeError::Full);
    }
    range_hash(&(0..size), source)
}

/// The tiles that [`prove_inclusion`] reads.
///
/// # Errors
/// [`TreeError::Beyond`] if there is no such entry in a tree of this size.
pub fn tiles_for_inclusion(index: u64, size: u64) -> Result<Vec<TileKey>, TreeError> {
    Ok(tiles_for(&inclusion_ranges(index, size)?))
}

/// The inclusion proof of an entry in the tree of `size` entries, from the leaf's sibling up.
///
/// # Errors
/// [`TreeError`] if there is no such entry, or a tile is missing or too short.
pub fn prove_inclusion(index: u64, size: u64, source: &impl TileSource) -> Result<Vec<Hash>, TreeError> {
    range_hashes(&inclusion_ranges(index, size)?, source)
}

/// The tiles that [`prove_consistency`] reads.
///
/// # Errors
/// [`TreeError::Beyond`] if the older size is the larger one.
pub fn tiles_for_consistency(old: u64, new: u64) -> Result<Vec<TileKey>, TreeError> {
    Ok(tiles_for(&consistency_ranges(old, new)?))
}

/// The proof that the tree of `new` entries begins with the tree of `old` entries; empty if they are the same tree or
/// the older one is empty.
///
/// # Errors
/// [`TreeError`] if the older size is the larger one, or a tile is missing or too short.
pub fn prove_consistency(old: u64, new: u64, source: &impl TileSource) -> Result<Vec<Hash>, TreeError> {
    range_hashes(&consistency_ranges(old, new)?, source)
}

/// What a log whose published checkpoint has `size` entries answers at a path, from the stored tile
/// [`TilePath::key`]; `None` if that log has no such tile (not found).
///
/// # Errors
/// [`TreeError`] if the tile should be there and is missing or too short.
pub fn serve_tile(path: TilePath, size: u64, source: &impl TileSource) -> Result<Option<Vec<u8>>, TreeError> {
    let (key, width) = (path.key(), path.width());
    if width > key.width(size) {
        return Ok(None);
    }
    let hashes = read(source, key, 0..usize::from(width))?;
    Ok(Some(match path {
        TilePath::Hashes { level, .. } => as_nodes(level == 0, &hashes).concat(),
        TilePath::Entries { .. } => hashes.iter().flat_map(|entry| [&[0, 32], entry.as_slice()].concat()).collect(),
    }))
}
