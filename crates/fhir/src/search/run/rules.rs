//! Trying conditions on items.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::rows::{Known, Rows};
use super::{Run, SearchError};
use crate::definitions::SearchKind;
use crate::json::{Kind, Node};
use crate::outcome::{Issue, IssueCode};
use crate::search::dates::Interval;
use crate::search::fold::words;
use crate::search::parameter::Parameter;
use crate::search::query::Rule;
use crate::search::test::{Resolved, Test, TokenTest};
use crate::search::value::Value;
use crate::search::world::Handle;

/// From so many tests on, those that may accept a value are looked up.
pub(super) const MANY: usize = 8;
/// Deeper parts of a body are not looked into for words; JSON's own limit is near.
const MOST_DEPTH: u8 = 64;

impl Rule {
    /// In what order conditions are tried: those that need not look into an item come first.
    pub(super) const fn cost(&self) -> u8 {
        match self {
            Self::Constant(_) | Self::Id { .. } | Self::Updated(_) | Self::Listed(_) => 0,
            Self::Values { .. } | Self::Missing { .. } => 1,
            Self::Tree { .. } | Self::Chain { .. } => 2,
            Self::Has { .. } => 3,
            Self::Words { .. } => 4,
        }
    }

    /// The parameter whose values of the items themselves it looks at.
    pub(super) const fn parameter(&self) -> Option<&Arc<Parameter>> {
        match self {
            Self::Values { parameter, .. }
            | Self::Missing { parameter, .. }
            | Self::Tree { parameter, .. }
            | Self::Chain { parameter, .. } => Some(parameter),
            _ => None,
        }
    }
}

