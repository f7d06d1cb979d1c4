//! Conditions: a parameter with its modifier, a chain, `_has` (FHIR R4 §3.1.1.4 and §3.1.1.5).

use std::sync::Arc;

use super::{Outcomes, Reader, Refusal, at, quoted, too_large};
use crate::definitions::SearchKind;
use crate::outcome::{Issue, IssueCode};
use crate::resource::is_id;
use crate::search::fold::words;
use crate::search::parameter::Parameter;
use crate::search::query::Rule;
use crate::search::raw::{split, unescaped};
use crate::search::suggest::nearest;
use crate::search::test::{SystemTest, TextMode, TokenTest};

/// Where the reader is: the type, the name that is left to read, and the name as a whole, for what is said about it.
#[derive(Clone, Copy)]
struct Place<'a> {
    type_name: &'a str,
    whole: &'a str,
    depth: usize,
}

/// What a modifier asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Modifier<'a> {
    None,
    Missing,
    Exact,
    Contains,
    Text,
    Not,
    Above,
    Below,
    In,
    NotIn,
    OfType,
    Identifier,
    Type(&'a str),
}

const MODIFIERS: [(&str, Modifier<'static>, &[SearchKind]); 11] = [
    (
        "missing",
        Modifier::Missing,
        &[
            SearchKind::Number,
            SearchKind::Date,
            SearchKind::String,
            SearchKind::Token,
            SearchKind::Reference,
            SearchKind::Quantity,
            SearchKind::Uri,
        ],
    ),
    ("exact", Modifier::Exact, &[SearchKind::String]),
    ("contains", Modifier::Contains, &[SearchKind::String]),
    ("text", Modifier::Text, &[SearchKind::Token]),
    ("not", Modifier::Not, &[SearchKind::Token]),
    ("above", Modifier::Above, &[SearchKind::Token, SearchKind::Reference, SearchKind::Uri]),
    ("below", Modifier::Below, &[SearchKind::Token, SearchKind::Reference, SearchKind::Uri]),
    ("in", Modifier::In, &[SearchKind::Token]),
    ("not-in", Modifier::NotIn, &[SearchKind::Token]),
    ("of-type", Modifier::OfType, &[SearchKind::Token]),
    ("identifier", Modifier::Identifier, &[SearchKind::Reference]),
];

impl Reader<'_> {
    /// Reads a condition on items of a type. `name` is what is left of the name, `whole` all of it.
    pub(super) fn rule(&self, type_name: &str, name: &str, whole: &str, value: &str, depth: usize) -> Outcomes<Rule> {
        self.spent.set(self.spent.get() + 1);
        if self.spent.get() > self.limits().filters {
            let words = format!("'{}' may lead to too many types. Name them: 'subject:Patient.name'.", quoted(whole));
            return Err(Refusal::TooLarge(too_large(words)));
        }
        if depth > self.limits().chain {
            let words = format!("'{}' goes along more than {} references.", quoted(whole), self.limits().chain);
            return Err(Refusal::TooLarge(too_large(words)));
        }
        let place = Place { type_name, whole, depth };
        if let Some(rest) = name.strip_prefix("_has:") {
            return self.has(place, rest, value);
        }
        let (head, rest) = name.split_once('.').map_or((name, None), |(head, rest)| (head, Some(rest)));
        let (code, modifier) = head.split_once(':').map_or((head, None), |(code, modifier)| (code, Some(modifier)));
        if let Some(rest) = rest {
            return self.chain(place, code, modifier, rest, value);
        }
        if let Some(special) = special(place, code, modifier, value)? {
            return Ok(special);
        }
        let parameter = self.parameter(type_name, code, whole)?;
        self.plain(place, parameter, modifier, value)
    }

    /// A parameter with its modifier and values.
    fn plain(
        &self,
        place: Place<'_>,
        parameter: Arc<Parameter>,
        modifier: Option<&str>,
        value: &str,
    ) -> Outcomes<Rule> {
        if parameter.kind == SearchKind::Special {
            let words = format!("Searching by '{}' is not supported here.", parameter.code);
            return Err(at(place.whole, IssueCode::NotSupported, words).into());
        }
        let modifier = self.modifier(place, &parameter, modifier)?;
        match modifier {
            Modifier::Missing => {
                let wanted = true_or_false(place.whole, value)?;
                return Ok(Rule::Missing { parameter, wanted });
            }
            Modifier::Above | Modifier::Below if parameter.kind == SearchKind::Reference => {
                return self.tree(place, parameter, value, modifier == Modifier::Below);
            }
            _ => {}
        }
        let mut tests = Vec::new();
        for part in self.values(place.whole, value)? {
            tests.push(self.test(place.whole, &parameter, modifier, part)?);
        }
        let negate = matches!(modifier, Modifier::Not | Modifier::NotIn);
        Ok(Rule::Values { parameter, tests, negate })
    }

    /// The values between commas.
    pub(super) fn values<'v>(&self, name: &str, value: &'v str) -> Outcomes<Vec<&'v str>> {
        let most = self.limits().values;
        let parts: Vec<&str> = split(value, ',').take(most + 1).collect();
        if parts.len() > most {
            let words = format!("'{}' has more than {most} values. Ask for some at a time.", quoted(name));
            return Err(Refusal::TooLarge(too_large(words)));
        }
        if parts.iter().any(|part| part.is_empty()) {
            let words = "There is an empty value between commas. Write a comma that belongs to a value as '\\,'.";
            return Err(at(name, IssueCode::Value, words).into());
        }
        Ok(parts)
    }

    fn modifier<'m>(
        &self,
        place: Place<'_>,
        parameter: &Parameter,
        modifier: Option<&'m str>,
    ) -> Result<Modifier<'m>, Issue> {
        let Some(modifier) = modifier else { return Ok(Modifier::None) };
        let allowed = || MODIFIERS.iter().filter(|(_, _, kinds)| kinds.contains(&parameter.kind));
        if let Some((_, found, _)) = allowed().find(|(word, ..)| *word == modifier) {
            let is_identifier =
                || parameter.expression.is_some() || parameter.leaves().any(|leaf| &*leaf.type_name == "Identifier");
            if *found == Modifier::OfType && !is_identifier() {
                let words = format!("':of-type' goes with identifiers; '{}' has none.", parameter.code);
                return Err(at(place.whole, IssueCode::Invalid, words));
            }
            return Ok(*found);
        }
        if parameter.kind == SearchKind::Reference && self.definitions.is_resource(modifier) {
            if parameter.targets.is_empty() || parameter.targets.iter().any(|it| **it == *modifier) {
                return Ok(Modifier::Type(modifier));
            }
            let targets = parameter.targets.join(", ");
            let words = format!("'{}' never refers to a {modifier}, but to {targets}.", parameter.code);
            return Err(at(place.whole, IssueCode::Invalid, words));
        }
        let mut known: Vec<&str> = allowed().map(|(word, ..)| *word).collect();
        let mut words = format!("'{}' does not take the modifier ':{}'.", parameter.code, quoted(modifier));
        if let Some(meant) = nearest(modifier, known.iter().copied().chain(parameter.targets.iter().map(|it| &**it))) {
            words.push_str(&format!(" Did you mean ':{meant}'?"));
        } else if known.is_empty() {
            words.push_str(" It takes none.");
        } else {
            if parameter.kind == SearchKind::Reference {
                known.push("[type]");
            }
            words.push_str(&format!(" It takes :{}.", known.join(", :")));
        }
        Err(at(place.whole, IssueCode::Invalid, words))
    }

    /// `subject:Patient.name`: a condition on what a reference leads to.
    fn chain(&self, place: Place<'_>, code: &str, modifier: Option<&str>, rest: &str, value: &str) -> Outcomes<Rule> {
        let parameter = self.reference(place.type_name, code, place.whole)?;
        let depth = place.depth + 1;
        let targets: Vec<Box<str>> = match self.modifier(place, &parameter, modifier)? {
            Modifier::Type(name) => vec![name.into()],
            Modifier::None if parameter.targets.is_empty() && rest.starts_with('_') => vec!["Resource".into()],
            Modifier::None if parameter.targets.is_empty() => {
                let words =
                    format!("'{code}' may refer to anything. Name the type: '{code}:Patient.{}'.", quoted(rest));
                return Err(at(place.whole, IssueCode::Invalid, words).into());
            }
            Modifier::None => parameter.targets.clone(),
            _ => {
                let words = format!("In a chain '{code}' takes a type as its modifier and nothing else.");
                return Err(at(place.whole, IssueCode::Invalid, words).into());
            }
        };
        // A condition that some of the types do not know is about the others.
        let mut found = Vec::new();
        let mut first_problem: Option<Issue> = None;
        for target in targets {
            match self.rule(&target, rest, place.whole, value, depth) {
                Ok(rule) => found.push((target, rule)),
                Err(Refusal::TooLarge(issue)) => return Err(Refusal::TooLarge(issue)),
                // The most helpful problem is one with a suggestion.
                Err(Refusal::Misunderstood(issue)) => match &first_problem {
                    Some(_) if !issue.diagnostics.contains("Did you mean") => {}
                    Some(first) if first.diagnostics.contains("Did you mean") => {}
                    _ => first_problem = Some(issue),
                },
            }
        }
        match first_problem {
            Some(issue) if found.is_empty() => Err(issue.into()),
            _ => Ok(Rule::Chain { parameter, targets: found }),
        }
    }

    /// `_has:Observation:patient:code`: a condition on what refers here.
    fn has(&self, place: Place<'_>, rest: &str, value: &str) -> Outcomes<Rule> {
        let mut parts = rest.splitn(3, ':');
        let (Some(source), Some(code), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
            let words =
                "Write it as _has:Observation:patient:code, which asks for whom an Observation with that code is.";
            return Err(at(place.whole, IssueCode::Invalid, words).into());
        };
        if !self.definitions.is_resource(source) {
            return Err(super::unknown_type(self.definitions, source, Some(place.whole)).into());
        }
        let parameter = self.reference(source, code, place.whole)?;
        let leads_here = place.type_name == "Resource"
            || parameter.targets.is_empty()
            || parameter.targets.iter().any(|it| **it == *place.type_name);
        if !leads_here {
            let words = format!("'{code}' of {source} never refers to a {}.", place.type_name);
            return Err(at(place.whole, IssueCode::Invalid, words).into());
        }
        let rule = Box::new(self.rule(source, rest, place.whole, value, place.depth + 1)?);
        Ok(Rule::Has { source: source.into(), parameter, rule })
    }

    /// `location:below`: the types that refer to their own kind as what they are a part of.
    fn tree(&self, place: Place<'_>, parameter: Arc<Parameter>, value: &str, below: bool) -> Outcomes<Rule> {
        let mut up = Vec::new();
        for target in &parameter.targets {
            for code in ["partof", "part-of"] {
                if self.definitions.search_parameter(target, code).is_some() {
                    up.push(self.reference(target, code, place.whole)?);
                }
            }
        }
        if up.is_empty() {
            let words = format!("What '{}' refers to has nothing above or below it.", parameter.code);
            return Err(at(place.whole, IssueCode::NotSupported, words).into());
        }
        let mut tests = Vec::new();
        for part in self.values(place.whole, value)? {
            tests.push(self.reference_test(place.whole, &parameter.targets, Modifier::None, part)?);
        }
        Ok(Rule::Tree { parameter, up, tests, below })
    }
}

