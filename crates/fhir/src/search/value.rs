//! What a search parameter finds in a resource, read so that it can be compared.

use std::sync::Arc;

use super::dates::Interval;
use super::fold::folded;
use crate::decimal::Decimal;
use crate::definitions::SearchKind;
use crate::json::{Kind, Node};

/// Where an expression ends: what stands there and what it may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Leaf {
    /// The FHIR type of the element: `CodeableConcept`, `dateTime`.
    pub(super) type_name: Arc<str>,
    /// The type that a reference must lead to (`.where(resolve() is Patient)`).
    pub(super) only: Option<Arc<str>>,
    /// The value set that a `code` is bound to: it implies the code's system.
    pub(super) value_set: Option<Arc<str>>,
}

/// A value to compare with. Never printed: it is health data.
#[derive(Clone, PartialEq)]
pub(super) enum Value {
    /// A code, an identifier, a yes or no.
    Token(Box<Token>),
    /// Text.
    Text(Box<Words>),
    /// A stretch of time.
    Date(Interval),
    /// A number, perhaps with a unit.
    Amount(Box<Amount>),
    /// A reference.
    Reference(Box<Link>),
    /// An address.
    Uri(Box<str>),
}

/// A code of an identifier's type: its system, if it has one, and the code.
pub(super) type TypeCode = (Option<Box<str>>, Box<str>);

/// A code with its system.
#[derive(Clone, PartialEq)]
pub(super) struct Token {
    /// The system.
    pub(super) system: System,
    /// The code; `None` where there is only text.
    pub(super) code: Option<Box<str>>,
    /// What it says to people, folded: for `:text`.
    pub(super) text: Option<Box<str>>,
    /// The codes of an identifier's type: for `:of-type`.
    pub(super) kinds: Box<[TypeCode]>,
    /// Whether it is a telephone number, which is written in many ways.
    pub(super) is_phone: bool,
}

/// The system of a code.
#[derive(Clone, PartialEq)]
pub(super) enum System {
    /// There is none.
    None,
    /// This.
    Named(Box<str>),
    /// Either of these.
    Either(Box<str>, Box<str>),
    /// Not said: a `code` bound to this value set.
    Implied(Arc<str>),
}

/// A text as it is and as it is compared.
#[derive(Clone, PartialEq)]
pub(super) struct Words {
    /// As it is.
    pub(super) exact: Box<str>,
    /// Folded.
    pub(super) folded: Box<str>,
}

/// A number or a range of numbers. An end that is `None` is open.
#[derive(Clone, PartialEq)]
pub(super) struct Amount {
    /// The least it may be.
    pub(super) low: Option<Decimal>,
    /// The most it may be.
    pub(super) high: Option<Decimal>,
    /// Whether `low` itself is left out (a comparator `>`), and whether `high` is (`<`).
    pub(super) without_ends: (bool, bool),
    /// The unit's system.
    pub(super) system: Option<Box<str>>,
    /// The unit's code.
    pub(super) code: Option<Box<str>>,
    /// The unit for people.
    pub(super) unit: Option<Box<str>>,
}

/// A reference as it stands in the resource.
#[derive(Clone, PartialEq)]
pub(super) struct Link {
    /// The text: `Patient/1`, an address, a canonical address with its version, `#contained`.
    pub(super) text: Option<Box<str>>,
    /// `type`.
    pub(super) type_name: Option<Box<str>>,
    /// `identifier`.
    pub(super) identifier: Option<Token>,
    /// Whether it is a canonical address.
    pub(super) is_canonical: bool,
    /// The type that it must lead to.
    pub(super) only: Option<Arc<str>>,
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Token(_) => "Token(…)",
            Self::Text(_) => "Text(…)",
            Self::Date(_) => "Date(…)",
            Self::Amount(_) => "Amount(…)",
            Self::Reference(_) => "Reference(…)",
            Self::Uri(_) => "Uri(…)",
        })
    }
}

impl Value {
    /// Roughly how many bytes it takes beyond its own size.
    pub(super) fn weight(&self) -> usize {
        let text = |it: &Option<Box<str>>| it.as_ref().map_or(0, |it| it.len());
        match self {
            Self::Token(token) => token.weight(),
            Self::Text(words) => 32 + words.exact.len() + words.folded.len(),
            Self::Date(_) => 0,
            Self::Amount(amount) => 128 + text(&amount.system) + text(&amount.code) + text(&amount.unit),
            Self::Reference(link) => {
                96 + text(&link.text) + text(&link.type_name) + link.identifier.as_ref().map_or(0, Token::weight)
            }
            Self::Uri(uri) => uri.len(),
        }
    }
}

