//! Whether details agree with a record: yes or no. What it reads of the record never leaves this file, and what it decides
//! is the rule of NN-4: never on the NHS number alone.

use keepwell_fhir::person::Person;
use keepwell_fhir::resource::Resource;
use keepwell_model::{NhsNumber, RecordId, Seq, Stream};

use crate::names::Details;
use crate::{Service, ServiceError};

/// Why details do not agree. In words for the sender, without saying what the record holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mismatch {
    /// Date of birth or name differ from the record that the NHS number leads to.
    Details,
    /// The NHS number and the source's own Patient id lead to two records.
    TwoRecords,
    /// The source's Patient id stood for somebody else until now.
    ReusedId,
    /// The record has another NHS number.
    OtherNumber,
}

impl Mismatch {
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Details => {
                "The date of birth or family name does not agree with what is known under this NHS number."
            }
            Self::TwoRecords => "The NHS number and the Patient id of this source lead to two different records.",
            Self::ReusedId => "This Patient id was sent before with a different date of birth or name.",
            Self::OtherNumber => "This Patient id was sent before with a different NHS number.",
        }
    }

    pub(crate) const fn key(self) -> &'static str {
        match self {
            Self::Details => "details",
            Self::TwoRecords => "two-records",
            Self::ReusedId => "reused-id",
            Self::OtherNumber => "other-number",
        }
    }
}

/// How a record was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FoundBy {
    /// By NHS number only: the source has not sent this person before.
    Number,
    /// By the source's own Patient id.
    SourceId,
    /// By both.
    Both,
}

/// Judges incoming details against what a record holds.
pub(crate) fn judge(incoming: &Details, known: &[Details], found: FoundBy) -> Result<(), Mismatch> {
    let other_number = |number: &NhsNumber| !incoming.nhs_numbers.is_empty() && !incoming.nhs_numbers.contains(number);
    if known.iter().flat_map(|details| &details.nhs_numbers).any(other_number) {
        return Err(Mismatch::OtherNumber);
    }
    let birth_date = known.iter().any(|details| incoming.same_birth_date(details));
    let family = known.iter().any(|details| incoming.shares_family(details));
    let given = known.iter().any(|details| incoming.shares_given(details));
    match found {
        FoundBy::Number if birth_date && family => Ok(()),
        FoundBy::Number => Err(Mismatch::Details),
        // People change their names; a source that has sent the person before may say so, as long as date of birth and
        // given name stay.
        FoundBy::SourceId | FoundBy::Both if birth_date && (family || given) => Ok(()),
        FoundBy::Both => Err(Mismatch::Details),
        // Without an NHS number and with nothing to compare, the source's own id is all there is.
        FoundBy::SourceId if nothing_to_compare(incoming, known) => Ok(()),
        FoundBy::SourceId => Err(Mismatch::ReusedId),
    }
}

fn nothing_to_compare(incoming: &Details, known: &[Details]) -> bool {
    let empty = |details: &Details| details.birth_date.is_empty() && details.families.is_empty();
    incoming.nhs_numbers.is_empty() && (empty(incoming) || known.iter().all(empty))
}

impl Service {
    /// The details in each of the record's Patient entries; of those that were deleted, as they were before. A deletion
    /// does not make room for somebody else.
    pub(crate) async fn known_details(&self, record: RecordId) -> Result<Vec<Details>, ServiceError> {
        let opened = self.tenant().open(record).await?.ok_or(ServiceError::NotFound)?;
        let mut known = Vec::new();
        for entry in opened.all_entries().filter(|entry| entry.kind().fhir_type() == Some("Patient")) {
            let body = if entry.is_deleted() {
                let before = Seq(entry.version().0.saturating_sub(1));
                let earlier = self.tenant().open_at(record, Stream::Care, before).await?;
                let Some(earlier) = earlier else { return Err(ServiceError::Unavailable) };
                let Some(entry) = earlier.entry(entry.number()).filter(|entry| !entry.is_deleted()) else { continue };
                earlier.body(&entry).await?
            } else {
                opened.body(&entry).await?
            };
            let resource = Resource::new(&body).map_err(|_| ServiceError::Unavailable)?;
            known.extend(Person::of(&resource).map(|person| Details::of(&person)));
        }
        Ok(known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn details(number: Option<&str>, birth_date: &str, given: &str, family: &str) -> Details {
        Details {
            birth_date: birth_date.to_owned(),
            families: vec![family.to_owned()],
            givens: vec![given.to_owned()],
            nhs_numbers: number.map(|number| number.parse().unwrap()).into_iter().collect(),
        }
    }

    const N: Option<&str> = Some("9434765919");

    #[test]
    fn nn_4_a_number_alone_is_never_enough() {
        let known = [details(N, "1958-02-11", "amina", "khan")];
        for (incoming, expected) in [
            (details(N, "1958-02-11", "amina", "khan"), Ok(())),
            (details(N, "1958-02-11", "a", "khan"), Ok(())),
            (details(N, "1958-02-12", "amina", "khan"), Err(Mismatch::Details)),
            (details(N, "1958-02-11", "amina", "shah"), Err(Mismatch::Details)),
            (details(N, "", "amina", "khan"), Err(Mismatch::Details)),
        ] {
            assert_eq!(judge(&incoming, &known, FoundBy::Number), expected);
        }
    }

    #[test]
    fn a_source_may_report_a_change_of_name_but_not_another_person() {
        let known = [details(N, "1958-02-11", "amina", "khan")];
        let renamed = details(N, "1958-02-11", "amina", "shah");
        assert_eq!(judge(&renamed, &known, FoundBy::Both), Ok(()));
        let twin = details(N, "1958-02-11", "bilal", "shah");
        assert_eq!(judge(&twin, &known, FoundBy::Both), Err(Mismatch::Details));
        let reborn = details(None, "1990-01-01", "amina", "khan");
        assert_eq!(judge(&reborn, &known, FoundBy::SourceId), Err(Mismatch::ReusedId));
    }

    #[test]
    fn a_second_nhs_number_never_joins_a_record() {
        let known = [details(N, "1958-02-11", "amina", "khan")];
        let other = details(Some("9876543210"), "1958-02-11", "amina", "khan");
        assert_eq!(judge(&other, &known, FoundBy::SourceId), Err(Mismatch::OtherNumber));
    }
}
