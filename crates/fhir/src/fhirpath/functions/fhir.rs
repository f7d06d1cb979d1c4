//! What FHIR adds to FHIRPath (R4 §2.9.6.3).

use std::borrow::Cow;

use super::super::element::Element;
use super::super::error::EvalError;
use super::super::eval::{Outcome, single};
use super::super::text::Text;
use super::super::value::{Collection, Value};
use super::{Function, Given, row};
use crate::definitions::Membership;
use crate::json::Node;
use crate::reference::Target;
use crate::validate::xhtml;

pub(super) const FUNCTIONS: &[Function] = &[
    row("extension", 1..=1, extension),
    row("hasValue", 0..=0, |_, input| {
        let single = if input.len() == 1 { input.first() } else { None };
        Ok(single.and_then(Value::element).is_some_and(Element::has_value).into())
    }),
    row("getValue", 0..=0, |_, input| {
        let single = if input.len() == 1 { input.first() } else { None };
        Ok(single.filter(|value| value.element().is_none_or(Element::has_value)).and_then(Value::system).into())
    }),
    row("resolve", 0..=0, resolve),
    row("memberOf", 1..=1, member_of),
    row("conformsTo", 1..=1, conforms_to),
    row("checkModifiers", 0..=64, check_modifiers),
    row("htmlChecks", 0..=0, html_checks),
    row("elementDefinition", 0..=0, |given, _| Err(EvalError::Unavailable(given.name()))),
    row("slice", 2..=2, |given, _| Err(EvalError::Unavailable(given.name()))),
    row("subsumes", 1..=1, |given, _| Err(EvalError::Unavailable(given.name()))),
    row("subsumedBy", 1..=1, |given, _| Err(EvalError::Unavailable(given.name()))),
];

/// The extensions of that address.
fn extension<'a>(given: &Given<'_, 'a>, input: Collection<'a>) -> Outcome<'a> {
    let Some(url) = given.text(0)? else { return Ok(Collection::new()) };
    let mut found = Collection::new();
    for element in input.iter().filter_map(Value::element) {
        given.evaluator.charge_bytes(element.reach())?;
        element.member(given.evaluator.context.definitions, "extension", &mut |extension| {
            if extension.node().and_then(|node| node.get_text("url")).as_deref() == Some(&*url) {
                found.push(Value::Element(extension));
            }
        });
    }
    Ok(found)
}

/// The resources that references lead to. A reference that leads nowhere is left out.
fn resolve<'a>(given: &Given<'_, 'a>, input: Collection<'a>) -> Outcome<'a> {
    let mut found = Collection::new();
    for value in &input {
        let address = match value {
            Value::Element(element) if !element.is_primitive() => {
                element.node().and_then(|node| node.get_text("reference")).map(Text::from)
            }
            other => other.text(),
        };
        given.evaluator.charge(4)?;
        if let Some(address) = address
            && let Some(resource) = find(given, &address)?
        {
            found.push(Value::Element(resource));
        }
    }
    Ok(found)
}

fn find<'a>(given: &Given<'_, 'a>, address: &str) -> Result<Option<Element<'a>>, EvalError> {
    let context = given.evaluator.context;
    let resource = |node: Node<'a>| Element::resource(context.definitions, node);
    let root = context.root.or(context.resource);
    if let Some(id) = address.strip_prefix('#') {
        let Some(root) = root.filter(|_| !id.is_empty()) else { return Ok(root) };
        given.evaluator.charge_bytes(root.size())?;
        let contained = root.node().into_iter().flat_map(|node| node.all("contained"));
        let mut contained = contained.filter(|node| node.get_text("id").as_deref() == Some(id));
        return Ok(contained.next().map(resource));
    }
    if let Some(bundle) = root.filter(|root| root.type_name() == "Bundle").and_then(|root| root.node()) {
        given.evaluator.charge_bytes(bundle.raw().len())?;
        let entries = bundle.get("entry").into_iter().flat_map(Node::items);
        let same = |url: &Cow<'_, str>| **url == *address || url.ends_with(&format!("/{address}"));
        let mut entries = entries.filter(|entry| entry.get_text("fullUrl").as_ref().is_some_and(same));
        if let Some(found) = entries.next().and_then(|entry| entry.get("resource")) {
            return Ok(Some(resource(found)));
        }
    }
    if let Some(found) = context.resolve.and_then(|resolve| resolve(address)) {
        return Ok(Some(resource(found)));
    }
    let named = if context.resolve_types { Target::of(address).resource_type() } else { None };
    Ok(named.map(Element::only_type))
}

