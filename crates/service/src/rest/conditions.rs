//! Conditions on versions, as HTTP says them: `If-Match` and `If-None-Match` (R4 §3.1.0.5, §3.1.0.1.4).

use keepwell_fhir::outcome::IssueCode;
use keepwell_model::Seq;

use crate::FhirError;

/// Which versions a condition names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Versions {
    /// `*`: whatever version there is.
    Any,
    /// These.
    OneOf(Vec<Seq>),
}

impl Versions {
    /// Reads `*` or a list of entity tags, weak or strong (`W/"3"`, `"3"`), or a bare version, which many clients send.
    ///
    /// # Errors
    /// 400 if it is none of these.
    pub(crate) fn read(text: &str, name: &str) -> Result<Self, FhirError> {
        if text.trim() == "*" {
            return Ok(Self::Any);
        }
        let version = |tag: &str| {
            let tag = tag.trim();
            let tag = tag.strip_prefix("W/").unwrap_or(tag);
            let bare = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).unwrap_or(tag);
            bare.parse().map(Seq).ok()
        };
        text.split(',').map(version).collect::<Option<_>>().map(Self::OneOf).ok_or_else(|| {
            let words = format!("'{name}' names a version of this server, such as W/\"3\".");
            FhirError::new(400, IssueCode::Value, words)
        })
    }

    /// Whether the condition names the version of something; `None` is something that is not there.
    pub(crate) fn name(&self, version: Option<Seq>) -> bool {
        match (self, version) {
            (_, None) => false,
            (Self::Any, Some(_)) => true,
            (Self::OneOf(versions), Some(version)) => versions.contains(&version),
        }
    }
}

/// The conditions of one write.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Precondition {
    /// One of these must be the version that is there.
    pub(crate) matches: Option<Versions>,
    /// None of these may be.
    pub(crate) differs: Option<Versions>,
}

impl Precondition {
    /// Reads the two header fields, or what stands for them in a Bundle's entry.
    ///
    /// # Errors
    /// 400 if one of them cannot be read.
    pub(crate) fn read(if_match: Option<&str>, if_none_match: Option<&str>) -> Result<Self, FhirError> {
        Ok(Self {
            matches: if_match.map(|text| Versions::read(text, "If-Match")).transpose()?,
            differs: if_none_match.map(|text| Versions::read(text, "If-None-Match")).transpose()?,
        })
    }

    /// Compares with the version that is there.
    ///
    /// # Errors
    /// 412 if a condition does not hold.
    pub(crate) fn check(&self, version: Option<Seq>) -> Result<(), FhirError> {
        let failed = |words: &str| Err(FhirError::new(412, IssueCode::Conflict, words));
        if self.matches.as_ref().is_some_and(|versions| !versions.name(version)) {
            return failed("The resource has another version by now, or is not there. Read it again, then decide.");
        }
        if self.differs.as_ref().is_some_and(|versions| versions.name(version)) {
            return failed("The resource is there already, and the request was for the case that it is not.");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_strong_and_bare_versions_are_read_and_nothing_else_is() {
        for (text, versions) in
            [("W/\"3\"", vec![3]), ("\"3\"", vec![3]), ("3", vec![3]), ("W/\"3\", \"4\"", vec![3, 4])]
        {
            let expected = Versions::OneOf(versions.into_iter().map(Seq).collect());
            assert_eq!(Versions::read(text, "If-Match").unwrap(), expected, "{text}");
        }
        assert_eq!(Versions::read(" * ", "If-Match").unwrap(), Versions::Any);
        for text in ["", "W/\"x\"", "w/\"3\"", "\"3", "3,", "-1"] {
            assert_eq!(Versions::read(text, "If-Match").unwrap_err().status, 400, "{text}");
        }
    }

    #[test]
    fn what_is_not_there_matches_nothing() {
        let there = Precondition::read(Some("*"), None).unwrap();
        assert!(there.check(Some(Seq(1))).is_ok() && there.check(None).is_err());
        let absent = Precondition::read(None, Some("*")).unwrap();
        assert!(absent.check(None).is_ok() && absent.check(Some(Seq(1))).is_err());
        let third = Precondition::read(Some("W/\"3\""), None).unwrap();
        assert!(third.check(Some(Seq(3))).is_ok() && third.check(Some(Seq(4))).is_err());
    }
}
