//! Bundles on their way out, written entry by entry.

use bytes::Bytes;
use keepwell_fhir::json::push_string;

/// A Bundle in the making.
pub(crate) struct Out {
    head: Vec<u8>,
    entries: Vec<u8>,
}

/// What became of the request behind an entry.
#[derive(Default)]
pub(crate) struct Response<'a> {
    pub(crate) status: &'a str,
    pub(crate) location: Option<&'a str>,
    pub(crate) etag: Option<&'a str>,
    pub(crate) last_modified: Option<&'a str>,
    /// An OperationOutcome.
    pub(crate) outcome: Option<&'a [u8]>,
}

impl Out {
    /// An empty Bundle of a type.
    pub(crate) fn new(kind: &str) -> Self {
        let mut head = br#"{"resourceType":"Bundle","type":"#.to_vec();
        push_string(&mut head, kind);
        Self { head, entries: Vec::new() }
    }

    /// Says how many there are on all pages.
    pub(crate) fn total(&mut self, total: usize) {
        self.head.extend_from_slice(format!(r#","total":{total}"#).as_bytes());
    }

    /// Says where this and other pages are.
    pub(crate) fn links(&mut self, links: &[(&str, String)]) {
        self.head.extend_from_slice(br#","link":["#);
        for (index, (relation, url)) in links.iter().enumerate() {
            self.head.extend_from_slice(if index > 0 { b",{" } else { b"{" });
            member(&mut self.head, "relation", relation);
            self.head.push(b',');
            member(&mut self.head, "url", url);
            self.head.push(b'}');
        }
        self.head.push(b']');
    }

    /// Adds something that a search found, or that comes along: its address, the resource and how it got in.
    pub(crate) fn hit(&mut self, full_url: Option<&str>, resource: &[u8], mode: &str) {
        let out = &mut self.entries;
        out.extend_from_slice(if out.is_empty() { b"{" } else { b",{" });
        if let Some(full_url) = full_url {
            member(out, "fullUrl", full_url);
            out.push(b',');
        }
        out.extend_from_slice(br#""resource":"#);
        out.extend_from_slice(resource);
        out.extend_from_slice(br#","search":{"#);
        member(out, "mode", mode);
        out.extend_from_slice(b"}}");
    }

    /// Adds an entry of a history.
    pub(crate) fn version(
        &mut self,
        full_url: &str,
        resource: Option<&[u8]>,
        request: (&str, &str),
        response: &Response<'_>,
    ) {
        let out = &mut self.entries;
        out.extend_from_slice(if out.is_empty() { b"{" } else { b",{" });
        member(out, "fullUrl", full_url);
        if let Some(resource) = resource {
            out.extend_from_slice(br#","resource":"#);
            out.extend_from_slice(resource);
        }
        out.extend_from_slice(br#","request":{"#);
        member(out, "method", request.0);
        out.push(b',');
        member(out, "url", request.1);
        out.extend_from_slice(b"},");
        push_response(out, response);
        out.push(b'}');
    }

    /// Adds the answer to an entry.
    pub(crate) fn answer(&mut self, resource: Option<&[u8]>, response: &Response<'_>) {
        let out = &mut self.entries;
        out.extend_from_slice(if out.is_empty() { b"{" } else { b",{" });
        if let Some(resource) = resource {
            out.extend_from_slice(br#""resource":"#);
            out.extend_from_slice(resource);
            out.push(b',');
        }
        push_response(out, response);
        out.push(b'}');
    }

    /// The Bundle.
    pub(crate) fn finish(self) -> Bytes {
        let Self { head: mut out, entries } = self;
        if !entries.is_empty() {
            out.extend_from_slice(br#","entry":["#);
            out.extend_from_slice(&entries);
            out.push(b']');
        }
        out.push(b'}');
        Bytes::from(out)
    }
}

fn push_response(out: &mut Vec<u8>, response: &Response<'_>) {
    out.extend_from_slice(br#""response":{"#);
    member(out, "status", response.status);
    let rest = [("location", response.location), ("etag", response.etag), ("lastModified", response.last_modified)];
    for (name, value) in rest.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        out.push(b',');
        member(out, name, value);
    }
    if let Some(outcome) = response.outcome {
        out.extend_from_slice(br#","outcome":"#);
        out.extend_from_slice(outcome);
    }
    out.push(b'}');
}

fn member(out: &mut Vec<u8>, name: &str, value: &str) {
    push_string(out, name);
    out.push(b':');
    push_string(out, value);
}