/// Whether a code, Coding or CodeableConcept is in a value set: by the caller's word, else by the definitions'.
fn member_of<'a>(given: &Given<'_, 'a>, input: Collection<'a>) -> Outcome<'a> {
    let (Some(value), Some(set)) = (given.single(&input)?, given.text(0)?) else { return Ok(Collection::new()) };
    let context = given.evaluator.context;
    if let (Some(element), Some(callback)) = (value.element(), context.member_of) {
        return Ok(callback(element, &set).map(Value::Boolean).into());
    }
    let codes = context.definitions.expand(&set).ok_or(EvalError::Unavailable(given.name()))?;
    let coding = |node: Node<'a>| {
        let code = node.get_text("code").unwrap_or_default();
        codes.has(Some(node.get_text("system").as_deref().unwrap_or("")), &code)
    };
    let memberships: Vec<Membership> = match value {
        Value::Element(element) if !element.is_primitive() => match (element.type_name(), element.node()) {
            ("CodeableConcept", Some(node)) => node.all("coding").into_iter().map(coding).collect(),
            ("Coding" | "Quantity", Some(node)) => vec![coding(node)],
            _ => return Err(given.wrong_type()),
        },
        other => vec![codes.has(None, &other.text().ok_or(given.wrong_type())?)],
    };
    if memberships.contains(&Membership::Yes) {
        return Ok(true.into());
    }
    Ok(if memberships.contains(&Membership::Unknown) { Collection::new() } else { false.into() })
}

/// Whether an element follows a profile: by the caller's word, else for HL7's own types by what type it is.
fn conforms_to<'a>(given: &Given<'_, 'a>, input: Collection<'a>) -> Outcome<'a> {
    let (Some(value), Some(url)) = (given.single(&input)?, given.text(0)?) else { return Ok(Collection::new()) };
    let context = given.evaluator.context;
    let element = value.element().ok_or(given.wrong_type())?;
    if let Some(answer) = context.conforms_to.and_then(|callback| callback(element, &url)) {
        return Ok(answer.into());
    }
    let name = url.strip_prefix("http://hl7.org/fhir/StructureDefinition/").unwrap_or_default();
    let known = context.definitions.type_named(name).ok_or(EvalError::Unavailable(given.name()))?;
    Ok(context.definitions.is_a(element.type_name(), &known.name).into())
}

/// Passes the input on if it has no modifier extensions but those that are named.
fn check_modifiers<'a>(given: &Given<'_, 'a>, input: Collection<'a>) -> Outcome<'a> {
    let mut known: Vec<Text<'a>> = Vec::new();
    for index in 0..given.call.arguments.len() {
        known.extend(given.text(index)?);
    }
    let mut unknown = false;
    for element in input.iter().filter_map(Value::element) {
        given.evaluator.charge_bytes(element.reach())?;
        element.member(given.evaluator.context.definitions, "modifierExtension", &mut |extension| {
            let url = extension.node().and_then(|node| node.get_text("url"));
            unknown |= url.is_none_or(|url| !known.iter().any(|known| **known == *url));
        });
    }
    if unknown { Err(EvalError::Argument(given.name())) } else { Ok(input) }
}

/// Whether a narrative keeps the rules of R4 §2.4.
fn html_checks<'a>(given: &Given<'_, 'a>, input: Collection<'a>) -> Outcome<'a> {
    let Some(value) = single(&input, given.name())? else { return Ok(Collection::new()) };
    let Some(text) = value.text() else { return Ok(Collection::new()) };
    given.evaluator.charge_bytes(text.len() * 4)?;
    Ok(xhtml::fault(&text).is_none().into())
}
