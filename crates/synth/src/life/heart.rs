//! Blood pressure, cholesterol, the heart and stroke.

use super::letters::Point;
use super::{Life, Reading};
use crate::clock::Day;
use crate::codes;
use crate::codes::conditions as dx;
use crate::codes::medicines::{self as rx, Drug};
use crate::codes::tests_of as lab;
use crate::household::Profile;
use crate::names::Sex;
use crate::sources::{Role, Setting};

impl Life<'_> {
    /// High blood pressure, treated in the steps of NICE NG136.
    pub(super) fn hypertension(&mut self, diabetic: bool) {
        let age = self.age();
        let profile = self.who.profile;
        let certain =
            matches!(profile, Profile::Diabetes | Profile::Kidney | Profile::Bipolar | Profile::Lungs | Profile::Frail);
        let black = self.who.community.black_african_or_caribbean();
        let chance = match age {
            ..35 => 2,
            35..50 => 90,
            50..65 => 260,
            65..80 => 440,
            _ => 560,
        } + if diabetic { 200 } else { 0 }
            + if black { 70 } else { 0 };
        if !certain && (age < 30 || profile != Profile::Typical || !self.rng.chance(chance)) {
            return;
        }
        let longest = (age - 29).clamp(1, 22);
        let years = if certain { self.rng.range(4, 9).min(longest) } else { self.rng.range(0, longest) };
        let onset = self.end.plus_years(-years).plus(-self.rng.range(30, 300)).working();
        let extra = self.rng.range(24, 42);
        self.body.hypertension = Some((onset, extra));
        let by = self.gp();
        let Some(problem) = self.problem(dx::HYPERTENSION, onset, by) else { return };
        let old = self.age_on(onset) >= 55;
        let ladder: [&'static Drug; 4] = if profile == Profile::Bipolar {
            [&rx::AMLODIPINE_5, &rx::BISOPROLOL_2, &rx::BISOPROLOL_2, &rx::BISOPROLOL_2]
        } else if diabetic && !black {
            [&rx::RAMIPRIL_5, &rx::AMLODIPINE_5, &rx::INDAPAMIDE, &rx::BISOPROLOL_2]
        } else if diabetic && black {
            [&rx::LOSARTAN, &rx::AMLODIPINE_5, &rx::INDAPAMIDE, &rx::BISOPROLOL_2]
        } else if old || black {
            [
                &rx::AMLODIPINE_5,
                if black { &rx::LOSARTAN } else { &rx::RAMIPRIL_5 },
                &rx::INDAPAMIDE,
                &rx::SPIRONOLACTONE,
            ]
        } else {
            [&rx::RAMIPRIL_5, &rx::AMLODIPINE_5, &rx::INDAPAMIDE, &rx::SPIRONOLACTONE]
        };
        // Two readings before the diagnosis.
        for before in [38, 12] {
            let at = self.working_hour(onset.plus(-before));
            let nurse = self.nurse();
            let visit = self.surgery_visit(at, codes::CHECK_UP, None, nurse);
            self.measure_pressure(at, visit, nurse);
        }
        let mut day = onset;
        let mut step = 0;
        while day <= self.end {
            let nurse = if step == 0 { by } else { self.nurse() };
            let at = self.working_hour(day);
            let visit = self.surgery_visit(at, codes::FOLLOW_UP, Some(dx::HYPERTENSION), nurse);
            let (systolic, diastolic) = self.measure_pressure(at, visit, nurse);
            let target = if self.age_on(day) >= 80 { 150 } else { 140 };
            let high = systolic >= target || diastolic >= 90;
            let stronger = high.then(|| self.stronger(at.day)).flatten();
            if let Some((course, drug)) = stronger {
                self.stop(Some(course), at.day.plus(1));
                self.repeat(drug, at.day.plus(1), Some(problem), nurse);
                day = day.plus(self.rng.range(28, 50));
            } else if (high || step == 0) && step < ladder.len() {
                self.repeat(ladder[step], at.day.plus(1), Some(problem), nurse);
                step += 1;
                if self.body.kidney.is_none() && self.body.diabetes.is_none() {
                    let sample = self.working_hour(at.day.plus(15));
                    let values = self.kidney_values(sample.day);
                    self.report(&lab::KIDNEY, sample, values, nurse);
                }
                day = day.plus(self.rng.range(28, 50));
            } else if high && self.rng.chance(500) {
                day = day.plus(self.rng.range(60, 120));
            } else {
                day = day.plus(self.rng.range(190, 380));
            }
        }
        if self.alive() && self.rng.chance(500) {
            let nurse = self.nurse();
            self.book_due(day, "Blood pressure check", Some(dx::HYPERTENSION), nurse);
        }
    }

    /// A running medicine for blood pressure that has a stronger form, and that form.
    fn stronger(&self, day: Day) -> Option<(usize, &'static Drug)> {
        self.record.courses.iter().enumerate().find_map(|(at, course)| {
            let next: &'static Drug = if course.drug == &rx::AMLODIPINE_5 {
                &rx::AMLODIPINE_10
            } else if course.drug == &rx::RAMIPRIL_5 {
                &rx::RAMIPRIL_10
            } else {
                return None;
            };
            (course.end.is_none_or(|end| end > day) && course.start < day.plus(-20)).then_some((at, next))
        })
    }

    pub(super) fn heart(&mut self) {
        let age = self.age();
        let lungs = self.who.profile == Profile::Lungs;
        let man = self.who.sex == Sex::Male;
        let chance = match age {
            ..45 => 0,
            45..60 => 22,
            60..75 => 70,
            _ => 120,
        };
        let typical = self.who.profile == Profile::Typical;
        if lungs || typical && self.rng.chance(if man { chance } else { chance / 2 }) {
            self.heart_attack();
        } else if age >= 40 && !self.has(dx::HYPERCHOLESTEROLAEMIA) && self.rng.chance(if age >= 60 { 330 } else { 90 })
        {
            self.cholesterol();
        }
        let rhythm = match age {
            ..60 => 3,
            60..75 => 60,
            _ => 150,
        };
        if age >= 50 && (self.who.profile == Profile::Frail || typical && self.rng.chance(rhythm)) {
            self.atrial_fibrillation();
        }
        if age >= 70 && typical && self.rng.chance(70) {
            self.heart_failure();
        }
        if age >= 55 && typical && self.rng.chance(if age >= 75 { 70 } else { 25 }) {
            self.stroke();
        }
    }

    fn cholesterol(&mut self) {
        let age = self.age();
        let from = self.rng.range(40, age);
        let found = self.at_age(from).working();
        let by = self.gp();
        let Some(problem) = self.problem(dx::HYPERCHOLESTEROLAEMIA, found, by) else { return };
        let at = self.working_hour(found.plus(-8));
        let values = self.lipid_values(at.day);
        self.report(&lab::LIPIDS, at, values, by);
        self.repeat(&rx::ATORVASTATIN_20, found, Some(problem), by);
        let mut day = found.plus(95);
        while day <= self.end {
            let at = self.working_hour(day);
            let values = self.lipid_values(at.day);
            self.report(&lab::LIPIDS, at, values, by);
            if self.rng.chance(600) {
                let values = self.liver_values();
                self.report(&lab::LIVER, at, values, by);
            }
            day = day.plus(self.rng.range(340, 480));
        }
    }

    fn heart_attack(&mut self) {
        let age = self.age();
        let years = if self.who.profile == Profile::Lungs { 3 } else { self.rng.range(0, (age - 44).clamp(0, 14)) };
        let onset = self.end.plus_years(-years).plus(-self.rng.range(25, 330));
        let by = self.someone(Setting::Hospital, Role::Cardiologist);
        let Some(problem) = self.problem(dx::CORONARY_DISEASE, onset, by) else { return };
        let stay = self.stay(onset.at(4 * 60 + 25), (2, 5), "21", "Coronary care unit", Some(dx::HEART_ATTACK), by);
        self.record.problems.push(super::Problem {
            code: dx::HEART_ATTACK,
            onset,
            ended: Some(onset),
            by,
            lasting: true,
        });
        self.operation(codes::PCI, onset, Some(dx::HEART_ATTACK), stay, by);
        let sample = onset.at(4 * 60 + 50);
        let count = self.blood_count(onset, false);
        self.report(&lab::BLOOD_COUNT, sample, count, by);
        let values = self.kidney_values(onset);
        self.report(&lab::KIDNEY, sample, values, by);
        let values = self.lipid_values(onset);
        self.report(&lab::LIPIDS, sample, values, by);
        self.discharge(
            stay,
            by,
            "Heart attack treated with a stent",
            &[
                Point::Diagnosis("ST elevation myocardial infarction of the front wall"),
                Point::Text(
                    "Came by ambulance to A&E with chest pain of 90 minutes. The left anterior descending artery \
                         was blocked & was opened with one drug-eluting stent. Echocardiogram: ejection fraction 48%.",
                ),
                Point::Action("Aspirin for life; ticagrelor for 12 months, then stop."),
                Point::Action(
                    "Atorvastatin 80 mg, bisoprolol and ramipril. GP to raise ramipril as blood pressure allows.",
                ),
                Point::Action("Cardiac rehabilitation starts in two weeks. No driving for one week."),
            ],
        );
        self.repeat(&rx::ASPIRIN, onset.plus(1), Some(problem), by);
        let second = self.repeat(&rx::TICAGRELOR, onset.plus(1), Some(problem), by);
        self.stop(second, onset.plus(365));
        self.repeat(&rx::ATORVASTATIN_80, onset.plus(1), Some(problem), by);
        self.repeat(&rx::BISOPROLOL_2, onset.plus(1), Some(problem), by);
        if self.body.hypertension.is_none() {
            let first = self.repeat(&rx::RAMIPRIL_2, onset.plus(2), Some(problem), by);
            self.stop(first, onset.plus(40));
            self.repeat(&rx::RAMIPRIL_5, onset.plus(40), Some(problem), by);
        }
        let at = self.working_hour(onset.plus(48));
        let visit = self.clinic(at, "Heart clinic", Some(dx::CORONARY_DISEASE), by);
        self.measure_pressure(at, visit, by);
        self.scan(
            codes::ECHO,
            at.day,
            visit,
            by,
            "Good pumping function of the left ventricle, ejection fraction 55%. Valves normal.",
        );
        self.clinic_letter(
            at,
            visit,
            by,
            "Heart clinic",
            &[
                Point::Diagnosis("Coronary artery disease, stent six weeks ago"),
                Point::Text(
                    "Walks two miles a day without chest pain. Has finished half of the rehabilitation course. \
                         Echocardiogram today: good pumping function, ejection fraction 55%.",
                ),
                Point::Action(
                    "Stay on all tablets. Back to the care of the GP; please refer again if chest pain comes back.",
                ),
            ],
        );
        let mut day = onset.plus(110);
        while day <= self.end {
            let by = self.nurse();
            let at = self.working_hour(day);
            let visit = self.surgery_visit(at, codes::CHECK_UP, Some(dx::CORONARY_DISEASE), by);
            self.measure_pressure(at, visit, by);
            let values = self.lipid_values(at.day);
            self.report(&lab::LIPIDS, at.plus(-15), values, by);
            day = day.plus(self.rng.range(340, 400));
        }
    }

    fn atrial_fibrillation(&mut self) {
        let age = self.age();
        let years = self.rng.range(0, (age - 50).clamp(0, 12));
        let onset = self.end.plus_years(-years).plus(-self.rng.range(5, 300)).working();
        let by = self.gp();
        let Some(problem) = self.problem(dx::ATRIAL_FIBRILLATION, onset, by) else { return };
        let at = self.hour(onset);
        let visit = self.surgery_visit(at, codes::CONSULTATION, Some(dx::ATRIAL_FIBRILLATION), by);
        let pulse = self.rng.range(96, 132);
        self.vital(at, Reading::Quantity(&lab::PULSE, pulse), visit, by);
        self.repeat(&rx::APIXABAN, onset, Some(problem), by);
        if !self.has(dx::ASTHMA) {
            self.repeat(&rx::BISOPROLOL_2, onset, Some(problem), by);
        }
        let heart = self.someone(Setting::Hospital, Role::Cardiologist);
        let clinic = self.working_hour(onset.plus(52));
        let visit = self.clinic(clinic, "Heart rhythm clinic", Some(dx::ATRIAL_FIBRILLATION), heart);
        self.scan(
            codes::ECHO,
            clinic.day,
            visit,
            heart,
            "Normal valves and pumping function. Left atrium slightly large.",
        );
        self.clinic_letter(
            clinic,
            visit,
            heart,
            "Heart rhythm clinic",
            &[
                Point::Diagnosis("Atrial fibrillation, rate now controlled"),
                Point::Text(
                    "CHA2DS2-VASc score is 2 or more, so the blood thinner is for life. Echocardiogram: normal valves, \
                         left atrium slightly large.",
                ),
                Point::Action("Kidney function, weight and blood count once a year, to check the dose of apixaban."),
            ],
        );
    }

    fn heart_failure(&mut self) {
        let onset = self.end.plus(-self.rng.range(90, 1_700)).working();
        let by = self.someone(Setting::Hospital, Role::Cardiologist);
        let Some(problem) = self.problem(dx::HEART_FAILURE, onset, by) else { return };
        let stay = self.stay(onset.at(11 * 60 + 10), (3, 8), "21", "Heart ward", Some(dx::HEART_FAILURE), by);
        let values = self.kidney_values(onset);
        self.report(&lab::KIDNEY, onset.at(11 * 60 + 40), values, by);
        self.scan(
            codes::ECHO,
            onset.plus(1),
            stay,
            by,
            "Left ventricle large, ejection fraction 35%. Mild mitral regurgitation.",
        );
        self.discharge(
            stay,
            by,
            "Heart failure",
            &[
                Point::Diagnosis("Heart failure with reduced ejection fraction (35%)"),
                Point::Text(
                    "Three weeks of breathlessness and swollen ankles. Lost 5 kg of fluid on intravenous furosemide.",
                ),
                Point::Action("Weigh every morning; phone the heart failure nurse if 2 kg up in three days."),
                Point::Action("GP: please check kidney function and potassium in one week."),
            ],
        );
        self.repeat(&rx::FUROSEMIDE, onset.plus(1), Some(problem), by);
        for drug in [&rx::BISOPROLOL_2, &rx::RAMIPRIL_2, &rx::SPIRONOLACTONE, &rx::EMPAGLIFLOZIN] {
            let same = |c: &super::Course| c.drug.group() == drug.group() && c.end.is_none();
            if !self.record.courses.iter().any(same) {
                self.repeat(drug, onset.plus(3), Some(problem), by);
            }
        }
        let check = self.working_hour(onset.plus(18));
        let values = self.kidney_values(check.day);
        let nurse = self.nurse();
        self.report(&lab::KIDNEY, check, values, nurse);
        if self.alive() {
            self.book_ahead(10, 50, "Heart failure clinic", Some(dx::HEART_FAILURE), by);
        }
    }

    fn stroke(&mut self) {
        let age = self.age();
        let years = self.rng.range(0, (age - 55).clamp(0, 10));
        let onset = self.end.plus_years(-years).plus(-self.rng.range(40, 300));
        let by = self.someone(Setting::Hospital, Role::Physician);
        let Some(problem) = self.problem(dx::STROKE, onset, by) else { return };
        let stay = self.stay(onset.at(8 * 60 + 40), (4, 12), "21", "Stroke unit", Some(dx::STROKE), by);
        self.discharge(
            stay,
            by,
            "Stroke",
            &[
                Point::Diagnosis("Ischaemic stroke of the left middle cerebral artery"),
                Point::Text(
                    "Woke with a weak right arm and slurred speech. CT: small new infarct, no bleed. Speech is back to \
                         normal; grip is a little weak.",
                ),
                Point::Action("Clopidogrel and atorvastatin for life. No driving for one month."),
                Point::Action("Physiotherapy at home for six weeks."),
            ],
        );
        if self.has(dx::ATRIAL_FIBRILLATION) {
            let on = self.problem_with(dx::ATRIAL_FIBRILLATION);
            if !self.record.courses.iter().any(|c| c.drug == &rx::APIXABAN) {
                self.repeat(&rx::APIXABAN, onset.plus(14), on, by);
            }
        } else {
            self.repeat(&rx::CLOPIDOGREL, onset.plus(14), Some(problem), by);
        }
        if !self.on_statin(onset) {
            self.repeat(&rx::ATORVASTATIN_40, onset.plus(2), Some(problem), by);
        }
        let physio = self.someone(Setting::Community, Role::Physiotherapist);
        for week in 1..=6 {
            let at = self.working_hour(onset.plus(14 + 7 * week));
            self.home_visit(at, "Community stroke team", Some(dx::STROKE), physio);
        }
    }

    /// Whether a statin is being taken on a day.
    pub(crate) fn on_statin(&self, day: Day) -> bool {
        self.record
            .courses
            .iter()
            .any(|c| c.drug.class == rx::Class::Statin && c.start <= day && c.end.is_none_or(|end| end > day))
    }
}
