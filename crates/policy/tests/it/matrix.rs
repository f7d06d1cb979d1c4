//! The golden matrix: whoever changes a rule sees here, in one place, for whom and for what.

use std::fmt::Write;

use keepwell_model::{Actor, Label, Labels, Purpose, RecordId};
use keepwell_policy::{Action, Facts, Request, Target, permit};

pub(crate) const OWN: RecordId = RecordId::from_bytes([1; 10]);
pub(crate) const OTHER: RecordId = RecordId::from_bytes([2; 10]);
const DIRECTORY: RecordId = RecordId::from_bytes([9; 10]);

const LABELS: [Label; 5] =
    [Label::General, Label::SexualHealth, Label::MentalHealth, Label::SocialCare, Label::Safeguarding];
pub(crate) const PURPOSES: [(char, Purpose); 4] =
    [('O', Purpose::OwnUse), ('D', Purpose::DirectCare), ('E', Purpose::Emergency), ('A', Purpose::Administration)];

pub(crate) fn system(client: &str) -> Actor {
    Actor::System { client: client.to_owned(), organisation: "Org".to_owned() }
}

pub(crate) fn everybody() -> Vec<(&'static str, Actor, RecordId, Facts<'static>)> {
    let nothing = Facts::default();
    let professional = Actor::Professional {
        id: "p".to_owned(),
        name: "P".to_owned(),
        role: "General practitioner".to_owned(),
        organisation: "Org".to_owned(),
    };
    let delegate = Actor::Delegate { record: OTHER, name: "D".to_owned() };
    let writes = |source| Facts { source: Some(source), ..nothing };
    vec![
        ("resident, own record", Actor::Resident { record: OWN }, OWN, nothing),
        ("resident, another's record", Actor::Resident { record: OWN }, OTHER, nothing),
        ("delegate", delegate, OWN, nothing),
        ("professional", professional, OWN, nothing),
        ("system, feeds the record", system("gp"), OWN, Facts { feeds: true, source: Some("gp"), ..nothing }),
        ("system, does not feed it", system("gp"), OWN, writes("gp")),
        ("system, as another source", system("gp"), OWN, Facts { feeds: true, source: Some("lab"), ..nothing }),
        ("system, granted to search", system("gp"), OWN, Facts { searches_people: true, ..nothing }),
        ("system, granted to export", system("gp"), OWN, Facts { exports: true, ..nothing }),
        ("keepwell", Actor::Keepwell, OWN, nothing),
        ("operator", Actor::Operator, OWN, nothing),
    ]
}

pub(crate) fn target(action: Action, record: RecordId) -> Target {
    match action {
        Action::ReadDirectory | Action::WriteDirectory => Target::Directory(DIRECTORY),
        Action::SearchPeople | Action::ExportRecords | Action::ManageClients => Target::Tenant,
        _ => Target::Person(record),
    }
}

/// One cell: the purposes for which it is permitted and reaches an entry with the label.
fn cell(actor: &Actor, record: RecordId, facts: Facts<'_>, action: Action, label: Label, source: &str) -> String {
    let allowed = |purpose| {
        let request = Request { actor, purpose, action, target: target(action, record), facts };
        permit(request).is_ok_and(|permit| permit.filter().reaches(Labels::of(&[label]), Some(source)))
    };
    let letters: String = PURPOSES.iter().filter(|(_, purpose)| allowed(*purpose)).map(|(letter, _)| *letter).collect();
    if letters.is_empty() { "-".to_owned() } else { letters }
}

/// The purposes for which the action is permitted at all.
fn permitted(actor: &Actor, record: RecordId, facts: Facts<'_>, action: Action) -> String {
    let allowed = |purpose| permit(Request { actor, purpose, action, target: target(action, record), facts }).is_ok();
    let letters: String = PURPOSES.iter().filter(|(_, purpose)| allowed(*purpose)).map(|(letter, _)| *letter).collect();
    if letters.is_empty() { "-".to_owned() } else { letters }
}

#[test]
fn the_whole_matrix_is_as_agreed() {
    let mut out = String::from(
        "Purposes: O own use, D direct care, E emergency, A administration; - denied.\n\
         \"permitted\": for which purposes at all. Then, for each label, for which purposes an entry with just that label\n\
         is within reach: sent by the source named gp / sent by any other source.\n\n",
    );
    let _ = write!(out, "{:27} {:18} {:9}", "actor", "action", "permitted");
    for label in ["general", "sexual", "mental", "social", "safeguard"] {
        let _ = write!(out, " {label:>9}");
    }
    for (name, actor, record, facts) in everybody() {
        out.push('\n');
        for action in Action::ALL {
            let _ = write!(out, "\n{name:27} {:18} {:9}", action.name(), permitted(&actor, record, facts, action));
            for label in LABELS {
                let own = cell(&actor, record, facts, action, label, "gp");
                let other = cell(&actor, record, facts, action, label, "elsewhere");
                let _ = write!(out, " {:>9}", format!("{own}/{other}"));
            }
        }
    }
    insta::assert_snapshot!(out);
}