/// The parameters that do not look into an element: `_id`, `_lastUpdated`, `_list`, `_text`, `_content`.
fn special(place: Place<'_>, code: &str, modifier: Option<&str>, value: &str) -> Outcomes<Option<Rule>> {
    let whole = place.whole;
    let unsupported = |words: &str| Err(at(whole, IssueCode::NotSupported, words).into());
    match code {
        "_filter" => return unsupported("Filter expressions are not supported here. Use search parameters."),
        "_query" => return unsupported("There are no named queries here. Use search parameters."),
        "_has" => {
            return Err(at(whole, IssueCode::Invalid, "Write it as _has:Observation:patient:code.").into());
        }
        "_id" | "_lastUpdated" if modifier == Some("missing") => {
            return Ok(Some(Rule::Constant(!true_or_false(whole, value)?)));
        }
        "_id" | "_lastUpdated" | "_list" | "_text" | "_content" => {}
        _ => return Ok(None),
    }
    let negate = code == "_id" && modifier == Some("not");
    if let Some(modifier) = modifier.filter(|_| !negate) {
        let words = format!("'{code}' does not take the modifier ':{}'.", quoted(modifier));
        return Err(at(whole, IssueCode::Invalid, words).into());
    }
    Ok(Some(match code {
        "_lastUpdated" => {
            let tests: Result<Vec<_>, Issue> =
                split(value, ',').map(|part| super::value::date(whole, &unescaped(part))).collect();
            Rule::Updated(tests?)
        }
        "_list" => Rule::Listed(split(value, ',').map(|id| list_id(whole, id)).collect::<Result<_, Issue>>()?),
        "_id" => {
            let mut ids: Vec<String> = split(value, ',').map(unescaped).collect();
            if let Some(wrong) = ids.iter().find(|id| !is_id(id)) {
                let words = format!("'{}' is not an id: use letters, digits, '-' and '.'.", quoted(wrong));
                return Err(at(whole, IssueCode::Value, words).into());
            }
            ids.sort_unstable();
            Rule::Id { ids, negate }
        }
        _ => {
            let sets: Vec<Vec<String>> = split(value, ',').map(|part| words(&unescaped(part))).collect();
            if sets.iter().any(Vec::is_empty) {
                return Err(at(whole, IssueCode::Value, "Give it a word to look for.").into());
            }
            Rule::Words { everywhere: code == "_content", sets }
        }
    }))
}

fn list_id(whole: &str, id: &str) -> Result<String, Issue> {
    let id = id.strip_prefix("List/").unwrap_or(id);
    if is_id(id.strip_prefix('$').unwrap_or(id)) {
        return Ok(id.to_owned());
    }
    Err(at(whole, IssueCode::Value, format!("'{}' is not the id of a list.", quoted(id))))
}

pub(super) fn true_or_false(name: &str, value: &str) -> Result<bool, Issue> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(at(name, IssueCode::Value, "It takes true or false.")),
    }
}

/// What a modifier makes of a text.
pub(super) const fn text_mode(modifier: Modifier<'_>) -> TextMode {
    match modifier {
        Modifier::Exact => TextMode::Exact,
        Modifier::Contains => TextMode::Anywhere,
        _ => TextMode::Start,
    }
}

/// A token test for an identifier, as `:identifier` has it.
pub(super) const fn any_system(code: String) -> TokenTest {
    TokenTest::Is { system: SystemTest::Any, code: Some(code) }
}
