//! Registered source systems and their tokens.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, RwLock};

use keepwell_model::{Actor, Purpose, Timestamp};
use keepwell_policy::{Action, Target};
use keepwell_record::SideTable;

use crate::gate::permit;
use crate::{CareSetting, Client, FieldError, Grant, Problem, Service, ServiceError, Validation};

/// How every token of a source system begins, so that a leaked one is recognised by scanners.
const TOKEN_PREFIX: &str = "kw_";

/// Microseconds for which a token that was looked up is taken as it was then: what another process changes about a client
/// counts within this time.
const TOKEN_FRESH: i64 = 1_000_000;
/// Tokens remembered at most.
const TOKENS: usize = 1_024;

/// What was last read about clients.
#[derive(Default)]
pub(crate) struct Known {
    /// Organisations by name: the words for "who sent this".
    organisations: RwLock<HashMap<String, String>>,
    /// Clients by token, and when each was looked up. A token that nobody has is not remembered.
    tokens: RwLock<HashMap<String, (Arc<Client>, Timestamp)>>,
}

impl Known {
    fn by_token(&self, token: &str, now: Timestamp) -> Option<Arc<Client>> {
        let tokens = self.tokens.read().expect("no panic while held");
        let (client, looked_up) = tokens.get(token)?;
        let age = now.micros() - looked_up.micros();
        (0..TOKEN_FRESH).contains(&age).then(|| Arc::clone(client))
    }

    fn remember_token(&self, token: &str, client: &Arc<Client>, now: Timestamp) {
        let mut tokens = self.tokens.write().expect("no panic while held");
        if tokens.len() >= TOKENS {
            tokens.clear();
        }
        tokens.insert(token.to_owned(), (Arc::clone(client), now));
    }

    /// Something about clients changed here.
    fn changed(&self, client: Client) {
        self.tokens.write().expect("no panic while held").clear();
        self.organisations.write().expect("no panic while held").insert(client.name, client.organisation);
    }
}

impl Service {
    /// Registers a source system and gives its token, which is shown this once and kept as a keyed hash only. A name
    /// stands for one system for ever, because it is the source of all that the system writes; registering it again
    /// changes its organisation and setting, takes its grants away, makes
    /// validation strict and gives one more token.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] for a name that cannot be one; [`ServiceError::Unavailable`].
    pub async fn add_client(
        &self,
        name: &str,
        organisation: &str,
        setting: CareSetting,
    ) -> Result<String, ServiceError> {
        let _permit = permit(&Actor::Operator, Purpose::Administration, Action::ManageClients, Target::Tenant)?;
        check(name, organisation)?;
        let (organisation, added) = (organisation.trim().to_owned(), self.now());
        let client = Client {
            name: name.to_owned(),
            organisation,
            setting,
            validation: Validation::Strict,
            grants: BTreeSet::new(),
            added,
        };
        let value = serde_json::to_vec(&client).expect("a client is plain strings");
        self.tenant().side_put(SideTable::Client, name.as_bytes(), &value, None).await?;
        let token = format!("{TOKEN_PREFIX}{}", self.secret::<32>());
        self.tenant().side_put(SideTable::Token, token.as_bytes(), name.as_bytes(), None).await?;
        self.inner.clients.changed(client);
        Ok(token)
    }

    /// Says what a registered system may beyond feeding records; what is not named it may not any more. It holds within a
    /// second.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] if there is no system of that name; [`ServiceError::Unavailable`].
    pub async fn grant(&self, name: &str, grants: BTreeSet<Grant>) -> Result<(), ServiceError> {
        let client = self.client(name).await?.ok_or(ServiceError::NotFound)?;
        let value = serde_json::to_vec(&Client { grants, ..client }).expect("a client is plain strings");
        Ok(self.tenant().side_put(SideTable::Client, name.as_bytes(), &value, None).await?)
    }

    /// Says what becomes of what a registered system sends that does not keep the rules of R4. It holds within a second.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] if there is no system of that name; [`ServiceError::Unavailable`].
    pub async fn set_validation(&self, name: &str, validation: Validation) -> Result<(), ServiceError> {
        let client = self.client(name).await?.ok_or(ServiceError::NotFound)?;
        let value = serde_json::to_vec(&Client { validation, ..client }).expect("a client is plain strings");
        Ok(self.tenant().side_put(SideTable::Client, name.as_bytes(), &value, None).await?)
    }

