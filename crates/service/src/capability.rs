//! What the FHIR door offers, as a CapabilityStatement.

use bytes::Bytes;
use keepwell_fhir::compartment::{Home, home};
use keepwell_fhir::resource::Resource;
use serde_json::{Value, json};

use crate::Service;

impl Service {
    /// The CapabilityStatement of this server at its base address.
    #[must_use]
    pub fn capability_statement(&self, base_url: &str) -> Bytes {
        let read = |name: &str| {
            json!({
                "type": name,
                "interaction": INTERACTIONS.map(|code| json!({ "code": code })),
                "versioning": "versioned-update",
                "readHistory": true,
                "updateCreate": true,
            })
        };
        let kept = keepwell_fhir::types::all().iter().filter(|name| is_kept(name));
        let resources: Vec<Value> = kept.map(|name| read(name)).collect();
        let statement = json!({
            "resourceType": "CapabilityStatement",
            "status": "active",
            "date": "2026-11-23",
            "kind": "instance",
            "software": { "name": "Keepwell", "version": env!("CARGO_PKG_VERSION") },
            "implementation": { "description": "Keepwell, a person held health record", "url": base_url },
            "fhirVersion": "4.0.1",
            "format": ["application/fhir+json", "application/fhir+xml"],
            "patchFormat": ["application/json-patch+json", "application/fhir+json", "application/fhir+xml"],
            "rest": [{
                "mode": "server",
                "documentation": "A transaction is about one person, with the directory resources that go with it. \
                                  Resources keep the ids that their source gave them; sending one again updates it.",
                "security": { "description": "Bearer token of a registered source system." },
                "resource": resources,
                "interaction": [{ "code": "transaction" }, { "code": "batch" }, { "code": "history-system" }],
            }],
        });
        Bytes::from(statement.to_string())
    }
}

/// What can be done with every type that is kept.
const INTERACTIONS: [&str; 8] =
    ["read", "vread", "update", "patch", "delete", "history-instance", "history-type", "create"];

fn is_kept(name: &str) -> bool {
    let json = format!("{{\"resourceType\":\"{name}\"}}");
    Resource::new(json.as_bytes()).is_ok_and(|resource| home(&resource) != Home::NotKept)
}
