//! Values, read as their parameter's kind asks (FHIR R4 §3.1.1.5.4 to §3.1.1.5.13).

use super::rule::{Modifier, any_system, text_mode};
use super::{Reader, at, quoted};
use crate::definitions::SearchKind;
use crate::outcome::{Issue, IssueCode};
use crate::reference::Target;
use crate::resource::is_id;
use crate::search::dates::Interval;
use crate::search::fold::folded;
use crate::search::parameter::Parameter;
use crate::search::raw::{split, unescaped};
use crate::search::test::{
    AmountTest, DateTest, Prefix, ReferenceTest, SystemTest, Test, TextTest, TokenTest, UriMode, UriTest,
};
use crate::search::value::Leaf;
use crate::search::written::Written;

impl Reader<'_> {
    /// One value of a parameter.
    pub(super) fn test(
        &self,
        name: &str,
        parameter: &Parameter,
        modifier: Modifier<'_>,
        part: &str,
    ) -> Result<Test, Issue> {
        if parameter.kind != SearchKind::Composite {
            let leaves: Vec<&Leaf> = parameter.leaves().collect();
            return self.single(name, parameter.kind, &parameter.targets, &leaves, modifier, part);
        }
        let pieces: Vec<&str> = split(part, '$').collect();
        if pieces.len() != parameter.parts.len() {
            let words = format!("It takes {} values joined by '$'.", parameter.parts.len());
            return Err(at(name, IssueCode::Value, words));
        }
        let mut tests = Vec::new();
        for (piece, of) in pieces.into_iter().zip(&parameter.parts) {
            let leaves: Vec<&Leaf> =
                of.programs.iter().flat_map(|program| &program.paths).map(|path| &path.leaf).collect();
            tests.push(self.single(name, of.kind, &of.targets, &leaves, Modifier::None, piece)?);
        }
        Ok(Test::Parts(tests))
    }

    fn single(
        &self,
        name: &str,
        kind: SearchKind,
        targets: &[Box<str>],
        leaves: &[&Leaf],
        modifier: Modifier<'_>,
        part: &str,
    ) -> Result<Test, Issue> {
        Ok(match kind {
            SearchKind::Token => Test::Token(self.token(name, leaves, modifier, part)?),
            SearchKind::String => Test::Text(TextTest::new(&unescaped(part), text_mode(modifier))),
            SearchKind::Date => Test::Date(date(name, &unescaped(part))?),
            SearchKind::Number => Test::Amount(Box::new(number(name, &unescaped(part))?)),
            SearchKind::Quantity => Test::Amount(Box::new(quantity(name, part)?)),
            SearchKind::Reference => Test::Reference(self.reference_test(name, targets, modifier, part)?),
            SearchKind::Uri => Test::Uri(uri(name, modifier, unescaped(part))?),
            SearchKind::Composite | SearchKind::Special => {
                return Err(at(name, IssueCode::NotSupported, "It is not supported here."));
            }
        })
    }

    fn token(&self, name: &str, leaves: &[&Leaf], modifier: Modifier<'_>, part: &str) -> Result<TokenTest, Issue> {
        let pieces: Vec<String> = split(part, '|').map(unescaped).collect();
        let wrong = |words: &str| Err(at(name, IssueCode::Value, words));
        match modifier {
            Modifier::Text => {
                let text = folded(&unescaped(part));
                return if text.is_empty() { wrong("Give it a word to look for.") } else { Ok(TokenTest::Says(text)) };
            }
            Modifier::In | Modifier::NotIn => return Ok(TokenTest::In(unescaped(part))),
            Modifier::OfType => {
                let Ok([system, code, value]) = <[String; 3]>::try_from(pieces) else {
                    return wrong("Write it as system|code|value: the type of the identifier, then the identifier.");
                };
                if system.is_empty() || code.is_empty() || value.is_empty() {
                    return wrong("The type's system, its code and the identifier must all be there.");
                }
                return Ok(TokenTest::OfType { system, code, value });
            }
            _ => {}
        }
        let (system, code) = match pieces.len() {
            1 => (None, pieces.into_iter().next()),
            2 => {
                let mut pieces = pieces.into_iter();
                (pieces.next(), pieces.next())
            }
            _ => return wrong("Write it as code or system|code, and a bar that belongs to a value as '\\|'."),
        };
        let code = code.filter(|code| !code.is_empty());
        if let Modifier::Above | Modifier::Below = modifier {
            let (Some(system), Some(code)) = (system.filter(|it| !it.is_empty()), code) else {
                return wrong("Write it as system|code: a code's place depends on its system.");
            };
            let above = modifier == Modifier::Above;
            return Ok(if above { TokenTest::Above { system, code } } else { TokenTest::Below { system, code } });
        }
        if !leaves.is_empty() && leaves.iter().all(|leaf| &*leaf.type_name == "boolean") {
            let is_said = matches!(code.as_deref(), Some("true" | "false"));
            return if is_said { Ok(any_system(code.unwrap_or_default())) } else { wrong("It takes true or false.") };
        }
        let system = match system.as_deref() {
            None => SystemTest::Any,
            Some("") if code.is_none() => return wrong("There is neither a system nor a code."),
            Some("") => SystemTest::None,
            Some(system) => SystemTest::Is(system.to_owned(), self.sets_from(leaves, system)),
        };
        Ok(TokenTest::Is { system, code })
    }

    /// The value sets among those that codes are bound to which take their codes from a system.
    fn sets_from(&self, leaves: &[&Leaf], system: &str) -> Vec<String> {
        let sets = leaves.iter().filter_map(|leaf| leaf.value_set.as_deref());
        let takes = |set: &&str| {
            let include = self.definitions.value_set(set).map_or(&[][..], |it| &it.include);
            include.iter().any(|it| it.system.as_deref() == Some(system))
        };
        sets.filter(takes).map(str::to_owned).collect()
    }

    pub(super) fn reference_test(
        &self,
        name: &str,
        targets: &[Box<str>],
        modifier: Modifier<'_>,
        part: &str,
    ) -> Result<ReferenceTest, Issue> {
        if modifier == Modifier::Identifier {
            return self.token(name, &[], Modifier::None, part).map(ReferenceTest::Identifier);
        }
        let named: Option<Box<str>> = match modifier {
            Modifier::Type(name) => Some(name.into()),
            _ => None,
        };
        let types = named.clone().map_or_else(|| targets.to_vec(), |named| vec![named]);
        // A canonical address may have a version after a bar that is not escaped.
        let mut pieces = split(part, '|').map(unescaped);
        let (text, version) = (pieces.next().unwrap_or_default(), pieces.next());
        if version.is_none() && is_id(&text) {
            return Ok(ReferenceTest::Item { types, id: text });
        }
        if version.is_none()
            && let Target::Relative { resource_type, id, .. } = Target::of(&text)
        {
            if !types.is_empty() && !types.iter().any(|it| **it == *resource_type) {
                let words = format!("It never refers to a {resource_type}, but to {}.", types.join(", "));
                return Err(at(name, IssueCode::Value, words));
            }
            return Ok(ReferenceTest::Item { types: vec![resource_type.into()], id: id.to_owned() });
        }
        if text.starts_with("urn:") || text.contains("://") {
            let types = named.into_iter().collect();
            let address = text.split_once("/_history/").map_or(&*text, |(place, _)| place).to_owned();
            return Ok(ReferenceTest::Address { address, version, types });
        }
        let words = format!("'{}' is not a reference. Write it as Type/id, an id or a whole address.", quoted(&text));
        Err(at(name, IssueCode::Value, words))
    }
}

