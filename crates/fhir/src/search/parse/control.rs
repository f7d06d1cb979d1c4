//! The parameters that shape the answer: `_sort`, `_count`, `_total`, `_summary`, `_elements`, `_contained`.

use super::{Outcomes, Reader, at, quoted};
use crate::definitions::SearchKind;
use crate::outcome::{Issue, IssueCode};
use crate::search::query::{SortBy, SortSource, Summary, Total};
use crate::search::suggest::nearest;

/// More keys to sort by make no sense.
const MOST_KEYS: usize = 10;
/// More elements than any type has.
const MOST_ELEMENTS: usize = 200;

impl Reader<'_> {
    pub(super) fn read_control(&mut self, name: &str, value: &str) -> Outcomes<()> {
        if self.query.understood.iter().any(|(it, _)| it == name) {
            return Err(at(name, IssueCode::Invalid, "It is there twice. Say it once.").into());
        }
        match name {
            "_sort" => self.read_sort(value),
            "_count" => self.read_count(value),
            "_total" => {
                self.query.total = one_of(
                    name,
                    value,
                    &[("none", Total::None), ("estimate", Total::Estimate), ("accurate", Total::Accurate)],
                )?;
                Ok(())
            }
            "_summary" => {
                let known = [
                    ("true", Summary::True),
                    ("text", Summary::Text),
                    ("data", Summary::Data),
                    ("count", Summary::Count),
                    ("false", Summary::False),
                ];
                self.query.summary = one_of(name, value, &known)?;
                Ok(())
            }
            "_elements" => self.read_elements(value),
            "_contained" if value == "false" => Ok(()),
            "_containedType" if value == "container" => Ok(()),
            "_contained" | "_containedType" => {
                let words = "Contained resources are not searched for on their own here. Search for what contains them; a \
                             chain looks into contained resources.";
                Err(at(name, IssueCode::NotSupported, words).into())
            }
            _ => Err(at(name, IssueCode::NotSupported, "It is not supported here.").into()),
        }
    }

    fn read_sort(&mut self, value: &str) -> Outcomes<()> {
        let mut keys = Vec::new();
        for key in value.split(',') {
            if keys.len() == MOST_KEYS {
                return Err(at("_sort", IssueCode::TooCostly, format!("Sort by at most {MOST_KEYS} keys.")).into());
            }
            let (descending, code) = key.strip_prefix('-').map_or((false, key), |code| (true, code));
            let source = match code {
                "_id" => SortSource::Id,
                "_lastUpdated" => SortSource::Updated,
                _ => self.sort_source(code)?,
            };
            keys.push(SortBy { source, descending });
        }
        self.query.sort = keys;
        Ok(())
    }

    fn sort_source(&self, code: &str) -> Outcomes<SortSource> {
        let mut by_type = Vec::new();
        for type_name in &self.types {
            let parameter = self.parameter(type_name, code, code).map_err(|refusal| match refusal {
                super::Refusal::Misunderstood(issue) => super::Refusal::Misunderstood(issue.at("http._sort")),
                other => other,
            })?;
            if matches!(parameter.kind, SearchKind::Composite | SearchKind::Special) {
                let words = format!("'{code}' has several parts or none; the answer cannot be sorted by it.");
                return Err(at("_sort", IssueCode::NotSupported, words).into());
            }
            by_type.push(parameter);
        }
        Ok(SortSource::Parameter(by_type))
    }

    fn read_count(&mut self, value: &str) -> Outcomes<()> {
        let digits = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
        if !digits {
            return Err(at("_count", IssueCode::Value, "It takes a whole number, such as 50.").into());
        }
        // A number too long to be read is above every limit.
        let count = value.parse().unwrap_or(usize::MAX).min(self.limits().page);
        self.query.count = Some(count);
        if count > 0 {
            self.query.page = count;
        }
        Ok(())
    }

    /// `_count` as it was understood: within the limit.
    pub(super) fn counted(&self) -> String {
        self.query.count.unwrap_or_default().to_string()
    }

    fn read_elements(&mut self, value: &str) -> Outcomes<()> {
        let mut elements: Vec<Box<str>> = Vec::new();
        for name in value.split(',').map(str::trim) {
            if elements.len() == MOST_ELEMENTS {
                return Err(at("_elements", IssueCode::TooCostly, "These are too many elements.").into());
            }
            self.check_element(name)?;
            elements.push(name.into());
        }
        self.query.elements = elements;
        Ok(())
    }

    /// Of a search over several types, one of them must have the element; of one over all, `DomainResource`'s count and any
    /// other is taken as it is. `resourceType` is none in the definitions, but JSON has it and clients name it.
    fn check_element(&self, name: &str) -> Result<(), Issue> {
        if name.contains('.') {
            let words = format!("'{}' is inside another element. Name the element at the top alone.", quoted(name));
            return Err(at("_elements", IssueCode::Value, words));
        }
        let definitions = || self.types.iter().filter_map(|it| self.definitions.type_named(it));
        let is_known = || name == "resourceType" || definitions().any(|it| it.element_named(name).is_some());
        if self.query.types.is_empty() && !name.is_empty() || is_known() {
            return Ok(());
        }
        let about = definitions().map(|it| &*it.name).collect::<Vec<_>>().join(" or ");
        let mut words = format!("'{}' is not an element of {about}.", quoted(name));
        let names = definitions().flat_map(|it| it.elements.iter().map(|element| &*element.name));
        if let Some(meant) = nearest(name, names) {
            words.push_str(&format!(" Did you mean '{meant}'?"));
        }
        Err(at("_elements", IssueCode::Value, words))
    }

    /// What only the whole query shows.
    pub(super) fn fits_together(&self) -> Result<(), Issue> {
        if self.query.summary == Summary::Text && !self.query.includes.is_empty() {
            let words = "FHIR does not allow it together with '_include' or '_revinclude'.";
            return Err(at("_summary", IssueCode::Value, words));
        }
        Ok(())
    }
}

fn one_of<T: Copy>(name: &str, value: &str, known: &[(&str, T)]) -> Result<T, Issue> {
    if let Some((_, found)) = known.iter().find(|(word, _)| *word == value) {
        return Ok(*found);
    }
    let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
    Err(at(name, IssueCode::Value, format!("It takes one of {}.", words.join(", "))))
}