    /// The system that holds a token.
    ///
    /// # Errors
    /// [`ServiceError::Unavailable`].
    pub async fn client_by_token(&self, token: &str) -> Result<Option<Arc<Client>>, ServiceError> {
        if !token.starts_with(TOKEN_PREFIX) || token.len() != TOKEN_PREFIX.len() + 43 {
            return Ok(None);
        }
        let now = self.now();
        if let Some(client) = self.inner.clients.by_token(token, now) {
            return Ok(Some(client));
        }
        let Some(name) = self.tenant().side_get(SideTable::Token, token.as_bytes()).await? else { return Ok(None) };
        let Some(value) = self.tenant().side_get(SideTable::Client, &name).await? else { return Ok(None) };
        let client = Arc::new(read(&value)?);
        self.inner.clients.remember_token(token, &client, now);
        Ok(Some(client))
    }

    /// The system of that name, for whoever holds the command line.
    ///
    /// # Errors
    /// [`ServiceError::Unavailable`].
    pub async fn client(&self, name: &str) -> Result<Option<Client>, ServiceError> {
        let _permit = permit(&Actor::Operator, Purpose::Administration, Action::ManageClients, Target::Tenant)?;
        self.registered(name).await
    }

    /// A system as it is registered now.
    pub(crate) async fn registered(&self, name: &str) -> Result<Option<Client>, ServiceError> {
        self.tenant().side_get(SideTable::Client, name.as_bytes()).await?.map(|value| read(&value)).transpose()
    }

    /// All registered systems, by name.
    ///
    /// # Errors
    /// [`ServiceError::Unavailable`].
    pub async fn clients(&self) -> Result<Vec<Client>, ServiceError> {
        let _permit = permit(&Actor::Operator, Purpose::Administration, Action::ManageClients, Target::Tenant)?;
        self.all_clients().await
    }

    async fn all_clients(&self) -> Result<Vec<Client>, ServiceError> {
        let values = self.tenant().side_list(SideTable::Client).await?;
        let mut clients: Vec<Client> = values.iter().map(|value| read(value)).collect::<Result<_, _>>()?;
        clients.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(clients)
    }

    /// The organisation whose system a source name stands for; the name itself if it is not known.
    pub(crate) async fn organisation_of(&self, source: &str) -> Result<String, ServiceError> {
        let known = |service: &Self| {
            service.inner.clients.organisations.read().expect("no panic while held").get(source).cloned()
        };
        if let Some(organisation) = known(self) {
            return Ok(organisation);
        }
        let fresh = self.all_clients().await?.into_iter().map(|client| (client.name, client.organisation)).collect();
        *self.inner.clients.organisations.write().expect("no panic while held") = fresh;
        Ok(known(self).unwrap_or_else(|| source.to_owned()))
    }
}

fn read(value: &[u8]) -> Result<Client, ServiceError> {
    serde_json::from_slice(value).map_err(|error| {
        tracing::error!("A registered client cannot be read: {error}");
        ServiceError::Unavailable
    })
}

/// A name is what stands in source keys and aliases, so it is kept to characters that need no escaping anywhere.
fn check(name: &str, organisation: &str) -> Result<(), ServiceError> {
    let mut errors = Vec::new();
    let plain = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let first = name.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric);
    if !(2..=40).contains(&name.len()) || !plain || !first {
        let message = "A system's name is 2 to 40 small letters, digits and dashes, and starts with a letter or digit";
        errors.push(FieldError { field: "name", problem: Problem::BadForm, message: message.to_owned() });
    }
    if organisation.trim().is_empty() || organisation.len() > 200 || organisation.contains(char::is_control) {
        let message = "Give the organisation's name, at most 200 characters";
        errors.push(FieldError { field: "organisation", problem: Problem::Missing, message: message.to_owned() });
    }
    if errors.is_empty() { Ok(()) } else { Err(ServiceError::Invalid(errors)) }
}
