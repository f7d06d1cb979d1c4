//! The bytes of blocks and snapshots, described in docs/storage-format.md. Pure: no store, no clock.

pub(crate) mod block;
pub(crate) mod compress;
pub(crate) mod header;
pub(crate) mod index;
pub(crate) mod payload;
pub(crate) mod varint;
