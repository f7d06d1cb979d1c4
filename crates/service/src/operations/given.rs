//! What an operation is called with: parameters of the address, a Parameters resource, or a resource by itself
//! (R4 §3.2.0.1).

use bytes::Bytes;
use keepwell_fhir::definitions::r4;
use keepwell_fhir::element::choice;
use keepwell_fhir::json::{self, Kind, Node};
use keepwell_fhir::outcome::IssueCode;
use keepwell_fhir::validate::{LineColumn, lines_and_columns};
use keepwell_fhir::xml;
use keepwell_record::busy;

use crate::FhirError;
use crate::rest::json_of_xml;

/// Bodies with more bytes than this take a while to read.
const LARGE: usize = 256 * 1024;
/// How many parameters are read.
const MOST: usize = 200;

/// An operation that is called.
#[derive(Clone)]
pub struct OperationRequest<'a> {
    /// Names and values of the address, as sent.
    pub parameters: &'a [(String, String)],
    /// The body: a Parameters resource, or what the operation is about, in JSON or XML.
    pub body: Option<Bytes>,
    /// The FHIR base address.
    pub base: &'a str,
}

impl std::fmt::Debug for OperationRequest<'_> {
    /// Never the content.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OperationRequest(…)")
    }
}

/// The parameters of a call, from wherever they came.
#[derive(Default)]
pub(super) struct Given {
    values: Vec<(String, String)>,
    /// Values that have members, and resources: compact JSON.
    objects: Vec<(String, Bytes)>,
    /// The resource that came instead of a Parameters resource.
    bare: Option<Bytes>,
    /// The same as it was sent, for telling lines.
    original: Option<Bytes>,
}

impl Given {
    /// Reads a call.
    ///
    /// # Errors
    /// 400 for what cannot be read, and for a parameter that the operation does not have: a misspelt one must not be
    /// passed over.
    pub(super) fn read(request: &OperationRequest<'_>, known: &[&str]) -> Result<Self, FhirError> {
        let given = Self::collect(request)?;
        let names = given.values.iter().map(|(name, _)| name).chain(given.objects.iter().map(|(name, _)| name));
        for name in names {
            if !known.contains(&name.as_str()) {
                let words = format!("This operation has no such parameter here. It has: {}.", known.join(", "));
                return Err(FhirError::new(400, IssueCode::NotSupported, words).at(shortened(name)));
            }
        }
        Ok(given)
    }

    /// The same for a caller who wants what is not known to be passed over (`Prefer: handling=lenient`).
    ///
    /// # Errors
    /// 400 for what cannot be read.
    pub(super) fn read_lenient(request: &OperationRequest<'_>, known: &[&str]) -> Result<Self, FhirError> {
        let mut given = Self::collect(request)?;
        given.values.retain(|(name, _)| known.contains(&name.as_str()));
        given.objects.retain(|(name, _)| known.contains(&name.as_str()));
        Ok(given)
    }

    fn collect(request: &OperationRequest<'_>) -> Result<Self, FhirError> {
        let mut given = Self::default();
        if let Some(body) = request.body.as_ref().filter(|body| !body.is_empty()) {
            given.take(body)?;
        }
        for (name, value) in request.parameters {
            if !matches!(name.as_str(), "_format" | "_pretty") {
                given.values.push((name.clone(), value.clone()));
            }
        }
        Ok(given)
    }

    fn take(&mut self, body: &Bytes) -> Result<(), FhirError> {
        let converted = if is_xml(body) { Some(json_of_xml(body)?) } else { None };
        let json = converted.as_ref().unwrap_or(body);
        let check = || json::compact(json).map_err(|error| FhirError::of(400, error.into()));
        let bytes = Bytes::from(if body.len() < LARGE { check()? } else { busy(check)? });
        let Some(node) = Node::new(&bytes) else { return Err(not_readable()) };
        match node.get_text("resourceType").as_deref() {
            Some("Parameters") => {}
            Some(_) => {
                self.bare = Some(bytes);
                self.original = Some(body.clone());
                return Ok(());
            }
            None => return Err(not_readable()),
        }
        for (index, parameter) in node.get("parameter").into_iter().flat_map(Node::each).enumerate() {
            let at = || format!("Parameters.parameter[{index}]");
            let unreadable = || FhirError::new(400, IssueCode::Structure, "This parameter cannot be read.").at(at());
            let name = parameter.get_text("name").ok_or_else(unreadable)?.into_owned();
            if index >= MOST {
                return Err(FhirError::new(413, IssueCode::TooCostly, "There are too many parameters.").at(at()));
            }
            let value = parameter.get("resource").or_else(|| Some(choice(parameter.members(), "value")?.1));
            let value = value.ok_or_else(unreadable)?;
            match value.kind() {
                Kind::Object => self.objects.push((name, Bytes::copy_from_slice(value.raw().as_bytes()))),
                Kind::String => self.values.push((name, value.text().ok_or_else(unreadable)?.into_owned())),
                _ => self.values.push((name, value.raw().to_owned())),
            }
        }
        Ok(())
    }

