//! Rules that every life keeps, checked over a few hundred of them.

use super::{Record, live};
use crate::clock::Day;
use crate::codes::conditions as dx;
use crate::codes::medicines::{self as rx, Class};
use crate::codes::tests_of as lab;
use crate::codes::{self, Code};
use crate::identity::Identity;
use crate::life::Reading;
use crate::names::Sex;

const TODAY: Day = Day(20_780);

fn lives(count: u32) -> impl Iterator<Item = (Identity, Record)> {
    (0..count).map(|index| {
        let who = Identity::new(11, index, TODAY);
        let record = live(11, &who, TODAY);
        (who, record)
    })
}

fn onset(record: &Record, code: Code) -> Option<Day> {
    record.problems.iter().find(|p| p.code == code).map(|p| p.onset)
}

/// Results of an analyte in order of time.
fn results(record: &Record, analyte: &'static lab::Analyte) -> Vec<(Day, i32)> {
    let of = |r: &super::Report| {
        let value = r.values.iter().find(|v| v.analyte == analyte)?;
        Some((r.taken.day, value.value))
    };
    record.reports.iter().filter_map(of).collect()
}

#[test]
fn nothing_happens_before_birth_after_death_or_after_today() {
    for (who, record) in lives(600) {
        let last = who.last_day(TODAY);
        let mut days: Vec<(Day, &str)> = Vec::new();
        days.extend(record.problems.iter().flat_map(|p| [p.onset, p.ended.unwrap_or(p.onset)]).map(|d| (d, "problem")));
        days.extend(record.courses.iter().map(|c| (c.start, c.drug.name)));
        days.extend(
            record.reports.iter().flat_map(|r| [(r.taken.day, "sample"), (r.taken.plus(r.delay).day, "report")]),
        );
        days.extend(record.vitals.iter().map(|v| (v.at.day, "vital")));
        days.extend(
            record.visits.iter().flat_map(|v| [(v.start.day, "visit"), (v.start.plus(v.minutes).day, "visit")]),
        );
        days.extend(record.letters.iter().map(|l| (l.at.day, "letter")));
        days.extend(record.jabs.iter().map(|j| (j.day, "jab")));
        days.extend(record.allergies.iter().map(|a| (a.recorded, "allergy")));
        days.extend(record.operations.iter().map(|o| (o.day, o.code.term)));
        days.extend(record.plans.iter().map(|p| (p.start, "plan")));
        days.extend(record.alerts.iter().map(|a| (a.start, "alert")));
        days.extend(record.bookings.iter().map(|b| (b.made.day, "booking")));
        for (day, what) in days {
            assert!(day >= who.birth && day <= last, "{what} of {} on {}", who.index, day.words());
        }
        for booking in &record.bookings {
            assert!(booking.made < booking.at, "{} booked after it took place", booking.service);
            assert!(who.death.is_none() || booking.at.day <= last, "the dead have no appointments");
        }
        for course in &record.courses {
            assert!(course.end.is_none_or(|end| end >= course.start), "{} ends before it starts", course.drug.name);
        }
    }
}

#[test]
fn people_with_diabetes_have_hba1c_and_it_answers_to_treatment() {
    let (mut people, mut better) = (0, 0);
    for (_, record) in lives(900) {
        let Some(onset) = onset(&record, dx::TYPE_2_DIABETES) else { continue };
        let after: Vec<i32> = results(&record, &lab::HBA1C)
            .into_iter()
            .filter(|(day, _)| *day >= onset.plus(-5))
            .map(|(_, v)| v)
            .collect();
        assert!(!after.is_empty(), "diabetes without HbA1c");
        if after.len() >= 3 {
            people += 1;
            better += u32::from(after[0] > after[2]);
        }
    }
    assert!(people > 15, "only {people} people with diabetes");
    assert!(better * 10 >= people * 7, "HbA1c falls after treatment in {better} of {people}");
}

#[test]
fn blood_pressure_falls_once_treated() {
    let (mut people, mut better) = (0, 0);
    for (_, record) in lives(600) {
        let Some(onset) = onset(&record, dx::HYPERTENSION) else { continue };
        let (mut before, mut after) = (Vec::new(), Vec::new());
        for vital in &record.vitals {
            let Reading::Pressure(systolic, diastolic) = vital.reading else { continue };
            assert!(diastolic + 15 < systolic, "{systolic}/{diastolic}");
            if vital.at.day <= onset.plus(2) && vital.at.day > onset.plus(-60) {
                before.push(systolic);
            } else if vital.at.day > onset.plus(200) {
                after.push(systolic);
            }
        }
        if before.len() >= 2 && after.len() >= 2 {
            people += 1;
            let mean = |values: &[i32]| values.iter().sum::<i32>() / i32::try_from(values.len()).unwrap();
            better += u32::from(mean(&after) + 5 < mean(&before));
        }
    }
    assert!(people > 15, "only {people} people with two readings before and after");
    assert!(better * 10 >= people * 8, "{better} of {people}");
}

