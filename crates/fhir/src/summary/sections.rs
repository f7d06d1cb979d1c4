//! The sections of a summary, and what of a record goes where.

use crate::date::Moment;
use crate::document::Item;
use crate::element::{Concept, Timing};
use crate::json::Node;
use crate::lastn::last_n;
use crate::observation::CATEGORY_SYSTEM;

/// How many entries a section has at most, the newest. A summary is to be read.
pub(super) const MAX_ENTRIES: usize = 100;
/// How many of each kind of measurement are there: the rest is in the record.
const NEWEST: usize = 1;

/// A section.
pub(super) struct Section {
    /// Its heading.
    pub(super) title: &'static str,
    /// Its LOINC code.
    pub(super) code: &'static str,
    /// LOINC's name for it.
    pub(super) display: &'static str,
    /// Whether it is there when it is empty: the sections that IPS requires or recommends.
    pub(super) always: bool,
    /// What an empty one says.
    pub(super) empty: &'static str,
    /// Whether a resource belongs to it.
    pub(super) takes: fn(&str, Node<'_>) -> bool,
    /// Whether only the newest of each code are wanted.
    pub(super) newest: bool,
}

macro_rules! section {
    ($title:literal, $code:literal, $display:literal, $always:literal, $what:literal, $takes:expr, $newest:literal) => {
        Section {
            title: $title,
            code: $code,
            display: $display,
            always: $always,
            empty: concat!(
                "This record holds no information about ",
                $what,
                ". That does not mean that there is none."
            ),
            takes: $takes,
            newest: $newest,
        }
    };
}

/// The sections in their order. IPS requires the first three and recommends the next four.
pub(super) const SECTIONS: [Section; 14] = [
    section!("Medicines", "10160-0", "History of Medication use Narrative", true, "medicines", medicines, false),
    section!(
        "Allergies and intolerances",
        "48765-2",
        "Allergies and adverse reactions Document",
        true,
        "allergies and intolerances",
        allergies,
        false
    ),
    section!("Problems", "11450-4", "Problem list - Reported", true, "current problems", problems, false),
    section!(
        "Immunisations",
        "11369-6",
        "History of Immunization Narrative",
        true,
        "immunisations",
        |kind, it| kind == "Immunization" && status(it, &["completed"]),
        false
    ),
    section!(
        "Procedures",
        "47519-4",
        "History of Procedures Document",
        true,
        "procedures",
        |kind, it| kind == "Procedure" && !status(it, &["entered-in-error", "not-done", "preparation"]),
        false
    ),
    section!("Medical devices", "46264-8", "History of medical device use", true, "medical devices", devices, false),
    section!(
        "Results",
        "30954-2",
        "Relevant diagnostic tests/laboratory data Narrative",
        true,
        "test results",
        results,
        true
    ),
    section!(
        "Vital signs",
        "8716-3",
        "Vital signs",
        false,
        "vital signs",
        |kind, it| measured(kind, it) && category(it, &["vital-signs"]) && !pregnancy(it),
        true
    ),
    section!("Past problems", "11348-0", "History of Past illness Narrative", false, "past problems", past, false),
    section!(
        "Pregnancy",
        "10162-6",
        "History of pregnancies Narrative",
        false,
        "pregnancies",
        |kind, it| measured(kind, it) && pregnancy(it),
        true
    ),
    section!(
        "Social history",
        "29762-2",
        "Social history Narrative",
        false,
        "social history",
        |kind, it| measured(kind, it) && category(it, &["social-history"]) && !pregnancy(it),
        true
    ),
    section!(
        "Plan of care",
        "18776-5",
        "Plan of care note",
        false,
        "plans of care",
        |kind, it| kind == "CarePlan" && status(it, &["active", "on-hold"]),
        false
    ),
    section!(
        "Advance directives",
        "42348-3",
        "Advance healthcare directives",
        false,
        "advance directives",
        |kind, it| {
            let scope = it.get("scope").map(Concept::of).unwrap_or_default();
            kind == "Consent"
                && status(it, &["active"])
                && scope.is("http://terminology.hl7.org/CodeSystem/consentscope", "adr")
        },
        false
    ),
    section!(
        "Alerts",
        "104605-1",
        "Alert",
        false,
        "alerts",
        |kind, it| kind == "Flag" && status(it, &["active"]),
        false
    ),
];

/// What was chosen for a section, the newest first.
pub(super) struct Chosen<'a> {
    pub(super) items: Vec<Item<'a>>,
    /// How many more there are in the record.
    pub(super) more: usize,
}

/// For each of [`SECTIONS`] what of the record goes there.
pub(super) fn choose<'a>(items: &[Item<'a>]) -> Vec<Chosen<'a>> {
    SECTIONS.iter().map(|section| choose_for(section, items)).collect()
}

