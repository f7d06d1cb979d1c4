//! Residents: who signed in, and what they fill in.

use std::fmt;

use keepwell_model::{Actor, NhsNumber, RecordId, Timestamp};

/// How strongly the identity provider proved the identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Assurance {
    /// An e-mail address and no more (P0).
    Low,
    /// Some checks (P5): not enough for a health record.
    Medium,
    /// Identity documents checked (P9).
    High,
}

/// What the identity provider vouches for. The portal has verified signature, issuer, audience, nonce and times.
#[derive(Clone)]
pub struct VerifiedIdentity {
    /// The provider.
    pub issuer: String,
    /// The provider's stable id of the person.
    pub subject: String,
    /// The NHS number, where the provider gives one.
    pub nhs_number: Option<NhsNumber>,
    /// Family name.
    pub family_name: String,
    /// Given name, where the provider gives one.
    pub given_name: Option<String>,
    /// Date of birth, `YYYY-MM-DD`.
    pub birth_date: String,
    /// How strongly it was proved.
    pub assurance: Assurance,
}

impl fmt::Debug for VerifiedIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VerifiedIdentity(…)")
    }
}

/// The secret that the session cookie carries. Only its keyed hash is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionToken(pub(crate) String);

impl SessionToken {
    /// The cookie's value: letters, digits, `-` and `_`.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionToken(…)")
    }
}

/// A signed-in resident. Only [`crate::Service::session`] makes one.
#[derive(Clone)]
#[non_exhaustive]
pub struct Session {
    /// Who acts.
    pub actor: Actor,
    /// The record they act on.
    pub record: RecordId,
    /// Name to show, from the record.
    pub display_name: String,
    /// Date of birth, `YYYY-MM-DD`.
    pub birth_date: String,
    /// When they signed in.
    pub signed_in: Timestamp,
    /// When the session ends if nothing more is done.
    pub ends: Timestamp,
    /// Secret for the hidden field of every form; another one at each sign-in.
    pub csrf: String,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session({})", self.record)
    }
}

/// A blood pressure reading as typed, nothing parsed. Empty text is "not given".
#[derive(Clone, Default)]
pub struct BloodPressureForm {
    /// The top number.
    pub systolic: String,
    /// The bottom number.
    pub diastolic: String,
    /// Pulse, if given.
    pub pulse: String,
    /// Local date, `YYYY-MM-DD`; the three-field date input of a page is joined with dashes before it comes here.
    pub date: String,
    /// Local time of day, `HH:MM`.
    pub time: String,
    /// A key made when the form was handed out, so that sending it twice adds one reading.
    pub form_key: String,
}

impl fmt::Debug for BloodPressureForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BloodPressureForm(…)")
    }
}