#[test]
fn kidney_disease_shows_in_egfr_and_egfr_fits_creatinine() {
    let mut seen = 0;
    for (_, record) in lives(900) {
        for report in &record.reports {
            let find = |analyte| report.values.iter().find(|v| v.analyte == analyte);
            if let (Some(creatinine), Some(egfr)) = (find(&lab::CREATININE), find(&lab::EGFR)) {
                assert!(egfr.value <= 90, "a laboratory reports no figure above 90");
                assert!(creatinine.value < 260 || egfr.value < 30);
                assert!(creatinine.value > 75 || egfr.value > 55, "{} {}", creatinine.value, egfr.value);
            }
        }
        let staged = [dx::CKD_3A, dx::CKD_3B].into_iter().filter_map(|code| onset(&record, code)).min();
        let Some(staged) = staged else { continue };
        let low: Vec<_> = results(&record, &lab::EGFR).into_iter().filter(|(day, _)| *day >= staged).collect();
        if low.len() >= 3 {
            seen += 1;
            assert!(low.iter().all(|(_, value)| *value < 66), "{low:?}");
        }
    }
    assert!(seen > 10);
}

#[test]
fn nobody_gets_what_an_allergy_an_age_or_a_pregnancy_rules_out() {
    for (who, record) in lives(900) {
        let allergic = |code: Code| record.allergies.iter().any(|a| a.substance == code);
        let pregnancies: Vec<(Day, Day)> = record
            .problems
            .iter()
            .filter(|p| p.code == dx::PREGNANT)
            .map(|p| (p.onset, p.ended.unwrap_or(TODAY)))
            .collect();
        for course in &record.courses {
            let age = course.start.age(who.birth);
            let name = course.drug.name;
            match course.drug.class {
                Class::Penicillin => assert!(!allergic(codes::PENICILLIN), "{name}"),
                Class::Trimethoprim => assert!(!allergic(codes::TRIMETHOPRIM), "{name}"),
                Class::AntiInflammatory => assert!(!allergic(codes::IBUPROFEN), "{name}"),
                Class::Statin => assert!(age >= 25, "{name} at {age}"),
                Class::NotInPregnancy => assert!(age >= 12, "{name} at {age}"),
                Class::Other => {}
            }
            if !matches!(course.drug.class, Class::Other | Class::Penicillin) {
                for (from, to) in &pregnancies {
                    let overlap = course.start < *to && course.end.is_none_or(|end| end > *from);
                    assert!(!overlap, "{name} in pregnancy, person {}", who.index);
                }
            }
        }
        for (at, course) in record.courses.iter().enumerate() {
            for other in &record.courses[at + 1..] {
                let together =
                    course.end.is_none_or(|end| end > other.start) && other.end.is_none_or(|end| end > course.start);
                let same = course.drug == other.drug && !course.acute && !other.acute;
                assert!(!(same && together), "{} twice at once, person {}", course.drug.name, who.index);
            }
        }
    }
}

#[test]
fn pregnancy_is_for_women_of_a_plausible_age_and_ends_with_their_child() {
    let mut count = 0;
    for (who, record) in lives(900) {
        for pregnancy in record.problems.iter().filter(|p| p.code == dx::PREGNANT) {
            count += 1;
            assert_eq!(who.sex, Sex::Female);
            let age = pregnancy.onset.age(who.birth);
            assert!((15..52).contains(&age), "pregnant at {age}");
            assert!(pregnancy.ended.is_none() || who.births.contains(&pregnancy.ended.unwrap()));
        }
    }
    assert!(count > 20, "only {count} pregnancies");
}

#[test]
fn men_and_women_have_the_organs_they_have() {
    for (who, record) in lives(900) {
        let man = who.sex == Sex::Male;
        for problem in &record.problems {
            let code = problem.code;
            assert!(!(man && [dx::PREGNANT, dx::BREAST_CANCER].contains(&code)), "{}", code.term);
            assert!(man || ![dx::PROSTATE_CANCER, dx::PROSTATE_ENLARGED].contains(&code), "{}", code.term);
        }
    }
}

#[test]
fn childhood_vaccinations_come_in_the_months_of_the_schedule() {
    let mut count = 0;
    for (who, record) in lives(600) {
        for jab in record.jabs.iter().filter(|j| j.vaccine == &crate::codes::vaccines::MMR) {
            count += 1;
            let months = (jab.day.0 - who.birth.0) * 10 / 304;
            assert!((12..=13).contains(&months), "MMR at {months} months");
        }
    }
    assert!(count > 40);
}

#[test]
fn those_with_a_long_term_medicine_have_a_condition_for_it() {
    let needs: [(&rx::Drug, &[Code]); 6] = [
        (&rx::METFORMIN, &[dx::TYPE_2_DIABETES]),
        (&rx::APIXABAN, &[dx::ATRIAL_FIBRILLATION]),
        (&rx::LITHIUM, &[dx::BIPOLAR]),
        (&rx::DONEPEZIL_10, &[dx::DEMENTIA]),
        (&rx::LEVOTHYROXINE_50, &[dx::HYPOTHYROIDISM]),
        (&rx::TIOTROPIUM, &[dx::COPD]),
    ];
    for (_, record) in lives(600) {
        for (drug, conditions) in needs {
            if record.courses.iter().any(|c| c.drug == drug) {
                assert!(conditions.iter().any(|code| onset(&record, *code).is_some()), "{}", drug.name);
            }
        }
        for course in &record.courses {
            if let Some(problem) = course.problem {
                assert!(record.problems[problem].onset <= course.start.plus(1), "{}", course.drug.name);
            }
        }
    }
}
