//! Binaries as bytes: between what a person's file is and the resource that it is kept as (R4 §2.10).

use bytes::Bytes;
use keepwell_fhir::attachment;
use keepwell_fhir::json::{Node, push_string};
use keepwell_fhir::outcome::IssueCode;

use crate::{FhirError, ResourceAnswer};

/// The most bytes of one file. Written as text it has a third more, and the engine takes 16 MiB.
const MOST: usize = 11 << 20;

/// A file.
#[derive(Clone, PartialEq, Eq)]
pub struct RawBinary {
    /// Its declared media type.
    pub content_type: String,
    /// Its bytes.
    pub bytes: Bytes,
    /// Whether a browser may show it in place. Everything that could hold script, and all that is not known to be harmless,
    /// is for download only.
    pub inline: bool,
}

impl std::fmt::Debug for RawBinary {
    /// Never the content.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RawBinary({} bytes)", self.bytes.len())
    }
}

impl RawBinary {
    /// The file in a Binary that was read.
    ///
    /// # Errors
    /// 422 if the resource holds no file that could be given out.
    pub fn of(answer: &ResourceAnswer) -> Result<Self, FhirError> {
        let node = Node::new(&answer.json);
        let content_type = node.and_then(|node| node.get_text("contentType"));
        let data = node.and_then(|node| node.get("data"));
        let bytes = match data {
            None => Some(Vec::new()),
            Some(data) => attachment::decode(data, answer.json.len()).ok(),
        };
        let (Some(content_type), Some(bytes)) = (content_type, bytes) else {
            let words =
                "This Binary holds no file that could be given out as it is. Ask for it as application/fhir+json.";
            return Err(FhirError::new(422, IssueCode::Processing, words));
        };
        // What claims to be a harmless type has to be it, also if nobody looked when it came.
        let inline = attachment::may_show_inline(&content_type) && attachment::check(&content_type, &bytes).is_ok();
        Ok(Self { content_type: content_type.into_owned(), bytes: Bytes::from(bytes), inline })
    }

    /// The Binary that keeps a file, with the person (or the resource) whom it belongs to.
    ///
    /// # Errors
    /// 400 for a type that is none; 413 for a file that is too large; 422 if the bytes are not what the type says, or if it
    /// is not said whose the file is.
    pub fn resource(content_type: &str, bytes: &[u8], context: Option<&str>) -> Result<Bytes, FhirError> {
        if bytes.len() > MOST {
            let words = format!("The file has more than {MOST} bytes, the limit here.");
            return Err(FhirError::new(413, IssueCode::TooLong, words));
        }
        let context = context.ok_or_else(|| {
            let words = "Say whose file this is: send the header 'X-Security-Context' with 'Patient/' and an id.";
            FhirError::new(422, IssueCode::Required, words).at("Binary.securityContext")
        })?;
        attachment::check(content_type, bytes).map_err(|error| {
            FhirError::new(422, IssueCode::Value, format!("This cannot be taken: {error}.")).at("Binary.contentType")
        })?;
        let mut out = Vec::with_capacity(bytes.len() / 3 * 4 + 256);
        out.extend_from_slice(br#"{"resourceType":"Binary","contentType":"#);
        push_string(&mut out, content_type);
        out.extend_from_slice(br#","securityContext":{"reference":"#);
        push_string(&mut out, context);
        out.extend_from_slice(br#"},"data":""#);
        attachment::encode(bytes, &mut out);
        out.extend_from_slice(br#""}"#);
        Ok(Bytes::from(out))
    }
}
