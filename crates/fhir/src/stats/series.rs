//! Measurements of one kind in one unit, gathered from observations.

use std::collections::{HashMap, HashSet};

use crate::decimal::Decimal;
use crate::document::Item;
use crate::element::{Coding, Concept, Quantity};
use crate::json::Node;
use crate::reference::Target;

/// A unit. Two are the same if their codes are, or, without codes, their words.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Unit {
    pub(super) system: Option<String>,
    pub(super) code: Option<String>,
    words: Option<String>,
}

impl Unit {
    fn of(quantity: &Quantity<'_>) -> Self {
        let owned = |text: &Option<std::borrow::Cow<'_, str>>| text.as_deref().map(str::to_owned);
        Self { system: owned(&quantity.system), code: owned(&quantity.code), words: owned(&quantity.unit) }
    }

    /// Of a number that is only counted.
    pub(super) fn one() -> Self {
        Self { system: Some("http://unitsofmeasure.org".into()), code: Some("1".into()), words: None }
    }

    /// The unit times itself: `(mm[Hg])2`.
    pub(super) fn to_power(&self, power: u8) -> Self {
        let times = |text: &Option<String>| text.as_deref().map(|text| format!("({text}){power}"));
        Self { system: self.system.clone(), code: times(&self.code), words: times(&self.words) }
    }

    /// What to show.
    pub(super) fn words(&self) -> Option<&str> {
        self.words.as_deref().or(self.code.as_deref())
    }

    fn same_as(&self, other: &Self) -> bool {
        match (&self.code, &other.code) {
            (Some(ours), Some(theirs)) => ours == theirs && self.system == other.system,
            (None, None) => self.words == other.words,
            _ => false,
        }
    }
}

/// Measurements of one kind in one unit.
#[derive(Default)]
pub(super) struct Series<'a> {
    pub(super) system: Option<std::borrow::Cow<'a, str>>,
    pub(super) code: std::borrow::Cow<'a, str>,
    pub(super) display: Option<std::borrow::Cow<'a, str>>,
    pub(super) unit: Unit,
    /// In rising order.
    pub(super) values: Vec<Decimal>,
    /// How many observations of the kind have no number that could be used.
    pub(super) ignored: usize,
    /// The places of the observations with the values.
    sources: Vec<usize>,
}

impl Series<'_> {
    pub(super) fn sources(&self) -> impl Iterator<Item = usize> + '_ {
        self.sources.iter().copied()
    }
}

/// All measurements of one kind, before they are sorted by unit.
struct Kind<'a> {
    coding: Coding<'a>,
    taken: Vec<(usize, Option<(Decimal, Unit)>)>,
    /// Which observation, and which of its components, was taken already.
    seen: HashSet<(usize, usize)>,
}

/// The measurements for each of the codes, in the order of the codes; for a code of which nothing is found, a series
/// without values.
pub(super) fn gather<'a>(observations: &[Item<'a>], codes: &[(Option<&'a str>, &'a str)]) -> Vec<Series<'a>> {
    let usable = |node: Node<'_>| node.get_text("status").as_deref() != Some("entered-in-error");
    let mut places = HashMap::new();
    for (at, item) in observations.iter().enumerate().filter(|(_, item)| usable(item.resource)) {
        places.entry(item.reference).or_insert(at);
    }
    let mut kinds: Vec<Kind<'a>> = Vec::new();
    for &(system, code) in codes {
        let asked = Coding { system: system.map(Into::into), code: Some(code.into()), display: None };
        kind(&mut kinds, &asked);
        for (at, item) in observations.iter().enumerate().filter(|(_, item)| usable(item.resource)) {
            take(&mut kinds, &asked, at, item.resource, &|reference| {
                let at = *places.get(reference)?;
                Some((at, observations[at].resource))
            });
        }
    }
    kinds.into_iter().flat_map(by_unit).collect()
}

