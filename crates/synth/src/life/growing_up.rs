//! Stub.
use super::Life;
impl Life<'_> {
    pub(super) fn childhood(&mut self) {}
}
