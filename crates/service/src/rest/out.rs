//! Bundles on their way out, written entry by entry.

use bytes::Bytes;
use keepwell_fhir::json::push_string;

/// A Bundle in the making.
pub(crate) struct Out {
    head: Vec<u8>,
    entries: Vec<u8>,
}

/// What became of the request behind an entry.
pub(crate) struct Response<'a> {
    pub(crate) status: &'a str,
    pub(crate) etag: &'a str,
    pub(crate) last_modified: &'a str,
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
        out.extend_from_slice(br#"},"response":{"#);
        member(out, "status", response.status);
        out.push(b',');
        member(out, "etag", response.etag);
        out.push(b',');
        member(out, "lastModified", response.last_modified);
        out.extend_from_slice(b"}}");
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

fn member(out: &mut Vec<u8>, name: &str, value: &str) {
    push_string(out, name);
    out.push(b':');
    push_string(out, value);
}
