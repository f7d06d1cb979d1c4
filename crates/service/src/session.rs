//! Sessions: idle and absolute end (NL-4), exact to the second on this node.

use std::collections::HashMap;
use std::sync::Mutex;

use keepwell_model::{Actor, RecordId, Timestamp};
use keepwell_record::SideTable;
use serde::{Deserialize, Serialize};

use crate::{Service, ServiceError, Session, SessionToken};

/// Seconds between two durable notes of "last used". In between, the node remembers it; another node may end the session
/// that much earlier, never later.
const NOTE_EVERY: i64 = 60;
/// How many sessions a node remembers the last use of.
const REMEMBERED: usize = 100_000;

/// When each session was last used on this node, by the session's own id.
#[derive(Default)]
pub(crate) struct LastUsed(Mutex<HashMap<String, Timestamp>>);

impl LastUsed {
    fn get(&self, id: &str) -> Option<Timestamp> {
        self.0.lock().expect("no panic while held").get(id).copied()
    }

    fn set(&self, id: &str, at: Timestamp, forget_before: Timestamp) {
        let mut all = self.0.lock().expect("no panic while held");
        if all.len() >= REMEMBERED && !all.contains_key(id) {
            all.retain(|_, used| *used > forget_before);
            if all.len() >= REMEMBERED {
                return;
            }
        }
        all.insert(id.to_owned(), at);
    }

    fn forget(&self, id: &str) {
        self.0.lock().expect("no panic while held").remove(id);
    }
}

/// Written once at sign-in and never again, so that a use that races with signing out cannot bring a session back.
#[derive(Serialize, Deserialize)]
struct Stored {
    id: String,
    record: RecordId,
    name: String,
    birth_date: String,
    signed_in: Timestamp,
    csrf: String,
}

/// The key of the row that notes the last use.
fn used_key(token: &str) -> Vec<u8> {
    [b"used:", token.as_bytes()].concat()
}

impl Service {
    /// Begins a session with a fresh token and a fresh form secret.
    pub(crate) async fn begin_session(
        &self,
        record: RecordId,
        name: String,
        birth_date: String,
    ) -> Result<SessionToken, ServiceError> {
        let now = self.now();
        let token = self.secret::<32>();
        let (id, csrf) = (self.secret::<16>(), self.secret::<32>());
        let stored = Stored { id, record, name, birth_date, signed_in: now, csrf };
        let value = serde_json::to_vec(&stored).expect("a session is plain strings and numbers");
        self.note_use(&token, now).await?;
        let expires = Some(now.plus_seconds(self.inner.config.session_absolute));
        self.tenant().side_put(SideTable::Session, token.as_bytes(), &value, expires).await?;
        Ok(SessionToken(token))
    }

    /// The session of a token, if it has not ended. Asking counts as using it.
    ///
    /// # Errors
    /// [`ServiceError::Unavailable`].
    pub async fn session(&self, token: &str) -> Result<Option<Session>, ServiceError> {
        if token.len() != 43 {
            return Ok(None);
        }
        let Some(value) = self.tenant().side_get(SideTable::Session, token.as_bytes()).await? else { return Ok(None) };
        let stored: Stored = serde_json::from_slice(&value).map_err(|error| {
            tracing::error!("A session cannot be read: {error}");
            ServiceError::Unavailable
        })?;
        let noted = self.tenant().side_get(SideTable::Session, &used_key(token)).await?;
        let noted = noted
            .and_then(|value| value.try_into().ok())
            .map(|micros| Timestamp::from_micros(i64::from_be_bytes(micros)));
        let Some(last_used) = noted.max(self.inner.last_used.get(&stored.id)) else {
            self.sign_out(token).await?;
            return Ok(None);
        };
        let (now, config) = (self.now(), &self.inner.config);
        let absolute = stored.signed_in.plus_seconds(config.session_absolute);
        if now >= last_used.plus_seconds(config.session_idle).min(absolute) {
            self.inner.last_used.forget(&stored.id);
            self.sign_out(token).await?;
            return Ok(None);
        }
        // A clock that stepped back must not make a session look unused for longer than it was.
        let last_used = last_used.max(now);
        self.inner.last_used.set(&stored.id, last_used, now.plus_seconds(-config.session_idle));
        if noted.is_none_or(|noted| last_used >= noted.plus_seconds(NOTE_EVERY)) {
            self.note_use(token, last_used).await?;
        }
        Ok(Some(Session {
            actor: Actor::Resident { record: stored.record },
            record: stored.record,
            ends: last_used.plus_seconds(config.session_idle).min(absolute),
            display_name: stored.name,
            birth_date: stored.birth_date,
            signed_in: stored.signed_in,
            csrf: stored.csrf,
        }))
    }

    /// Ends a session. Ending one that is over already is fine.
    ///
    /// # Errors
    /// [`ServiceError::Unavailable`]: the session may still be open.
    pub async fn sign_out(&self, token: &str) -> Result<(), ServiceError> {
        self.tenant().side_delete(SideTable::Session, token.as_bytes()).await?;
        self.tenant().side_delete(SideTable::Session, &used_key(token)).await?;
        Ok(())
    }

    async fn note_use(&self, token: &str, at: Timestamp) -> Result<(), ServiceError> {
        // The row outlives the idle end by what a node may remember beyond the note.
        let expires = at.plus_seconds(self.inner.config.session_idle + NOTE_EVERY);
        let value = at.micros().to_be_bytes();
        Ok(self.tenant().side_put(SideTable::Session, &used_key(token), &value, Some(expires)).await?)
    }
}
