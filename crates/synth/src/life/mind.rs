//! Stub.
use super::Life;
impl Life<'_> {
    pub(super) fn mind(&mut self) {}
}
