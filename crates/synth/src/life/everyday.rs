//! Allergies, passing illnesses, and common lasting conditions of a milder kind.

use super::{Allergy, Life};
use crate::clock::Day;
use crate::codes::conditions as dx;
use crate::codes::medicines::{self as rx, Drug};
use crate::codes::tests_of as lab;
use crate::codes::{self, Code};
use crate::household::Profile;
use crate::names::{Community, Sex};

impl Life<'_> {
    pub(super) fn allergies(&mut self) {
        let by = self.gp();
        let age = self.age();
        let (substance, reaction, category): (Code, _, _) = match self.rng.below(1_000) {
            0..=59 => (codes::PENICILLIN, Some((codes::RASH, "mild")), "medication"),
            60..=64 => (codes::PENICILLIN, Some((codes::ANAPHYLAXIS, "severe")), "medication"),
            65..=79 => (codes::TRIMETHOPRIM, Some((codes::RASH, "moderate")), "medication"),
            80..=91 => (codes::IBUPROFEN, Some((codes::WHEEZE, "moderate")), "medication"),
            92..=104 if age < 45 => (codes::PEANUT, Some((codes::ANAPHYLAXIS, "severe")), "food"),
            105..=111 if age < 12 => (codes::EGG, Some((codes::URTICARIA, "mild")), "food"),
            112..=117 => (codes::LATEX, Some((codes::URTICARIA, "moderate")), "environment"),
            118..=560 => (codes::NO_KNOWN_ALLERGY, None, "medication"),
            _ => return,
        };
        let from = self.rng.range(1, age.max(1));
        let recorded = self.at_age(from).min(self.end);
        self.record.allergies.push(Allergy { substance, reaction, recorded, by, category });
    }

    pub(super) fn everyday(&mut self) {
        self.milder_conditions();
        self.passing_illnesses();
    }

    fn milder_conditions(&mut self) {
        let age = self.age();
        if age < 18 || self.who.profile == Profile::Pregnant {
            return;
        }
        let woman = self.who.sex == Sex::Female;
        let list: [(u32, Code, i32, Option<&'static Drug>); 7] = [
            (140, dx::HAY_FEVER, 12, Some(&rx::CETIRIZINE)),
            (if woman { 110 } else { 50 }, dx::MIGRAINE, 16, Some(&rx::SUMATRIPTAN)),
            (130, dx::REFLUX, 30, Some(&rx::OMEPRAZOLE)),
            (70, dx::IRRITABLE_BOWEL, 18, None),
            (10, dx::EPILEPSY, 10, Some(&rx::LAMOTRIGINE)),
            (60, dx::INSOMNIA, 40, None),
            (90, dx::BACK_PAIN, 30, Some(&rx::AMITRIPTYLINE)),
        ];
        for (chance, code, earliest, drug) in list {
            if age <= earliest || self.has(code) || !self.rng.chance(chance) {
                continue;
            }
            let from = self.rng.range(earliest, age);
            let onset = self.at_age(from).working();
            let by = self.gp();
            let Some(problem) = self.problem(code, onset, by) else { continue };
            self.surgery_visit(onset.at(655), codes::CONSULTATION, Some(code), by);
            if let Some(drug) = drug {
                // A triptan does not go with heart disease or stroke.
                let narrow = self.has(dx::CORONARY_DISEASE) || self.has(dx::STROKE) || age > 66;
                if drug == &rx::SUMATRIPTAN && narrow {
                    continue;
                }
                self.repeat(drug, onset.plus(2), Some(problem), by);
                if code == dx::MIGRAINE && !self.has(dx::ASTHMA) && self.rng.chance(200) {
                    self.repeat(&rx::PROPRANOLOL, onset.plus(120), Some(problem), by);
                }
            }
        }
        self.iron_deficiency();
        let heritage = matches!(self.who.community, Community::African | Community::Caribbean);
        if heritage && self.rng.chance(110) {
            let by = self.gp();
            self.problem(dx::SICKLE_TRAIT, self.who.birth.plus(20), by);
        }
    }

    /// What changes the blood slowly and must be known before anything is measured.
    pub(super) fn slow_changes(&mut self) {
        let woman = self.who.sex == Sex::Female;
        let onset = self.end.plus(-self.rng.range(150, 1_900)).working();
        let spared = self.pregnant_on(onset) || self.age_on(onset) < 15 || self.who.profile == Profile::Pregnant;
        if woman && !spared && self.rng.chance(55) {
            self.body.iron_deficient = Some((onset, onset.plus(5)));
        }
    }

    fn iron_deficiency(&mut self) {
        let Some((onset, treated)) = self.body.iron_deficient else { return };
        let by = self.gp();
        let Some(problem) = self.illness(dx::IRON_DEFICIENCY, onset, 190, by) else { return };
        self.acute(&rx::FERROUS, treated, 180, Some(problem), by);
        for days in [-3, 28, 100, 185] {
            let at = self.working_hour(onset.plus(days));
            let values = self.blood_count(at.day, false);
            let comment = (days < 0).then_some("Small pale red cells: suggest iron deficiency.");
            self.report_with(&lab::BLOOD_COUNT, at, values, comment, by);
        }
    }

    fn passing_illnesses(&mut self) {
        if self.age() < 16 {
            return;
        }
        let gap = self.rng.range(330, 900);
        let mut day = self.since.max(self.who.birth.plus_years(16)).plus(self.rng.range(0, gap));
        while day <= self.end {
            self.passing_illness(day);
            day = day.plus(self.rng.range(gap / 2, gap * 3 / 2));
        }
    }

    fn passing_illness(&mut self, day: Day) {
        let by = self.gp();
        let at = self.working_hour(day);
        let kind = if self.rng.chance(420) { codes::TELEPHONE } else { codes::CONSULTATION };
        let woman = self.who.sex == Sex::Female;
        let pregnant = self.pregnant_on(day);
        match self.rng.below(10) {
            0..=2 if woman && !pregnant => {
                self.surgery_visit(at, kind, Some(dx::URINE_INFECTION), by);
                let problem = self.illness(dx::URINE_INFECTION, at.day, 5, by);
                let weak = self.body.kidney.is_some();
                let drugs = if weak {
                    [&rx::TRIMETHOPRIM_200, &rx::AMOXICILLIN]
                } else {
                    [&rx::NITROFURANTOIN, &rx::TRIMETHOPRIM_200]
                };
                self.acute_or(drugs, at.day, 3, problem, by);
            }
            3..=4 => {
                let visit = self.surgery_visit(at, codes::CONSULTATION, Some(dx::CHEST_INFECTION), by);
                let problem = self.illness(dx::CHEST_INFECTION, at.day, 12, by);
                let other = if pregnant { &rx::CLARITHROMYCIN } else { &rx::DOXYCYCLINE };
                self.acute_or([&rx::AMOXICILLIN, other], at.day, 5, problem, by);
                let heat = 374 + self.rng.around(4);
                self.vital(at, super::Reading::Quantity(&lab::TEMPERATURE, heat), visit, by);
            }
            5..=6 => {
                self.surgery_visit(at, kind, Some(dx::BACK_PAIN), by);
                if !self.has(dx::BACK_PAIN) {
                    let problem = self.illness(dx::BACK_PAIN, at.day, 40, by);
                    let thin = self.body.kidney.is_some()
                        || self.has(dx::CORONARY_DISEASE)
                        || self.has(dx::HEART_FAILURE)
                        || self.has(dx::ATRIAL_FIBRILLATION)
                        || self.has(dx::ASTHMA)
                        || self.has(dx::BIPOLAR)
                        || self.has(dx::STROKE)
                        || self.age_on(day) > 70;
                    let drug = if thin { &rx::PARACETAMOL } else { &rx::NAPROXEN };
                    self.acute_or([drug, &rx::PARACETAMOL], at.day, 14, problem, by);
                }
            }
            7 => {
                self.surgery_visit(at, kind, Some(dx::TONSILLITIS), by);
                let problem = self.illness(dx::TONSILLITIS, at.day, 8, by);
                self.acute_or([&rx::PENICILLIN_V, &rx::CLARITHROMYCIN], at.day, 5, problem, by);
            }
            8 if self.rng.chance(350) => {
                self.surgery_visit(at, codes::CONSULTATION, Some(dx::CELLULITIS), by);
                let problem = self.illness(dx::CELLULITIS, at.day, 10, by);
                let other = if pregnant { &rx::CLARITHROMYCIN } else { &rx::DOXYCYCLINE };
                self.acute_or([&rx::FLUCLOXACILLIN, other], at.day, 7, problem, by);
            }
            8 if (Day::new(2020, 3, 15)..Day::new(2024, 6, 1)).contains(&day) => {
                self.surgery_visit(at, codes::TELEPHONE, Some(dx::COVID), by);
                self.illness(dx::COVID, at.day, 14, by);
            }
            _ => {
                self.surgery_visit(at, kind, Some(dx::COLD), by);
                self.illness(dx::COLD, at.day, 8, by);
            }
        }
    }
}
