//! Stub.
use super::Life;
impl Life<'_> {
    pub(super) fn checks(&mut self) {}
}
