//! What is offered to everybody of an age: winter vaccinations, health checks, questions on tobacco and alcohol, reviews of
//! medicines; and appointments that were not kept.

use super::letters::Point;
use super::{Booking, Fate, Life, Reading};
use crate::clock::Day;
use crate::codes;
use crate::codes::conditions as dx;
use crate::codes::tests_of as lab;
use crate::codes::vaccines as vax;
use crate::names::Sex;

impl Life<'_> {
    pub(super) fn checks(&mut self) {
        self.winter_vaccinations();
        self.shingles();
        self.health_checks();
        self.habits();
        self.medicine_reviews();
        self.appointments();
        self.referral();
    }

    /// Whether a lasting illness makes influenza and COVID-19 more dangerous.
    fn at_risk(&self) -> bool {
        [
            dx::TYPE_2_DIABETES,
            dx::TYPE_1_DIABETES,
            dx::CKD_3A,
            dx::CKD_3B,
            dx::CKD_4,
            dx::COPD,
            dx::ASTHMA,
            dx::CORONARY_DISEASE,
            dx::HEART_FAILURE,
            dx::STROKE,
            dx::DEMENTIA,
            dx::LEARNING_DISABILITY,
        ]
        .into_iter()
        .any(|code| self.has(code))
    }

    fn winter_vaccinations(&mut self) {
        let risk = self.at_risk();
        let willing = self.rng.chance(820);
        if !willing {
            return;
        }
        let (first, last) = (self.since.year(), self.end.year());
        let mut dose = 0;
        for year in first..=last {
            let day = Day::new(year, 9, 22).plus(self.rng.range(0, 75)).working();
            let age = self.age_on(day);
            if day < self.since || !(age >= 65 || age >= 18 && risk || self.pregnant_on(day)) || self.rng.chance(120) {
                continue;
            }
            self.jab(&vax::FLU, day, 1);
            if year >= 2024 && age >= 75 {
                dose += 1;
                self.jab(&vax::COVID, day.plus(7), 2 + dose);
            }
        }
        let age_2021 = self.age_on(Day::new(2021, 3, 1));
        if age_2021 >= 18 {
            let start = Day::new(2021, 6, 20).plus(-(age_2021 - 18) * 2 - self.rng.range(0, 14));
            let start = start.max(Day::new(2021, 1, 11));
            self.jab(&vax::COVID_FIRST, start, 1);
            self.jab(&vax::COVID_SECOND, start.plus(77), 2);
        }
    }

    fn shingles(&mut self) {
        let day = self.who.birth.plus_years(70).plus(self.rng.range(20, 300)).working();
        if day >= Day::new(2021, 9, 1) && day <= self.end && self.rng.chance(620) {
            self.jab(&vax::SHINGLES, day, 1);
            self.jab(&vax::SHINGLES, day.plus(200).working(), 2);
        }
    }

    /// The NHS Health Check, every five years from 40 to 74 for those without a known heart or kidney illness.
    fn health_checks(&mut self) {
        let nurse = self.nurse();
        let known = self.at_risk() || self.has(dx::HYPERTENSION);
        let mut age = 40 + self.rng.range(0, 4);
        while age <= self.age().min(74) {
            let day = self.at_age(age).working();
            age += 5;
            if known || self.rng.chance(450) {
                continue;
            }
            let at = self.hour(day);
            let visit = self.surgery_visit(at, codes::CHECK_UP, None, nurse);
            if visit.is_none() {
                continue;
            }
            self.measured(at, visit, nurse);
            let lipids = self.lipid_values(at.day);
            self.report(&lab::LIPIDS, at.plus(10), lipids, nurse);
            let sugar = self.hba1c(at.day);
            self.report(&lab::HBA1C_TEST, at.plus(10), vec![super::value(&lab::HBA1C, sugar)], nurse);
        }
        // Blood tests for tiredness and the like.
        if self.age() >= 18 {
            for _ in 0..self.rng.range(0, 3) {
                let day = self.end.plus(-self.rng.range(10, 3_800));
                let at = self.working_hour(day);
                if self.age_on(at.day) < 16 {
                    continue;
                }
                let by = self.gp();
                let count = self.blood_count(at.day, false);
                self.report(&lab::BLOOD_COUNT, at, count, by);
                let liver = self.liver_values();
                self.report(&lab::LIVER, at, liver, by);
                let thyroid = self.thyroid_values(at.day);
                self.report(&lab::THYROID, at, thyroid, by);
                if self.body.kidney.is_none() {
                    let kidney = self.kidney_values(at.day);
                    self.report(&lab::KIDNEY, at, kidney, by);
                }
            }
        }
    }

    fn habits(&mut self) {
        if self.age() < 16 {
            return;
        }
        let nurse = self.nurse();
        let mut day = self.since.max(self.who.birth.plus_years(16)).plus(self.rng.range(100, 900));
        let units = if self.rng.chance(250) { 0 } else { self.rng.range(1, 22) };
        while day <= self.end {
            let at = self.working_hour(day);
            let young = self.age_on(day) < 18;
            let answer = if young { lab::NEVER_SMOKED } else { self.body.smoking };
            self.vital(at, Reading::Answer(lab::SMOKING_STATUS, answer), None, nurse);
            if self.rng.chance(700) {
                self.measure_pressure(at, None, nurse);
                self.measure_size(at, true, None, nurse);
            }
            let drinks = if young || self.pregnant_on(day) { 0 } else { (units + self.rng.around(2)).max(0) };
            self.vital(at, Reading::Quantity(&lab::ALCOHOL, drinks), None, nurse);
            day = day.plus(self.rng.range(500, 1_500));
        }
    }

    fn appointments(&mut self) {
        let by = self.gp();
        for _ in 0..self.rng.range(0, 2) {
            let day = self.end.plus(-self.rng.range(10, 1_500));
            let at = self.working_hour(day);
            let made = at.day.plus(-self.rng.range(2, 15)).at(8 * 60 + 6);
            let fate = if self.rng.chance(500) { Fate::Missed } else { Fate::Cancelled };
            self.book(Booking { at, minutes: 10, made, fate, service: "GP appointment", reason: None, by });
        }
        if self.alive() && self.rng.chance(220) {
            self.book_ahead(2, 18, "GP appointment", None, by);
        }
        let screening = self.who.sex == Sex::Female && (25..65).contains(&self.age());
        if screening && self.alive() && self.rng.chance(80) {
            let nurse = self.nurse();
            self.book_ahead(5, 40, "Cervical screening", None, nurse);
        }
    }

    /// A letter from the practice to the hospital for the latest clinic it led to.
    fn referral(&mut self) {
        let lasting = |p: &&super::Problem| p.lasting && p.ended.is_none() && p.onset >= self.since;
        let Some(code) = self.record.problems.iter().filter(lasting).map(|p| p.code).next_back() else { return };
        let clinic = |v: &&super::Visit| v.reason == Some(code) && v.way == super::Way::Clinic;
        let seen = self.record.visits.iter().filter(clinic).min_by_key(|v| v.start);
        let Some(seen) = seen.map(|v| v.start.day) else { return };
        let by = self.gp();
        let at = self.working_hour(seen.plus(-45));
        let reason = format!("Reason: {}.", code.term);
        self.document(
            at,
            codes::CLINICAL_LETTER,
            "Referral letter",
            by,
            &[
                Point::Text("Thank you for seeing this patient of ours."),
                Point::Text(&reason),
                Point::Text(
                    "Medicines & recent results are in the shared record. The patient agrees with this referral.",
                ),
            ],
        );
    }
}
