//! Ids that say where a thing lives (architecture.md §4.1).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::base32;
use crate::time::Random;

/// Why a text is not an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a Keepwell id: expected sixteen characters of 0-9 and a-z (without i, l, o, u), in lower case")]
pub struct IdError;

/// The record of one person: 80 random bits, printed as sixteen characters of Crockford base32 in lower case. It is also
/// the person's FHIR `Patient` id.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordId([u8; 10]);

impl RecordId {
    /// A record id from its ten bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 10]) -> Self {
        Self(bytes)
    }

    /// A fresh random id.
    pub fn random(random: &dyn Random) -> Self {
        let mut bytes = [0u8; 10];
        random.fill(&mut bytes);
        Self(bytes)
    }

    /// The ten bytes as they stand in storage.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 10] {
        &self.0
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let symbols = base32::encode_80(self.0);
        f.write_str(std::str::from_utf8(&symbols).expect("the alphabet is ASCII"))
    }
}

impl fmt::Debug for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecordId({self})")
    }
}

impl FromStr for RecordId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        base32::decode_80(text).map(Self).ok_or(IdError)
    }
}

impl Serialize for RecordId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RecordId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The number of an entry inside one stream of a record. Numbers start at 1, are given once and never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EntryNumber(pub u32);

/// The sequence number of a block in a stream: 1 for the first; 0 means "no block yet". It is the FHIR `versionId` of
/// every entry that the block holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seq(pub u64);

impl Seq {
    /// The sequence number after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One installation may serve several tenants (a city each); keys, directory and transparency log are per tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TenantId(pub u32);

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The id of any resource that is not the person: `<record id>-<entry number>`, both in base32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResourceId {
    /// The record that holds it.
    pub record: RecordId,
    /// Its entry in the care stream.
    pub entry: EntryNumber,
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.record, base32::encode_number(self.entry.0))
    }
}

impl FromStr for ResourceId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let (record, entry) = text.split_once('-').ok_or(IdError)?;
        let number = base32::decode_number(entry).filter(|&n| n > 0).ok_or(IdError)?;
        Ok(Self { record: record.parse()?, entry: EntryNumber(number) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_id_reads_back_as_itself(bytes: [u8; 10], entry in 1u32..) {
            let record = RecordId::from_bytes(bytes);
            let id = ResourceId { record, entry: EntryNumber(entry) };
            prop_assert_eq!(record.to_string().parse::<RecordId>().unwrap(), record);
            prop_assert_eq!(record.to_string().len(), 16);
            prop_assert_eq!(id.to_string().parse::<ResourceId>().unwrap(), id);
        }

        #[test]
        fn any_text_that_parses_is_the_only_spelling_of_its_id(text in "[0-9a-zA-Z]{16}(-[0-9a-z]{1,8})?") {
            if let Ok(id) = text.parse::<RecordId>() { prop_assert_eq!(id.to_string(), text.clone()); }
            if let Ok(id) = text.parse::<ResourceId>() { prop_assert_eq!(id.to_string(), text); }
        }
    }

    #[test]
    fn look_alike_letters_upper_case_and_entry_zero_are_refused() {
        for text in ["0000000000000000", "zzzzzzzzzzzzzzzz"] {
            assert!(text.parse::<RecordId>().is_ok());
        }
        for text in ["O000000000000000", "000000000000000u", "000000000000000", "00000000000000000", ""] {
            assert!(text.parse::<RecordId>().is_err(), "{text}");
        }
        for text in ["0000000000000000-0", "0000000000000000-01", "0000000000000000-", "0000000000000000", "-1"] {
            assert!(text.parse::<ResourceId>().is_err(), "{text}");
        }
    }
}
