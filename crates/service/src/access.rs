//! The lines that say who looked, as they stand in the access stream of a record.

mod desk;

use bytes::Bytes;
use keepwell_model::{Actor, EntryNumber, Purpose, RecordId, Stream};
use keepwell_policy::{Action, Permit, Target};
use keepwell_record::BlockView;
use serde::{Deserialize, Serialize};

pub(crate) use desk::Desk;

use crate::gate::{looked, permit};
use crate::views::{AccessLine, Category, Looked, Page};
use crate::{Service, ServiceError, Session};

/// The kind of an access line.
const KIND: &str = "access";

/// A line as stored. Fields are only ever added.
#[derive(Serialize, Deserialize)]
struct Stored {
    action: String,
    #[serde(default)]
    who: String,
    role: String,
    #[serde(default)]
    organisation: String,
    purpose: Purpose,
    what: Vec<(String, usize)>,
    #[serde(default)]
    own: bool,
    /// The launch that a professional came with; none at this stage.
    #[serde(default)]
    launch: Option<String>,
}

impl Stored {
    fn of(permit: &Permit, record: RecordId, what: &[Looked]) -> Self {
        let (who, role, organisation) = words(permit.actor());
        Self {
            action: permit.action().name().to_owned(),
            who,
            role,
            organisation,
            purpose: permit.purpose(),
            what: what.iter().map(|looked| (looked.category.key().to_owned(), looked.count)).collect(),
            own: matches!(permit.actor(), Actor::Resident { record: own } if *own == record),
            launch: None,
        }
    }
}

/// Who, role, organisation.
fn words(actor: &Actor) -> (String, String, String) {
    let none = String::new;
    match actor {
        Actor::Resident { .. } => (none(), "resident".to_owned(), none()),
        Actor::Delegate { name, .. } => (name.clone(), "delegate".to_owned(), none()),
        Actor::Professional { name, role, organisation, .. } => (name.clone(), role.clone(), organisation.clone()),
        Actor::System { client, organisation } => (client.clone(), "system".to_owned(), organisation.clone()),
        Actor::Keepwell => (none(), "keepwell".to_owned(), none()),
        Actor::Operator => (none(), "operator".to_owned(), none()),
    }
}

impl Service {
    /// Appends a line and waits until it is durable. If that fails, nothing may leave.
    pub(crate) async fn write_access_line(
        &self,
        permit: &Permit,
        record: RecordId,
        what: &[Looked],
    ) -> Result<(), ServiceError> {
        let body = serde_json::to_vec(&Stored::of(permit, record, what)).expect("a line is plain strings and numbers");
        self.inner.desk.write(self.tenant(), permit.author(), record, Bytes::from(body)).await
    }

    /// Who looked at the resident's record, newest first. The look at this very page is the first line of the next one.
    ///
    /// # Errors
    /// [`ServiceError::Unavailable`] if it cannot be told just now.
    pub async fn who_looked(&self, session: &Session, page: usize) -> Result<Page<AccessLine>, ServiceError> {
        let target = Target::Person(session.record);
        let permit = permit(&session.actor, Purpose::OwnUse, Action::ReadAccessLines, target)?;
        let count = self.tenant().count(session.record, Stream::Access).await?.ok_or(ServiceError::NotFound)?;
        let total = usize::try_from(count).map_err(|_| ServiceError::Unavailable)?;
        let size = self.inner.config.page_size.max(1);
        let pages = total.div_ceil(size).max(1);
        let page = page.clamp(1, pages);
        let newest = total - (page - 1) * size;
        let numbers = newest.saturating_sub(size) + 1..=newest;
        let items = if newest > 0 { self.lines_numbered(session.record, numbers).await? } else { Vec::new() };
        let seen = looked([(Category::AccessLines, items.len())]);
        self.settle(&permit, session.record, &seen).await?;
        Ok(Page { items, page, pages, total })
    }

    /// The lines of a record with these numbers, the newest first.
    async fn lines_numbered(
        &self,
        record: RecordId,
        numbers: std::ops::RangeInclusive<usize>,
    ) -> Result<Vec<AccessLine>, ServiceError> {
        let block_of = async |number: usize| {
            let number = u32::try_from(number).map_err(|_| ServiceError::Unavailable)?;
            let found = self.tenant().block_of(record, Stream::Access, EntryNumber(number)).await?;
            found.ok_or(ServiceError::Unavailable)
        };
        let (first, last) = (block_of(*numbers.start()).await?, block_of(*numbers.end()).await?);
        // A block has a line at least, so there are no more of them than lines on a page. The headers that led here are
        // not verified: if one is damaged, lines are missing below, and nothing is passed over in silence.
        let count = last.0.checked_sub(first.0).map_or(usize::MAX, |count| count as usize + 1);
        let count = u32::try_from(count).ok().filter(|_| count <= numbers.clone().count());
        let count = count.ok_or(ServiceError::Unavailable)?;
        let mut items = Vec::new();
        for block in self.tenant().blocks(record, Stream::Access, first, count).await?.iter().rev() {
            lines(block, &mut items)?;
        }
        items.retain(|line| numbers.contains(&(line.number as usize)));
        if items.len() == numbers.count() {
            return Ok(items);
        }
        tracing::error!(record.id = %record, "Lines are not where the headers of their blocks say");
        Err(ServiceError::Unavailable)
    }

    /// A line by its number, if there is one.
    pub(crate) async fn line(&self, record: RecordId, number: u32) -> Result<Option<AccessLine>, ServiceError> {
        let place = self.tenant().block_of(record, Stream::Access, EntryNumber(number)).await?;
        let Some(seq) = place else { return Ok(None) };
        let mut found = Vec::new();
        for block in self.tenant().blocks(record, Stream::Access, seq, 1).await? {
            lines(&block, &mut found)?;
        }
        found.into_iter().find(|line| line.number == number).map(Some).ok_or(ServiceError::Unavailable)
    }
}

/// Adds the lines of a block, the newest first.
pub(crate) fn lines(block: &BlockView, into: &mut Vec<AccessLine>) -> Result<(), ServiceError> {
    for entry in block.entries.iter().rev().filter(|entry| entry.kind.as_str() == KIND) {
        let stored: Option<Stored> = entry.body.as_deref().and_then(|body| serde_json::from_slice(body).ok());
        // A line that cannot be read is never passed over in silence.
        let Some(stored) = stored else {
            tracing::error!(block.seq = block.seq.0, "An access line cannot be read");
            return Err(ServiceError::Unavailable);
        };
        into.push(AccessLine {
            when: block.time,
            who: stored.who,
            role: stored.role,
            organisation: stored.organisation,
            purpose: stored.purpose,
            action: stored.action,
            what: stored
                .what
                .iter()
                .map(|(key, count)| Looked { category: Category::of_key(key), count: *count })
                .collect(),
            own: stored.own,
            number: entry.number.0,
            seq: block.seq.0,
        });
    }
    Ok(())
}
