//! Pregnancy and birth: for the mothers of the city's children, and for one who is pregnant now.

use super::letters::Point;
use super::{Life, Reading};
use crate::clock::Day;
use crate::codes;
use crate::codes::conditions as dx;
use crate::codes::medicines::{self as rx, Class, Drug};
use crate::codes::tests_of as lab;
use crate::codes::vaccines as vax;
use crate::household::Profile;
use crate::names::Sex;
use crate::sources::{Role, Setting};

/// Days from the first day of the pregnancy to the due date.
const TERM: i32 = 280;

impl Life<'_> {
    /// The due date of a pregnancy that goes on today.
    fn due(&self) -> Option<Day> {
        (self.who.profile == Profile::Pregnant).then(|| self.today.plus(88))
    }

    /// Whether the person is pregnant on a day.
    pub(crate) fn pregnant_on(&self, day: Day) -> bool {
        let covers = |birth: &Day| day > birth.plus(-TERM) && day <= *birth;
        self.who.births.iter().chain(self.due().as_ref()).any(covers)
    }

    pub(super) fn births(&mut self) {
        for birth in self.who.births.clone() {
            let start = birth.plus(-TERM + 2);
            if start < self.since {
                continue;
            }
            self.pregnancy(start, Some(birth));
        }
        if let Some(due) = self.due() {
            self.pregnancy(due.plus(-TERM), None);
            let midwife = self.someone(Setting::Hospital, Role::Midwife);
            self.book_ahead(4, 12, "Antenatal clinic", Some(dx::PREGNANT), midwife);
        } else if self.who.sex == Sex::Female && (18..46).contains(&self.age()) && self.rng.chance(220) {
            let start = self.end.plus(-self.rng.range(60, 1_500));
            let after = self.who.births.last().map_or(start, |birth| start.max(birth.plus(60)));
            let by = self.gp();
            self.repeat(&rx::DESOGESTREL, after.max(self.who.birth.plus_years(16)), None, by);
        }
    }

    fn pregnancy(&mut self, start: Day, birth: Option<Day>) {
        let midwife = self.someone(Setting::Hospital, Role::Midwife);
        let known = start.plus(42);
        let by = self.gp();
        let Some(problem) = self.illness(dx::PREGNANT, known, TERM - 42, by) else { return };
        self.record.problems[problem].ended = birth.filter(|day| *day <= self.end);
        self.stop_harmful(known);
        self.surgery_visit(known.working().at(565), codes::TELEPHONE, Some(dx::PREGNANT), by);
        let high = self.body.adult_mass_index() >= 300 || self.body.diabetes.is_some();
        let folic: &'static Drug = if high { &rx::FOLIC_ACID_5 } else { &rx::FOLIC_ACID };
        self.acute(folic, known, 49, Some(problem), by);
        for week in [9, 16, 25, 28, 31, 34, 36, 38, 40] {
            let day = start.plus(week * 7).working();
            if birth.is_some_and(|birth| day >= birth) {
                break;
            }
            let at = self.hour(day);
            let Some(visit) = self.clinic(at, "Antenatal clinic", Some(dx::PREGNANT), midwife) else { break };
            self.measure_pressure(at, Some(visit), midwife);
            self.vital(at, Reading::Quantity(&lab::GESTATION, week), Some(visit), midwife);
            if matches!(week, 9 | 28) {
                let mut count = self.blood_count(at.day, false);
                count[0].value -= if week == 28 { 14 } else { 5 };
                self.report(&lab::BLOOD_COUNT, at.plus(20), count, midwife);
            }
            if matches!(week, 9 | 25) && self.has(dx::HYPOTHYROIDISM) {
                let thyroid = self.thyroid_values(at.day);
                self.report(&lab::THYROID, at.plus(20), thyroid, midwife);
            }
            if week == 9 {
                self.measure_size(at, true, Some(visit), midwife);
                let sugar = self.hba1c(at.day);
                self.report(&lab::HBA1C_TEST, at.plus(20), vec![super::value(&lab::HBA1C, sugar)], midwife);
            }
        }
        for (week, text) in [
            (
                12,
                "One baby, heart beats, size fits the dates. Screening for Down's, Edwards' and Patau's syndromes: lower chance.",
            ),
            (
                20,
                "One baby, all measurements fit the dates. Heart with four chambers, spine, face and kidneys seen. Placenta is not low.",
            ),
        ] {
            let text = if birth.is_some_and(|_| self.twins_born(birth)) {
                "Two babies, each in its own sac with its own placenta; both hearts beat and both sizes fit the dates."
            } else {
                text
            };
            let day = start.plus(week * 7 + 1).working();
            let doctor = self.someone(Setting::Hospital, Role::Obstetrician);
            let at = self.hour(day);
            if let Some(visit) = self.clinic(at, "Ultrasound in pregnancy", Some(dx::PREGNANT), doctor) {
                self.clinic_letter(
                    at,
                    Some(visit),
                    doctor,
                    "Ultrasound in pregnancy",
                    &[
                        Point::Measured("Weeks", week, "weeks"),
                        Point::Text(text),
                        Point::Action("Go on with the usual visits to the midwife."),
                    ],
                );
            }
        }
        let cough = start.plus(21 * 7).working();
        if birth.is_none_or(|b| cough < b) {
            self.jab(&vax::WHOOPING_COUGH, cough, 1);
        }
        let rsv = start.plus(29 * 7).working();
        if rsv >= Day::new(2024, 9, 1) && birth.is_none_or(|b| rsv < b) {
            self.jab(&vax::RSV, rsv, 1);
        }
        if let Some(birth) = birth {
            self.labour(birth);
        }
    }

    /// Stops what may harm the baby, and the contraceptive pill.
    fn stop_harmful(&mut self, day: Day) {
        for at in 0..self.record.courses.len() {
            let course = &self.record.courses[at];
            let harmful = matches!(course.drug.class, Class::NotInPregnancy | Class::Statin | Class::AntiInflammatory)
                || course.drug == &rx::DESOGESTREL;
            if harmful && course.start < day && course.end.is_none_or(|end| end > day) {
                self.stop(Some(at), day);
            }
        }
    }

    fn twins_born(&self, birth: Option<Day>) -> bool {
        birth.is_some_and(|birth| self.who.twin_births.contains(&birth))
    }

    fn labour(&mut self, birth: Day) {
        let midwife = self.someone(Setting::Hospital, Role::Midwife);
        let start = birth.plus(-1).at(self.rng.range(13 * 60, 23 * 60));
        let stay = self.stay(start, (2, 3), "31", "Maternity ward", Some(dx::PREGNANT), midwife);
        self.operation(codes::CHILDBIRTH, birth, Some(dx::PREGNANT), stay, midwife);
        let words = if self.twins_born(Some(birth)) {
            "Two healthy babies, born twelve minutes apart. Blood loss 550 ml."
        } else {
            "A healthy baby. Blood loss 300 ml, small tear repaired."
        };
        self.discharge(
            stay,
            midwife,
            "Birth",
            &[
                Point::Diagnosis("Spontaneous vaginal birth at term"),
                Point::Text(words),
                Point::Action("Community midwife visits tomorrow & on day 5. Check with the GP at six to eight weeks."),
            ],
        );
        let gp = self.gp();
        let at = self.working_hour(birth.plus(48));
        let visit = self.surgery_visit(at, codes::CHECK_UP, None, gp);
        self.measure_pressure(at, visit, gp);
    }
}