impl Run<'_> {
    /// Keeps of the rows still alive those that follow a rule.
    pub(super) fn narrow(&self, rule: &Rule, rows: &Rows<'_>, alive: &mut Vec<usize>) -> Result<(), SearchError> {
        match rule {
            Rule::Constant(true) => {}
            Rule::Constant(false) => alive.clear(),
            Rule::Id { ids, negate } => self.by_id(ids, *negate, rows, alive),
            Rule::Updated(tests) => alive.retain(|&row| {
                let updated = Interval::at(self.world().last_updated(rows.handle(row)));
                rows.contained.is_none() && tests.iter().any(|test| test.accepts(updated, self.search.now))
            }),
            Rule::Listed(lists) => self.listed(lists, rows, alive),
            Rule::Missing { parameter, wanted } => self.missing(parameter, *wanted, rows, alive)?,
            Rule::Values { parameter, tests, negate } => self.values(parameter, tests, *negate, rows, alive)?,
            Rule::Tree { parameter, up, tests, below } => self.tree(parameter, up, tests, *below, rows, alive)?,
            Rule::Chain { parameter, targets } => self.chain(parameter, targets, rows, alive)?,
            Rule::Has { source, parameter, rule } => self.has(source, parameter, rule, rows, alive)?,
            Rule::Words { everywhere, sets } => self.words(*everywhere, sets, rows, alive)?,
        }
        Ok(())
    }

    fn by_id(&self, ids: &[String], negate: bool, rows: &Rows<'_>, alive: &mut Vec<usize>) {
        if let Some(contained) = rows.contained {
            let id = contained.get_text("id").unwrap_or_default();
            alive.retain(|_| ids.iter().any(|it| **it == *id) != negate);
            return;
        }
        if !negate && ids.len() < alive.len() && *rows.type_name != *"Resource" {
            let found = ids.iter().filter_map(|id| rows.row(self.world().find(&rows.type_name, id)?));
            let mut found: Vec<usize> = found.collect();
            found.sort_unstable();
            alive.retain(|row| found.binary_search(row).is_ok());
            return;
        }
        alive.retain(|&row| {
            let id = self.world().id(rows.handle(row));
            ids.binary_search_by(|it| (**it).cmp(&id)).is_ok() != negate
        });
    }

    fn listed(&self, lists: &[String], rows: &Rows<'_>, alive: &mut Vec<usize>) {
        let members = lists.iter().filter_map(|id| self.world().list(id)).flatten();
        let members: HashSet<_> = members.collect();
        alive.retain(|&row| rows.contained.is_none() && members.contains(&rows.handle(row)));
    }

    fn missing(
        &self,
        parameter: &Arc<Parameter>,
        wanted: bool,
        rows: &Rows<'_>,
        alive: &mut Vec<usize>,
    ) -> Result<(), SearchError> {
        let known = rows.column(self, parameter)?;
        // A reference to something of another type is none for `patient`.
        let restricted = parameter.leaves().any(|leaf| leaf.only.is_some());
        if !restricted {
            alive.retain(|&row| known.column.has_value(&known.slots, row) != wanted);
            return Ok(());
        }
        let mut links = self.links(&known);
        alive.retain(|&row| {
            let said = known.column.ids(&known.slots, row).iter().any(|&id| links.is_of_its_type(id, rows.handle(row)));
            said != wanted
        });
        Ok(())
    }

    fn values(
        &self,
        parameter: &Arc<Parameter>,
        tests: &[Test],
        negate: bool,
        rows: &Rows<'_>,
        alive: &mut Vec<usize>,
    ) -> Result<(), SearchError> {
        self.check_value_sets(tests)?;
        let known = rows.column(self, parameter)?;
        let Known { column, slots } = &*known;
        match parameter.kind {
            SearchKind::Date => {
                let now = self.search.now;
                let accepts = |test: &Test, date| matches!(test, Test::Date(test) if test.accepts(date, now));
                alive.retain(|&row| {
                    let dates = column.dates(slots, row).iter();
                    dates.clone().any(|&date| tests.iter().any(|test| accepts(test, date))) != negate
                });
            }
            SearchKind::Composite => alive.retain(|&row| {
                let from = rows.handle(row);
                column.tuples(slots, row).any(|tuple| tests.iter().any(|test| self.fits(test, &tuple, &known, from)))
                    != negate
            }),
            SearchKind::Reference => {
                let mut links = self.links(&known);
                let mut verdicts = links.verdicts(tests);
                alive.retain(|&row| {
                    let from = rows.handle(row);
                    column.ids(slots, row).iter().any(|&id| verdicts.of(&mut links, id, from)) != negate
                });
            }
            _ => {
                let by_code = by_code(tests);
                let context = self.context();
                let passes = |values: &[Value]| {
                    let accepts = |test: &Test, value| test.accepts(value, Resolved::Nothing, &context);
                    values.iter().any(|value| match by_code.as_ref().and_then(|by_code| among(by_code, value)) {
                        Some(some) => some.iter().any(|&at| tests.get(at).is_some_and(|test| accepts(test, value))),
                        None => tests.iter().any(|test| accepts(test, value)),
                    })
                };
                let mut verdicts: Vec<Option<bool>> = vec![None; column.entries().len()];
                alive.retain(|&row| {
                    let any = column.ids(slots, row).iter().any(|&id| match verdicts.get_mut(id as usize) {
                        Some(verdict) => *verdict.get_or_insert_with(|| passes(column.values(id))),
                        None => false,
                    });
                    any != negate
                });
            }
        }
        Ok(())
    }

    /// Whether one tuple of a composite passes: each part has a value that does.
    fn fits(&self, test: &Test, tuple: &[&[u32]], known: &Known, from: u32) -> bool {
        let Test::Parts(tests) = test else { return false };
        let context = self.context();
        tests.len() == tuple.len()
            && tests.iter().zip(tuple).all(|(test, ids)| {
                let values = ids.iter().flat_map(|&id| known.column.values(id));
                values.into_iter().any(|value| match value {
                    Value::Reference(link) => test.accepts(value, self.resolve(from, link.text.as_deref()), &context),
                    _ => test.accepts(value, Resolved::Nothing, &context),
                })
            })
    }

    fn check_value_sets(&self, tests: &[Test]) -> Result<(), SearchError> {
        for test in tests {
            if let Test::Token(TokenTest::In(url)) = test
                && !self.search.terminology.knows_value_set(url)
            {
                let words = format!("The value set '{url}' is not known here.");
                return Err(SearchError::Refused(Issue::error(IssueCode::NotFound, words).into()));
            }
            if let Test::Token(TokenTest::Below { system, code } | TokenTest::Above { system, code }) = test
                && self.search.terminology.is_below(system, code, code).is_none()
            {
                let words =
                    format!("The code '{code}' of '{system}' is not known here, nor what is above or below it.");
                return Err(SearchError::Refused(Issue::error(IssueCode::NotSupported, words).into()));
            }
        }
        Ok(())
    }

    /// `_text` and `_content`: the words of the narrative, or all words.
    fn words(
        &self,
        everywhere: bool,
        sets: &[Vec<String>],
        rows: &Rows<'_>,
        alive: &mut Vec<usize>,
    ) -> Result<(), SearchError> {
        let sets: Vec<Vec<String>> =
            sets.iter().map(|set| set.iter().map(|word| format!("\n{word}")).collect()).collect();
        let handles: Vec<Handle> = alive.iter().map(|&row| rows.handle(row)).collect();
        let known = match rows.contained {
            None => self.search.columns.words(everywhere, &handles),
            Some(_) => vec![None; handles.len()],
        };
        let (mut passed, mut fresh) = (Vec::new(), Vec::new());
        for (at, ((&row, handle), known)) in alive.iter().zip(handles).zip(known).enumerate() {
            if at % 64 == 63 {
                self.patience()?;
            }
            let said = match known {
                Some(known) => known,
                None => {
                    let body = self.world().body(handle);
                    let resource = rows.contained.or_else(|| Node::new(&body));
                    let said: Arc<str> = resource.map(|it| said(it, everywhere)).unwrap_or_default().into();
                    fresh.push((handle, Arc::clone(&said)));
                    said
                }
            };
            if sets.iter().any(|set| set.iter().all(|word| said.contains(&**word))) {
                passed.push(row);
            }
        }
        if rows.contained.is_none() {
            self.search.columns.keep_words(everywhere, fresh);
        }
        *alive = passed;
        Ok(())
    }
}

