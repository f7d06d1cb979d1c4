//! Looking into items.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use super::{Column, Data, Entry};
use crate::definitions::{Definitions, SearchKind};
use crate::fhirpath::Context;
use crate::json::{Node, quoted};
use crate::search::parameter::Parameter;
use crate::search::path::walk::Walk;
use crate::search::value::{Leaf, Token, Value, interval, read};
use crate::search::world::{Handle, World};

/// After how many items it is asked whether to stop.
const PATIENCE: usize = 256;
/// How many steps an expression may take on one resource.
const MOST_STEPS: u64 = 100_000;

/// The search was cancelled.
pub(in crate::search) struct Cancelled;

/// A column that grows.
pub(super) struct Builder {
    column: Column,
    /// For each kind of place an element may stand at, the entries of what was seen there, by spelling.
    seen: Vec<HashMap<Box<[u8]>, u32, Seed>>,
    /// Of a composite: for each of its paths and each part, how to go on from there, and where its `seen` begin.
    parts: Vec<Vec<(Walk, usize)>>,
    /// Of a parameter that asks for presence: what was found in the item at hand.
    presence: bool,
    seed: Seed,
}

impl Builder {
    /// A column without items, or a copy of one to go on from.
    pub(super) fn new(parameter: &Arc<Parameter>, before: Option<&Column>) -> Self {
        let seed = Seed(std::hash::RandomState::new().hash_one(0u8) | 1);
        let mut places = parameter.program.paths.len();
        let mut parts = Vec::new();
        for path in 0..parameter.program.paths.len() {
            let of_path = parameter.parts.iter().filter_map(|part| {
                let program = part.programs.get(path)?;
                let first = places;
                places += program.paths.len();
                Some((Walk::of([program]), first))
            });
            parts.push(of_path.collect());
        }
        let column = before.map_or_else(|| empty(parameter), Column::copy);
        let seen = (0..places).map(|_| HashMap::with_hasher(seed)).collect();
        Self { column, seen, parts, presence: false, seed }
    }

    /// What stands at the end of one of the parameter's paths.
    fn take(&mut self, path: usize, node: Node<'_>, resource: Node<'_>) {
        let parameter = Arc::clone(&self.column.parameter);
        if parameter.program.is_presence {
            self.presence |= node.raw() != "false";
            return;
        }
        if parameter.kind == SearchKind::Composite {
            return self.take_tuple(&parameter, path, node, resource);
        }
        let Some(leaf) = parameter.program.paths.get(path).map(|it| &it.leaf) else { return };
        match &mut self.column.data {
            Data::Dates(dates) => dates.extend(interval(node)),
            Data::Entries { ids, entries } => {
                let Some(seen) = self.seen.get_mut(path) else { return };
                ids.extend(intern(seen, entries, parameter.kind, leaf, node));
            }
            Data::Tuples { .. } => {}
        }
    }

    fn take_tuple(&mut self, parameter: &Parameter, path: usize, node: Node<'_>, resource: Node<'_>) {
        let Data::Tuples { bounds, ids, entries } = &mut self.column.data else { return };
        let seen = &mut self.seen;
        for (part, (walk, first)) in parameter.parts.iter().zip(self.parts.get(path).into_iter().flatten()) {
            walk.over(node, resource, &mut |place, node| {
                let leaf = part.programs.get(path).and_then(|it| it.paths.get(place.path)).map(|it| &it.leaf);
                let seen = seen.get_mut(first + place.path);
                if let (Some(leaf), Some(seen)) = (leaf, seen) {
                    ids.extend(intern(seen, entries, part.kind, leaf, node));
                }
            });
            bounds.push(length(ids.len()));
        }
    }

    /// For a parameter whose expression is more than paths: what it evaluates to. An expression that fails on a resource
    /// finds nothing in it.
    fn evaluate(&mut self, resource: Node<'_>, definitions: &Definitions) {
        let parameter = Arc::clone(&self.column.parameter);
        let Some(expression) = &parameter.expression else { return };
        let mut context = Context::of(definitions, resource);
        (context.resolve_types, context.as_filters, context.limits.steps) = (true, true, MOST_STEPS);
        let Ok(found) = expression.evaluate(&context) else { return };
        let mut values = Vec::new();
        for value in found.as_slice() {
            let leaf = Leaf { type_name: value.type_name().1.into(), only: None, value_set: None };
            if let Some(node) = value.node() {
                read(parameter.kind, &leaf, node, &mut values);
            } else {
                let text = value.boolean().map(|it| it.to_string()).or_else(|| Some(quoted(&value.text()?)));
                text.into_iter().for_each(|text| read(parameter.kind, &leaf, Node::of_text(&text), &mut values));
            }
        }
        match &mut self.column.data {
            Data::Dates(dates) => dates.extend(values.into_iter().filter_map(|value| match value {
                Value::Date(interval) => Some(interval),
                _ => None,
            })),
            Data::Entries { ids, entries } => values.into_iter().for_each(|value| {
                ids.push(length(entries.len()));
                entries.push(Entry { values: [value].into() });
            }),
            Data::Tuples { .. } => {}
        }
    }

    /// The item is done.
    fn close(&mut self, handle: Handle) {
        let column = &mut self.column;
        let values = match &mut column.data {
            Data::Dates(dates) => dates.len(),
            Data::Tuples { bounds, .. } => (bounds.len() - 1) / column.parameter.parts.len().max(1),
            Data::Entries { ids, entries } => {
                if column.parameter.program.is_presence
                    && let Some(seen) = self.seen.first_mut()
                {
                    let said = if std::mem::take(&mut self.presence) { "true" } else { "false" };
                    let next = length(entries.len());
                    let id = *seen.entry(said.as_bytes().into()).or_insert_with(|| {
                        let values = [Value::Token(Box::new(Token::plain(said)))];
                        entries.push(Entry { values: values.into() });
                        next
                    });
                    ids.push(id);
                }
                ids.len()
            }
        };
        column.starts.push(length(values));
        column.handles.push(handle);
    }

