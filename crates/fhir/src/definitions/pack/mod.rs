//! The packs: definitions as few bytes that are read fast.
//!
//! A pack is compressed with zstd and holds numbers and words. Words used more than once stand in a table at the front.
//! What is seldom needed (a code system, say) is found without being read, and read when somebody asks.

mod items;
mod read;
mod write;

pub(super) use read::{Reader, Shelf, Slot, Source};
pub(super) use write::{Writer, compress};

/// Every pack starts with this; the number is the format's.
const MAGIC: &[u8] = b"keepwell definitions 1\n";

/// A pack that cannot be read. The packs are part of the program, so this is a fault of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the embedded definitions are damaged")]
pub(in crate::definitions) struct Damaged;

/// Something that a pack holds.
pub(super) trait Packed: Sized {
    fn write(&self, out: &mut Writer);
    fn read(input: &mut Reader) -> Result<Self, Damaged>;
}
