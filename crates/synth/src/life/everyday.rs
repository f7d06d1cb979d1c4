//! Stub.
use super::Life;
impl Life<'_> {
    pub(super) fn everyday(&mut self) {}
}
impl Life<'_> {
    pub(super) fn allergies(&mut self) {}
}
