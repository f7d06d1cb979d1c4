//! Birth, vaccinations, health visits and the illnesses of childhood.

use super::letters::Point;
use super::{Life, Reading};
use crate::clock::Day;
use crate::codes::conditions as dx;
use crate::codes::medicines as rx;
use crate::codes::tests_of as lab;
use crate::codes::vaccines as vax;
use crate::codes::{self};
use crate::household::Profile;
use crate::names::Sex;
use crate::sources::{Role, Setting};

impl Life<'_> {
    pub(super) fn childhood(&mut self) {
        self.childhood_vaccinations();
        let young = self.who.birth.plus_years(16) > self.since;
        if !young {
            return;
        }
        if self.who.birth >= self.since {
            self.newborn();
        }
        self.health_visits();
        self.childhood_illnesses();
        if self.age() >= 8 && self.who.profile == Profile::Typical && self.rng.chance(35) {
            self.attention_deficit();
        }
    }

    fn childhood_vaccinations(&mut self) {
        let birth = self.who.birth;
        if birth < Day::new(2002, 1, 1) || !self.rng.chance(965) {
            return;
        }
        let weeks = |weeks: i32| birth.plus(weeks * 7);
        let months = |months: i32| birth.plus(months * 304 / 10);
        let late = self.rng.range(1, 12);
        let six = birth >= Day::new(2017, 10, 1);
        let rota = birth >= Day::new(2013, 7, 1);
        let men_b = birth >= Day::new(2015, 7, 1);
        let boys = birth >= Day::new(2006, 9, 1);
        let mut plan = Vec::with_capacity(16);
        if six {
            plan.extend([
                (&vax::SIX_IN_ONE, weeks(8), 1),
                (&vax::SIX_IN_ONE, weeks(12), 2),
                (&vax::SIX_IN_ONE, weeks(16), 3),
            ]);
            plan.extend([(&vax::PNEUMOCOCCAL, weeks(12), 1), (&vax::PNEUMOCOCCAL, months(12), 2)]);
        }
        if rota {
            plan.extend([(&vax::ROTAVIRUS, weeks(8), 1), (&vax::ROTAVIRUS, weeks(12), 2)]);
        }
        if men_b {
            plan.extend([(&vax::MEN_B, weeks(8), 1), (&vax::MEN_B, weeks(16), 2), (&vax::MEN_B, months(12), 3)]);
        }
        plan.extend([
            (&vax::MMR, months(12), 1),
            (&vax::MMR_SECOND, months(40), 2),
            (&vax::FOUR_IN_ONE, months(40), 4),
        ]);
        if self.who.sex == Sex::Female || boys {
            plan.push((&vax::HPV, months(12 * 12 + 8), 1));
        }
        plan.extend([(&vax::TEENAGE_BOOSTER, months(14 * 12 + 2), 5), (&vax::MEN_ACWY, months(14 * 12 + 2), 1)]);
        for (vaccine, day, dose) in plan {
            if dose < 3 || !self.rng.chance(40) {
                self.jab(vaccine, day.plus(late).working(), dose);
            }
        }
    }

    fn newborn(&mut self) {
        let by = self.someone(Setting::Hospital, Role::Midwife);
        let birth = self.who.birth;
        let minute = self.rng.range(10, 23 * 60);
        let stay = self.stay(birth.at(minute), (1, 2), "82", "Maternity ward", None, by);
        let early = if self.who.twin { 9 } else { 0 };
        let weight = 34 - early + self.rng.around(5);
        let at = birth.at(minute).plus(25);
        self.vital(at, Reading::Quantity(&lab::WEIGHT, weight), stay, by);
        let head = 345 - early * 2 + self.rng.around(10);
        self.vital(at, Reading::Quantity(&lab::HEAD_SIZE, head), stay, by);
        let grams = format!(
            "Birth weight {}.{} kg. Newborn examination of heart, hips and eyes: no concerns.",
            weight / 10,
            weight % 10
        );
        self.discharge(stay, by, "Newborn baby", &[
            Point::Diagnosis(if self.who.twin { "Healthy twin" } else { "Healthy newborn" }),
            Point::Text(&grams),
            Point::Text("Vitamin K given. Hearing screen: clear response in both ears. Blood spot test by the community midwife on day 5."),
            Point::Action("Health visitor will come between day 10 and day 14."),
        ]);
    }

    fn health_visits(&mut self) {
        let visitor = self.someone(Setting::Community, Role::HealthVisitor);
        let birth = self.who.birth;
        for (days, head) in [(12, true), (48, true), (300, false), (810, false)] {
            let day = birth.plus(days + self.rng.range(0, 6)).working();
            let at = self.hour(day);
            let Some(visit) = self.home_visit(at, "Health visitor", None, visitor) else { continue };
            self.measure_size(at, days > 100, Some(visit), visitor);
            if head {
                let size = 355 + days / 2 + self.rng.around(8);
                self.vital(at, Reading::Quantity(&lab::HEAD_SIZE, size), Some(visit), visitor);
            }
            if days == 810 {
                self.document(
                    at.plus(90),
                    codes::ENCOUNTER_REPORT,
                    "Health review at two years",
                    visitor,
                    &[
                        Point::Text(
                            "Runs, climbs stairs with a hand held, builds a tower of six bricks, joins two words. \
                                 Eats family food. Teeth brushed twice a day.",
                        ),
                        Point::Action("Visit a dentist. Next contact is the school nurse at four to five years."),
                    ],
                );
            }
        }
        let gp = self.gp();
        let at = self.working_hour(birth.plus(50));
        let visit = self.surgery_visit(at, codes::WELL_CHILD, None, gp);
        if visit.is_some() {
            self.measure_size(at, true, visit, gp);
        }
    }

    fn childhood_illnesses(&mut self) {
        let mut day = self.since.max(self.who.birth.plus(90));
        let often = if self.who.profile == Profile::Child { 90 } else { self.rng.range(150, 420) };
        if self.who.profile == Profile::Child || self.rng.chance(150) {
            let by = self.gp();
            let onset = self.who.birth.plus(self.rng.range(120, 700));
            if let Some(problem) = self.problem(dx::ECZEMA, onset, by) {
                self.surgery_visit(onset.working().at(640), codes::CONSULTATION, Some(dx::ECZEMA), by);
                self.repeat(&rx::HYDROCORTISONE, onset, Some(problem), by);
            }
        }
        while day <= self.end {
            let age = self.age_on(day);
            if age >= 16 {
                break;
            }
            day = day.plus(self.rng.range(often / 2, often * 2) * (5 + age) / 9);
            self.childhood_illness(day, age);
        }
    }

    fn childhood_illness(&mut self, day: Day, age: i32) {
        let winter = matches!(day.month(), 10..=12 | 1..=3);
        let by = self.gp();
        let at = self.working_hour(day);
        match self.rng.below(10) {
            0..=2 if age < 9 => {
                self.surgery_visit(at, codes::CONSULTATION, Some(dx::EAR_INFECTION), by);
                let problem = self.illness(dx::EAR_INFECTION, at.day, 7, by);
                self.acute_or([&rx::AMOXICILLIN_CHILD, &rx::PARACETAMOL_CHILD], at.day, 5, problem, by);
            }
            3..=4 if age >= 4 => {
                self.surgery_visit(at, codes::CONSULTATION, Some(dx::TONSILLITIS), by);
                let problem = self.illness(dx::TONSILLITIS, at.day, 8, by);
                let drugs = if age < 12 {
                    [&rx::PENICILLIN_V_CHILD, &rx::PARACETAMOL_CHILD]
                } else {
                    [&rx::PENICILLIN_V, &rx::CLARITHROMYCIN]
                };
                self.acute_or(drugs, at.day, 5, problem, by);
            }
            5 if age < 2 && winter => self.bronchiolitis(day),
            6 if age >= 3 => self.minor_injury(day),
            _ => {
                let kind = if self.rng.chance(400) { codes::TELEPHONE } else { codes::CONSULTATION };
                let had = self.has(dx::CHICKENPOX);
                let (code, days) = match self.rng.below(6) {
                    0 => (dx::CONJUNCTIVITIS, 5),
                    1 => (dx::GASTROENTERITIS, 4),
                    2 if !had && (1..10).contains(&age) => (dx::CHICKENPOX, 9),
                    _ => (dx::COLD, 6),
                };
                self.surgery_visit(at, kind, Some(code), by);
                let problem = self.illness(code, at.day, days, by);
                if age < 6 && self.rng.chance(300) {
                    self.acute(&rx::PARACETAMOL_CHILD, at.day, 5, problem, by);
                }
            }
        }
    }

    fn bronchiolitis(&mut self, day: Day) {
        let by = self.someone(Setting::Hospital, Role::Paediatrician);
        let stay = self.stay(day.at(19 * 60 + 20), (1, 3), "21", "Children's ward", Some(dx::BRONCHIOLITIS), by);
        self.illness(dx::BRONCHIOLITIS, day, 12, by);
        for (measure, value) in [(&lab::OXYGEN, 91), (&lab::RESPIRATION, 54), (&lab::TEMPERATURE, 381)] {
            self.vital(day.at(19 * 60 + 35), Reading::Quantity(measure, value), stay, by);
        }
        self.discharge(stay, by, "Bronchiolitis", &[
            Point::Diagnosis("RSV bronchiolitis"),
            Point::Text("Three days of cough and poor feeding. Needed oxygen for one night & feeds by tube for one day. \
                         Now feeds well, oxygen 97% in air."),
            Point::Action("Cough may last three weeks. Come back to A&E with pauses in breathing, blue lips or half the usual feeds."),
        ]);
    }

    fn attention_deficit(&mut self) {
        let from = self.rng.range(6, self.age().min(15) - 1);
        let onset = self.at_age(from).working();
        let by = self.someone(Setting::Hospital, Role::Paediatrician);
        let Some(problem) = self.problem(dx::ADHD, onset, by) else { return };
        let at = self.hour(onset);
        let visit = self.clinic(at, "Child development clinic", Some(dx::ADHD), by);
        self.clinic_letter(at, visit, by, "Child development clinic", &[
            Point::Diagnosis("Attention deficit hyperactivity disorder, combined type"),
            Point::Text("Reports from home and school agree. Sleeps well. Growth, pulse and blood pressure are in the usual range."),
            Point::Action("Parent training course. Methylphenidate, with height, weight and blood pressure every six months."),
        ]);
        self.repeat(&rx::METHYLPHENIDATE, onset.plus(30), Some(problem), by);
        let mut day = onset.plus(60);
        while day <= self.end && self.age_on(day) < 18 {
            let at = self.working_hour(day);
            let visit = self.clinic(at, "Child development clinic", Some(dx::ADHD), by);
            self.measure_size(at, true, visit, by);
            self.measure_pressure(at, visit, by);
            day = day.plus(self.rng.range(170, 200));
        }
    }
}