impl Token {
    fn weight(&self) -> usize {
        let text = |it: &Option<Box<str>>| it.as_ref().map_or(0, |it| it.len());
        let kinds: usize = self.kinds.iter().map(|(system, code)| 32 + text(system) + code.len()).sum();
        let system = match &self.system {
            System::Named(system) => system.len(),
            System::Either(one, other) => one.len() + other.len(),
            System::None | System::Implied(_) => 0,
        };
        96 + system + text(&self.code) + text(&self.text) + kinds
    }

    /// A code without a system, text or type.
    pub(super) fn plain(code: &str) -> Self {
        Self { system: System::None, code: Some(code.into()), text: None, kinds: Box::default(), is_phone: false }
    }

    fn of(node: Node<'_>, code: &str, text: &str) -> Self {
        Self {
            system: boxed(node, "system").map_or(System::None, System::Named),
            code: boxed(node, code),
            text: node.get_text(text).map(|it| folded(&it).into()),
            kinds: Box::default(),
            is_phone: false,
        }
    }

    /// An Identifier.
    pub(super) fn identifier(node: Node<'_>) -> Self {
        let codings = node.all("type.coding").into_iter();
        let kinds = codings.filter_map(|it| Some((boxed(it, "system"), boxed(it, "code")?)));
        let text = node.first("type.text").and_then(Node::text);
        let text = text.or_else(|| node.first("type.coding.display")?.text());
        Self { kinds: kinds.collect(), text: text.map(|it| folded(&it).into()), ..Self::of(node, "value", "") }
    }

    /// A ContactPoint. Its system (`phone`) and its use (`home`) both count as namespaces: R4 names neither for certain.
    fn contact(node: Node<'_>) -> Self {
        let (system, usage) = (boxed(node, "system"), boxed(node, "use"));
        let is_phone = matches!(system.as_deref(), Some("phone" | "fax" | "sms" | "pager"));
        let system = match (system, usage) {
            (Some(system), Some(usage)) => System::Either(system, usage),
            (Some(only), None) | (None, Some(only)) => System::Named(only),
            (None, None) => System::None,
        };
        Self { system, is_phone, ..Self::of(node, "value", "") }
    }

    fn is_empty(&self) -> bool {
        self.code.is_none() && self.text.is_none() && self.system == System::None
    }
}

fn boxed(node: Node<'_>, name: &str) -> Option<Box<str>> {
    node.get_text(name).map(|it| it.into_owned().into())
}

/// Reads the element at a leaf as values of a kind, and appends them. Nothing is appended for what makes no sense there.
pub(super) fn read(kind: SearchKind, leaf: &Leaf, node: Node<'_>, out: &mut Vec<Value>) {
    match kind {
        SearchKind::Token => tokens(leaf, node, out),
        SearchKind::String => texts(leaf, node, out),
        SearchKind::Date => out.extend(interval(node).map(Value::Date)),
        SearchKind::Number | SearchKind::Quantity => {
            amount(node, 0).into_iter().for_each(|it| out.push(Value::Amount(Box::new(it))));
        }
        SearchKind::Reference => out.extend(link(leaf, node).map(|it| Value::Reference(Box::new(it)))),
        SearchKind::Uri => out.extend(node.text().map(|it| Value::Uri(it.into_owned().into()))),
        SearchKind::Composite | SearchKind::Special => {}
    }
}

fn tokens(leaf: &Leaf, node: Node<'_>, out: &mut Vec<Value>) {
    let mut push = |token: Token| {
        if !token.is_empty() {
            out.push(Value::Token(Box::new(token)));
        }
    };
    match (&*leaf.type_name, node.kind()) {
        ("CodeableConcept", Kind::Object) => {
            node.get("coding").into_iter().flat_map(Node::items).for_each(|it| push(Token::of(it, "code", "display")));
            if let Some(text) = node.get_text("text") {
                push(Token { code: None, text: Some(folded(&text).into()), ..Token::plain("") });
            }
        }
        ("Identifier", Kind::Object) => push(Token::identifier(node)),
        ("ContactPoint", Kind::Object) => push(Token::contact(node)),
        (_, Kind::Object) => push(Token::of(node, "code", "display")),
        (_, Kind::String) => {
            let Some(code) = node.text() else { return };
            let system = leaf.value_set.clone().map_or(System::None, System::Implied);
            push(Token { system, ..Token::plain(&code) });
        }
        (_, Kind::Bool | Kind::Number) => push(Token::plain(node.raw())),
        (_, Kind::Array | Kind::Null) => {}
    }
}

