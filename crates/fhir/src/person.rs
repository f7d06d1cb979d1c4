//! What a Patient says about the person, borrowed from its bytes.

use std::borrow::Cow;

use keepwell_model::NhsNumber;

use crate::json::{Fields, Node};
use crate::resource::Resource;

/// The identifier system of NHS numbers in FHIR.
pub const NHS_NUMBER_SYSTEM: &str = "https://fhir.nhs.uk/Id/nhs-number";

/// A Patient.
#[derive(Debug, Clone)]
pub struct Person<'a> {
    fields: Fields<'a>,
}

/// An identifier.
#[derive(Clone, PartialEq, Eq)]
pub struct Identifier<'a> {
    /// `system`.
    pub system: Cow<'a, str>,
    /// `value`.
    pub value: Cow<'a, str>,
}

/// A name.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct HumanName<'a> {
    /// `use`: `official`, `usual`, `old` …
    pub usage: Option<Cow<'a, str>>,
    /// `text`: the whole name as it should be shown.
    pub text: Option<Cow<'a, str>>,
    /// `family`.
    pub family: Option<Cow<'a, str>>,
    /// `given`, in order.
    pub given: Vec<Cow<'a, str>>,
    /// `prefix`, in order.
    pub prefix: Vec<Cow<'a, str>>,
}

impl HumanName<'_> {
    /// The name in one line: `text` where it is given, otherwise prefixes, given names and family name.
    #[must_use]
    pub fn line(&self) -> String {
        if let Some(text) = &self.text {
            return text.to_string();
        }
        let parts = self.prefix.iter().chain(&self.given).chain(&self.family);
        parts.map(Cow::as_ref).collect::<Vec<_>>().join(" ")
    }
}

/// An address.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Address<'a> {
    /// `use`: `home`, `old` …
    pub usage: Option<Cow<'a, str>>,
    /// `line`, in order.
    pub line: Vec<Cow<'a, str>>,
    /// `city`.
    pub city: Option<Cow<'a, str>>,
    /// `district`.
    pub district: Option<Cow<'a, str>>,
    /// `postalCode`.
    pub postal_code: Option<Cow<'a, str>>,
}

impl<'a> Person<'a> {
    /// The person in a resource; `None` if it is not a Patient.
    #[must_use]
    pub fn of(resource: &Resource<'a>) -> Option<Self> {
        (resource.resource_type == "Patient").then(|| Self { fields: resource.fields.clone() })
    }

    /// The identifiers in force: those that are not marked as old and have both a system and a value.
    #[must_use]
    pub fn identifiers(&self) -> Vec<Identifier<'a>> {
        let nodes = self.fields.all("identifier").into_iter();
        let current = nodes.filter(|node| node.get_text("use").as_deref() != Some("old"));
        current
            .filter_map(|node| Some(Identifier { system: node.get_text("system")?, value: node.get_text("value")? }))
            .collect()
    }

    /// The NHS numbers in force, each once. A text under the NHS number system that is no NHS number is left out here
    /// and stays in [`Self::identifiers`].
    #[must_use]
    pub fn nhs_numbers(&self) -> Vec<NhsNumber> {
        let mut numbers = Vec::new();
        for identifier in self.identifiers() {
            if identifier.system != NHS_NUMBER_SYSTEM {
                continue;
            }
            if let Ok(number) = identifier.value.parse::<NhsNumber>()
                && !numbers.contains(&number)
            {
                numbers.push(number);
            }
        }
        numbers
    }

    /// The names, in the order they were sent.
    #[must_use]
    pub fn names(&self) -> Vec<HumanName<'a>> {
        self.fields.all("name").into_iter().map(human_name).collect()
    }

    /// The name to show: the usual one, else the official one, else the first that is not old.
    #[must_use]
    pub fn name(&self) -> Option<HumanName<'a>> {
        let rank = |name: &HumanName<'_>| match name.usage.as_deref() {
            Some("usual") => 0,
            Some("official") => 1,
            Some("old") => 3,
            _ => 2,
        };
        self.names().into_iter().min_by_key(rank)
    }

    /// `birthDate`, as sent: a date, or a part of one.
    #[must_use]
    pub fn birth_date(&self) -> Option<Cow<'a, str>> {
        self.fields.get_text("birthDate")
    }

    /// `gender`.
    #[must_use]
    pub fn gender(&self) -> Option<Cow<'a, str>> {
        self.fields.get_text("gender")
    }

    /// Whether the person is known to have died.
    #[must_use]
    pub fn is_deceased(&self) -> bool {
        self.fields.get("deceasedDateTime").is_some()
            || self.fields.get("deceasedBoolean").and_then(Node::boolean) == Some(true)
    }

    /// The addresses, in the order they were sent.
    #[must_use]
    pub fn addresses(&self) -> Vec<Address<'a>> {
        self.fields.all("address").into_iter().map(address).collect()
    }
}

/// Reads a HumanName element.
#[must_use]
pub fn human_name(node: Node<'_>) -> HumanName<'_> {
    HumanName {
        usage: node.get_text("use"),
        text: node.get_text("text"),
        family: node.get_text("family"),
        given: node.all("given").into_iter().filter_map(Node::text).collect(),
        prefix: node.all("prefix").into_iter().filter_map(Node::text).collect(),
    }
}

fn address(node: Node<'_>) -> Address<'_> {
    Address {
        usage: node.get_text("use"),
        line: node.all("line").into_iter().filter_map(Node::text).collect(),
        city: node.get_text("city"),
        district: node.get_text("district"),
        postal_code: node.get_text("postalCode"),
    }
}

macro_rules! silent_debug {
    ($($name:ident)*) => {$(
        impl std::fmt::Debug for $name<'_> {
            /// Never the content: it is personal data.
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )*};
}

silent_debug!(Identifier HumanName Address);
