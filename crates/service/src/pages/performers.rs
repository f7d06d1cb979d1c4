//! Who did a test: in the sender's own words, or by name from the directory.

use std::collections::HashMap;

use keepwell_fhir::person::human_name;
use keepwell_fhir::reference::Reference;
use keepwell_fhir::resource::Resource;
use keepwell_model::Purpose;
use keepwell_policy::{Action, Target};

use super::measurements::unreadable;
use crate::gate::{Opened, permit};
use crate::resolve::Resolver;
use crate::{Service, ServiceError, Session};

/// Names, looked up once each for one page.
pub(crate) struct Performers {
    directory: Opened,
    found: HashMap<(String, String), Option<String>>,
}

impl Performers {
    pub(crate) async fn new(service: &Service, session: &Session) -> Result<Self, ServiceError> {
        let target = Target::Directory(service.tenant().directory());
        let permit = permit(&session.actor, Purpose::OwnUse, Action::ReadDirectory, target)?;
        Ok(Self { directory: service.open(permit).await?, found: HashMap::new() })
    }

    /// The first of the performers who has a name.
    pub(crate) async fn name(
        &mut self,
        source: &str,
        performers: &[Reference<'_>],
    ) -> Result<Option<String>, ServiceError> {
        for performer in performers {
            if let Some(display) = performer.display.as_deref().filter(|display| !display.trim().is_empty()) {
                return Ok(Some(display.to_owned()));
            }
            let Some(reference) = performer.reference.as_deref() else { continue };
            let key = (source.to_owned(), reference.to_owned());
            let name = match self.found.get(&key) {
                Some(name) => name.clone(),
                None => {
                    let name = self.look_up(source, reference).await?;
                    self.found.insert(key, name.clone());
                    name
                }
            };
            if name.is_some() {
                return Ok(name);
            }
        }
        Ok(None)
    }

    async fn look_up(&self, source: &str, reference: &str) -> Result<Option<String>, ServiceError> {
        let entry = Resolver::new(self.directory.table()).entry(source, reference);
        let Some(entry) = entry.filter(|entry| !entry.is_deleted()) else { return Ok(None) };
        let body = self.directory.body(&entry).await?;
        let resource = Resource::new(&body).map_err(|_| unreadable(&self.directory, &entry))?;
        let name = match resource.resource_type {
            "Practitioner" => resource.fields.first("name").map(|name| human_name(name).line()),
            "Organization" | "Location" | "HealthcareService" => {
                resource.fields.get_text("name").map(|name| name.into_owned())
            }
            _ => None,
        };
        Ok(name.filter(|name| !name.is_empty()))
    }
}