fn texts(leaf: &Leaf, node: Node<'_>, out: &mut Vec<Value>) {
    let mut push = |node: Node<'_>| {
        if let Some(exact) = node.text() {
            let folded = folded(&exact).into();
            out.push(Value::Text(Box::new(Words { exact: exact.into_owned().into(), folded })));
        }
    };
    let parts: &[&str] = match (&*leaf.type_name, node.kind()) {
        (_, Kind::String) => return push(node),
        ("HumanName", _) => &["text", "family", "given", "prefix", "suffix"],
        ("Address", _) => &["text", "line", "city", "district", "state", "postalCode", "country"],
        _ => &["text", "display"],
    };
    parts.iter().filter_map(|name| node.get(name)).flat_map(Node::each).for_each(push);
}

/// The time that a date, a Period or a Timing takes up. Of a Timing only the outer limits count.
pub(super) fn interval(node: Node<'_>) -> Option<Interval> {
    let part = |name: &str| node.get(name).and_then(Node::text).and_then(|it| Interval::parse(&it));
    match node.kind() {
        Kind::String => Interval::parse(&node.text()?),
        Kind::Object => match (part("start"), part("end")) {
            (None, None) => {
                let events = node.get("event").into_iter().flat_map(Node::items).filter_map(interval);
                let bounds = node.get("repeat").and_then(|it| it.get("boundsPeriod")).and_then(interval);
                events.chain(bounds).reduce(Interval::with)
            }
            (start, end) => Some(Interval::between(start, end)),
        },
        _ => None,
    }
}

/// A number, a Quantity (or one of its kinds, or Money), a Range, or what SampledData holds.
fn amount(node: Node<'_>, depth: u8) -> Option<Amount> {
    let exactly = |value: Decimal| Amount {
        low: Some(value),
        high: Some(value),
        without_ends: (false, false),
        system: None,
        code: None,
        unit: None,
    };
    if let Some(number) = node.number() {
        return Decimal::parse(number).map(exactly);
    }
    if let Some(value) = node.get("value").and_then(Node::number) {
        let mut amount = exactly(Decimal::parse(value)?);
        match node.get_text("comparator").as_deref() {
            Some("<") => (amount.low, amount.without_ends.1) = (None, true),
            Some("<=") => amount.low = None,
            Some(">") => (amount.high, amount.without_ends.0) = (None, true),
            Some(">=") => amount.high = None,
            _ => {}
        }
        // Money has its currency where others have their unit's code.
        amount.code = boxed(node, "code").or_else(|| boxed(node, "currency"));
        (amount.system, amount.unit) = (boxed(node, "system"), boxed(node, "unit"));
        if amount.system.is_none() && node.get("currency").is_some() {
            amount.system = Some("urn:iso:std:iso:4217".into());
        }
        return Some(amount);
    }
    if depth > 0 {
        return None;
    }
    if let Some(origin) = node.get("origin") {
        return sampled(node, amount(origin, 1)?);
    }
    let part = |name: &str| node.get(name).and_then(|it| amount(it, 1));
    let (low, high) = (part("low"), part("high"));
    let unit = low.clone().or_else(|| high.clone())?;
    Some(Amount {
        low: low.and_then(|it| it.low),
        high: high.and_then(|it| it.high),
        without_ends: (false, false),
        ..unit
    })
}

/// The least and the most among samples.
fn sampled(node: Node<'_>, origin: Amount) -> Option<Amount> {
    let data = node.get_text("data")?;
    let factor = node.get("factor").and_then(Node::number).map_or(Some(Decimal::from(1)), Decimal::parse)?;
    let mut ends: Option<(Decimal, Decimal)> = None;
    for sample in data.split_ascii_whitespace().filter_map(Decimal::parse) {
        let value = sample.times(factor)?.plus(origin.low?)?;
        ends = Some(ends.map_or((value, value), |(low, high)| (low.min(value), high.max(value))));
    }
    let (low, high) = ends?;
    Some(Amount { low: Some(low), high: Some(high), without_ends: (false, false), ..origin })
}

fn link(leaf: &Leaf, node: Node<'_>) -> Option<Link> {
    let mut link = Link { text: None, type_name: None, identifier: None, is_canonical: false, only: leaf.only.clone() };
    if let Some(text) = node.text() {
        link.text = Some(text.into_owned().into());
        link.is_canonical = true;
    } else if let Some(name) = node.get_text("resourceType") {
        // A resource that stands inline, such as the first one of a document.
        link.text = Some(format!("{name}/{}", node.get_text("id")?).into());
        link.type_name = Some(name.into_owned().into());
    } else {
        link.text = boxed(node, "reference");
        link.type_name = boxed(node, "type");
        link.identifier = node.get("identifier").map(Token::identifier).filter(|it| !it.is_empty());
    }
    (link.text.is_some() || link.identifier.is_some()).then_some(link)
}
