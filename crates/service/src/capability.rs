//! What the FHIR door offers, as a CapabilityStatement: made from the list of interactions that the router is made from,
//! and from the definitions that searches and profiles are read by, those of added packages too.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use keepwell_fhir::compartment::{Home, home};
use keepwell_fhir::definitions::{SearchKind, SearchParameter};
use keepwell_fhir::resource::Resource;
use keepwell_fhir::search::offered;
use serde_json::{Value, json};

use crate::operations::Operation;
use crate::rest::Interaction;
use crate::{Packages, Service};

/// The statement as it was last made, and for which address.
#[derive(Default)]
pub(crate) struct Stated(Mutex<Option<(String, Bytes)>>);

impl Service {
    /// The CapabilityStatement of this server at its base address.
    #[must_use]
    pub fn capability_statement(&self, base_url: &str) -> Bytes {
        let mut kept = self.inner.stated.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, made)) = kept.as_ref().filter(|(base, _)| base == base_url) {
            return made.clone();
        }
        let made = Bytes::from(statement(self.packages(), base_url).to_string());
        *kept = Some((base_url.to_owned(), made.clone()));
        made
    }
}

fn statement(packages: &Packages, base_url: &str) -> Value {
    let kept: Vec<&str> = keepwell_fhir::types::all().iter().copied().filter(|name| is_kept(name)).collect();
    let mut referring: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for name in &kept {
        for parameter in offered(packages.definitions(), name).filter(|it| it.kind == SearchKind::Reference) {
            for target in &parameter.targets {
                referring.entry(target).or_default().push(format!("{name}:{}", parameter.code));
            }
        }
    }
    let resources: Vec<Value> =
        kept.iter().map(|name| resource(packages, name, referring.get(name).map_or(&[], Vec::as_slice))).collect();
    let mut statement = json!({
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-11-25",
        "kind": "instance",
        "software": { "name": "Keepwell", "version": env!("CARGO_PKG_VERSION") },
        "implementation": { "description": "Keepwell, a person held health record", "url": base_url },
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "application/fhir+xml"],
        "patchFormat": ["application/json-patch+json", "application/fhir+json", "application/fhir+xml"],
        "rest": [{
            "mode": "server",
            "documentation": "A transaction is about one person, with the directory resources that go with it. \
                              Resources keep the ids that their source gave them; sending one again updates it. A search \
                              says whose record it looks into, unless the system may search across people.",
            "security": { "description": "Bearer token of a registered source system." },
            "resource": resources,
            "interaction": interactions(true),
            "operation": operations(None),
        }],
    });
    if !packages.guides().is_empty() {
        statement["implementationGuide"] = json!(packages.guides());
    }
    statement
}

fn resource(packages: &Packages, name: &str, referring: &[String]) -> Value {
    let parameter = |it: &SearchParameter| json!({ "name": &*it.code, "type": kind(it.kind), "definition": &*it.url });
    let references = offered(packages.definitions(), name).filter(|it| it.kind == SearchKind::Reference);
    let mut resource = json!({
        "type": name,
        "interaction": interactions(false),
        "operation": operations(Some(name)),
        "versioning": "versioned-update",
        "readHistory": true,
        "updateCreate": true,
        "conditionalCreate": true,
        "conditionalRead": "full-support",
        "conditionalUpdate": true,
        "conditionalDelete": "single",
        "referencePolicy": ["literal", "logical"],
        "searchInclude": references.map(|it| format!("{name}:{}", it.code)).collect::<Vec<_>>(),
        "searchRevInclude": referring,
        "searchParam": offered(packages.definitions(), name).map(parameter).collect::<Vec<_>>(),
    });
    let profiles = packages.profiles_of(name);
    if !profiles.is_empty() {
        resource["supportedProfile"] = json!(profiles);
    }
    resource
}

fn interactions(of_server: bool) -> Vec<Value> {
    let all = Interaction::ALL.into_iter().filter(|it| it.is_of_server() == of_server);
    all.flat_map(Interaction::codes).map(|code| json!({ "code": code })).collect()
}

/// The operations of a type, or of the server as a whole.
fn operations(of: Option<&str>) -> Vec<Value> {
    let mut offered = Vec::new();
    for operation in Operation::ALL {
        let mut add = |definition: &str| offered.push(json!({ "name": operation.name(), "definition": definition }));
        match of {
            None => _ = operation.of_server().map(&mut add),
            Some(name) => {
                let own = operation.definitions().iter().filter(|(kind, _)| kind.is_none_or(|kind| kind == name));
                own.for_each(|(_, definition)| add(definition));
            }
        }
    }
    offered
}

const fn kind(kind: SearchKind) -> &'static str {
    match kind {
        SearchKind::Number => "number",
        SearchKind::Date => "date",
        SearchKind::String => "string",
        SearchKind::Token => "token",
        SearchKind::Reference => "reference",
        SearchKind::Composite => "composite",
        SearchKind::Quantity => "quantity",
        SearchKind::Uri => "uri",
        SearchKind::Special => "special",
    }
}

/// Whether there can be resources of a type here.
pub(crate) fn is_kept(name: &str) -> bool {
    let json = format!("{{\"resourceType\":\"{name}\"}}");
    Resource::new(json.as_bytes()).is_ok_and(|resource| home(&resource) != Home::NotKept)
}
