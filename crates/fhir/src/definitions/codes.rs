//! Code systems and value sets, as data.

use std::collections::HashSet;

use super::model::Text;

/// How much of a code system is known (FHIR R4 CodeSystem.content).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// All of it.
    Complete,
    /// A part of it.
    Fragment,
    /// A few examples.
    Example,
    /// Nothing but its name.
    NotPresent,
    /// Additions to another system.
    Supplement,
}

/// A code system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeSystem {
    /// Its canonical address: what `Coding.system` holds.
    pub url: Text,
    /// Its version.
    pub version: Option<Text>,
    /// Its name for programs.
    pub name: Option<Text>,
    /// Its name for people.
    pub title: Option<Text>,
    /// The value set of all its codes.
    pub value_set: Option<Text>,
    /// How much of it is here.
    pub content: Content,
    /// Whether `A` and `a` are two codes.
    pub case_sensitive: bool,
    /// Its concepts in their order, each before the concepts below it.
    pub concepts: Vec<Concept>,
    /// Places in `concepts`, ordered by code.
    pub(super) by_code: Vec<u32>,
}

/// A concept of a code system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concept {
    /// Its code.
    pub code: Text,
    /// Its name.
    pub display: Option<Text>,
    /// What it means.
    pub definition: Option<Text>,
    /// Places in [`CodeSystem::concepts`] of the concepts right above it.
    pub parents: Vec<u32>,
    /// Properties, in their order; a repeated one is there more than once.
    pub properties: Vec<Property>,
}

/// A property of a concept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Property {
    /// Its name.
    pub code: Text,
    /// Its value as text.
    pub value: Text,
}

impl Concept {
    /// Whether it may be chosen: groups that only gather others may not.
    #[must_use]
    pub fn is_selectable(&self) -> bool {
        !self.properties.iter().any(|it| matches!(&*it.code, "notSelectable" | "abstract") && it.value == "true")
    }

    /// Whether it is in use still.
    #[must_use]
    pub fn is_active(&self) -> bool {
        !self.properties.iter().any(|it| match &*it.code {
            "status" => matches!(&*it.value, "retired" | "inactive" | "R"),
            "inactive" => it.value == "true",
            _ => false,
        })
    }
}

impl CodeSystem {
    /// The concept with that code.
    #[must_use]
    pub fn concept(&self, code: &str) -> Option<&Concept> {
        self.place(code).map(|at| &self.concepts[at])
    }

    /// Where in `concepts` the concept with that code is.
    #[must_use]
    pub fn place(&self, code: &str) -> Option<usize> {
        let found = self.by_code.binary_search_by(|&at| (*self.concepts[at as usize].code).cmp(code));
        match found {
            Ok(at) => Some(self.by_code[at] as usize),
            Err(_) if self.case_sensitive => None,
            Err(_) => self.concepts.iter().position(|it| it.code.eq_ignore_ascii_case(code)),
        }
    }

    /// Whether the concept at one place is the one at the other or below it.
    #[must_use]
    pub fn is_a(&self, place: usize, ancestor: usize) -> bool {
        // Each step goes to a concept not seen yet, so a circle in a damaged system ends too.
        let mut seen = HashSet::from([place]);
        let mut next = vec![place];
        while let Some(at) = next.pop() {
            if at == ancestor {
                return true;
            }
            let parents = self.concepts.get(at).map_or(&[][..], |it| &it.parents);
            next.extend(parents.iter().map(|&it| it as usize).filter(|&it| seen.insert(it)));
        }
        false
    }

    /// For each concept whether it is the one at that place or below it.
    pub(super) fn below(&self, ancestor: usize) -> Vec<bool> {
        let mut children: Vec<Vec<usize>> = vec![Vec::new(); self.concepts.len()];
        for (at, concept) in self.concepts.iter().enumerate() {
            for &parent in &concept.parents {
                children.get_mut(parent as usize).into_iter().for_each(|it| it.push(at));
            }
        }
        let mut below = vec![false; self.concepts.len()];
        let mut next = vec![ancestor];
        while let Some(at) = next.pop() {
            if below.get(at).is_some_and(|seen| !seen) {
                below[at] = true;
                next.extend(&children[at]);
            }
        }
        below
    }

    /// Makes the index by code.
    pub(super) fn index(&mut self) {
        let mut places: Vec<u32> = (0..self.concepts.len()).filter_map(|at| u32::try_from(at).ok()).collect();
        places.sort_by(|&a, &b| self.concepts[a as usize].code.cmp(&self.concepts[b as usize].code));
        self.by_code = places;
    }
}

/// A value set: what it includes, as it was defined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueSet {
    /// Its canonical address.
    pub url: Text,
    /// Its version.
    pub version: Option<Text>,
    /// Its name for programs.
    pub name: Option<Text>,
    /// Its name for people.
    pub title: Option<Text>,
    /// What is in it: the union.
    pub include: Vec<Include>,
    /// What is taken out of that again.
    pub exclude: Vec<Include>,
}

/// A part of a value set. Filters and value sets all apply: it is what they have in common.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Include {
    /// The code system.
    pub system: Option<Text>,
    /// Its version.
    pub version: Option<Text>,
    /// The codes, if they are listed.
    pub concepts: Vec<Included>,
    /// Filters over the system.
    pub filters: Vec<Filter>,
    /// Other value sets.
    pub value_sets: Vec<Text>,
}

/// A listed code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Included {
    /// The code.
    pub code: Text,
    /// Its name here.
    pub display: Option<Text>,
}

/// A filter over a code system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The property.
    pub property: Text,
    /// `is-a`, `=`, `regex` and so on.
    pub op: Text,
    /// The value.
    pub value: Text,
}
