//! The operations of the FHIR door (R4 §3.2): what is asked for by a name with a dollar sign. Each has a file of its own.
//! They obey what reading obeys: what the permit hides does not exist, and a line says who looked before anything leaves.

mod audit;
mod bulk;
mod diff;
mod docref;
mod everything;
mod given;
mod lastn;
mod meta;
mod offered;
mod person_match;
mod shown;
mod stats;
mod summary;
mod terminology;
mod timing;
mod trail;
mod validate;
mod written;

pub(crate) use bulk::Places;
pub use bulk::{BrokenOff, BulkFile, ExportOf, ExportRequest, JobStatus};
pub use given::OperationRequest;
pub use offered::Operation;
pub use terminology::CodesOf;
pub(crate) use trail::Projected;

use keepwell_model::RecordId;

use crate::rest::not_found;
use crate::{FhirError, IssueCode, Service};

/// How many resources are written before other work gets a turn; also where work is dropped whose caller has gone.
const TURN: usize = 128;

/// The record that a parameter names: `Patient/id`, or the id alone. What is no id of a record leads to nothing.
fn person(text: &str) -> Result<RecordId, FhirError> {
    text.strip_prefix("Patient/").unwrap_or(text).parse().map_err(|_| not_found())
}

fn say_whose(name: &str) -> FhirError {
    let words = format!("Say whose record it is: add '{name}=' with the id of a Patient.");
    FhirError::new(422, IssueCode::Required, words).at(name)
}

impl Service {
    /// A new random UUID (RFC 9562, version 4).
    pub(crate) fn uuid(&self) -> String {
        let mut bytes = [0u8; 16];
        self.inner.random.fill(&mut bytes);
        uuid_of(u128::from_be_bytes(bytes))
    }
}

fn uuid_of(random: u128) -> String {
    // The version is the thirteenth digit, the variant the top of the seventeenth.
    let number = (random & !(0xf000_c000 << 48)) | (0x4000_8000 << 48);
    let hex = format!("{number:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use super::uuid_of;

    #[test]
    fn the_version_and_variant_of_a_uuid_stand_where_they_belong() {
        assert_eq!(uuid_of(0), "00000000-0000-4000-8000-000000000000");
        assert_eq!(uuid_of(u128::MAX), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }
}
