//! Where the next page of a list begins: a sealed note that its reader carries. It holds the whole question, so that an
//! address never shows what was asked for; only the same client gets an answer with it, and whoever changes it gets none.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::systems::Client;
use crate::{FhirError, Service};
use keepwell_fhir::outcome::IssueCode;

/// The longest note that is looked at.
const LONGEST: usize = 16 * 1024;

impl Service {
    /// Seals where a list goes on, for one client and one use.
    pub(crate) fn seal_cursor<T: Serialize>(&self, what: &str, client: &Client, cursor: &T) -> String {
        let plain = serde_json::to_vec(cursor).expect("a cursor is plain values");
        URL_SAFE_NO_PAD.encode(self.tenant().seal_token(&purpose(what, client), &plain))
    }

    /// Opens what [`Self::seal_cursor`] made.
    pub(crate) fn open_cursor<T: DeserializeOwned>(
        &self,
        what: &str,
        client: &Client,
        text: &str,
    ) -> Result<T, FhirError> {
        let sealed = Some(text).filter(|text| text.len() <= LONGEST).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
        let plain = sealed.and_then(|sealed| self.tenant().open_token(&purpose(what, client), &sealed));
        plain.and_then(|plain| serde_json::from_slice(&plain).ok()).ok_or_else(|| {
            let words = "This is no page of a list of yours. Start the list again from its first page.";
            FhirError::new(400, IssueCode::Value, words).at("_page")
        })
    }
}

fn purpose(what: &str, client: &Client) -> String {
    format!("{what} of {}", client.name)
}
