//! A record of two resources, for searches to look at.

use std::borrow::Cow;

use keepwell_fhir::search::{Handle, World};

use super::corpus::{OBSERVATION, PATIENT};

/// The record.
pub(crate) struct Two;

const ALL: [(&str, &str, &str); 2] = [("Observation", "o1", OBSERVATION), ("Patient", "p1", PATIENT)];
const HANDLES: [Handle; 2] = [0, 1];

fn place(resource_type: &str) -> Option<usize> {
    ALL.iter().position(|(name, ..)| *name == resource_type)
}

impl World for Two {
    fn items(&self, resource_type: &str) -> Cow<'_, [Handle]> {
        Cow::Borrowed(place(resource_type).map_or(&[], |at| &HANDLES[at..=at]))
    }

    fn types(&self) -> Vec<Cow<'_, str>> {
        ALL.iter().map(|(name, ..)| Cow::Borrowed(*name)).collect()
    }

    fn resource_type(&self, item: Handle) -> Cow<'_, str> {
        Cow::Borrowed(ALL[item as usize].0)
    }

    fn body(&self, item: Handle) -> Cow<'_, [u8]> {
        Cow::Borrowed(ALL[item as usize].2.as_bytes())
    }

    fn id(&self, item: Handle) -> Cow<'_, str> {
        Cow::Borrowed(ALL[item as usize].1)
    }

    fn last_updated(&self, item: Handle) -> i64 {
        i64::from(item)
    }

    fn find(&self, resource_type: &str, id: &str) -> Option<Handle> {
        place(resource_type).filter(|&at| ALL[at].1 == id).map(|at| HANDLES[at])
    }

    fn resolve(&self, _: Handle, reference: &str) -> Option<Handle> {
        // The Observation's subject, and anything else that is written so.
        (reference == "Patient/1").then_some(1)
    }

    fn base(&self) -> Cow<'_, str> {
        Cow::Borrowed("https://example.org/fhir")
    }

    fn list(&self, id: &str) -> Option<Vec<Handle>> {
        (id == "1").then(|| HANDLES.to_vec())
    }
}
