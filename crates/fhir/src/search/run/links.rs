//! Following references: where they lead, chains, `_has`, trees.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::rows::{Known, Rows};
use super::rules::MANY;
use super::{Run, SearchError};
use crate::json::Node;
use crate::reference::Target;
use crate::search::parameter::Parameter;
use crate::search::query::Rule;
use crate::search::test::{ReferenceTest, Resolved, Test, leads_to_its_type};
use crate::search::value::{Link, Value};
use crate::search::world::Handle;

/// How far up a tree it is gone.
const MOST_LEVELS: usize = 32;

/// The references of a column, each resolved once for each scope that its items come from.
pub(super) struct Links<'l> {
    run: &'l Run<'l>,
    known: &'l Known,
    resolved: ByScope<Resolved>,
}

/// Something found out about the entries of a column, once for each scope.
struct ByScope<T> {
    scope: u64,
    current: Vec<Option<T>>,
    others: HashMap<u64, Vec<Option<T>>>,
    size: usize,
}

impl<T: Copy> ByScope<T> {
    fn new(size: usize) -> Self {
        Self { scope: 0, current: vec![None; size], others: HashMap::new(), size }
    }

    fn slot(&mut self, scope: u64, id: u32) -> Option<&mut Option<T>> {
        if scope != self.scope {
            let size = self.size;
            let next = self.others.remove(&scope).unwrap_or_else(|| vec![None; size]);
            let before = std::mem::replace(&mut self.current, next);
            self.others.insert(self.scope, before);
            self.scope = scope;
        }
        self.current.get_mut(id as usize)
    }
}

impl Links<'_> {
    fn link(&self, id: u32) -> Option<&Link> {
        self.known.column.values(id).iter().find_map(|value| match value {
            Value::Reference(link) => Some(&**link),
            _ => None,
        })
    }

    /// Where an entry leads from an item.
    pub(super) fn resolve(&mut self, id: u32, from: Handle) -> Resolved {
        let scope = self.run.world().scope(from);
        if let Some(known) = self.resolved.slot(scope, id).and_then(|slot| *slot) {
            return known;
        }
        let found = self.run.resolve(from, self.link(id).and_then(|link| link.text.as_deref()));
        if let Some(slot) = self.resolved.slot(scope, id) {
            *slot = Some(found);
        }
        found
    }

    /// The item that an entry leads to, if it is of the type that the parameter is about.
    pub(super) fn item(&mut self, id: u32, from: Handle) -> Option<Handle> {
        let resolved = self.resolve(id, from);
        let Resolved::Item(item) = resolved else { return None };
        let link = self.link(id)?;
        leads_to_its_type(link, resolved, &self.run.context()).then_some(item)
    }

    /// Whether an entry leads to the type that the parameter is about, as far as can be told.
    pub(super) fn is_of_its_type(&mut self, id: u32, from: Handle) -> bool {
        if self.link(id).is_some_and(|link| self.run.contained_type(link, from).is_some()) {
            return true;
        }
        let resolved = self.resolve(id, from);
        self.link(id).is_some_and(|link| leads_to_its_type(link, resolved, &self.run.context()))
    }

    /// A place for what tests say about the entries.
    pub(super) fn verdicts<'t>(&self, tests: &'t [Test]) -> Verdicts<'t> {
        Verdicts { tests, by_id: by_id(tests), known: ByScope::new(self.known.column.entries().len()) }
    }
}

/// What tests say about the references of a column.
pub(super) struct Verdicts<'t> {
    tests: &'t [Test],
    /// Where the tests ask for many items, the tests by id.
    by_id: Option<HashMap<&'t str, Vec<usize>>>,
    known: ByScope<bool>,
}

impl Verdicts<'_> {
    pub(super) fn of(&mut self, links: &mut Links<'_>, id: u32, from: Handle) -> bool {
        let scope = links.run.world().scope(from);
        if let Some(known) = self.known.slot(scope, id).and_then(|slot| *slot) {
            return known;
        }
        let verdict = self.judge(links, id, from);
        if let Some(slot) = self.known.slot(scope, id) {
            *slot = Some(verdict);
        }
        verdict
    }

    fn judge(&self, links: &mut Links<'_>, id: u32, from: Handle) -> bool {
        let resolved = links.resolve(id, from);
        let run = links.run;
        let context = run.context();
        let values = links.known.column.values(id);
        let accepts = |test: &Test| values.iter().any(|value| test.accepts(value, resolved, &context));
        let Some(by_id) = &self.by_id else { return self.tests.iter().any(accepts) };
        let some = match resolved {
            Resolved::Item(item) => by_id.get(&*run.world().id(item)),
            Resolved::Nothing => {
                let text = links.link(id).and_then(|link| link.text.as_deref()).unwrap_or_default();
                match Target::of(text) {
                    Target::Relative { id, .. } | Target::Absolute { id, .. } => by_id.get(id),
                    _ => None,
                }
            }
        };
        some.is_some_and(|some| some.iter().any(|&at| self.tests.get(at).is_some_and(accepts)))
    }
}

