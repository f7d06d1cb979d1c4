//! Depression, anxiety, severe mental illness and learning disability.

use super::letters::Point;
use super::{Booking, Fate, Life, Plan, Reading};
use crate::clock::Day;
use crate::codes::conditions as dx;
use crate::codes::medicines::{self as rx, Drug};
use crate::codes::tests_of as lab;
use crate::codes::{self, Code};
use crate::household::Profile;
use crate::names::Sex;
use crate::sources::{MENTAL_HEALTH, Role, Setting, TALKING_THERAPIES};

impl Life<'_> {
    pub(super) fn mind(&mut self) {
        let age = self.age();
        match self.who.profile {
            Profile::Bipolar => self.severe(dx::BIPOLAR),
            Profile::Carer => self.low_mood(),
            Profile::Typical if age >= 20 => {
                let low = if self.who.sex == Sex::Female { 170 } else { 105 };
                match self.rng.below(1_000) {
                    0..=5 => self.severe(dx::SCHIZOPHRENIA),
                    6..=13 => self.severe(dx::BIPOLAR),
                    14..=18 => self.learning_disability(),
                    n if n < 19 + low => self.low_mood(),
                    _ => {}
                }
            }
            _ => {}
        }
    }

    fn low_mood(&mut self) {
        let age = self.age();
        let anxious = self.rng.chance(350);
        let code = if anxious { dx::ANXIETY } else { dx::DEPRESSION };
        let years = if self.who.profile == Profile::Carer { 2 } else { self.rng.range(0, (age - 18).clamp(0, 20)) };
        let onset = self.end.plus_years(-years).plus(-self.rng.range(60, 300)).working();
        if self.age_on(onset) < 16 {
            return;
        }
        let by = self.gp();
        let Some(problem) = self.problem(code, onset, by) else { return };
        let at = self.hour(onset);
        let visit = self.surgery_visit(at, codes::CONSULTATION, Some(code), by);
        let score = self.rng.range(13, 21);
        self.vital(at, Reading::Quantity(&lab::PHQ9, score), visit, by);
        let drug: &'static Drug = match self.rng.below(4) {
            0 => &rx::CITALOPRAM,
            1 => &rx::FLUOXETINE,
            2 if age > 70 => &rx::MIRTAZAPINE,
            _ => &rx::SERTRALINE_50,
        };
        let course = self.repeat(drug, onset.plus(1), Some(problem), by);
        let better = onset.plus(self.rng.range(240, 900));
        if drug == &rx::SERTRALINE_50 && self.rng.chance(400) {
            self.stop(course, onset.plus(60));
            let more = self.repeat(&rx::SERTRALINE_100, onset.plus(60), Some(problem), by);
            self.stop(more, better);
        } else if self.rng.chance(700) {
            self.stop(course, better);
        }
        for (days, fall) in [(21, 3), (70, 7), (180, 10)] {
            let at = self.working_hour(onset.plus(days));
            let visit = self.surgery_visit(at, codes::TELEPHONE, Some(code), by);
            let score = (score - fall + self.rng.around(2)).clamp(0, 27);
            self.vital(at, Reading::Quantity(&lab::PHQ9, score), visit, by);
        }
        if self.who.profile == Profile::Carer || self.age_on(onset) < 78 && self.rng.chance(650) {
            let first = onset.plus(self.rng.range(35, 100));
            self.therapy(first, code, score);
        }
        if better < self.end && self.rng.chance(650) {
            self.record.problems[problem].ended = Some(better);
        }
    }

    /// A course of talking therapy with scores at every session.
    fn therapy(&mut self, first: Day, code: Code, score: i32) {
        let by = self.at(TALKING_THERAPIES, Role::Therapist);
        let service = "Talking therapy";
        let sessions = self.rng.range(6, 10);
        let (mut low, mut worry) = (score, score - 3 + self.rng.around(3));
        let mut last = first.at(600);
        for session in 0..sessions {
            let day = first.plus(7 * session).working();
            let at = self.hour(day);
            if self.rng.chance(80) {
                let made = day.plus(-7).at(960);
                let fate = if self.rng.chance(500) { Fate::Missed } else { Fate::Cancelled };
                self.book(Booking { at, minutes: 50, made, fate, service, reason: Some(code), by });
                continue;
            }
            let visit = self.clinic(at, service, Some(code), by);
            for (measure, value, most) in [(&lab::PHQ9, low, 27), (&lab::GAD7, worry, 21)] {
                self.vital(at, Reading::Quantity(measure, value.clamp(0, most)), visit, by);
            }
            low -= self.rng.range(0, 3);
            worry -= self.rng.range(0, 3);
            last = at;
        }
        if last.day <= self.end {
            let scores = format!("PHQ-9 went from {score} to {}.", low.max(1));
            self.document(last.plus(1_440), codes::CLINICAL_LETTER, "End of talking therapy", by, &[
                Point::Text("Thank you for referring this person, who has finished a course of guided self-help and \
                             cognitive behavioural therapy."),
                Point::Text(&scores),
                Point::Action("A staying-well plan was written together. A new referral can be made at any time, also by the person."),
            ]);
        }
    }

    fn severe(&mut self, code: Code) {
        let age = self.age();
        let demo = self.who.profile == Profile::Bipolar;
        let from = if demo { 31 } else { self.rng.range(19, age.min(34)) };
        let onset = self.at_age(from).working();
        let doctor = self.at(MENTAL_HEALTH, Role::Psychiatrist);
        let nurse = self.at(MENTAL_HEALTH, Role::MentalHealthNurse);
        let Some(problem) = self.problem(code, onset, doctor) else { return };
        // Lithium builds up with ACE inhibitors, angiotensin receptor blockers and diuretics.
        let builds_up = ["renin-angiotensin", "Indapamide", "Spironolactone", "Furosemide"];
        let lithium = code == dx::BIPOLAR && !self.record.courses.iter().any(|c| builds_up.contains(&c.drug.group()));
        self.repeat(if lithium { &rx::LITHIUM } else { &rx::OLANZAPINE }, onset.plus(6), Some(problem), doctor);
        self.body.heavier(22);
        let mut day = self.since.max(onset.plus(80));
        let mut last: Option<Day> = None;
        while day <= self.end {
            let at = self.working_hour(day);
            let by = if self.rng.chance(350) { doctor } else { nurse };
            let visit = self.clinic(at, "Community mental health team", Some(code), by);
            if by == doctor {
                last = Some(at.day);
                self.clinic_letter(at, visit, by, "Community mental health team", &[
                    Point::Diagnosis(code.term),
                    Point::Text("Mood is even, sleep is seven hours, no thoughts of self-harm. Goes to the allotment twice \
                                 a week and keeps in touch with family. Takes medicines as agreed."),
                    Point::Action("No change of medicine. Blood tests with the practice as shared care. Clinic in six months."),
                ]);
            }
            if lithium {
                let level = self.plain_value(&lab::LITHIUM_LEVEL, 66, 11);
                let sample = at.plus(-1_440 * 4);
                self.report(&lab::LITHIUM_TEST, sample, vec![level], by);
                let kidney = self.kidney_values(sample.day);
                self.report(&lab::KIDNEY, sample, kidney, by);
                let thyroid = self.thyroid_values(sample.day);
                self.report(&lab::THYROID, sample, thyroid, by);
            }
            day = day.plus(self.rng.range(100, 190));
        }
        self.physical_checks(code, problem);
        if let Some(start) = last {
            self.plan(Plan {
                title: "Care plan with the community mental health team",
                summary: "Written together. Says what keeps me well, what my early signs are, and whom to call."
                    .to_owned(),
                start,
                review: start.plus_years(1),
                problems: vec![problem],
                goals: vec!["Keep my part-time job", "Notice early signs: little sleep, racing ideas, spending"],
                activities: vec![
                    "See my key worker every month",
                    "Crisis line at any hour: 0113 496 0409",
                    "My sister may be told when I am unwell",
                ],
                by: nurse,
            });
        }
        if demo {
            let bad = self.end.plus_years(-4).plus(-self.rng.range(0, 90));
            let start = bad.at(22 * 60 + 15);
            let stay = self.stay(start, (15, 22), "21", "Mental health ward", Some(code), doctor);
            self.discharge(
                stay,
                doctor,
                "Manic episode",
                &[
                    Point::Diagnosis("Bipolar disorder, manic episode"),
                    Point::Text(
                        "Two weeks of little sleep and big plans after stopping lithium. Came in of his own will. \
                             Settled with olanzapine for four weeks & lithium again.",
                    ),
                    Point::Action("Visit by the home treatment team within 48 hours. Lithium level in one week."),
                ],
            );
            let by = doctor;
            self.acute(&rx::OLANZAPINE, bad, 60, Some(problem), by);
        }
        if self.alive() {
            self.book_due(day, "Community mental health team", Some(code), nurse);
        }
    }

    /// The yearly physical health check that people with severe mental illness or a learning disability are owed.
    fn physical_checks(&mut self, code: Code, problem: usize) {
        let onset = self.record.problems[problem].onset;
        let nurse = self.nurse();
        let mut day = self.since.max(onset.plus(300));
        while day <= self.end {
            let at = self.working_hour(day);
            let visit = self.surgery_visit(at, codes::CHECK_UP, Some(code), nurse);
            self.measured(at, visit, nurse);
            let lipids = self.lipid_values(at.day);
            self.report(&lab::LIPIDS, at.plus(-30), lipids, nurse);
            if self.body.diabetes.is_none() {
                let sugar = self.hba1c(at.day);
                self.report(&lab::HBA1C_TEST, at.plus(-30), vec![super::value(&lab::HBA1C, sugar)], nurse);
            }
            day = day.plus(self.rng.range(345, 410));
        }
    }

    fn learning_disability(&mut self) {
        let onset = self.who.birth.plus_years(4);
        let by = self.gp();
        let Some(problem) = self.problem(dx::LEARNING_DISABILITY, onset, by) else { return };
        self.physical_checks(dx::LEARNING_DISABILITY, problem);
        let text = "Please use easy words and pictures, and give a longer appointment";
        self.alert(("admin", "Administrative"), text, self.since, by);
        if self.rng.chance(250) {
            let problem = self.problem(dx::EPILEPSY, self.who.birth.plus_years(9), by);
            self.repeat(&rx::LEVETIRACETAM, self.who.birth.plus_years(16), problem, by);
        }
        let worker = self.someone(Setting::SocialCare, Role::SocialWorker);
        self.support_plan(
            worker,
            &[problem],
            "Care and support plan: living with support",
            vec!["Cook a meal for friends once a month", "Travel by bus to the day centre alone"],
            vec![
                "Support worker, ten hours a week",
                "Day centre on Tuesday and Thursday",
                "Health action plan after each yearly check",
            ],
        );
    }
}
