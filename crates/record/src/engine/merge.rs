//! Merging two records that turn out to be one person's, and undoing it. Nothing is copied or rewritten: a mark on the
//! one leads to the other, both chains stay whole, and taking the mark away restores exactly what was there.

use bytes::Bytes;
use keepwell_model::{Author, Kind, Labels, RecordId, Stream};

use super::commit::Mark;
use super::tenant::Tenant;
use crate::RecordError;
use crate::commit::{Commit, Expect, Part, Write};

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
        for record in [survivor, other] {
            let links = self.links(record).await?;
            if let Some(into) = links.merged_into {
                return Err(RecordError::Merged { record, into });
            }
            if record == other && !links.merged.is_empty() {
                return Err(RecordError::Malformed("other records are merged into it; merge those first"));
            }
        }
        let commit = Commit {
            author,
            idempotency: None,
            parts: vec![
                note(survivor, "merge", &format!("{{\"merged\":\"{other}\"}}")),
                note(other, "merge", &format!("{{\"into\":\"{survivor}\"}}")),
            ],
        };
        self.commit_with_marks(commit, &[Mark { record: other, into: Some(survivor) }]).await?;
        self.inner.cache.remove(other);
        Ok(())
    }

    /// Undoes a merge: `other` stands for itself again, with everything it had. Both chains say so.
    ///
    /// # Errors
    /// [`RecordError::NoSuchRecord`]; [`RecordError::Malformed`] if it is not merged; store errors.
    pub async fn unmerge(&self, other: RecordId, author: Author) -> Result<(), RecordError> {
        let survivor = self.links(other).await?.merged_into.ok_or(RecordError::Malformed("it is not merged"))?;
        let commit = Commit {
            author,
            idempotency: None,
            parts: vec![
                note(survivor, "unmerge", &format!("{{\"unmerged\":\"{other}\"}}")),
                note(other, "unmerge", &format!("{{\"from\":\"{survivor}\"}}")),
            ],
        };
        self.commit_with_marks(commit, &[Mark { record: other, into: None }]).await?;
        self.inner.cache.remove(other);
        Ok(())
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

fn note(record: RecordId, kind: &str, body: &str) -> Part {
    let write = Write {
        number: None,
        kind: Kind::new(kind).expect("the two words are kinds"),
        labels: Labels::GENERAL,
        source: None,
        body: Some(Bytes::copy_from_slice(body.as_bytes())),
    };
    Part::new(record, Stream::Care, Expect::Any, vec![write])
}
