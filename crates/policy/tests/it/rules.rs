//! Attempts on the policy.

use keepwell_model::{Actor, Label, Labels, Purpose, RecordId};
use keepwell_policy::{Action, Facts, Obligation, Reason, Request, Target, permit};
use proptest::prelude::*;

use crate::matrix::{OTHER, OWN, PURPOSES, everybody, system, target};

#[test]
fn whatever_shows_a_persons_record_owes_an_access_line_and_whatever_changes_one_an_authored_block() {
    for (name, actor, record, facts) in everybody() {
        for action in Action::ALL {
            for (_, purpose) in PURPOSES {
                let asked = Request { actor: &actor, purpose, action, target: target(action, record), facts };
                let Ok(permit) = permit(asked) else { continue };
                let owed = match action {
                    Action::ReadRecord | Action::ReadAccessLines => Obligation::AccessLine,
                    Action::AddReading | Action::CreateRecord | Action::WriteFromSource | Action::WriteDirectory => {
                        Obligation::AuthoredBlock
                    }
                    _ => Obligation::Nothing,
                };
                assert_eq!(permit.obligation(), owed, "{name} {}", action.name());
                let shows = permit.filter().reaches(Labels::GENERAL, Some("gp"));
                if owed == Obligation::Nothing && shows {
                    assert!(matches!(asked.target, Target::Directory(_)), "{name} {}", action.name());
                }
            }
        }
    }
}

#[test]
fn a_permit_names_exactly_what_was_asked() {
    let actor = system("gp");
    let facts = Facts { source: Some("gp"), ..Facts::default() };
    let asked = Request {
        actor: &actor,
        purpose: Purpose::DirectCare,
        action: Action::WriteFromSource,
        target: Target::Person(OWN),
        facts,
    };
    let permit = permit(asked).unwrap();
    assert_eq!(permit.record(), Some(OWN));
    assert_eq!(permit.source(), Some("gp"));
    let author = permit.author();
    assert_eq!((author.actor, author.source.as_deref()), (actor, Some("gp")));
}

#[test]
fn a_system_cannot_write_under_another_name_or_without_one() {
    let actor = system("gp");
    for source in [Some("lab"), Some("GP"), Some(""), None] {
        for action in [Action::WriteFromSource, Action::WriteDirectory, Action::CreateRecord] {
            let asked = Request {
                actor: &actor,
                purpose: Purpose::DirectCare,
                action,
                target: target(action, OWN),
                facts: Facts { feeds: true, source, ..Facts::default() },
            };
            assert_eq!(permit(asked).unwrap_err().reason, Reason::NotTheirSource, "{source:?} {}", action.name());
        }
    }
}

#[test]
fn a_person_action_cannot_be_aimed_at_the_directory_nor_the_other_way_round() {
    let actor = system("gp");
    for (action, target) in [
        (Action::ReadRecord, Target::Directory(OWN)),
        (Action::WriteFromSource, Target::Directory(OWN)),
        (Action::WriteDirectory, Target::Person(OWN)),
        (Action::ReadDirectory, Target::Person(OWN)),
        (Action::MatchPerson, Target::Tenant),
    ] {
        let facts = Facts { feeds: true, source: Some("gp"), searches_people: true, exports: true };
        let asked = Request { actor: &actor, purpose: Purpose::DirectCare, action, target, facts };
        assert_eq!(permit(asked).unwrap_err().reason, Reason::WrongTarget, "{}", action.name());
    }
}

#[test]
fn an_entry_with_a_general_and_a_guarded_label_counts_as_guarded() {
    let actor = system("gp");
    let facts = Facts { feeds: true, ..Facts::default() };
    let target = Target::Person(OWN);
    let asked = Request { actor: &actor, purpose: Purpose::DirectCare, action: Action::ReadRecord, target, facts };
    let permit = permit(asked).unwrap();
    let both = Labels::of(&[Label::General, Label::MentalHealth]);
    assert!(!permit.filter().reaches(both, Some("elsewhere")));
    assert!(!permit.filter().reaches(both, None));
    assert!(permit.filter().reaches(both, Some("gp")));
}

proptest! {
    #[test]
    fn no_resident_ever_reaches_another_persons_record(own: [u8; 10], other: [u8; 10], action in 0..Action::ALL.len(), purpose in 0..4usize, feeds: bool) {
        prop_assume!(own != other);
        let actor = Actor::Resident { record: RecordId::from_bytes(own) };
        let asked = Request {
            actor: &actor,
            purpose: PURPOSES[purpose].1,
            action: Action::ALL[action],
            target: Target::Person(RecordId::from_bytes(other)),
            facts: Facts { feeds, source: Some("gp"), searches_people: feeds, exports: feeds },
        };
        prop_assert!(permit(asked).is_err());
    }
}

#[test]
fn facts_about_feeding_open_nothing_to_people() {
    for actor in [Actor::Resident { record: OTHER }, Actor::Keepwell, Actor::Operator] {
        let facts = Facts { feeds: true, source: Some("gp"), searches_people: true, exports: true };
        for (_, purpose) in PURPOSES {
            let target = Target::Person(OWN);
            assert!(permit(Request { actor: &actor, purpose, action: Action::ReadRecord, target, facts }).is_err());
        }
    }
}

#[test]
fn only_a_system_that_was_granted_it_searches_across_people_and_that_alone_opens_no_record() {
    let actor = system("gp");
    let (purpose, action) = (Purpose::DirectCare, Action::SearchPeople);
    let asked = |facts| permit(Request { actor: &actor, purpose, action, target: Target::Tenant, facts });
    assert_eq!(asked(Facts { feeds: true, ..Facts::default() }).unwrap_err().reason, Reason::NotGranted);
    let granted = Facts { searches_people: true, ..Facts::default() };
    assert!(!asked(granted).unwrap().filter().reaches(Labels::GENERAL, Some("gp")));
    let target = Target::Person(OWN);
    let read = Request { actor: &actor, purpose, action: Action::ReadRecord, target, facts: granted };
    assert_eq!(permit(read).unwrap_err().reason, Reason::NotFed);
}

#[test]
fn only_a_system_that_was_granted_it_exports_and_that_alone_opens_no_record() {
    let actor = system("gp");
    let (purpose, action) = (Purpose::DirectCare, Action::ExportRecords);
    let asked = |facts| permit(Request { actor: &actor, purpose, action, target: Target::Tenant, facts });
    let others = Facts { feeds: true, searches_people: true, ..Facts::default() };
    assert_eq!(asked(others).unwrap_err().reason, Reason::NotGranted);
    let granted = Facts { exports: true, ..Facts::default() };
    assert!(!asked(granted).unwrap().filter().reaches(Labels::GENERAL, Some("gp")));
    let target = Target::Person(OWN);
    let read = Request { actor: &actor, purpose, action: Action::ReadRecord, target, facts: granted };
    assert_eq!(permit(read).unwrap_err().reason, Reason::NotFed);
}