    pub(super) fn finish(mut self) -> Column {
        let handles = &self.column.handles;
        if !handles.is_sorted() {
            let mut order: Vec<u32> = (0..length(handles.len())).collect();
            order.sort_by_key(|&slot| handles.get(slot as usize).copied());
            self.column.order = Some(order);
        }
        let _ = self.seed;
        self.column
    }
}

/// Looks into items once for several columns.
pub(super) fn fill(
    builders: &mut [Builder],
    handles: &[Handle],
    world: &dyn World,
    definitions: &Definitions,
) -> Result<(), Cancelled> {
    let parameters: Vec<Arc<Parameter>> = builders.iter().map(|it| Arc::clone(&it.column.parameter)).collect();
    let walk = Walk::of(parameters.iter().map(|it| &it.program));
    for (at, &handle) in handles.iter().enumerate() {
        if at % PATIENCE == PATIENCE - 1 && world.is_cancelled() {
            return Err(Cancelled);
        }
        look(builders, &walk, &world.body(handle), handle, definitions);
    }
    Ok(())
}

fn look(builders: &mut [Builder], walk: &Walk, body: &[u8], handle: Handle, definitions: &Definitions) {
    if let Some(resource) = Node::new(body) {
        walk.over(resource, resource, &mut |place, node| {
            if let Some(builder) = builders.get_mut(place.program) {
                builder.take(place.path, node, resource);
            }
        });
        builders.iter_mut().for_each(|builder| builder.evaluate(resource, definitions));
    }
    builders.iter_mut().for_each(|builder| builder.close(handle));
}

/// What a parameter finds in a resource that is not an item: one that is contained in another.
pub(in crate::search) fn look_once(
    parameter: &Arc<Parameter>,
    resource: Node<'_>,
    handle: Handle,
    definitions: &Definitions,
) -> Column {
    let mut builders = [Builder::new(parameter, None)];
    let walk = Walk::of([&parameter.program]);
    look(&mut builders, &walk, resource.raw().as_bytes(), handle, definitions);
    let [builder] = builders;
    builder.finish()
}

fn empty(parameter: &Arc<Parameter>) -> Column {
    let data = match parameter.kind {
        SearchKind::Date => Data::Dates(Vec::new()),
        SearchKind::Composite => Data::Tuples { bounds: vec![0], ids: Vec::new(), entries: Vec::new() },
        _ => Data::Entries { ids: Vec::new(), entries: Vec::new() },
    };
    Column { parameter: Arc::clone(parameter), handles: Vec::new(), order: None, starts: vec![0], data }
}

impl Column {
    fn copy(&self) -> Self {
        let copy = |entries: &[Entry]| entries.iter().map(|it| Entry { values: it.values.clone() }).collect();
        let data = match &self.data {
            Data::Dates(dates) => Data::Dates(dates.clone()),
            Data::Tuples { bounds, ids, entries } => {
                Data::Tuples { bounds: bounds.clone(), ids: ids.clone(), entries: copy(entries) }
            }
            Data::Entries { ids, entries } => Data::Entries { ids: ids.clone(), entries: copy(entries) },
        };
        Self {
            parameter: Arc::clone(&self.parameter),
            handles: self.handles.clone(),
            order: self.order.clone(),
            starts: self.starts.clone(),
            data,
        }
    }
}

/// The entry of an element, read if it is spelt in a way not seen before; `None` if it says nothing.
fn intern(
    seen: &mut HashMap<Box<[u8]>, u32, Seed>,
    entries: &mut Vec<Entry>,
    kind: SearchKind,
    leaf: &Leaf,
    node: Node<'_>,
) -> Option<u32> {
    const NOTHING: u32 = u32::MAX;
    let spelling = node.raw().as_bytes();
    if let Some(&known) = seen.get(spelling) {
        return (known != NOTHING).then_some(known);
    }
    let mut values = Vec::new();
    read(kind, leaf, node, &mut values);
    let id = if values.is_empty() { NOTHING } else { length(entries.len()) };
    seen.insert(spelling.into(), id);
    if id != NOTHING {
        entries.push(Entry { values: values.into() });
    }
    (id != NOTHING).then_some(id)
}

/// A count of what is in memory. A record with more than 4 thousand million values is beyond every other limit.
fn length(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// A quick hash with a seed that nobody outside knows, for spellings of a hundred bytes.
#[derive(Clone, Copy)]
struct Seed(u64);

impl BuildHasher for Seed {
    type Hasher = Mixer;

    fn build_hasher(&self) -> Mixer {
        Mixer { state: self.0, seed: self.0 }
    }
}

struct Mixer {
    state: u64,
    seed: u64,
}

impl Mixer {
    fn mix(&mut self, word: u64) {
        let wide = u128::from(self.state ^ word) * u128::from(self.seed.rotate_left(31) ^ 0x9e37_79b9_7f4a_7c15);
        #[expect(clippy::cast_possible_truncation, reason = "both halves are used")]
        let folded = (wide as u64) ^ ((wide >> 64) as u64);
        self.state = folded;
    }
}

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        words.iter().for_each(|word| self.mix(u64::from_le_bytes(*word)));
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        self.mix(u64::from_le_bytes(last));
    }

    fn write_usize(&mut self, length: usize) {
        self.mix(length as u64);
    }

    fn finish(&self) -> u64 {
        self.state
    }
}
