//! The hash tree of RFC 6962 §2.1 and the two verifications that need nothing but hashes (RFC 9162 §2.1.3.2 and
//! §2.1.4.2 spell out the same checks step by step).

use aws_lc_rs::digest;

/// A SHA-256 value: a block hash, a leaf hash, an inner node or a root.
pub type Hash = [u8; 32];

/// Why a proof does not hold. None of these says who is at fault: the proof, the checkpoint or the block may be false.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The index lies outside the tree; a tree of size 0 has no entry at all.
    #[error("entry {index} is not in a log of {size} entries")]
    OutsideTree {
        /// The index that was asked for.
        index: u64,
        /// The size of the tree.
        size: u64,
    },
    /// The older size is larger than the newer one.
    #[error("a log of {new} entries cannot continue one of {old}")]
    Shrunk {
        /// The older size.
        old: u64,
        /// The newer size.
        new: u64,
    },
    /// The proof has more or fewer hashes than the sizes call for.
    #[error("the proof has {found} hashes, which does not fit the size of the log")]
    WrongLength {
        /// How many hashes the proof has.
        found: usize,
    },
    /// The hashes do not lead to the root.
    #[error("the proof does not lead to the root of the log")]
    WrongRoot,
}

/// SHA-256 of one message.
pub(super) fn sha256(message: &[u8]) -> Hash {
    digest::digest(&digest::SHA256, message).as_ref().try_into().expect("SHA-256 gives 32 bytes")
}

/// The hash of one entry: SHA-256(0x00 ‖ entry), RFC 6962 §2.1.
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Hash {
    let mut message = Vec::with_capacity(1 + entry.len());
    message.push(0);
    message.extend_from_slice(entry);
    sha256(&message)
}

/// The hash of an inner node: SHA-256(0x01 ‖ left ‖ right), RFC 6962 §2.1.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut message = [1u8; 65];
    message[1..33].copy_from_slice(left);
    message[33..].copy_from_slice(right);
    sha256(&message)
}

/// The root of the tree without entries: SHA-256 of nothing, RFC 6962 §2.1.
#[must_use]
pub fn empty_root() -> Hash {
    sha256(&[])
}

/// The root over leaf hashes that are all in memory.
#[must_use]
pub fn root_of_leaves(leaves: &[Hash]) -> Hash {
    fold_peaks(&peaks(leaves)).unwrap_or_else(empty_root)
}

/// The roots of the complete subtrees that `hashes` fall into, largest (leftmost) first.
pub(super) fn peaks(hashes: &[Hash]) -> Vec<Hash> {
    let mut peaks: Vec<Hash> = Vec::new();
    for (i, hash) in hashes.iter().enumerate() {
        let mut node = *hash;
        // Each trailing one bit of the count so far is a complete subtree of the same size, waiting for its sibling.
        for _ in 0..i.trailing_ones() {
            node = node_hash(&peaks.pop().expect("one peak per one bit of the count"), &node);
        }
        peaks.push(node);
    }
    peaks
}

/// The root over complete subtrees, largest first; `None` without any. RFC 6962 splits a tree at the largest power of
/// two, so the smallest subtrees join first.
pub(super) fn fold_peaks(peaks: &[Hash]) -> Option<Hash> {
    let (last, rest) = peaks.split_last()?;
    Some(rest.iter().rev().fold(*last, |right, left| node_hash(left, &right)))
}

/// Checks that the leaf with this hash is entry `index` of the tree of `size` entries with this root: RFC 6962 §2.1.1.
///
/// # Errors
/// [`VerifyError`] for every other combination; no wrong proof is accepted and none panics.
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, proof: &[Hash], root: &Hash) -> Result<(), VerifyError> {
    if index >= size {
        return Err(VerifyError::OutsideTree { index, size });
    }
    let wrong_length = VerifyError::WrongLength { found: proof.len() };
    let (mut node, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for sibling in proof {
        if last == 0 {
            return Err(wrong_length);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            // A right edge without sibling rises until it is somebody's right child.
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(wrong_length);
    }
    if hash == *root { Ok(()) } else { Err(VerifyError::WrongRoot) }
}

/// Checks that the tree of `new_size` entries begins with the whole tree of `old_size` entries: RFC 6962 §2.1.2.
///
/// # Errors
/// [`VerifyError`] for every other combination. Two trees of one size need an empty proof and equal roots; the empty
/// tree needs an empty proof and its own root.
pub fn verify_consistency(
    old_size: u64,
    old_root: &Hash,
    new_size: u64,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<(), VerifyError> {
    let wrong_length = VerifyError::WrongLength { found: proof.len() };
    if old_size > new_size {
        return Err(VerifyError::Shrunk { old: old_size, new: new_size });
    }
    if old_size == new_size || old_size == 0 {
        if !proof.is_empty() {
            return Err(wrong_length);
        }
        let old_holds = old_size != 0 || *old_root == empty_root();
        let new_holds = old_size != new_size || new_root == old_root;
        return if old_holds && new_holds { Ok(()) } else { Err(VerifyError::WrongRoot) };
    }
    let (mut node, mut last) = (old_size - 1, new_size - 1);
    let skip = node.trailing_ones();
    node >>= skip;
    last >>= skip;
    // An old tree that is one complete subtree is not repeated in the proof: its root is known already.
    let (start, rest) =
        if old_size.is_power_of_two() { (old_root, proof) } else { proof.split_first().ok_or(wrong_length)? };
    let (mut old_hash, mut new_hash) = (*start, *start);
    for sibling in rest {
        if last == 0 {
            return Err(wrong_length);
        }
        if node & 1 == 1 || node == last {
            old_hash = node_hash(sibling, &old_hash);
            new_hash = node_hash(sibling, &new_hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = node_hash(&new_hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(wrong_length);
    }
    if old_hash == *old_root && new_hash == *new_root { Ok(()) } else { Err(VerifyError::WrongRoot) }
}
