//! Reading requests by their address, as they stand in a Bundle.

use super::bundle::Answered;
use super::conditions::Versions;
use super::history::{HistoryOf, HistoryRequest};
use super::query::query_parameters;
use super::search::{SearchIn, SearchRequest, part_of};
use super::seen::{Place, not_found, or_not_found};
use crate::systems::{Client, ResourceAnswer};
use crate::{FhirError, Service};

/// What an address asks for.
enum Asked<'a> {
    Metadata,
    Read(&'a str, &'a str),
    Version(&'a str, &'a str, &'a str),
    History(HistoryOf<'a>),
    Search(SearchIn<'a>),
}

impl<'a> Asked<'a> {
    fn of(place: &'a str) -> Option<Self> {
        let parts: Vec<&str> = place.split('/').collect();
        Some(match parts[..] {
            [""] => Self::Search(SearchIn::All),
            ["metadata"] => Self::Metadata,
            ["_history"] => Self::History(HistoryOf::Record),
            [kind] => Self::Search(SearchIn::Type(kind)),
            [kind, "_history"] => Self::History(HistoryOf::Type(kind)),
            [kind, id] => Self::Read(kind, id),
            [kind, id, "_history"] => Self::History(HistoryOf::Resource(kind, id)),
            ["Patient", id, "*"] => Self::Search(SearchIn::Compartment(id, None)),
            ["Patient", id, kind] => Self::Search(SearchIn::Compartment(id, Some(kind))),
            [kind, id, "_history", version] => Self::Version(kind, id, version),
            _ => return None,
        })
    }
}

/// The place of an address, which may begin with this server's own, and what stands after the question mark.
fn taken_apart<'a>(base: &str, url: &'a str) -> (&'a str, &'a str) {
    let url = url.strip_prefix(base).filter(|_| !base.is_empty()).unwrap_or(url).trim_start_matches('/');
    url.split_once('?').unwrap_or((url, ""))
}

impl Service {
    /// Whether something may be read, as far as that can be told without reading it.
    pub(crate) async fn can_read(&self, client: &Client, base: &str, url: &str) -> Result<(), FhirError> {
        let (place, query) = taken_apart(base, url);
        match Asked::of(place).ok_or_else(not_found)? {
            Asked::Read(kind, id) => {
                let place = Place::of(kind, id).ok_or_else(not_found)?;
                let seen = self.see(client, place.record).await.map_err(or_not_found)?;
                let entry = seen.find(kind, place.entry).filter(|entry| !entry.is_deleted());
                entry.map(drop).ok_or_else(not_found)
            }
            Asked::Search(of) => self.check_search(&SearchRequest { of, query, base, lenient: false }),
            Asked::Metadata | Asked::Version(..) | Asked::History(_) => Ok(()),
        }
    }

    /// The answer to a reading request inside a Bundle.
    pub(crate) async fn answer_read(
        &self,
        client: &Client,
        base: &str,
        url: &str,
        if_none_match: Option<&str>,
    ) -> Answered {
        self.read_at(client, base, url, if_none_match).await.unwrap_or_else(Answered::refused)
    }

    async fn read_at(
        &self,
        client: &Client,
        base: &str,
        url: &str,
        if_none_match: Option<&str>,
    ) -> Result<Answered, FhirError> {
        let (place, query) = taken_apart(base, url);
        let known = if_none_match.map(|text| Versions::read(text, "If-None-Match")).transpose()?;
        let answer = match Asked::of(place).ok_or_else(not_found)? {
            Asked::Metadata => return Ok(Answered::found(self.capability_statement(base))),
            Asked::History(of) => {
                let request = HistoryRequest { of, parameters: &query_parameters(query), base };
                return Ok(Answered::found(self.history(client, &request).await?));
            }
            Asked::Search(of) => {
                let request = SearchRequest { of, query, base, lenient: false };
                return Ok(Answered::found(self.search(client, &request).await?));
            }
            Asked::Read(kind, id) => {
                let part = part_of(kind, query)?;
                let answer = self.read_resource(client, kind, id).await?;
                ResourceAnswer { json: part.shape(answer.json), ..answer }
            }
            Asked::Version(kind, id, version) => self.read_version(client, kind, id, version).await?,
        };
        let unchanged = known.is_some_and(|known| known.name(Some(answer.version)));
        let version = Some((answer.version, answer.last_updated));
        let found =
            if unchanged { Answered { status: 304, ..Answered::default() } } else { Answered::found(answer.json) };
        Ok(Answered { version, ..found })
    }
}