/// The kind with that coding, new if need be.
fn kind<'k, 'a>(kinds: &'k mut Vec<Kind<'a>>, coding: &Coding<'a>) -> &'k mut Kind<'a> {
    let known = kinds.iter().position(|kind| {
        let any_system = kind.coding.system.is_none() || coding.system.is_none();
        kind.coding.code == coding.code && (any_system || kind.coding.system == coding.system)
    });
    let at = known.unwrap_or_else(|| {
        kinds.push(Kind { coding: coding.clone(), taken: Vec::new(), seen: HashSet::new() });
        kinds.len() - 1
    });
    let kind = &mut kinds[at];
    // The system and the name are learnt from the first measurement that has them.
    kind.coding.system = kind.coding.system.take().or_else(|| coding.system.clone());
    kind.coding.display = kind.coding.display.take().or_else(|| coding.display.clone());
    kind
}

type Find<'f, 'a> = dyn Fn(&str) -> Option<(usize, Node<'a>)> + 'f;

/// Takes what one observation has for a code: its own value; if it is a panel of that code, the values of its parts; else
/// those of its components that have the code.
fn take<'a>(kinds: &mut Vec<Kind<'a>>, asked: &Coding<'a>, at: usize, observation: Node<'a>, find: &Find<'_, 'a>) {
    let components = observation.all("component");
    let Some(own) = matching(observation, asked) else {
        for (index, component) in components.into_iter().enumerate() {
            if let Some(coding) = matching(component, asked) {
                note(kinds, &coding, (at, index + 1), component);
            }
        }
        return;
    };
    let mut parts = 0;
    for (index, component) in components.into_iter().enumerate() {
        if let Some(coding) = first_coding(component) {
            note(kinds, &coding, (at, index + 1), component);
            parts += 1;
        }
    }
    for member in observation.all("hasMember.reference") {
        let text = member.text().unwrap_or_default();
        let Target::Relative { resource_type, id, .. } = Target::of(&text) else { continue };
        let Some((at, member)) = find(&format!("{resource_type}/{id}")) else { continue };
        if let Some(coding) = first_coding(member) {
            note(kinds, &coding, (at, 0), member);
            parts += 1;
        }
    }
    // A panel without a value of its own is no measurement.
    if parts == 0 || observation.get("valueQuantity").is_some() {
        note(kinds, &own, (at, 0), observation);
    }
}

/// Notes the value of an observation or component once.
fn note<'a>(kinds: &mut Vec<Kind<'a>>, coding: &Coding<'a>, place: (usize, usize), node: Node<'a>) {
    let kind = kind(kinds, coding);
    if kind.seen.insert(place) {
        let quantity = node.get("valueQuantity").map(Quantity::of);
        // What is only known to be above or below a number is no number to calculate with.
        let exact = quantity.filter(|it| it.comparator.is_none());
        let value = exact.and_then(|it| Some((Decimal::parse(it.value?)?, Unit::of(&it))));
        kind.taken.push((place.0, value));
    }
}

/// The coding of a code that is the asked one.
fn matching<'a>(node: Node<'a>, asked: &Coding<'a>) -> Option<Coding<'a>> {
    let concept = node.get("code").map(Concept::of)?;
    concept
        .codings
        .into_iter()
        .find(|coding| coding.code == asked.code && (asked.system.is_none() || coding.system == asked.system))
}

fn first_coding(node: Node<'_>) -> Option<Coding<'_>> {
    Concept::of(node.get("code")?).codings.into_iter().find(|coding| coding.code.is_some())
}

/// A kind's measurements, sorted by unit: units in the order in which they are first met.
fn by_unit(kind: Kind<'_>) -> Vec<Series<'_>> {
    let Coding { system, code, display } = kind.coding;
    let code = code.unwrap_or_default();
    let empty = || Series { system: system.clone(), code: code.clone(), display: display.clone(), ..Series::default() };
    let mut all: Vec<Series<'_>> = Vec::new();
    let mut ignored = 0;
    for (at, value) in kind.taken {
        let Some((value, unit)) = value else {
            ignored += 1;
            continue;
        };
        let place = all.iter().position(|series| series.unit.same_as(&unit)).unwrap_or_else(|| {
            all.push(Series { unit, ..empty() });
            all.len() - 1
        });
        all[place].values.push(value);
        all[place].sources.push(at);
    }
    if all.is_empty() {
        all.push(empty());
    }
    for series in &mut all {
        series.ignored = ignored;
        series.values.sort();
    }
    all
}
