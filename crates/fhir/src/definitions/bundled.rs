//! HL7's own definitions, from the packs inside the program.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use super::model::{Invariant, SearchParameter, Text, TypeDef};
use super::pack::{Damaged, Packed, Reader, Shelf, Slot, Source, Writer, compress};
use super::profile::Constraint;
use super::{Codes, Definitions};

static TYPES: &[u8] = include_bytes!("../../definitions/r4-types.pack");
static CODES: &[u8] = include_bytes!("../../definitions/r4-codes.pack");

/// Why reading a pack cannot fail.
const WHOLE: &str = "the packs are a part of the program, and tests read all of them";

/// An open pack: its bytes, its words, and where its records start.
struct Open {
    source: &'static Source,
    words: Vec<&'static str>,
    start: usize,
}

impl Open {
    fn new(source: &'static LazyLock<Source>) -> Self {
        let (words, start) = source.words().expect(WHOLE);
        Self { source, words, start }
    }

    fn reader(&'static self, invariants: &'static [Arc<Invariant>]) -> Reader {
        self.source.reader(self.start, &self.words, invariants)
    }
}

/// FHIR R4, 4.0.1.
#[must_use]
pub fn r4() -> &'static Definitions {
    static SOURCE: LazyLock<Source> = LazyLock::new(|| Source::unpack(TYPES).expect(WHOLE));
    static OPEN: LazyLock<Open> = LazyLock::new(|| Open::new(&SOURCE));
    static INVARIANTS: LazyLock<(Vec<Arc<Invariant>>, Reader)> = LazyLock::new(|| {
        let mut reader = OPEN.reader(&[]);
        let invariants: Vec<Invariant> = Packed::read(&mut reader).expect(WHOLE);
        (invariants.into_iter().map(Arc::new).collect(), reader)
    });
    static R4: LazyLock<Definitions> = LazyLock::new(|| {
        let (invariants, reader) = &*INVARIANTS;
        let mut definitions = read(&mut reader.with_invariants(invariants)).expect(WHOLE);
        definitions.bundled = Some(&R4_CODES);
        definitions
    });
    &R4
}

static R4_CODES: LazyLock<Codes> = LazyLock::new(|| {
    static SOURCE: LazyLock<Source> = LazyLock::new(|| Source::unpack(CODES).expect(WHOLE));
    static OPEN: LazyLock<Open> = LazyLock::new(|| Open::new(&SOURCE));
    let mut reader = OPEN.reader(&[]);
    let systems = slots(&mut reader).expect(WHOLE);
    Codes { systems, value_sets: slots(&mut reader).expect(WHOLE) }
});

fn slots<T: Packed>(input: &mut Reader) -> Result<HashMap<Text, Arc<Slot<T>>>, Damaged> {
    let items = Shelf::read(input)?.0.into_iter();
    Ok(items.map(|(name, reader)| (name, Arc::new(Slot::packed(reader)))).collect())
}

fn read(input: &mut Reader) -> Result<Definitions, Damaged> {
    let types: Vec<TypeDef> = Packed::read(input)?;
    let parameters: Vec<SearchParameter> = Packed::read(input)?;
    let mut definitions = Definitions {
        types: types.into_iter().map(|it| (it.name.clone(), Arc::new(it))).collect(),
        parameters: parameters.into_iter().map(|it| (it.url.clone(), Arc::new(it))).collect(),
        ..Definitions::default()
    };
    definitions.index_parameters();
    definitions.profiles = slots(input)?;
    let members: Vec<Text> = Packed::read(input)?;
    for member in members {
        definitions.compartment.insert(member, Packed::read(input)?);
    }
    Ok(definitions)
}

impl Definitions {
    /// Notes for each type which search parameters name it.
    pub(super) fn index_parameters(&mut self) {
        self.by_base.clear();
        for parameter in self.parameters.values() {
            for base in &parameter.base {
                self.by_base.entry(base.clone()).or_default().push(Arc::clone(parameter));
            }
        }
        for parameters in self.by_base.values_mut() {
            parameters.sort_by(|a, b| (&a.code, &a.url).cmp(&(&b.code, &b.url)));
            // Two packages may name the same thing; one of them it has to be, always the same.
            parameters.dedup_by(|next, kept| next.code == kept.code);
        }
    }

    /// The two packs, not compressed, that hold these definitions: types, then codes. For `cargo xtask definitions`.
    #[must_use]
    pub fn packs(&self) -> [Vec<u8>; 2] {
        let mut types: Vec<&TypeDef> = self.types().collect();
        types.sort_by(|a, b| a.name.cmp(&b.name));
        let mut parameters: Vec<&SearchParameter> = self.parameters.values().map(|it| &**it).collect();
        parameters.sort_by(|a, b| a.url.cmp(&b.url));
        let profiles = in_order(&self.profiles);
        let mut invariants: Vec<Arc<Invariant>> = Vec::new();
        for definition in &types {
            invariants.extend_from_slice(&definition.invariants);
            definition.elements.iter().for_each(|it| invariants.extend_from_slice(&it.invariants));
        }
        profiles.iter().for_each(|(_, it)| gather(&it.root, &mut invariants));
        invariants.sort_by(|a, b| (&a.key, &a.expression, &a.human).cmp(&(&b.key, &b.expression, &b.human)));
        invariants.dedup();
        let first = Writer::pack(&invariants, |out| {
            out.number(invariants.len());
            invariants.iter().for_each(|it| (**it).write(out));
            out.number(types.len());
            types.iter().for_each(|it| it.write(out));
            out.number(parameters.len());
            parameters.iter().for_each(|it| it.write(out));
            out.shelf(&profiles);
            self.compartment.keys().cloned().collect::<Vec<_>>().write(out);
            self.compartment.values().for_each(|it| it.write(out));
        });
        let second = Writer::pack(&[], |out| {
            out.shelf(&in_order(&self.codes.systems));
            out.shelf(&in_order(&self.codes.value_sets));
        });
        [first, second]
    }

    /// A pack as it stands in the program.
    #[must_use]
    pub fn compress(pack: &[u8]) -> Vec<u8> {
        compress(pack)
    }
}

/// The invariants of a profile.
fn gather(constraint: &Constraint, invariants: &mut Vec<Arc<Invariant>>) {
    invariants.extend_from_slice(&constraint.element.invariants);
    constraint.slices.iter().chain(&constraint.children).for_each(|it| gather(it, invariants));
}

fn in_order<T: Packed>(items: &HashMap<Text, Arc<Slot<T>>>) -> Vec<(&str, &T)> {
    let mut items: Vec<(&str, &T)> = items.iter().filter_map(|(name, slot)| Some((&**name, slot.get()?))).collect();
    items.sort_by_key(|(name, _)| *name);
    items
}
