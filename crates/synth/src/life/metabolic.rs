//! Diabetes, kidney disease, thyroid, gout: conditions that are followed by blood tests for years.

use super::letters::Point;
use super::{By, Life, Plan, Reading, value};
use crate::clock::Day;
use crate::codes::conditions as dx;
use crate::codes::medicines::{self as rx, Drug};
use crate::codes::tests_of as lab;
use crate::codes::{self, Code};
use crate::household::Profile;
use crate::sources::{Role, Setting};

impl Life<'_> {
    pub(super) fn metabolic(&mut self) {
        let profile = self.who.profile;
        let age = self.age();
        let early = if self.who.community.south_asian() { 10 } else { 0 };
        let type_2 = match age + early {
            ..40 => 4,
            40..55 => 60,
            55..70 => 130,
            _ => 170,
        };
        let type_2 = profile == Profile::Diabetes || profile == Profile::Typical && self.rng.chance(type_2);
        let type_1 = profile == Profile::TypeOne || profile == Profile::Typical && !type_2 && self.rng.chance(5);
        self.kidney_decline(type_2);
        self.hypertension(type_2);
        self.kidney_disease();
        if type_2 && age >= 30 {
            self.type_2_diabetes();
        } else if type_1 && age >= 6 {
            self.type_1_diabetes();
        }
        let woman = self.who.sex == crate::names::Sex::Female;
        let thyroid = if woman { 55 } else { 12 };
        if profile == Profile::Pregnant || age >= 28 && self.rng.chance(thyroid) {
            self.underactive_thyroid();
        }
        if profile == Profile::Kidney || !woman && age >= 45 && self.rng.chance(45) {
            self.gout();
        }
        if age >= 40 && !type_2 && self.body.adult_mass_index() > 290 && self.rng.chance(250) {
            let age = self.rng.range(40, age);
            let found = self.at_age(age);
            let by = self.gp();
            self.problem(dx::PREDIABETES, found, by);
        }
    }

    fn type_2_diabetes(&mut self) {
        let age = self.age();
        let years = if self.who.profile == Profile::Diabetes { 9 } else { self.rng.range(1, (age - 25).min(18)) };
        let onset = self.end.plus_years(-years).plus(-self.rng.range(0, 300)).working();
        let (start, rise) = (self.rng.range(54, 88), self.rng.range(14, 30));
        let start = if self.who.profile == Profile::Diabetes { 79 } else { start };
        self.body.diabetes = Some((onset, start, rise));
        self.body.heavier(30);
        if self.body.albumin < 30 && self.rng.chance(350) {
            self.body.albumin = self.rng.range(32, 160);
        }
        let by = self.gp();
        let Some(problem) = self.problem(dx::TYPE_2_DIABETES, onset, by) else { return };
        self.surgery_visit(onset.at(610), codes::CONSULTATION, Some(dx::TYPE_2_DIABETES), by);
        if self.body.adult_mass_index() >= 300 {
            self.problem(dx::OBESITY, onset, by);
        }
        let ladder: [&'static Drug; 4] = match self.rng.below(3) {
            0 => [&rx::METFORMIN, &rx::DAPAGLIFLOZIN, &rx::SITAGLIPTIN, &rx::GLARGINE],
            1 => [&rx::METFORMIN_MR, &rx::GLICLAZIDE, &rx::EMPAGLIFLOZIN, &rx::GLARGINE],
            _ => [&rx::METFORMIN, &rx::SITAGLIPTIN, &rx::DAPAGLIFLOZIN, &rx::GLARGINE],
        };
        self.repeat(ladder[0], onset, Some(problem), by);
        let statin = onset.plus(self.rng.range(30, 400));
        if self.age_on(statin) >= 40 {
            let problem = self.problem(dx::HYPERCHOLESTEROLAEMIA, statin, by);
            self.repeat(&rx::ATORVASTATIN_20, statin, problem, by);
        }
        self.treat_to_target(onset, problem, &ladder[1..]);
        self.diabetes_reviews(onset, problem, dx::TYPE_2_DIABETES);
        if years >= 6 && (self.who.profile == Profile::Diabetes || self.rng.chance(300)) {
            let found = self.end.plus_years(-self.rng.range(1, 4)).working();
            let eyes = self.at(self.who.near_hospital(), Role::Ophthalmologist);
            self.problem(dx::RETINOPATHY, found, eyes);
            let visit = self.clinic(found.at(600), "Eye clinic", Some(dx::RETINOPATHY), eyes);
            self.clinic_letter(
                found.at(600),
                visit,
                eyes,
                "Eye clinic",
                &[
                    Point::Diagnosis("Background diabetic retinopathy in both eyes (R1 M0)"),
                    Point::Text(
                        "Vision is 6/9 in each eye. There are a few microaneurysms in both eyes and no swelling at \
                             the centre of the retina. No laser treatment is needed.",
                    ),
                    Point::Action("Keep HbA1c and blood pressure at target. Eye screening again in 12 months."),
                ],
            );
        }
    }

    /// HbA1c every three to six months, and the next medicine when it stays above target.
    fn treat_to_target(&mut self, onset: Day, problem: usize, ladder: &[&'static Drug]) {
        let mut day = onset.plus(-3).working();
        let (mut next, mut last_change) = (0, onset);
        while day <= self.end {
            let by = self.gp();
            let at = self.working_hour(day);
            let result = self.hba1c(at.day);
            let comment = (result >= 48 && day < onset).then_some("In keeping with diabetes if confirmed.");
            self.report_with(&lab::HBA1C_TEST, at, vec![value(&lab::HBA1C, result)], comment, by);
            let settled = at.day.0 - last_change.0 > 170;
            // Insulin comes last and only for those far from target.
            let enough = if next + 1 == ladder.len() { result > 69 } else { result > 58 };
            if enough && settled && next < ladder.len() && self.rng.chance(700) {
                let start = at.day.plus(self.rng.range(4, 12)).working();
                self.surgery_visit(start.at(560), codes::TELEPHONE, Some(dx::TYPE_2_DIABETES), by);
                self.repeat(ladder[next], start, Some(problem), by);
                next += 1;
                last_change = start;
            }
            let gap = if result > 58 { self.rng.range(85, 120) } else { self.rng.range(165, 200) };
            day = day.plus(gap);
        }
    }

    /// The yearly review with its care processes.
    fn diabetes_reviews(&mut self, onset: Day, problem: usize, code: Code) {
        let nurse = self.nurse();
        let mut day = onset.plus(self.rng.range(330, 380));
        let mut last = None;
        while day <= self.end {
            let at = self.working_hour(day);
            let visit = self.surgery_visit(at, codes::CHECK_UP, Some(code), nurse);
            self.measure_pressure(at, visit, nurse);
            self.measure_size(at, self.age_on(day) < 18, visit, nurse);
            let sample = at.day.plus(-self.rng.range(6, 10)).working().at(545);
            let (kidney, lipids, urine) =
                (self.kidney_values(sample.day), self.lipid_values(sample.day), self.urine_value());
            let weak = kidney.iter().any(|v| v.analyte == &lab::EGFR && v.value < 30);
            if weak && sample.day <= self.end {
                self.stop_metformin(at.day);
            }
            self.report(&lab::KIDNEY, sample, kidney, nurse);
            self.report(&lab::LIPIDS, sample, lipids, nurse);
            self.report(&lab::URINE_ALBUMIN, sample, vec![urine], nurse);
            self.operation(codes::FOOT_CHECK, at.day, Some(code), visit, nurse);
            let eyes = self.at(self.who.near_hospital(), Role::Ophthalmologist);
            let screening = day.plus(self.rng.range(40, 120)).working();
            if screening <= self.end && self.age_on(screening) >= 12 {
                let visit = self.clinic(screening.at(870), "Diabetic eye screening", Some(code), eyes);
                self.operation(codes::EYE_SCREENING, screening, Some(code), visit, eyes);
            }
            last = Some(at.day);
            day = day.plus(self.rng.range(350, 395));
        }
        if let Some(start) = last {
            self.plan(Plan {
                title: "Diabetes care plan",
                summary: "Agreed at the yearly diabetes review.".to_owned(),
                start,
                review: start.plus_years(1),
                problems: vec![problem],
                goals: vec![
                    "HbA1c at or below 53 mmol/mol",
                    "Blood pressure below 140/90 at the surgery, below 135/85 at home",
                    "Walk for half an hour on five days a week",
                ],
                activities: vec![
                    "HbA1c blood test every six months",
                    "Eye screening once a year",
                    "Foot check once a year; look at the feet every day",
                    "Learn more on a diabetes course",
                ],
                by: nurse,
            });
        }
        if self.alive() {
            self.book_due(day, "Diabetes review", Some(code), nurse);
        }
    }

    /// Metformin is not for kidneys below an eGFR of 30.
    fn stop_metformin(&mut self, day: Day) {
        for at in 0..self.record.courses.len() {
            let course = &self.record.courses[at];
            if course.drug.group() == "Metformin" && course.end.is_none_or(|end| end > day) {
                self.stop(Some(at), day);
            }
        }
    }

    fn type_1_diabetes(&mut self) {
        let age = self.age();
        let started = self.rng.range(4, (age - 1).min(24));
        let onset = if self.who.profile == Profile::TypeOne { self.end.plus_years(-6) } else { self.at_age(started) };
        if onset > self.end {
            return;
        }
        self.body.diabetes = Some((onset, 112, 0));
        let child = self.age_on(onset) < 16;
        let role = if child { Role::Paediatrician } else { Role::Diabetologist };
        let by = self.someone(Setting::Hospital, role);
        let Some(problem) = self.problem(dx::TYPE_1_DIABETES, onset, by) else { return };
        let ward = if child { "Children's ward" } else { "Acute medical unit" };
        let stay = self.stay(onset.at(835), (2, 3), "21", ward, Some(dx::TYPE_1_DIABETES), by);
        self.discharge(
            stay,
            by,
            "New type 1 diabetes, insulin started",
            &[
                Point::Diagnosis("Type 1 diabetes, newly found"),
                Point::Text(
                    "Came in by A&E with two weeks of thirst, weight loss and tiredness. Blood glucose 27 mmol/L, \
                         ketones 2.8 mmol/L, not acidotic. Insulin was started & carbohydrate counting taught.",
                ),
                Point::Action(
                    "GP: please prescribe insulin, needles and test strips. The diabetes team will phone weekly.",
                ),
            ],
        );
        self.repeat(&rx::GLARGINE, onset.plus(1), Some(problem), by);
        self.repeat(&rx::ASPART, onset.plus(1), Some(problem), by);
        let mut day = onset.plus(90);
        while day <= self.end {
            let at = self.working_hour(day);
            let by = self.someone(
                Setting::Hospital,
                if self.age_on(day) < 17 { Role::Paediatrician } else { Role::Diabetologist },
            );
            let visit = self.clinic(at, "Diabetes clinic", Some(dx::TYPE_1_DIABETES), by);
            // Insulin does not reach its target in everybody: exams, growth and holidays show.
            let result = (self.hba1c(at.day) + self.rng.around(5)).max(46);
            self.report(&lab::HBA1C_TEST, at.plus(-20), vec![value(&lab::HBA1C, result)], by);
            self.measure_size(at, self.age_on(day) < 18, visit, by);
            self.measure_pressure(at, visit, by);
            if self.rng.chance(400) {
                self.clinic_letter(
                    at,
                    visit,
                    by,
                    "Diabetes clinic",
                    &[
                        Point::Diagnosis("Type 1 diabetes"),
                        Point::Measured("HbA1c today", result, "mmol/mol"),
                        Point::Text(
                            "Uses an insulin pen four times a day and a glucose sensor. No severe hypos since the \
                                 last visit. Injection sites are soft.",
                        ),
                        Point::Action("Small rise in the bedtime dose. Clinic again in three to four months."),
                    ],
                );
            }
            day = day.plus(self.rng.range(95, 140));
        }
        self.diabetes_reviews(onset, problem, dx::TYPE_1_DIABETES);
        if self.alive() {
            let by = self.someone(Setting::Hospital, role);
            self.book_due(day, "Diabetes clinic", Some(dx::TYPE_1_DIABETES), by);
        }
    }

    /// Whether the kidneys fail slowly, before anything is measured.
    pub(super) fn kidney_decline(&mut self, diabetic: bool) {
        let age = self.age();
        let chance = match age {
            ..50 => 5,
            50..65 => 25,
            65..75 => 80,
            _ => 190,
        } + if diabetic { 90 } else { 0 };
        let kidney = self.who.profile == Profile::Kidney;
        let spared = age < 40 || !matches!(self.who.profile, Profile::Typical | Profile::Frail);
        if !kidney && (spared || !self.rng.chance(chance)) {
            return;
        }
        let years = if kidney { 8 } else { self.rng.range(1, 9) };
        let onset = self.end.plus_years(-years).plus(-self.rng.range(0, 200)).working();
        let start = if kidney { 53 } else { self.rng.range(41, 58) };
        let fall = if kidney { 24 } else { self.rng.range(4, 22) };
        self.body.kidney = Some((onset, start, fall));
        self.body.albumin = if kidney { 240 } else { self.rng.range(15, 220) };
    }

    fn kidney_disease(&mut self) {
        let Some((onset, start, _)) = self.body.kidney else { return };
        let kidney = self.who.profile == Profile::Kidney;
        let by = self.gp();
        let stage = if start >= 45 { dx::CKD_3A } else { dx::CKD_3B };
        let Some(mut problem) = self.problem(stage, onset, by) else { return };
        if !self.has(dx::HYPERTENSION) || self.rng.chance(300) {
            self.repeat(&rx::RAMIPRIL_2, onset.plus(14), Some(problem), by);
        }
        let mut day = onset.plus(-95).working();
        let mut referred = false;
        let mut low = 0;
        while day <= self.end {
            let by = self.gp();
            let at = self.working_hour(day);
            let values = self.kidney_values(at.day);
            let egfr = values.last().filter(|v| v.analyte.code == lab::EGFR.code).map_or(90, |v| v.value);
            let comment = (egfr < 60 && at.day.0 - onset.0 < 200)
                .then_some("eGFR below 60: if lasting for three months, in keeping with chronic kidney disease.");
            self.report_with(&lab::KIDNEY, at, values, comment, by);
            if self.rng.chance(500) {
                let urine = self.urine_value();
                self.report(&lab::URINE_ALBUMIN, at, vec![urine], by);
                let count = self.blood_count(at.day, false);
                self.report(&lab::BLOOD_COUNT, at, count, by);
            }
            low = if egfr < 45 { low + 1 } else { 0 };
            if low >= 2 && self.record.problems[problem].code == dx::CKD_3A {
                self.record.problems[problem].ended = Some(at.day);
                problem = self.problem(dx::CKD_3B, at.day, by).unwrap_or(problem);
                self.surgery_visit(at.plus(2 * 1_440), codes::TELEPHONE, Some(dx::CKD_3B), by);
            }
            if !referred && (egfr < 32 || kidney && low >= 2) {
                referred = true;
                let first = at.day.plus(self.rng.range(40, 80)).working();
                self.kidney_clinic(first, egfr);
            }
            if egfr < 28 && self.record.problems[problem].code == dx::CKD_3B && low >= 3 {
                self.record.problems[problem].ended = Some(at.day);
                problem = self.problem(dx::CKD_4, at.day, by).unwrap_or(problem);
            }
            day = day.plus(if egfr < 45 { self.rng.range(110, 170) } else { self.rng.range(180, 330) });
        }
        if self.alive() {
            let nurse = self.nurse();
            self.book_due(day, "Blood test and blood pressure", Some(stage), nurse);
        }
    }

    fn kidney_clinic(&mut self, first: Day, egfr: i32) {
        let by = self.someone(Setting::Hospital, Role::Nephrologist);
        let mut day = first;
        let mut number = 0;
        while day <= self.end {
            let at = self.working_hour(day);
            let reason = Some(dx::CKD_3B);
            let visit = self.clinic(at, "Kidney clinic", reason, by);
            let (systolic, diastolic) = self.measure_pressure(at, visit, by);
            let pressure = format!("Blood pressure in clinic was {systolic}/{diastolic} mmHg.");
            self.clinic_letter(at, visit, by, "Kidney clinic", &[
                Point::Diagnosis("Chronic kidney disease, most likely from high blood pressure"),
                Point::Measured("Last eGFR", egfr - number, "mL/min/1.73m2"),
                Point::Text(&pressure),
                Point::Text("Ultrasound shows two kidneys of 9.5 cm with thin cortex & no obstruction. Kidney function \
                             falls slowly; dialysis is not in sight."),
                Point::Action("Please avoid ibuprofen and naproxen. Blood test every four months. We will see him or her again in a year."),
            ]);
            if number == 0 {
                let problem = self.problem_with(dx::CKD_3B);
                self.repeat(&rx::DAPAGLIFLOZIN, at.day.plus(9), problem, by);
            }
            number += 1;
            day = day.plus(self.rng.range(330, 400));
        }
        if self.alive() {
            self.book_due(day, "Kidney clinic", Some(dx::CKD_3B), by);
        }
    }

    fn underactive_thyroid(&mut self) {
        let age = self.age();
        let from = self.rng.range(18.min(age - 1), age - 1);
        let onset = self.at_age(from).working();
        let untreated = self.rng.range(95, 420);
        let right = onset.plus(self.rng.range(150, 330));
        self.body.thyroid = Some((onset, untreated, right));
        let by = self.gp();
        let Some(problem) = self.problem(dx::HYPOTHYROIDISM, onset, by) else { return };
        let first = self.repeat(&rx::LEVOTHYROXINE_50, onset.plus(4), Some(problem), by);
        if untreated > 200 {
            let change = onset.plus(95);
            self.stop(first, change);
            self.repeat(&rx::LEVOTHYROXINE_100, change, Some(problem), by);
        }
        let mut day = onset;
        while day <= self.end {
            let at = self.working_hour(day);
            let values = self.thyroid_values(at.day);
            self.report(&lab::THYROID, at, values, by);
            day = day.plus(if day < right { self.rng.range(75, 100) } else { self.rng.range(340, 400) });
        }
    }

    fn gout(&mut self) {
        let age = self.age();
        let from = self.rng.range(40, age);
        let onset = self.at_age(from);
        let by = self.gp();
        let Some(problem) = self.problem(dx::GOUT, onset, by) else { return };
        if self.body.kidney.is_none() {
            self.acute(&rx::NAPROXEN, onset, 7, Some(problem), by);
        }
        let first = self.repeat(&rx::ALLOPURINOL_100, onset.plus(35), Some(problem), by);
        if self.body.kidney.is_none() {
            self.stop(first, onset.plus(90));
            self.repeat(&rx::ALLOPURINOL_300, onset.plus(90), Some(problem), by);
        }
    }

    /// A review of repeat medicines by the pharmacist, once a year for those who have any.
    pub(super) fn medicine_reviews(&mut self) {
        if self.age() < 18 {
            return;
        }
        let by = self.someone(Setting::Gp, Role::Pharmacist);
        let first = self.record.courses.iter().filter(|c| !c.acute).map(|c| c.start).min();
        let Some(mut day) =
            first.map(|d| d.max(self.since).max(self.who.birth.plus_years(18)).plus(self.rng.range(200, 400)))
        else {
            return;
        };
        while day <= self.end {
            let at = self.working_hour(day);
            self.surgery_visit(at, codes::MEDICATION_REVIEW, None, by);
            day = day.plus(self.rng.range(360, 420));
        }
        if self.alive() && self.rng.chance(400) {
            self.book_ahead(12, 40, "Medicines review by telephone", None, by);
        }
    }

    /// Body measurements at a check.
    pub(super) fn measured(&mut self, at: crate::clock::Moment, visit: Option<usize>, by: By) {
        self.measure_pressure(at, visit, by);
        self.measure_size(at, true, visit, by);
        let pulse = 72 + self.rng.around(9);
        self.vital(at, Reading::Quantity(&lab::PULSE, pulse), visit, by);
    }
}
