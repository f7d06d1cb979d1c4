//! Joints, eyes, cancers, injuries and admissions.

use super::letters::Point;
use super::{Life, Reading, Visit, Way};
use crate::clock::Day;
use crate::codes::conditions as dx;
use crate::codes::medicines as rx;
use crate::codes::tests_of as lab;
use crate::codes::{self, Code};
use crate::household::Profile;
use crate::names::Sex;
use crate::sources::{HOSPITAL, Role, Setting};

impl Life<'_> {
    pub(super) fn surgery(&mut self) {
        let age = self.age();
        let profile = self.who.profile;
        let typical = profile == Profile::Typical;
        let man = self.who.sex == Sex::Male;
        if matches!(profile, Profile::Carer | Profile::Frail) || typical && age >= 50 && self.rng.chance(230) {
            self.arthritis();
        }
        if age >= 70 && self.rng.chance(260) {
            self.cataract();
        }
        if typical && !man && age >= 45 && self.rng.chance(35) {
            self.breast_cancer();
        }
        if man && age >= 55 && profile != Profile::Lungs && self.rng.chance(160) {
            self.prostate();
        }
        if typical && age >= 8 && self.rng.chance(25) {
            self.appendix();
        }
        if typical && age >= 60 && self.rng.chance(70) {
            let day = self.end.plus(-self.rng.range(40, 2_500));
            self.pneumonia(day);
        }
        if age >= 16 {
            for _ in 0..self.rng.range(0, 2) {
                let day = self.end.plus(-self.rng.range(5, 4_000));
                self.minor_injury(day);
            }
        }
    }

    fn arthritis(&mut self) {
        let age = self.age();
        let knee = self.rng.chance(600);
        let (code, operation) =
            if knee { (dx::KNEE_ARTHRITIS, codes::KNEE_OPERATION) } else { (dx::HIP_ARTHRITIS, codes::HIP_OPERATION) };
        let from = self.rng.range(48, age - 1);
        let onset = self.at_age(from).working();
        let by = self.gp();
        let Some(problem) = self.problem(code, onset, by) else { return };
        self.repeat(&rx::PARACETAMOL, onset, Some(problem), by);
        let bleeds = self.has(dx::CORONARY_DISEASE) || self.has(dx::ATRIAL_FIBRILLATION) || self.has(dx::HEART_FAILURE);
        if self.body.kidney.is_none() && !bleeds && age < 75 {
            self.acute(&rx::NAPROXEN, onset.plus(20), 14, Some(problem), by);
        }
        let physio = self.someone(Setting::Community, Role::Physiotherapist);
        for week in [3, 5, 8] {
            let at = self.working_hour(onset.plus(week * 7));
            self.clinic(at, "Physiotherapy", Some(code), physio);
        }
        let day = onset.plus(self.rng.range(900, 2_600)).working();
        let unfit = self.who.profile == Profile::Frail || self.has(dx::HEART_FAILURE);
        if unfit || !self.rng.chance(350) || day.plus(60) > self.end || self.age_on(day) > 86 {
            return;
        }
        let surgeon = self.at(self.who.near_hospital(), Role::Surgeon);
        let stay = self.stay(day.at(7 * 60 + 30), (1, 3), "11", "Orthopaedic ward", Some(code), surgeon);
        self.operation(operation, day, Some(code), stay, surgeon);
        let title = if knee { "Knee replacement" } else { "Hip replacement" };
        self.discharge(
            stay,
            surgeon,
            title,
            &[
                Point::Diagnosis(code.term),
                Point::Text(
                    "Planned operation under spinal anaesthetic, no complications. Walked ten metres with a frame on \
                         the first day & climbed stairs before going home.",
                ),
                Point::Action("Clips out on day 12 by the practice nurse. Blood thinner injections for 14 days."),
                Point::Action("Physiotherapy is booked. Clinic in six weeks."),
            ],
        );
        self.acute(&rx::CODEINE, day.plus(2), 14, Some(problem), surgeon);
        self.acute(&rx::SENNA, day.plus(2), 21, Some(problem), surgeon);
        let at = self.working_hour(day.plus(44));
        let visit = self.clinic(at, "Orthopaedic clinic", Some(code), surgeon);
        self.clinic_letter(
            at,
            visit,
            surgeon,
            "Orthopaedic clinic",
            &[
                Point::Diagnosis(title),
                Point::Text("Walks with one stick, wound healed, X-ray as it should be. Very pleased."),
                Point::Action("May drive again. No further clinic unless there are problems."),
            ],
        );
    }

    fn cataract(&mut self) {
        let age = self.age();
        let from = self.rng.range(66, age);
        let onset = self.at_age(from).working();
        let by = self.at(self.who.near_hospital(), Role::Ophthalmologist);
        let Some(problem) = self.problem(dx::CATARACT, onset, by) else { return };
        let at = self.hour(onset);
        let visit = self.clinic(at, "Eye clinic", Some(dx::CATARACT), by);
        self.clinic_letter(at, visit, by, "Eye clinic", &[
            Point::Diagnosis("Cataract of the right eye"),
            Point::Text("Vision right 6/24, left 6/9. Glare at night. The risks & gains of an operation were talked through."),
            Point::Action("Listed for right cataract surgery as a day case."),
        ]);
        let day = onset.plus(self.rng.range(60, 200)).working();
        let at = self.hour(day);
        let visit = self.clinic(at, "Eye day surgery", Some(dx::CATARACT), by);
        self.operation(codes::CATARACT_OPERATION, day, Some(dx::CATARACT), visit, by);
        if day <= self.end {
            self.record.problems[problem].ended = Some(day);
        }
    }

    fn breast_cancer(&mut self) {
        let age = self.age();
        let years = self.rng.range(0, (age - 44).clamp(0, 9));
        let onset = self.end.plus_years(-years).plus(-self.rng.range(80, 330)).working();
        let surgeon = self.someone(Setting::Hospital, Role::Surgeon);
        let Some(problem) = self.problem(dx::BREAST_CANCER, onset, surgeon) else { return };
        let gp = self.gp();
        let seen = self.working_hour(onset.plus(-11));
        self.surgery_visit(seen, codes::CONSULTATION, None, gp);
        self.document(
            seen.plus(40),
            codes::CLINICAL_LETTER,
            "Urgent referral to the breast clinic",
            gp,
            &[Point::Text(
                "Thank you for seeing this woman on the urgent suspected cancer pathway. She found a firm lump of 2 cm \
                         in the left breast two weeks ago. No nipple change, no family history.",
            )],
        );
        let at = self.hour(onset);
        let visit = self.clinic(at, "Breast clinic", Some(dx::BREAST_CANCER), surgeon);
        self.clinic_letter(at, visit, surgeon, "Breast clinic", &[
            Point::Diagnosis("Cancer of the left breast, grade 2, ER positive, HER2 negative"),
            Point::Text("She came with a friend. The result of the biopsy was explained & a specialist nurse gave her number."),
            Point::Action("Operation within four weeks: wide local excision and sentinel node biopsy."),
        ]);
        let day = onset.plus(self.rng.range(18, 30)).working();
        let stay = self.stay(day.at(7 * 60 + 30), (1, 1), "11", "Surgical ward", Some(dx::BREAST_CANCER), surgeon);
        self.operation(codes::BREAST_OPERATION, day, Some(dx::BREAST_CANCER), stay, surgeon);
        self.discharge(
            stay,
            surgeon,
            "Operation on the left breast",
            &[
                Point::Diagnosis("Cancer of the left breast"),
                Point::Text("Wide local excision, clear margins; two sentinel nodes without cancer."),
                Point::Action("Radiotherapy for one week. Tablets for five years."),
            ],
        );
        let cancer = self.someone(Setting::Hospital, Role::Oncologist);
        self.repeat(&rx::ANASTROZOLE, day.plus(45), Some(problem), cancer);
        let mut next = day.plus(60);
        while next <= self.end {
            let at = self.working_hour(next);
            let visit = self.clinic(at, "Cancer clinic", Some(dx::BREAST_CANCER), cancer);
            self.clinic_letter(
                at,
                visit,
                cancer,
                "Cancer clinic",
                &[
                    Point::Diagnosis("Cancer of the left breast, treated"),
                    Point::Text("Well, a little stiff in the mornings. Examination normal. Mammogram is up to date."),
                    Point::Action("Anastrozole goes on. See us in a year; phone the specialist nurse with any worry."),
                ],
            );
            next = next.plus(self.rng.range(340, 380));
        }
        if self.alive() {
            self.book_due(next, "Cancer clinic", Some(dx::BREAST_CANCER), cancer);
        }
    }

    fn prostate(&mut self) {
        let age = self.age();
        let from = self.rng.range(52, age);
        let onset = self.at_age(from).working();
        let by = self.gp();
        let cancer = self.rng.chance(180);
        let Some(problem) = self.problem(dx::PROSTATE_ENLARGED, onset, by) else { return };
        self.surgery_visit(onset.at(600), codes::CONSULTATION, Some(dx::PROSTATE_ENLARGED), by);
        self.repeat(&rx::TAMSULOSIN, onset.plus(3), Some(problem), by);
        if self.rng.chance(300) {
            self.repeat(&rx::FINASTERIDE, onset.plus(200), Some(problem), by);
        }
        let mut antigen = self.rng.range(9, 34);
        let mut day = onset;
        let mut told = false;
        while day <= self.end {
            let at = self.working_hour(day);
            let result = self.plain_value(&lab::PSA, antigen, 2);
            self.report(&lab::PROSTATE, at, vec![result], by);
            antigen += if cancer { self.rng.range(4, 16) } else { self.rng.range(0, 2) };
            if cancer && antigen > 60 && !told {
                told = true;
                let found = at.day.plus(38).working();
                let doctor = self.someone(Setting::Hospital, Role::Oncologist);
                if self.problem(dx::PROSTATE_CANCER, found, doctor).is_some() {
                    let at = self.hour(found);
                    let visit = self.clinic(at, "Prostate clinic", Some(dx::PROSTATE_CANCER), doctor);
                    self.clinic_letter(at, visit, doctor, "Prostate clinic", &[
                        Point::Diagnosis("Prostate cancer, Gleason 3+3, inside the prostate"),
                        Point::Text("MRI and biopsy show a small slow-growing cancer. He chose active surveillance after talking it over with his family."),
                        Point::Action("PSA every three months in the first year, then every six months. MRI after a year."),
                    ]);
                }
            }
            day = day.plus(if told { self.rng.range(95, 180) } else { self.rng.range(340, 420) });
        }
    }

    fn appendix(&mut self) {
        let from = self.rng.range(7, self.age().min(60));
        let day = self.at_age(from);
        let by = self.someone(Setting::Hospital, Role::Surgeon);
        if day > self.end {
            return;
        }
        let start = day.at(21 * 60 + 10);
        let stay = self.stay(start, (2, 3), "21", "Surgical ward", Some(dx::APPENDICITIS), by);
        self.illness(dx::APPENDICITIS, day, 2, by);
        self.operation(codes::APPENDICECTOMY, day.plus(1), Some(dx::APPENDICITIS), stay, by);
        let count = self.blood_count(day, true);
        self.report(&lab::BLOOD_COUNT, start.plus(30), count, by);
        let crp = self.plain_value(&lab::CRP, 74, 24);
        self.report(&lab::INFLAMMATION, start.plus(30), vec![crp], by);
        self.discharge(
            stay,
            by,
            "Appendix operation",
            &[
                Point::Diagnosis("Acute appendicitis"),
                Point::Text("One day of pain that moved to the right lower side. Keyhole operation, no perforation."),
                Point::Action("Dissolving stitches. Light duties for two weeks."),
            ],
        );
    }

    /// Pneumonia with a stay in hospital.
    pub(super) fn pneumonia(&mut self, day: Day) {
        let by = self.someone(Setting::Hospital, Role::Physician);
        let start = day.at(17 * 60 + 25);
        let stay = self.stay(start, (3, 8), "21", "Acute medical unit", Some(dx::PNEUMONIA), by);
        self.illness(dx::PNEUMONIA, day, 28, by);
        for (measure, value) in
            [(&lab::OXYGEN, 92), (&lab::RESPIRATION, 24), (&lab::TEMPERATURE, 386), (&lab::NEWS2, 6)]
        {
            self.vital(start.plus(12), Reading::Quantity(measure, value), stay, by);
        }
        self.measure_pressure(start.plus(12), stay, by);
        for later in [0, 2] {
            let at = day.plus(later).at(if later == 0 { start.minute + 25 } else { 6 * 60 + 15 });
            let count = self.blood_count(at.day, later == 0);
            self.report(&lab::BLOOD_COUNT, at, count, by);
            let crp = self.plain_value(&lab::CRP, 150 - later * 35, 25);
            self.report(&lab::INFLAMMATION, at, vec![crp], by);
            let kidney = self.kidney_values(at.day);
            self.report(&lab::KIDNEY, at, kidney, by);
        }
        self.scan(codes::CHEST_XRAY, day, stay, by, "Shadowing in the right lower zone, in keeping with pneumonia.");
        self.discharge(stay, by, "Pneumonia", &[
            Point::Diagnosis("Pneumonia of the right lower lobe"),
            Point::Text("Four days of fever and cough. CURB-65 score 2. Antibiotics into a vein for two days, then by mouth. \
                         Eating, walking and breathing air when going home."),
            Point::Action("GP: chest X-ray in six weeks, to make sure that it has cleared."),
        ]);
    }

    /// A few hours at A&E.
    pub(super) fn minor_injury(&mut self, day: Day) {
        let by = self.at(HOSPITAL, Role::Physician);
        let (code, words, done): (Code, &str, Option<Code>) = match self.rng.below(4) {
            0 => (
                dx::ANKLE_SPRAIN,
                "Turned the ankle on a kerb. No bony pain; X-ray was not needed. Rest, ice, support bandage.",
                None,
            ),
            1 => (
                dx::HAND_CUT,
                "Cut from a kitchen knife, 3 cm, clean. Tendons & feeling whole. Five stitches.",
                Some(codes::SUTURE),
            ),
            2 => (
                dx::HEAD_INJURY,
                "Knock to the head, not knocked out, no vomiting. Watched for four hours. Head injury advice given.",
                None,
            ),
            _ => (
                dx::FOREARM_FRACTURE,
                "Fell on an outstretched hand. X-ray: broken wrist, not displaced. Plaster put on.",
                None,
            ),
        };
        let start = day.at(self.rng.range(11 * 60, 21 * 60));
        let minutes = self.rng.range(90, 230);
        let visit = Visit {
            way: Way::Emergency,
            start,
            minutes,
            kind: codes::EMERGENCY,
            reason: Some(code),
            by,
            service: "A&E",
        };
        let Some(visit) = self.visit(visit) else { return };
        let healing = if code == dx::FOREARM_FRACTURE { 42 } else { 14 };
        self.illness(code, day, healing, by);
        if let Some(done) = done {
            self.operation(done, day, Some(code), Some(visit), by);
        }
        let at = start.plus(minutes + 20);
        self.document(
            at,
            codes::ENCOUNTER_REPORT,
            "A&E attendance",
            by,
            &[
                Point::Diagnosis(code.term),
                Point::Text(words),
                Point::Action("Come back to A&E, or phone 111, if it gets worse."),
            ],
        );
        if code == dx::FOREARM_FRACTURE {
            let surgeon = self.at(self.who.near_hospital(), Role::Surgeon);
            let at = self.working_hour(day.plus(9));
            self.clinic(at, "Fracture clinic", Some(code), surgeon);
        }
    }
}
