//! The matching queue: a Bundle whose details do not agree never goes into a record. It is kept, sealed, for a person to
//! look at, and its sender is told the number.

use bytes::Bytes;
use keepwell_fhir::outcome::IssueCode;
use keepwell_model::RecordId;
use keepwell_record::{IdempotencyKey, SideTable};

use crate::matching::Mismatch;
use crate::systems::Client;
use crate::{FhirError, Service, ServiceError};

impl Service {
    /// Keeps a Bundle for matching and gives the refusal that names the task. The same Bundle of the same source is kept
    /// once, however often it is sent.
    pub(super) async fn keep_for_matching(
        &self,
        client: &Client,
        mismatch: Mismatch,
        body: &Bytes,
    ) -> Result<FhirError, ServiceError> {
        let name = [client.name.as_bytes(), b"\n", body].concat();
        let hash = IdempotencyKey::of(&name).0;
        let mut short = [0u8; 10];
        short.copy_from_slice(&hash[..10]);
        let task = RecordId::from_bytes(short).to_string();
        let head = serde_json::json!({
            "kind": "match",
            "task": task,
            "reason": mismatch.key(),
            "client": client.name,
            "received": self.now().to_string(),
            "bytes": body.len(),
        });
        // One line that says what it is, then the Bundle as it came.
        let value = [head.to_string().as_bytes(), b"\n", body].concat();
        self.tenant().side_put(SideTable::Task, task.as_bytes(), &value, None).await?;
        tracing::warn!(
            task,
            client = client.name,
            reason = mismatch.key(),
            "Kept a Bundle from {} for matching as task {task}",
            client.name
        );
        let mut error = FhirError::new(422, IssueCode::BusinessRule, mismatch.words());
        error.task = Some(task);
        Ok(error)
    }
}
