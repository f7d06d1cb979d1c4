//! Bundles.

use super::{fine, only, said};

const UUID: &str = "urn:uuid:c757873d-ec9a-4326-a141-556f43239520";

fn bundle(kind: &str, entries: &str) -> String {
    format!(r#"{{"resourceType":"Bundle","type":"{kind}","entry":[{entries}]}}"#)
}

fn posted(url: &str, resource: &str) -> String {
    format!(r#"{{"fullUrl":"{url}","resource":{resource},"request":{{"method":"POST","url":"Patient"}}}}"#)
}

const PATIENT: &str = r#"{"resourceType":"Patient","id":"1"}"#;

#[test]
fn a_transaction_has_requests_and_a_response_has_responses() {
    fine(&bundle("transaction", &posted(UUID, PATIENT)));
    only(
        &bundle("transaction", &format!(r#"{{"resource":{PATIENT}}}"#)),
        "Bundle.entry[0]",
        "needs a 'request' (bdl-3)",
    );
    only(&bundle("collection", &posted(UUID, PATIENT)), "Bundle.entry[0]", "no 'request'");
    only(
        &bundle("batch-response", &format!(r#"{{"resource":{PATIENT}}}"#)),
        "Bundle.entry[0]",
        "needs a 'response' (bdl-4)",
    );
}

#[test]
fn each_full_url_is_one_entrys_own_and_agrees_with_it() {
    let entry =
        |url: &str, id: &str| format!(r#"{{"fullUrl":"{url}","resource":{{"resourceType":"Patient","id":"{id}"}}}}"#);
    let same = format!("{},{}", entry(UUID, "1"), entry(UUID, "2"));
    only(&bundle("collection", &same), "Bundle.entry[1]", "bdl-7");
    only(&bundle("collection", &entry("Patient/1", "1")), "Bundle.entry[0]", "not absolute");
    only(&bundle("collection", &entry("http://a.b/Patient/2", "1")), "Bundle.entry[0]", "names another resource");
    fine(&bundle("collection", &entry("http://a.b/Patient/1", "1")));
}

#[test]
fn a_reference_by_uuid_leads_to_an_entry() {
    let observation = |urn: &str| {
        let other = "urn:uuid:00000000-0000-0000-0000-000000000001";
        let subject = format!(r#""subject":{{"reference":"{urn}"}}"#);
        posted(other, &format!(r#"{{"resourceType":"Observation","status":"final","code":{{"text":"x"}},{subject}}}"#))
    };
    fine(&bundle("transaction", &format!("{},{}", observation(UUID), posted(UUID, PATIENT))));
    let practitioner = posted(UUID, r#"{"resourceType":"Practitioner"}"#);
    only(
        &bundle("transaction", &format!("{},{practitioner}", observation(UUID))),
        "Bundle.entry[0].resource.subject",
        "not to Practitioner",
    );
    assert_eq!(
        said(&bundle("transaction", &observation(UUID))),
        [format!("W Bundle.entry[0].resource.subject: No entry of this Bundle has the fullUrl '{UUID}'.")]
    );
}
