//! `_include` and `_revinclude` (FHIR R4 §3.1.1.5.15).

use std::sync::Arc;

use super::{Outcomes, Reader, Refusal, at, quoted, too_large, unknown_type};
use crate::definitions::SearchKind;
use crate::outcome::IssueCode;
use crate::search::parameter::{Found, Parameter};
use crate::search::query::Include;

impl Reader<'_> {
    pub(super) fn read_include(&mut self, stem: &str, modifier: Option<&str>, name: &str, value: &str) -> Outcomes<()> {
        if self.query.includes.len() == self.limits().includes {
            let words = format!("The query has more than {} includes.", self.limits().includes);
            return Err(Refusal::TooLarge(too_large(words)));
        }
        let iterates = match modifier {
            None => false,
            Some("iterate") => true,
            Some(other) => {
                let words = format!("'{stem}' takes the modifier ':iterate' and no other, not ':{}'.", quoted(other));
                return Err(at(name, IssueCode::Invalid, words).into());
            }
        };
        let mut parts = value.split(':');
        let (source, code, target, rest) = (parts.next(), parts.next(), parts.next(), parts.next());
        let is_reverse = stem == "_revinclude";
        let example = if is_reverse { "Provenance:target" } else { "Observation:subject" };
        let form = || at(name, IssueCode::Value, format!("Write it as {example}, or {example}:Patient for one type."));
        if rest.is_some() {
            return Err(form().into());
        }
        let target = target.filter(|target| !target.is_empty());
        if let Some(target) = target.filter(|target| !self.definitions.is_resource(target)) {
            return Err(unknown_type(self.definitions, target, Some(name)).into());
        }
        let parameters = match (source, code) {
            (Some("*"), None) => self.everywhere(is_reverse || iterates),
            (Some(source), Some(_)) if !self.definitions.is_resource(source) => {
                return Err(unknown_type(self.definitions, source, Some(name)).into());
            }
            (Some(source), Some("*")) => self.references_of(source),
            (Some(source), Some(code)) => vec![self.reference(source, code, name)?],
            _ => return Err(form().into()),
        };
        let target = target.map(Into::into);
        self.query.includes.push(Include { is_reverse, iterates, parameters, target });
        Ok(())
    }

    /// The reference parameters of the types that are searched, or of all.
    fn everywhere(&self, all: bool) -> Vec<Arc<Parameter>> {
        if all || self.query.types.is_empty() {
            let names = self.definitions.types().map(|it| &*it.name).filter(|name| self.definitions.is_resource(name));
            return names.flat_map(|name| self.references_of(name)).collect();
        }
        self.query.types.iter().flat_map(|name| self.references_of(name)).collect()
    }

    fn references_of(&self, type_name: &str) -> Vec<Arc<Parameter>> {
        let references = self.definitions.search_parameters(type_name).filter(|it| it.kind == SearchKind::Reference);
        let compiled = references.filter_map(|it| match self.definitions.compiled(type_name, &it.code) {
            Found::Parameter(parameter) => Some(parameter),
            Found::Unknown | Found::NotCompiled => None,
        });
        compiled.collect()
    }

    /// A reference parameter by name.
    pub(super) fn reference(&self, type_name: &str, code: &str, name: &str) -> Outcomes<Arc<Parameter>> {
        let parameter = self.parameter(type_name, code, code).map_err(|refusal| match refusal {
            Refusal::Misunderstood(issue) => Refusal::Misunderstood(issue.at(format!("http.{}", quoted(name)))),
            other => other,
        })?;
        if parameter.kind != SearchKind::Reference {
            let all = self.references_of(type_name);
            let codes: Vec<&str> = all.iter().map(|it| &*it.code).collect();
            let words = format!("'{code}' of {type_name} is not a reference. These are: {}.", codes.join(", "));
            return Err(at(name, IssueCode::Value, words).into());
        }
        Ok(parameter)
    }
}
