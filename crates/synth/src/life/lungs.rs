//! Stub.
use super::Life;
impl Life<'_> {
    pub(super) fn lungs(&mut self) {}
}
