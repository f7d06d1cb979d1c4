//! Asthma, chronic obstructive lung disease and chest infections.

use super::letters::Point;
use super::{Life, Plan, Reading};
use crate::clock::Day;
use crate::codes;
use crate::codes::conditions as dx;
use crate::codes::medicines as rx;
use crate::codes::tests_of as lab;
use crate::household::Profile;
use crate::names::Sex;
use crate::sources::{Role, Setting};

impl Life<'_> {
    pub(super) fn lungs(&mut self) {
        let age = self.age();
        let profile = self.who.profile;
        if profile == Profile::Lungs
            || profile == Profile::Typical && age >= 48 && self.body.smoked() && self.rng.chance(190)
        {
            self.obstructive();
        } else if profile == Profile::Mother || age >= 5 && profile == Profile::Typical && self.rng.chance(95) {
            self.asthma();
        }
    }

    fn asthma(&mut self) {
        let age = self.age();
        let from = if self.rng.chance(600) { self.rng.range(3, age.min(12)) } else { self.rng.range(3, age.min(50)) };
        let onset = self.at_age(from).working();
        let by = self.gp();
        let Some(problem) = self.problem(dx::ASTHMA, onset, by) else { return };
        self.repeat(&rx::SALBUTAMOL, onset, Some(problem), by);
        let preventer = if from < 12 { &rx::BECLOMETASONE_50 } else { &rx::BECLOMETASONE };
        let first = self.repeat(preventer, onset.plus(30), Some(problem), by);
        if from < 12 && age >= 13 {
            let change = self.who.birth.plus_years(12).max(onset.plus(60));
            self.stop(first, change);
            self.repeat(&rx::BECLOMETASONE, change, Some(problem), by);
        }
        if age >= 16 && self.rng.chance(200) {
            self.repeat(&rx::MONTELUKAST, onset.plus(700).max(self.who.birth.plus_years(15)), Some(problem), by);
        }
        let nurse = self.nurse();
        let mut day = self.since.max(onset.plus(200));
        let mut last = None;
        while day <= self.end {
            let at = self.working_hour(day);
            let visit = self.surgery_visit(at, codes::CHECK_UP, Some(dx::ASTHMA), nurse);
            if self.age_on(day) >= 6 {
                let (_, height) = self.size(at.day);
                let best = if self.age_on(day) < 16 {
                    (height - 80) * 5
                } else if self.who.sex == Sex::Male {
                    560
                } else {
                    430
                };
                let flow = (best + self.rng.around(25)) / 10 * 10;
                self.vital(at, Reading::Quantity(&lab::PEAK_FLOW, flow), visit, nurse);
            }
            last = Some(at.day);
            if self.rng.chance(180) {
                let flare = day.plus(self.rng.range(30, 200));
                self.flare(flare, problem);
            }
            day = day.plus(self.rng.range(345, 420));
        }
        if let Some(start) = last {
            self.plan(Plan {
                title: "Asthma action plan",
                summary: "What to do every day, when it gets worse, and in an attack.".to_owned(),
                start,
                review: start.plus_years(1),
                problems: vec![problem],
                goals: vec!["No night waking from asthma", "Blue inhaler no more than twice a week"],
                activities: vec![
                    "Take the preventer inhaler every day, with a spacer",
                    "Peak flow diary when the chest is tight",
                    "Ten puffs of the blue inhaler & call 999 in an attack that does not ease",
                ],
                by: nurse,
            });
        }
    }

    fn flare(&mut self, day: Day, problem: usize) {
        let by = self.gp();
        let at = self.working_hour(day);
        if self.surgery_visit(at, codes::CONSULTATION, Some(dx::ASTHMA), by).is_some() && self.age_on(day) >= 12 {
            self.acute(&rx::PREDNISOLONE, at.day, 5, Some(problem), by);
        }
    }

    fn obstructive(&mut self) {
        let age = self.age();
        let lungs = self.who.profile == Profile::Lungs;
        let years = if lungs { 5 } else { self.rng.range(0, (age - 46).clamp(0, 12)) };
        let onset = self.end.plus_years(-years).plus(-self.rng.range(40, 300)).working();
        self.body.smoke(lungs);
        let by = self.gp();
        let Some(problem) = self.problem(dx::COPD, onset, by) else { return };
        let nurse = self.nurse();
        let at = self.hour(onset);
        let visit = self.surgery_visit(at, codes::CONSULTATION, Some(dx::COPD), nurse);
        self.operation(codes::SPIROMETRY, onset, Some(dx::COPD), visit, nurse);
        let hospital = self.at(self.who.near_hospital(), Role::Physician);
        self.scan(codes::CHEST_XRAY, onset.plus(-10), None, hospital, "Large lungs with flat diaphragms. No mass.");
        self.repeat(&rx::SALBUTAMOL, onset, Some(problem), by);
        let first = self.repeat(&rx::TIOTROPIUM, onset.plus(5), Some(problem), by);
        if years >= 2 {
            let change = onset.plus(self.rng.range(300, 600));
            self.stop(first, change);
            self.repeat(&rx::UMECLIDINIUM, change, Some(problem), by);
            if self.rng.chance(400) {
                self.repeat(&rx::CARBOCISTEINE, change.plus(90), Some(problem), by);
            }
        }
        let mut volume = self.rng.range(150, 210);
        let mut day = onset;
        while day <= self.end {
            let at = self.working_hour(day);
            let visit = self.surgery_visit(at, codes::CHECK_UP, Some(dx::COPD), nurse);
            let blow = volume + self.rng.around(4);
            self.vital(at, Reading::Quantity(&lab::FEV1, blow), visit, nurse);
            let oxygen = 95 + self.rng.around(1);
            self.vital(at, Reading::Quantity(&lab::OXYGEN, oxygen), visit, nurse);
            volume = (volume - self.rng.range(3, 8)).max(60);
            for _ in 0..self.rng.range(0, 2) {
                let bad = day.plus(self.rng.range(20, 330));
                self.exacerbation(bad, problem);
            }
            day = day.plus(self.rng.range(345, 400));
        }
        if lungs {
            let bad = self.end.plus(-self.rng.range(150, 260));
            self.exacerbation_in_hospital(bad);
            let physio = self.someone(Setting::Community, Role::Physiotherapist);
            for week in 0..6 {
                let at = self.working_hour(bad.plus(40 + 7 * week));
                self.clinic(at, "Breathing exercise group", Some(dx::COPD), physio);
            }
        }
    }

    fn exacerbation(&mut self, day: Day, problem: usize) {
        let by = self.gp();
        let at = self.working_hour(day);
        let kind = if self.rng.chance(500) { codes::TELEPHONE } else { codes::CONSULTATION };
        if self.surgery_visit(at, kind, Some(dx::CHEST_INFECTION), by).is_some() {
            self.illness(dx::CHEST_INFECTION, at.day, 14, by);
            self.acute(&rx::PREDNISOLONE, at.day, 5, Some(problem), by);
            self.acute_or([&rx::AMOXICILLIN, &rx::DOXYCYCLINE], at.day, 5, Some(problem), by);
        }
    }

    fn exacerbation_in_hospital(&mut self, day: Day) {
        let by = self.someone(Setting::Hospital, Role::Respiratory);
        let start = day.at(15 * 60 + 50);
        let stay = self.stay(start, (3, 6), "21", "Respiratory ward", Some(dx::CHEST_INFECTION), by);
        self.illness(dx::CHEST_INFECTION, day, 16, by);
        let scores = [(&lab::OXYGEN, 86), (&lab::RESPIRATION, 26), (&lab::TEMPERATURE, 379), (&lab::NEWS2, 7)];
        for (measure, value) in scores {
            self.vital(start.plus(10), Reading::Quantity(measure, value), stay, by);
        }
        let count = self.blood_count(day, true);
        self.report(&lab::BLOOD_COUNT, start.plus(30), count, by);
        let crp = self.plain_value(&lab::CRP, 96, 30);
        self.report(&lab::INFLAMMATION, start.plus(30), vec![crp], by);
        let kidney = self.kidney_values(day);
        self.report(&lab::KIDNEY, start.plus(30), kidney, by);
        self.scan(codes::CHEST_XRAY, day, stay, by, "Lungs are large. No pneumonia, no collapse.");
        self.discharge(
            stay,
            by,
            "Flare-up of COPD",
            &[
                Point::Diagnosis("Infective exacerbation of COPD"),
                Point::Text(
                    "Came by ambulance to A&E, oxygen 86% in air. Chest X-ray: big lungs, no pneumonia. Treated with \
                         nebulisers, prednisolone & antibiotics; oxygen was weaned by day 3.",
                ),
                Point::Action("Rescue pack at home. Target oxygen 88% to 92% in any ambulance."),
                Point::Action("Stop-smoking service & breathing exercise group have been asked to phone."),
            ],
        );
        self.alert(("safety", "Safety"), "Oxygen alert card: target saturation 88% to 92%", day.plus(4), by);
    }
}