/// A date with its prefix. A blank stands for the `+` of a zone that was not percent-encoded.
pub(super) fn date(name: &str, text: &str) -> Result<DateTest, Issue> {
    let (prefix, date) = Prefix::split(text);
    let mended = if date.contains('T') { date.replace(' ', "+") } else { date.to_owned() };
    if let Some(interval) = Interval::parse(&mended) {
        return Ok(DateTest { prefix, interval });
    }
    let words = format!(
        "'{}' is not a date. Write it as 2026, 2026-11, 2026-11-23 or 2026-11-23T09:30:00Z, with one of the prefixes eq \
         ne gt lt ge le sa eb ap or none.",
        quoted(text)
    );
    Err(at(name, IssueCode::Value, words))
}

fn number(name: &str, text: &str) -> Result<AmountTest, Issue> {
    let (prefix, digits) = Prefix::split(text);
    let number = Written::parse(digits).ok_or_else(|| not_a_number(name, text))?;
    Ok(AmountTest::new(prefix, number, None, None))
}

fn not_a_number(name: &str, text: &str) -> Issue {
    let words = format!(
        "'{}' is not a number. Write it as 5.4, 100 or 1e2, with one of the prefixes eq ne gt lt ge le sa eb ap or none.",
        quoted(text)
    );
    at(name, IssueCode::Value, words)
}

/// `5.4`, `5.4|http://unitsofmeasure.org|mg`, `5.4||mg`.
fn quantity(name: &str, part: &str) -> Result<AmountTest, Issue> {
    let mut pieces = split(part, '|').map(unescaped);
    let (text, system, code) = (pieces.next().unwrap_or_default(), pieces.next(), pieces.next());
    if pieces.next().is_some() || system.is_some() && code.is_none() {
        let words = "Write it as number, number|system|code or number||code.";
        return Err(at(name, IssueCode::Value, words));
    }
    let (prefix, digits) = Prefix::split(&text);
    let number = Written::parse(digits).ok_or_else(|| not_a_number(name, &text))?;
    let said = |it: Option<String>| it.filter(|it| !it.is_empty());
    Ok(AmountTest::new(prefix, number, said(system), said(code)))
}

fn uri(name: &str, modifier: Modifier<'_>, uri: String) -> Result<UriTest, Issue> {
    let mode = match modifier {
        Modifier::Above => UriMode::Above,
        Modifier::Below => UriMode::Below,
        _ => UriMode::Same,
    };
    if mode != UriMode::Same && uri.starts_with("urn:") {
        let words =
            "A 'urn:' has nothing above or below it. Use ':above' and ':below' with addresses that have a path.";
        return Err(at(name, IssueCode::Value, words));
    }
    Ok(UriTest { uri, mode })
}
