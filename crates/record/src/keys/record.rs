//! The data keys of one record. Destroying their wrapped form makes every block of the record unreadable for good.

use keepwell_model::{Random, Stream};

use super::seal::{SealKey, Secret, hmac};
use crate::format::varint::{self, Reader};

/// The data keys of a record, oldest first; the newest seals, all open.
pub(crate) struct RecordKeys {
    versions: Vec<(u16, Secret, SealKey)>,
    head: Secret,
}

impl RecordKeys {
    pub(crate) fn random(random: &dyn Random) -> Self {
        Self::of(vec![(1, Secret::random(random))])
    }

    fn of(versions: Vec<(u16, Secret)>) -> Self {
        let head = Secret::new(hmac(&versions[0].1, &[b"keepwell head"]));
        let versions = versions
            .into_iter()
            .map(|(version, secret)| {
                let key = SealKey::new(&secret);
                (version, secret, key)
            })
            .collect();
        Self { versions, head }
    }

    /// The same keys and a new one that seals from now on.
    /// `None` when there is no further version number.
    pub(crate) fn with_new_version(&self, random: &dyn Random) -> Option<Self> {
        let mut versions: Vec<_> =
            self.versions.iter().map(|(version, secret, _)| (*version, secret.clone())).collect();
        versions.push((self.newest().0.checked_add(1)?, Secret::random(random)));
        Some(Self::of(versions))
    }

    /// Whether these begin with all of the others, so that whatever those open and tag, these do.
    pub(crate) fn continues(&self, others: &Self) -> bool {
        let same = |(a, b): (&(u16, Secret, SealKey), &(u16, Secret, SealKey))| (a.0, &a.1) == (b.0, &b.1);
        self.versions.len() >= others.versions.len() && self.versions.iter().zip(&others.versions).all(same)
    }

    pub(crate) fn newest(&self) -> (u16, &SealKey) {
        let (version, _, key) = self.versions.last().expect("there is always one");
        (*version, key)
    }

    pub(crate) fn version(&self, version: u16) -> Option<&SealKey> {
        self.versions.iter().find(|(v, ..)| *v == version).map(|(_, _, key)| key)
    }

    /// The tag of a head row, so that a damaged or forged head is noticed.
    pub(crate) fn head_tag(&self, stream: Stream, seq: u64, hash: &[u8; 32], next_number: u32) -> [u8; 16] {
        let full =
            hmac(&self.head, &[&[stream.code()], &seq.to_be_bytes(), hash.as_slice(), &next_number.to_be_bytes()]);
        full[..16].try_into().expect("16 of 32 bytes")
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(1 + 34 * self.versions.len());
        varint::put(&mut out, self.versions.len() as u64);
        for (version, secret, _) in &self.versions {
            out.extend_from_slice(&version.to_be_bytes());
            out.extend_from_slice(secret.bytes());
        }
        out
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let mut versions = Vec::new();
        for _ in 0..reader.count()? {
            versions.push((u16::from_be_bytes(reader.array()?), Secret::new(reader.array()?)));
        }
        let ascending = versions.is_sorted_by(|(a, _): &(u16, Secret), (b, _)| a < b);
        (reader.is_at_end() && !versions.is_empty() && ascending).then(|| Self::of(versions))
    }
}
