//! The tenant's transparency log: an append-only list of block hashes that anybody can check.
//!
//! Each entry of the log is one 32-byte block hash. The entries are the leaves of an RFC 6962 Merkle tree, kept as tiles
//! (C2SP tlog-tiles), whose size and root the tenant signs from time to time (C2SP tlog-checkpoint, signed-note). A
//! witness adds a dated signature of its own once it has seen that nothing signed before was changed (C2SP
//! tlog-cosignature, tlog-witness). A proof file (C2SP tlog-proof) binds one block to one such checkpoint.
//!
//! Everything here is a pure function of its arguments: no store, no clock, no random source, no async. Who calls it
//! loads the tiles that [`tiles_for_root`], [`tiles_for_inclusion`] or [`tiles_for_consistency`] name, and stores what
//! [`TreeState::append`] returns. It must not know what a block holds. Why the code is our own: docs/adr/0010.

mod checkpoint;
mod merkle;
mod note;
mod proof;
mod tile;
mod tree;
mod witness;

#[cfg(test)]
mod oracle_tests;
#[cfg(test)]
mod vector_tests;

pub use checkpoint::{Checkpoint, CheckpointError, Cosignature, OpenedCheckpoint, TrustedLog};
pub use merkle::{
    Hash, VerifyError, empty_root, leaf_hash, node_hash, root_of_leaves, verify_consistency, verify_inclusion,
};
pub use note::{KeyError, MAX_SIGNATURES, Note, NoteError, NoteSignature, SignatureKind, SigningKey, VerifyingKey};
pub use proof::{Proof, ProofError};
pub use tile::{TILE_WIDTH, Tile, TileKey, TilePath, TilePathError};
pub use tree::{
    Appended, TileSource, TreeError, TreeState, prove_consistency, prove_inclusion, root_at, serve_tile,
    tiles_for_consistency, tiles_for_inclusion, tiles_for_root,
};
pub use witness::{AddCheckpoint, Cosigned, Refusal, Seen, Submission, Witness};