/// The folded words of a resource or of its narrative, each once, behind a line end.
fn said(resource: Node<'_>, everywhere: bool) -> String {
    let mut text = String::new();
    if everywhere {
        gather(resource, MOST_DEPTH, &mut text);
    } else {
        let narrative = resource.get("text").and_then(|it| it.get("div")).and_then(Node::text);
        without_tags(&narrative.unwrap_or_default(), &mut text);
    }
    let mut words = words(&text);
    words.sort();
    words.dedup();
    words.iter().fold(String::new(), |out, word| out + "\n" + word)
}

/// Many plain tests by their codes, without case; `None` if they are few or not plain.
fn by_code(tests: &[Test]) -> Option<HashMap<String, Vec<usize>>> {
    if tests.len() < MANY {
        return None;
    }
    let mut by_code: HashMap<String, Vec<usize>> = HashMap::new();
    for (at, test) in tests.iter().enumerate() {
        let Test::Token(TokenTest::Is { code: Some(code), .. }) = test else { return None };
        by_code.entry(code.to_lowercase()).or_default().push(at);
    }
    Some(by_code)
}

/// The tests that may accept a value; `None` if any may.
fn among<'t>(by_code: &'t HashMap<String, Vec<usize>>, value: &Value) -> Option<&'t [usize]> {
    match value {
        Value::Token(token) if !token.is_phone => {
            let code = token.code.as_deref().map(str::to_lowercase).unwrap_or_default();
            Some(by_code.get(&code).map_or(&[][..], Vec::as_slice))
        }
        _ => None,
    }
}

/// All strings in a resource but what its elements are called; of the narrative what people see.
fn gather(node: Node<'_>, depth: u8, text: &mut String) {
    match node.kind() {
        Kind::String => {
            text.push_str(&node.text().unwrap_or_default());
            text.push(' ');
        }
        Kind::Object if depth > 0 => {
            for (name, member) in node.members() {
                if name == "div" {
                    without_tags(&member.text().unwrap_or_default(), text);
                } else if name != "resourceType" {
                    gather(member, depth - 1, text);
                }
            }
        }
        Kind::Array if depth > 0 => node.items().for_each(|item| gather(item, depth - 1, text)),
        _ => {}
    }
}

/// What people see of a narrative.
fn without_tags(xhtml: &str, text: &mut String) {
    let mut rest = xhtml;
    while let Some(start) = rest.find('<') {
        text.push_str(&rest[..start]);
        text.push(' ');
        rest = rest[start..].find('>').map_or("", |end| &rest[start + end + 1..]);
    }
    text.push_str(rest);
    text.push(' ');
}
