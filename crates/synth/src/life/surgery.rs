//! Stub.
use super::Life;
impl Life<'_> {
    pub(super) fn surgery(&mut self) {}
}
