//! Stub.
use super::Life;
impl Life<'_> {
    pub(super) fn old_age(&mut self) {}
}
use super::{By, Visit, Way};
use crate::clock::Moment;
use crate::codes::{self, Code};
impl Life<'_> {
    pub(crate) fn home_visit(
        &mut self,
        at: Moment,
        service: &'static str,
        reason: Option<Code>,
        by: By,
    ) -> Option<usize> {
        self.visit(Visit { way: Way::Home, start: at, minutes: 30, kind: codes::HOME_VISIT, reason, by, service })
    }
}
