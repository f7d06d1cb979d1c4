//! The part of a section that a person reads: a table, as XHTML (FHIR R4 §2.4.2).

use std::borrow::Cow;
use std::fmt::Write as _;

use super::sections::{Chosen, MAX_ENTRIES, Section};
use crate::document::Item;
use crate::element::{Concept, Quantity, Timing};
use crate::json::Node;
use crate::observation::{Observation, Value};
use crate::resource::Resource;

/// The XHTML of a section.
pub(super) fn narrative(section: &Section, items: &[Item<'_>], chosen: &Chosen<'_>) -> String {
    let mut out = String::from("<div xmlns=\"http://www.w3.org/1999/xhtml\">");
    if chosen.items.is_empty() {
        paragraph(&mut out, section.empty);
    } else {
        out.push_str("<table><thead><tr><th>What</th><th>Details</th><th>When</th><th>Status</th></tr></thead><tbody>");
        for item in &chosen.items {
            let node = item.resource;
            let row = [name(node, items), details(node), when(node).unwrap_or_default(), state(node)];
            out.push_str("<tr>");
            for cell in row {
                out.push_str("<td>");
                escape(&mut out, &cell);
                out.push_str("</td>");
            }
            out.push_str("</tr>");
        }
        out.push_str("</tbody></table>");
    }
    if chosen.more > 0 {
        let count = chosen.more + MAX_ENTRIES;
        paragraph(&mut out, &format!("The newest {MAX_ENTRIES} of {count}; the others are in the record."));
    } else if section.newest && !chosen.items.is_empty() {
        paragraph(&mut out, "The newest of each kind; earlier ones are in the record.");
    }
    out.push_str("</div>");
    out
}

fn paragraph(out: &mut String, text: &str) {
    out.push_str("<p>");
    escape(out, text);
    out.push_str("</p>");
}

/// Appends text so that none of it is markup. Characters that XML does not allow are left out.
fn escape(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push(' '),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
            _ => out.push(character),
        }
    }
}

fn words(concept: Node<'_>) -> Option<String> {
    Concept::of(concept).words().map(str::to_owned)
}

/// The words of every concept at a path, in a row.
fn all_words(node: Node<'_>, path: &str) -> String {
    node.all(path).into_iter().filter_map(words).collect::<Vec<_>>().join(", ")
}

/// What it is.
fn name(node: Node<'_>, items: &[Item<'_>]) -> String {
    let concepts = ["code", "vaccineCode", "medicationCodeableConcept", "category"];
    let own = || concepts.iter().find_map(|element| node.get(element)?.each().find_map(words));
    let referred = || {
        let reference = node.get("medicationReference").or_else(|| node.get("device"))?;
        let text = reference.get_text("reference");
        let target = text.and_then(|text| items.iter().find(|item| item.reference == text));
        let named =
            target.and_then(|target| device_name(target.resource).or_else(|| words(target.resource.get("code")?)));
        named.or_else(|| reference.get_text("display").map(Cow::into_owned))
    };
    let title = node.get_text("title").map(Cow::into_owned);
    title.or_else(referred).or_else(|| device_name(node)).or_else(own).unwrap_or_else(|| "Not named".to_owned())
}

fn device_name(node: Node<'_>) -> Option<String> {
    let name = node.first("deviceName.name").and_then(Node::text).map(Cow::into_owned);
    let kind = || if node.get_text("resourceType")? == "Device" { words(node.get("type")?) } else { None };
    name.or_else(kind)
}

/// What else there is to know.
fn details(node: Node<'_>) -> String {
    let text = |path: &str| {
        let texts = node.all(path).into_iter().filter_map(Node::text);
        texts.collect::<Vec<_>>().join("; ")
    };
    match node.get_text("resourceType").as_deref() {
        Some("Observation") => observation(node),
        Some("DiagnosticReport") => text("conclusion"),
        Some("AllergyIntolerance") => {
            let risk = node.get_text("criticality").map(|it| format!("criticality: {it}"));
            let reactions = Some(all_words(node, "reaction.manifestation")).filter(|it| !it.is_empty());
            reactions.into_iter().chain(risk).collect::<Vec<_>>().join("; ")
        }
        Some("Condition") => words_of(node, ["severity", "bodySite"]),
        Some("Procedure") => words_of(node, ["bodySite", "outcome"]),
        Some("MedicationStatement") => text("dosage.text"),
        Some("MedicationRequest") => text("dosageInstruction.text"),
        Some("CarePlan") => text("description"),
        _ => String::new(),
    }
}