    /// All values of a parameter.
    pub(super) fn all<'g>(&'g self, name: &'g str) -> impl Iterator<Item = &'g str> {
        self.values.iter().filter(move |(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// The value of a parameter that stands at most once.
    pub(super) fn one<'g>(&'g self, name: &'g str) -> Result<Option<&'g str>, FhirError> {
        let mut all = self.all(name);
        let first = all.next();
        if all.next().is_some() {
            let words = "This parameter stands more than once. Give it once.";
            return Err(FhirError::new(400, IssueCode::Value, words).at(name));
        }
        Ok(first)
    }

    /// The value of a parameter that must be there.
    pub(super) fn needed<'g>(&'g self, name: &'g str) -> Result<&'g str, FhirError> {
        self.one(name)?.ok_or_else(|| missing(name))
    }

    /// The objects that came under a name: codings, resources.
    pub(super) fn objects<'g>(&'g self, name: &'g str) -> impl Iterator<Item = &'g Bytes> {
        self.objects.iter().filter(move |(other, _)| other == name).map(|(_, object)| object)
    }

    /// A whole number that stands at most once.
    pub(super) fn number(&self, name: &str) -> Result<Option<usize>, FhirError> {
        self.one(name)?.map(|text| text.parse().map_err(|_| unreadable(name))).transpose()
    }

    /// `true` or `false`; false if it is not there.
    pub(super) fn flag(&self, name: &str) -> Result<bool, FhirError> {
        match self.one(name)? {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(unreadable(name)),
        }
    }

    /// The resource that the call is about: the body itself, or the parameter of that name.
    pub(super) fn resource<'g>(&'g self, name: &'g str) -> Option<&'g Bytes> {
        self.bare.as_ref().or_else(|| self.objects(name).next())
    }

    /// Where bytes of the resource stand in the body as it was sent, if that is the resource itself.
    pub(super) fn lines_and_columns(&self, places: &[usize]) -> Vec<LineColumn> {
        match &self.original {
            None => Vec::new(),
            Some(xml) if is_xml(xml) => {
                let placed = busy(|| xml::read_placed(xml, r4()));
                placed.map(|(_, tags)| tags.lines_and_columns(xml, places)).unwrap_or_default()
            }
            Some(json) => lines_and_columns(json, places),
        }
    }
}

/// Whether a body is XML: JSON never starts so.
fn is_xml(body: &[u8]) -> bool {
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    body.trim_ascii_start().first() == Some(&b'<')
}

pub(super) fn missing(name: &str) -> FhirError {
    FhirError::new(400, IssueCode::Required, format!("This operation needs the parameter '{name}'.")).at(name)
}

pub(super) fn unreadable(name: &str) -> FhirError {
    let words = format!("The value of '{}' cannot be read.", shortened(name));
    FhirError::new(400, IssueCode::Value, words).at(shortened(name))
}

fn not_readable() -> FhirError {
    FhirError::new(400, IssueCode::Structure, "Send a Parameters resource, or the resource that this is about.")
}

fn shortened(name: &str) -> String {
    name.chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &[(&str, &str)], body: &str, known: &[&str]) -> Result<Given, FhirError> {
        let parameters: Vec<_> = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let body = Some(Bytes::copy_from_slice(body.as_bytes()));
        Given::read(&OperationRequest { parameters: &parameters, body, base: "" }, known)
    }

    #[test]
    fn parameters_of_address_and_body_are_read_alike() {
        let body = r#"{"resourceType":"Parameters","parameter":[
            {"name":"max","valuePositiveInt":3},{"name":"code","valueString":"a\"b"},{"name":"include","valueBoolean":true},
            {"name":"coding","valueCoding":{"system":"s","code":"c"}},{"name":"resource","resource":{"resourceType":"Patient"}}]}"#;
        let known = ["max", "code", "include", "coding", "resource"];
        let given = read(&[("code", "x"), ("_pretty", "true")], body, &known).unwrap();
        assert_eq!(given.number("max").unwrap(), Some(3));
        assert_eq!(given.all("code").collect::<Vec<_>>(), ["a\"b", "x"]);
        assert!(given.flag("include").unwrap());
        assert_eq!(&given.objects("coding").next().unwrap()[..], br#"{"system":"s","code":"c"}"#);
        assert_eq!(&given.resource("resource").unwrap()[..], br#"{"resourceType":"Patient"}"#);
        assert_eq!(given.one("code").unwrap_err().status, 400, "a value of several is not chosen");
    }

    #[test]
    fn a_misspelt_parameter_is_refused_and_what_is_no_call_too() {
        for (query, body) in [
            (vec![("cuont", "1")], ""),
            (vec![], r#"{"resourceType":"Parameters","parameter":[{"name":"cuont","valueInteger":1}]}"#),
            (vec![], r#"{"resourceType":"Parameters","parameter":[{"name":"count"}]}"#),
            (vec![], r#"{"resourceType":"Parameters","parameter":[{"valueInteger":1}]}"#),
            (vec![], "{}"),
            (vec![], "[1]"),
            (vec![], "{\"resourceType\""),
        ] {
            assert_eq!(read(&query, body, &["count"]).err().unwrap().status, 400, "{query:?} {body}");
        }
        assert!(read(&[], r#"{"resourceType":"Patient"}"#, &[]).unwrap().resource("resource").is_some());
    }
}