/// Many plain tests by the ids that they ask for; `None` if they are few or not plain.
fn by_id(tests: &[Test]) -> Option<HashMap<&str, Vec<usize>>> {
    if tests.len() < MANY {
        return None;
    }
    let mut by_id: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, test) in tests.iter().enumerate() {
        let Test::Reference(ReferenceTest::Item { id, .. }) = test else { return None };
        by_id.entry(id).or_default().push(at);
    }
    Some(by_id)
}

impl Run<'_> {
    pub(super) fn links<'l>(&'l self, known: &'l Known) -> Links<'l> {
        Links { run: self, known, resolved: ByScope::new(known.column.entries().len()) }
    }

    /// Where a reference text leads. Contained resources are no items.
    pub(super) fn resolve(&self, from: Handle, text: Option<&str>) -> Resolved {
        let text = text.filter(|text| !text.starts_with('#'));
        text.and_then(|text| self.world().resolve(from, text)).map_or(Resolved::Nothing, Resolved::Item)
    }

    /// Whether a reference leads to a resource that the item contains, of the type that the parameter is about.
    fn contained_type(&self, link: &Link, from: Handle) -> Option<()> {
        let fragment = link.text.as_deref()?.strip_prefix('#')?;
        let body = self.world().body(from);
        let name = contained(Node::new(&body)?, fragment)?.get_text("resourceType")?;
        link.only.as_ref().is_none_or(|only| **only == *name).then_some(())
    }

    /// `subject:Patient.name`: keeps the rows of which a reference leads to something that follows the rule.
    pub(super) fn chain(
        &self,
        parameter: &Arc<Parameter>,
        targets: &[(Box<str>, Rule)],
        rows: &Rows<'_>,
        alive: &mut Vec<usize>,
    ) -> Result<(), SearchError> {
        self.patience()?;
        let known = rows.column(self, parameter)?;
        let mut links = self.links(&known);
        // First where the references lead: few items, however many refer to them.
        let mut steps: Vec<(usize, Handle)> = Vec::new();
        let mut inside: Vec<(usize, &str)> = Vec::new();
        for &row in alive.iter() {
            for &id in known.column.ids(&known.slots, row) {
                let values = known.column.values(id).iter();
                let fragments = values.filter_map(|value| match value {
                    Value::Reference(link) => link.text.as_deref()?.strip_prefix('#'),
                    _ => None,
                });
                inside.extend(fragments.map(|fragment| (row, fragment)));
                steps.extend(links.item(id, rows.handle(row)).map(|item| (row, item)));
            }
        }
        let mut ends: Vec<Handle> = steps.iter().map(|(_, item)| *item).collect();
        ends.sort_unstable();
        ends.dedup();
        let mut good: HashSet<Handle> = HashSet::new();
        for (type_name, rule) in targets {
            let is_type =
                |item: &Handle| **type_name == *"Resource" || self.world().resource_type(*item) == **type_name;
            let of_type = Rows::of(type_name, ends.iter().copied().filter(is_type).collect());
            let mut passing = of_type.all();
            self.narrow(rule, &of_type, &mut passing)?;
            good.extend(passing.into_iter().map(|row| of_type.handle(row)));
        }
        let mut kept: HashSet<usize> =
            steps.iter().filter(|(_, item)| good.contains(item)).map(|(row, _)| *row).collect();
        for (row, fragment) in inside {
            if !kept.contains(&row) && self.chain_inside(parameter, targets, rows.handle(row), fragment)? {
                kept.insert(row);
            }
        }
        alive.retain(|row| kept.contains(row));
        Ok(())
    }

    /// A chain looks into contained resources too (FHIR R4 §3.1.1.5.16).
    fn chain_inside(
        &self,
        parameter: &Parameter,
        targets: &[(Box<str>, Rule)],
        container: Handle,
        fragment: &str,
    ) -> Result<bool, SearchError> {
        let body = self.world().body(container);
        let found = Node::new(&body).and_then(|resource| contained(resource, fragment));
        let Some((resource, name)) = found.and_then(|it| Some((it, it.get_text("resourceType")?))) else {
            return Ok(false);
        };
        let mut restrictions = parameter.leaves().map(|leaf| leaf.only.as_deref());
        if !restrictions.any(|only| only.is_none_or(|only| only == name)) {
            return Ok(false);
        }
        for (type_name, rule) in targets.iter().filter(|(it, _)| **it == *name || **it == *"Resource") {
            let row = Rows::of_contained(type_name, container, resource);
            let mut alive = row.all();
            self.narrow(rule, &row, &mut alive)?;
            if !alive.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// `_has:Observation:patient:code`: keeps the rows that something which follows the rule refers to.
    pub(super) fn has(
        &self,
        source: &str,
        parameter: &Arc<Parameter>,
        rule: &Rule,
        rows: &Rows<'_>,
        alive: &mut Vec<usize>,
    ) -> Result<(), SearchError> {
        self.patience()?;
        if rows.contained.is_some() {
            alive.clear();
            return Ok(());
        }
        let sources = Rows::of(source, self.items(source));
        let wanted: Vec<&Arc<Parameter>> = rule.parameter().into_iter().chain([parameter]).collect();
        sources.prepare(self, &wanted)?;
        let mut passing = sources.all();
        self.narrow(rule, &sources, &mut passing)?;
        let known = sources.column(self, parameter)?;
        let mut links = self.links(&known);
        let mut meant: HashSet<Handle> = HashSet::new();
        for row in passing {
            let ids = known.column.ids(&known.slots, row);
            meant.extend(ids.iter().filter_map(|&id| links.item(id, sources.handle(row))));
        }
        alive.retain(|&row| meant.contains(&rows.handle(row)));
        Ok(())
    }

    /// `location:below`: keeps the rows that refer to what was asked for or to a part of it, however many levels down;
    /// with `:above`, to what was asked for or what it is a part of.
    pub(super) fn tree(
        &self,
        parameter: &Arc<Parameter>,
        up: &[Arc<Parameter>],
        tests: &[ReferenceTest],
        below: bool,
        rows: &Rows<'_>,
        alive: &mut Vec<usize>,
    ) -> Result<(), SearchError> {
        let asked = |item: Handle| tests.iter().any(|test| self.is_asked_for(test, item));
        let mut above_asked: HashSet<Handle> = HashSet::new();
        if !below {
            for item in up.iter().flat_map(|it| self.items(&it.type_name)).filter(|item| asked(*item)) {
                above_asked.extend(self.ancestors(item, up)?);
            }
        }
        let known = rows.column(self, parameter)?;
        let mut links = self.links(&known);
        let mut verdicts: HashMap<Handle, bool> = HashMap::new();
        let mut kept = Vec::new();
        for &row in alive.iter() {
            for &id in known.column.ids(&known.slots, row) {
                let Some(item) = links.item(id, rows.handle(row)) else { continue };
                let verdict = match verdicts.get(&item) {
                    Some(verdict) => *verdict,
                    None if below => self.ancestors(item, up)?.into_iter().any(asked),
                    None => above_asked.contains(&item) || asked(item),
                };
                verdicts.insert(item, verdict);
                if verdict {
                    kept.push(row);
                    break;
                }
            }
        }
        *alive = kept;
        Ok(())
    }

    fn is_asked_for(&self, test: &ReferenceTest, item: Handle) -> bool {
        let text = format!("{}/{}", self.world().resource_type(item), self.world().id(item));
        let link = Link { text: Some(text.into()), type_name: None, identifier: None, is_canonical: false, only: None };
        let value = Value::Reference(Box::new(link));
        Test::Reference(test.clone()).accepts(&value, Resolved::Item(item), &self.context())
    }

    /// An item and what it is a part of, up to the top.
    fn ancestors(&self, item: Handle, up: &[Arc<Parameter>]) -> Result<Vec<Handle>, SearchError> {
        let mut found = vec![item];
        let mut next = 0;
        while let Some(&at) = found.get(next).filter(|_| next < MOST_LEVELS) {
            next += 1;
            let name = self.world().resource_type(at);
            for parameter in up.iter().filter(|it| *it.type_name == *name) {
                let row = Rows::of(&name, vec![at]);
                let known = row.column(self, parameter)?;
                let mut links = self.links(&known);
                for &id in known.column.ids(&known.slots, 0) {
                    found.extend(links.item(id, at).filter(|item| !found.contains(item)));
                }
            }
        }
        Ok(found)
    }
}

/// The resource of that id that another contains.
fn contained<'n>(resource: Node<'n>, fragment: &str) -> Option<Node<'n>> {
    let all = resource.get("contained")?.items();
    all.into_iter().find(|it| it.get_text("id").as_deref() == Some(fragment))
}