/// The words of the concepts at several elements, in a row.
fn words_of(node: Node<'_>, elements: [&str; 2]) -> String {
    let texts = elements.map(|element| all_words(node, element));
    texts.into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join("; ")
}

/// The value of an Observation, or why there is none, and those of its components.
fn observation(node: Node<'_>) -> String {
    let Some(observation) = Resource::of(node.fields()).ok().and_then(|it| Observation::of(&it)) else {
        return String::new();
    };
    let mut parts = Vec::new();
    let absent = |concept: Option<Concept<'_>>| concept.and_then(|it| it.words().map(str::to_owned));
    parts.extend(observation.value().and_then(|it| value(&it)).or_else(|| absent(observation.data_absent())));
    for component in observation.components() {
        let text = component.value.as_ref().and_then(value).or_else(|| absent(component.data_absent));
        if let (Some(name), Some(text)) = (component.code.words(), text) {
            parts.push(format!("{name}: {text}"));
        }
    }
    let meaning = observation.interpretation();
    parts.extend(meaning.iter().filter_map(|it| it.words().map(str::to_owned)));
    parts.join("; ")
}

/// A value as it was sent, with its unit.
fn value(value: &Value<'_>) -> Option<String> {
    let time = |text: Option<&str>| text.map(day).unwrap_or_default().to_owned();
    Some(match value {
        Value::Quantity(it) => quantity(it)?,
        Value::Concept(it) => it.words()?.to_owned(),
        Value::Text(it) => it.clone().into_owned(),
        Value::Boolean(it) => if *it { "yes" } else { "no" }.to_owned(),
        Value::Integer(it) => (*it).to_owned(),
        Value::Range(it) => {
            let end = |end: &Option<Quantity<'_>>| end.as_ref().and_then(quantity).unwrap_or_default();
            format!("{} – {}", end(&it.low), end(&it.high))
        }
        Value::Ratio(over, under) => format!("{} / {}", quantity(over)?, quantity(under)?),
        Value::Time(it) => it.clone().into_owned(),
        Value::Period(it) => format!("{} – {}", time(it.start.as_deref()), time(it.end.as_deref())),
        Value::Other => return None,
    })
}

fn quantity(quantity: &Quantity<'_>) -> Option<String> {
    let mut out = quantity.comparator.as_deref().unwrap_or_default().to_owned();
    out.push_str(quantity.value?);
    if let Some(unit) = quantity.unit_words() {
        let _ = write!(out, " {unit}");
    }
    Some(out)
}

/// The date of a date or time.
fn day(text: &str) -> &str {
    text.split_once('T').map_or(text, |(day, _)| day)
}

/// When it was, or began.
fn when(node: Node<'_>) -> Option<String> {
    let stems = ["onset", "performed", "occurrence", "effective", "timing"];
    let choice = stems.iter().find_map(|stem| Timing::of(node, stem));
    let period = |period: Node<'_>| {
        let part = |name| period.get_text(name).map(|text| day(&text).to_owned());
        match (part("start"), part("end")) {
            (Some(start), Some(end)) if start == end => Some(start),
            (None, None) => None,
            (start, end) => Some(format!("{} – {}", start.unwrap_or_default(), end.unwrap_or_default())),
        }
    };
    match choice {
        Some(Timing::At(text)) => Some(day(&text).to_owned()),
        Some(Timing::During(_)) => {
            let stem = stems.iter().find_map(|stem| node.get(&format!("{stem}Period")))?;
            period(stem)
        }
        _ => {
            let plain = ["authoredOn", "recordedDate", "recordedOn", "issued", "dateTime"];
            let text = plain.iter().find_map(|name| node.get_text(name));
            text.map(|text| day(&text).to_owned()).or_else(|| period(node.get("period")?))
        }
    }
}

/// Its state, as the code that FHIR has for it.
fn state(node: Node<'_>) -> String {
    let code = |element: &str| node.first(&format!("{element}.coding.code")).and_then(Node::text);
    let plain = node.get_text("status").or_else(|| code("clinicalStatus"));
    plain.map(Cow::into_owned).unwrap_or_default()
}