fn choose_for<'a>(section: &Section, items: &[Item<'a>]) -> Chosen<'a> {
    let belongs = |item: &&Item<'a>| {
        let kind = item.resource.get_text("resourceType");
        kind.is_some_and(|kind| (section.takes)(&kind, item.resource))
    };
    let mut found: Vec<Item<'a>> = items.iter().filter(belongs).copied().collect();
    if section.newest {
        let nodes: Vec<Node<'a>> = found.iter().map(|item| item.resource).collect();
        let newest = last_n(&nodes, NEWEST);
        found = newest.into_iter().filter_map(|at| found.get(at).copied()).collect();
    } else {
        // Stable: what is equally old stays in the caller's order.
        found.sort_by_key(|item| std::cmp::Reverse(moment(item.resource)));
    }
    let more = found.len().saturating_sub(MAX_ENTRIES);
    found.truncate(MAX_ENTRIES);
    Chosen { items: found, more }
}

/// When it was, or began.
fn moment(node: Node<'_>) -> Option<i64> {
    let choice = ["onset", "performed", "occurrence", "effective", "timing"]
        .iter()
        .find_map(|stem| Timing::of(node, stem)?.moment());
    let plain = || {
        let paths = ["authoredOn", "recordedDate", "recordedOn", "dateAsserted", "period.start", "dateTime"];
        paths.iter().find_map(|path| Moment::parse(&node.first(path)?.text()?))
    };
    choice.or_else(plain).map(|it| it.earliest().micros())
}

/// Whether `status` is one of those.
fn status(node: Node<'_>, codes: &[&str]) -> bool {
    node.get_text("status").is_some_and(|status| codes.contains(&&*status))
}

/// Whether a status that is a CodeableConcept (`clinicalStatus`, `verificationStatus`) has one of those codes.
fn coded(node: Node<'_>, element: &str, codes: &[&str]) -> bool {
    let concept = node.get(element).map(Concept::of).unwrap_or_default();
    concept.codings.iter().any(|coding| coding.code.as_deref().is_some_and(|code| codes.contains(&code)))
}

/// Neither an error nor something that turned out not to be.
fn holds(node: Node<'_>) -> bool {
    !coded(node, "verificationStatus", &["entered-in-error", "refuted"])
}

fn medicines(kind: &str, node: Node<'_>) -> bool {
    match kind {
        "MedicationStatement" => status(node, &["active", "intended", "on-hold", "unknown"]),
        "MedicationRequest" => status(node, &["active", "on-hold", "unknown"]),
        _ => false,
    }
}

fn allergies(kind: &str, node: Node<'_>) -> bool {
    kind == "AllergyIntolerance" && holds(node) && !coded(node, "clinicalStatus", &["inactive", "resolved"])
}

const OVER: [&str; 3] = ["inactive", "remission", "resolved"];

fn problems(kind: &str, node: Node<'_>) -> bool {
    kind == "Condition" && holds(node) && !coded(node, "clinicalStatus", &OVER)
}

fn past(kind: &str, node: Node<'_>) -> bool {
    kind == "Condition" && holds(node) && coded(node, "clinicalStatus", &OVER)
}

/// A Device that is recorded for a person without a statement about its use counts as well: an implant must not be lost.
fn devices(kind: &str, node: Node<'_>) -> bool {
    match kind {
        "DeviceUseStatement" => status(node, &["active", "intended", "on-hold"]),
        "Device" => node.get("patient").is_some() && !status(node, &["entered-in-error", "inactive"]),
        _ => false,
    }
}

/// An Observation with a result.
fn measured(kind: &str, node: Node<'_>) -> bool {
    kind == "Observation" && !status(node, &["entered-in-error", "cancelled", "registered"])
}

fn results(kind: &str, node: Node<'_>) -> bool {
    let report = kind == "DiagnosticReport" && !status(node, &["entered-in-error", "cancelled", "registered"]);
    // Not every sender says a category. What nobody sorted is shown here rather than lost.
    let sorted = node.get("category").is_some();
    let result = !sorted || category(node, &["laboratory", "imaging", "procedure", "exam"]);
    report || measured(kind, node) && result && !pregnancy(node)
}

fn category(node: Node<'_>, codes: &[&str]) -> bool {
    let categories = node.all("category").into_iter().map(Concept::of);
    categories.into_iter().any(|category| category.code(CATEGORY_SYSTEM).is_some_and(|code| codes.contains(&code)))
}

/// Pregnancy status, expected date of delivery and outcomes, as IPS lists their LOINC codes.
fn pregnancy(node: Node<'_>) -> bool {
    const CODES: [&str; 13] = [
        "82810-3", "11778-8", "11779-6", "11780-4", "11636-8", "11637-6", "11638-4", "11639-2", "11640-0", "11612-9",
        "11613-7", "11614-5", "33065-4",
    ];
    let code = node.get("code").map(Concept::of).unwrap_or_default();
    code.code("http://loinc.org").is_some_and(|code| CODES.contains(&code))
}
