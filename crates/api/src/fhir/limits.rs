//! How much one system may ask for at once, and how long an answer may take.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::StatusCode;
use keepwell_service::{FhirError, IssueCode};

use super::answer::Refusal;
use crate::Api;

/// Requests under way, by system.
#[derive(Clone, Default)]
pub(crate) struct Turns(Arc<Mutex<HashMap<String, usize>>>);

/// One request under way; its place is free again when this goes.
pub(super) struct Turn {
    turns: Turns,
    name: String,
}

impl Turns {
    /// A place for one more request, unless there are so many already.
    pub(super) fn take(&self, name: &str, most: usize) -> Option<Turn> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.get(name).copied().unwrap_or(0);
        if count >= most {
            return None;
        }
        counts.insert(name.to_owned(), count + 1);
        Some(Turn { turns: self.clone(), name: name.to_owned() })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut counts = self.turns.0.lock().unwrap_or_else(PoisonError::into_inner);
        match counts.get_mut(&self.name) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(counts.remove(&self.name)),
        }
    }
}

impl Api {
    /// Waits for an answer, for as long as a request may take.
    pub(super) async fn within<T>(&self, work: impl Future<Output = Result<T, FhirError>>) -> Result<T, Refusal> {
        match tokio::time::timeout(self.config.request_time, work).await {
            Ok(answer) => Ok(answer?),
            Err(_) => {
                let words = "This took too long and was given up. Ask for less at once. If something was to be written, read \
                             it back before you send it again: it may have been taken.";
                Err(Refusal::new(StatusCode::GATEWAY_TIMEOUT, IssueCode::TooCostly, words))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_its_request_ends() {
        let turns = Turns::default();
        let first = turns.take("gp", 2).unwrap();
        let second = turns.take("gp", 2).unwrap();
        assert!(turns.take("gp", 2).is_none());
        assert!(turns.take("lab", 2).is_some());
        drop(first);
        let third = turns.take("gp", 2);
        assert!(third.is_some() && turns.take("gp", 2).is_none());
        drop((second, third));
        assert!(turns.0.lock().unwrap().is_empty());
    }
}
