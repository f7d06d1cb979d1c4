//! Stub.
use super::Life;
impl Life<'_> {
    pub(super) fn births(&mut self) {}
}
impl Life<'_> {
    pub(crate) fn pregnant_on(&self, _day: crate::clock::Day) -> bool {
        false
    }
}
