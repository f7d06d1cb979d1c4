//! Merging two records that turn out to be one person's, and undoing it. Nothing is copied or rewritten: a mark on the
//! one leads to the other, both chains stay whole, and taking the mark away restores exactly what was there.

use bytes::Bytes;
use keepwell_model::{Author, Kind, Labels, RecordId, Stream};

use super::commit::Mark;
use super::tenant::Tenant;
use crate::RecordError;
use crate::commit::{Commit, Expect, Head, Part, Write};

/// How often a merge is tried again because somebody wrote to one of the two records.
const TRIES: usize = 16;

/// How a record is tied to others by merges.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Links {
    /// The record that now stands for the person, if this one was merged.
    pub merged_into: Option<RecordId>,
    /// Records merged into this one.
    pub merged: Vec<RecordId>,
}

impl Tenant {
    /// Marks `other` as merged into `survivor`: its aliases lead there from now on and it takes no more care entries. Both
    /// chains get an entry of kind `merge` that says so.
    ///
    /// # Errors
    /// [`RecordError::NoSuchRecord`]; [`RecordError::Merged`] if either is merged already; [`RecordError::Malformed`] for
    /// the directory, for a record with itself, and if other records are merged into `other`; store errors.
    pub async fn merge(&self, survivor: RecordId, other: RecordId, author: Author) -> Result<(), RecordError> {
        if survivor == other || [survivor, other].contains(&self.directory()) {
            return Err(RecordError::Malformed("these two cannot be merged"));
        }
        for _ in 0..TRIES {
            // The heads before the links: whatever ties either record to a third in the meantime moves one of them.
            let (heads, links) = (self.heads([survivor, other]).await?, self.both_links(survivor, other).await?);
            for (record, links) in [survivor, other].into_iter().zip(&links) {
                if let Some(into) = links.merged_into {
                    return Err(RecordError::Merged { record, into });
                }
            }
            if !links[1].merged.is_empty() {
                return Err(RecordError::Malformed("other records are merged into it; merge those first"));
            }
            let notes = vec![
                note(survivor, heads[0], "merge", &format!("{{\"merged\":\"{other}\"}}")),
                note(other, heads[1], "merge", &format!("{{\"into\":\"{survivor}\"}}")),
            ];
            if self.mark(notes, Mark { record: other, into: Some(survivor) }, &author).await? {
                return Ok(());
            }
        }
        Err(RecordError::Conflict { record: other })
    }

    /// Undoes a merge: `other` stands for itself again, with everything it had. Both chains say so.
    ///
    /// # Errors
    /// [`RecordError::NoSuchRecord`]; [`RecordError::Malformed`] if it is not merged; store errors.
    pub async fn unmerge(&self, other: RecordId, author: Author) -> Result<(), RecordError> {
        for _ in 0..TRIES {
            let not_merged = RecordError::Malformed("it is not merged");
            let survivor = self.links(other).await?.merged_into.ok_or(not_merged)?;
            let heads = self.heads([survivor, other]).await?;
            if self.links(other).await?.merged_into != Some(survivor) {
                continue;
            }
            let notes = vec![
                note(survivor, heads[0], "unmerge", &format!("{{\"unmerged\":\"{other}\"}}")),
                note(other, heads[1], "unmerge", &format!("{{\"from\":\"{survivor}\"}}")),
            ];
            if self.mark(notes, Mark { record: other, into: None }, &author).await? {
                return Ok(());
            }
        }
        Err(RecordError::Conflict { record: other })
    }

    async fn heads(&self, records: [RecordId; 2]) -> Result<[Head; 2], RecordError> {
        let mut heads = [Head::default(); 2];
        for (head, record) in heads.iter_mut().zip(records) {
            *head = self.head(record, Stream::Care).await?.ok_or(RecordError::NoSuchRecord(record))?;
        }
        Ok(heads)
    }

    async fn both_links(&self, survivor: RecordId, other: RecordId) -> Result<[Links; 2], RecordError> {
        Ok([self.links(survivor).await?, self.links(other).await?])
    }

    /// Writes the notes and the mark; `false` if a head has moved.
    async fn mark(&self, parts: Vec<Part>, mark: Mark, author: &Author) -> Result<bool, RecordError> {
        let record = mark.record;
        let commit = Commit { author: author.clone(), idempotency: None, parts };
        match self.commit_with_marks(commit, &[mark]).await {
            Err(RecordError::Conflict { .. }) => Ok(false),
            other => {
                other?;
                self.inner.cache.remove(record);
                Ok(true)
            }
        }
    }

    /// How a record is tied to others by merges.
    ///
    /// # Errors
    /// [`RecordError::NoSuchRecord`]; [`RecordError::Damaged`] if the mark does not verify; store errors.
    pub async fn links(&self, record: RecordId) -> Result<Links, RecordError> {
        let (row, _) = self.inner.row(record).await?.ok_or(RecordError::NoSuchRecord(record))?;
        let merged = self.inner.store.merged_into(record).await?;
        Ok(Links { merged_into: row.merged.map(|(into, _)| into), merged })
    }
}

fn note(record: RecordId, head: Head, kind: &str, body: &str) -> Part {
    let write = Write {
        number: None,
        kind: Kind::new(kind).expect("the two words are kinds"),
        labels: Labels::GENERAL,
        source: None,
        body: Some(Bytes::copy_from_slice(body.as_bytes())),
    };
    Part::new(record, Stream::Care, Expect::Head(head), vec![write])
}

/// The record that the note of a merge says this one was merged into; `None` in the survivor's note.
pub(super) fn merged_into(note: Option<&[u8]>) -> Option<RecordId> {
    #[derive(serde::Deserialize)]
    struct Note {
        into: RecordId,
    }
    Some(serde_json::from_slice::<Note>(note?).ok()?.into)
}

/// Whether the note of an unmerging is that of the record which stands for itself again.
pub(super) fn leaves_merge(note: Option<&[u8]>) -> bool {
    #[derive(serde::Deserialize)]
    struct Note {
        #[serde(rename = "from")]
        _from: RecordId,
    }
    note.is_some_and(|note| serde_json::from_slice::<Note>(note).is_ok())
}
