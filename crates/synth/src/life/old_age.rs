//! Frailty, falls, dementia, and the care that the council, community nurses and home carers give.

use super::letters::Point;
use super::{By, Life, Plan, Visit, Way};
use crate::clock::{Day, Moment};
use crate::codes::conditions as dx;
use crate::codes::medicines as rx;
use crate::codes::{self, Code};
use crate::household::Profile;
use crate::names::Sex;
use crate::sources::{HOME_CARE, MENTAL_HEALTH, Role, SOCIAL_CARE, Setting};

impl Life<'_> {
    /// A visit at home.
    pub(crate) fn home_visit(
        &mut self,
        at: Moment,
        service: &'static str,
        reason: Option<Code>,
        by: By,
    ) -> Option<usize> {
        self.visit(Visit { way: Way::Home, start: at, minutes: 30, kind: codes::HOME_VISIT, reason, by, service })
    }

    pub(super) fn old_age(&mut self) {
        let age = self.age();
        if age < 65 {
            return;
        }
        let frail = self.who.profile == Profile::Frail;
        let typical = self.who.profile == Profile::Typical;
        let woman = self.who.sex == Sex::Female;
        let chance = match age {
            ..75 => 50,
            75..85 => 220,
            _ => 520,
        };
        let mut helped = false;
        if frail || typical && self.rng.chance(chance) {
            let onset = self.end.plus(-self.rng.range(200, 1_300)).working();
            let by = self.gp();
            let code = if frail || age > 84 { dx::MODERATE_FRAILTY } else { dx::MILD_FRAILTY };
            self.problem(code, onset, by);
            self.alert(("safety", "Safety"), "At risk of falls", onset, by);
            helped = frail || age > 80 && self.rng.chance(600);
        }
        if frail || typical && age >= 72 && self.rng.chance(if woman { 55 } else { 25 }) {
            self.hip_fracture();
            helped = true;
        }
        if typical && age >= 70 && self.rng.chance(if age >= 84 { 210 } else { 60 }) {
            self.dementia();
            helped = true;
        }
        if frail || typical && self.rng.chance(45) {
            self.leg_ulcer();
        }
        if helped {
            self.social_care();
        }
        if frail || age >= 70 && self.rng.chance(180) {
            let by = self.gp();
            let text = self.rng.pick(&[
                "Hard of hearing: please face the person and speak clearly",
                "Letters in large print, 18 point",
                "Wears hearing aids in both ears",
            ]);
            self.alert(("admin", "Administrative"), text, self.since, by);
        }
        if let (Some(death), true) = (self.who.death, self.rng.chance(450)) {
            self.last_days(death);
        }
    }

    fn hip_fracture(&mut self) {
        let day = self.end.plus(-self.rng.range(170, 900));
        let by = self.someone(Setting::Hospital, Role::Geriatrician);
        let Some(problem) = self.problem(dx::HIP_FRACTURE, day, by) else { return };
        let stay = self.stay(day.at(7 * 60 + 5), (9, 18), "21", "Orthogeriatric ward", Some(dx::HIP_FRACTURE), by);
        let surgeon = self.someone(Setting::Hospital, Role::Surgeon);
        self.operation(codes::HIP_OPERATION, day.plus(1), Some(dx::HIP_FRACTURE), stay, surgeon);
        let sample = day.at(7 * 60 + 40);
        let count = self.blood_count(day, false);
        self.report(&crate::codes::tests_of::BLOOD_COUNT, sample, count, by);
        let kidney = self.kidney_values(day);
        self.report(&crate::codes::tests_of::KIDNEY, sample, kidney, by);
        let vitamin = self.plain_value(&crate::codes::tests_of::VITAMIN_D, 38, 9);
        self.report(&crate::codes::tests_of::VITAMIN_D_TEST, sample, vec![vitamin], by);
        self.discharge(stay, by, "Broken hip", &[
            Point::Diagnosis("Broken left hip after a fall at home"),
            Point::Text("Tripped on a rug at night & lay for two hours. Hip replaced the next day. Confused for three days, \
                         then clear again. Walks with a frame and one helper."),
            Point::Action("Bone-strengthening tablet once a week, with calcium & vitamin D."),
            Point::Action("Therapists visit at home. Social worker has been asked for help with washing & meals."),
        ]);
        self.record.problems[problem].ended = Some(day.plus(120)).filter(|d| *d <= self.end);
        let weak = self.problem(dx::OSTEOPOROSIS, day.plus(6), by);
        if self.body.kidney.is_none_or(|(_, start, _)| start > 35) {
            self.repeat(&rx::ALENDRONIC, day.plus(21), weak, by);
        }
        let physio = self.someone(Setting::Community, Role::Physiotherapist);
        for week in 0..8 {
            let at = self.working_hour(day.plus(24 + 7 * week));
            self.home_visit(at, "Therapy at home", Some(dx::HIP_FRACTURE), physio);
        }
        self.document(day.plus(84).at(15 * 60), codes::ENCOUNTER_REPORT, "Therapy at home: end of course", physio, &[
            Point::Text("Goals reached: walks to the bathroom and the kitchen with a frame, gets in and out of bed alone, climbs \
                         three steps with a rail."),
            Point::Action("Strength and balance class at the community centre, Wednesdays at 11."),
        ]);
    }

    fn dementia(&mut self) {
        let onset = self.end.plus(-self.rng.range(120, 1_700)).working();
        let by = self.at(MENTAL_HEALTH, Role::Psychiatrist);
        let Some(problem) = self.problem(dx::DEMENTIA, onset, by) else { return };
        let at = self.hour(onset);
        let visit = self.clinic(at, "Memory clinic", Some(dx::DEMENTIA), by);
        self.clinic_letter(at, visit, by, "Memory clinic", &[
            Point::Diagnosis("Alzheimer's disease, mild"),
            Point::Text("A year of forgetting appointments and names; got lost once on the way from the shops. Memory test 76 of 100. \
                         Scan: smaller than usual around the memory centres. The diagnosis was explained with family there."),
            Point::Action("Donepezil 5 mg at night, 10 mg after a month if it suits."),
            Point::Action("Must tell DVLA. Advice on lasting power of attorney was given."),
        ]);
        let first = self.repeat(&rx::DONEPEZIL_5, onset.plus(3), Some(problem), by);
        self.stop(first, onset.plus(34));
        self.repeat(&rx::DONEPEZIL_10, onset.plus(34), Some(problem), by);
        if self.end.0 - onset.0 > 900 {
            self.repeat(&rx::MEMANTINE, onset.plus(700), Some(problem), by);
        }
        let nurse = self.at(MENTAL_HEALTH, Role::MentalHealthNurse);
        let mut day = onset.plus(190);
        while day <= self.end {
            let at = self.working_hour(day);
            self.home_visit(at, "Memory team", Some(dx::DEMENTIA), nurse);
            day = day.plus(self.rng.range(170, 220));
        }
    }

    fn leg_ulcer(&mut self) {
        let start = self.end.plus(-self.rng.range(40, 500)).working();
        let by = self.someone(Setting::Community, Role::DistrictNurse);
        let days = self.rng.range(70, 140);
        let Some(problem) = self.illness(dx::LEG_ULCER, start, days, by) else { return };
        let visits = self.rng.range(8, 16);
        for number in 0..visits {
            let day = start.plus(number * 4 + number / 2).working();
            let at = self.hour(day);
            if let Some(visit) = self.home_visit(at, "District nursing", Some(dx::LEG_ULCER), by) {
                self.operation(codes::WOUND_CARE, day, Some(dx::LEG_ULCER), Some(visit), by);
            }
        }
        self.plan(Plan {
            title: "Wound care plan",
            summary: "Venous ulcer above the left inner ankle, 3 cm by 2 cm at the start.".to_owned(),
            start,
            review: start.plus(180),
            problems: vec![problem],
            goals: vec!["Healed in twelve weeks"],
            activities: vec![
                "Compression bandage, changed twice a week",
                "Feet up above the hips for half an hour, three times a day",
            ],
            by,
        });
    }

    fn social_care(&mut self) {
        let worker = self.at(SOCIAL_CARE, Role::SocialWorker);
        let therapist = self.at(SOCIAL_CARE, Role::OccupationalTherapist);
        let start = self.end.plus(-self.rng.range(60, 150)).working();
        let at = self.hour(start);
        self.home_visit(at, "Care and support assessment", None, worker);
        let carer = if self.who.delegates.is_empty() {
            "Lives alone; a neighbour looks in."
        } else {
            "Family help every day and were part of this assessment."
        };
        self.document(at.plus(2 * 1_440), codes::ENCOUNTER_REPORT, "Care and support assessment", worker, &[
            Point::Text("What matters to me: staying in my own home, my garden, Sunday lunch with the family."),
            Point::Text(carer),
            Point::Text("Needs help to wash and dress, to cook a hot meal and to get out of the house. Manages money with some help. \
                         Meets the national criteria for care and support."),
            Point::Action("Care and support plan with a personal budget."),
            Point::Action("Carer's assessment offered."),
        ]);
        let at = self.working_hour(start.plus(9));
        self.home_visit(at, "Occupational therapy", None, therapist);
        self.document(at.plus(70), codes::ENCOUNTER_REPORT, "Equipment and adaptations", therapist, &[
            Point::Text("Put in place: key safe, grab rails at the front door & in the shower, raised toilet seat, pendant alarm."),
        ]);
        let problems: Vec<usize> = self
            .record
            .problems
            .iter()
            .enumerate()
            .filter(|(_, p)| p.lasting && p.ended.is_none())
            .map(|(at, _)| at)
            .take(3)
            .collect();
        let goals =
            vec!["Stay in my own home", "Wash and dress safely every morning", "See people at least twice a week"];
        let activities = vec![
            "Home care in the morning, 45 minutes, every day",
            "Home care at lunch, 30 minutes, every day",
            "Lunch club on Thursday, transport included",
            "Pendant alarm, tested on the first Monday of the month",
        ];
        self.support_plan(worker, &problems, "Care and support plan", goals, activities);
        self.alert(
            ("safety", "Safety"),
            "Key safe at the front door; home carers and ambulance have the code",
            start,
            worker,
        );
        let by = self.at(HOME_CARE, Role::CareWorker);
        for back in (0..14).rev() {
            let at = self.end.plus(-back - 1).at(8 * 60 + 5 * self.rng.range(0, 6));
            self.home_visit(at, "Home care", None, by);
        }
        self.plan(Plan {
            title: "Home care plan",
            summary: "What carers do at each visit, and how I like it done.".to_owned(),
            start: start.plus(12),
            review: start.plus(12 + 182),
            problems: Vec::new(),
            goals: vec!["Feel safe and unhurried in the morning"],
            activities: vec![
                "Morning: wash, dress, porridge, tablets from the blister pack",
                "Lunch: hot meal, drink, a short walk to the window",
                "I like the radio on and the curtains half open",
            ],
            by,
        });
        if self.alive() {
            self.book_ahead(20, 60, "Review of care and support", None, worker);
        }
    }

    /// The plan that the council agrees with somebody.
    pub(super) fn support_plan(
        &mut self,
        by: By,
        problems: &[usize],
        title: &'static str,
        goals: Vec<&'static str>,
        activities: Vec<&'static str>,
    ) {
        let start = self.end.plus(-self.rng.range(20, 50));
        self.plan(Plan {
            title,
            summary: "Written with the person under the Care Act; says what matters, what help comes and who pays."
                .to_owned(),
            start,
            review: start.plus_years(1),
            problems: problems.to_vec(),
            goals,
            activities,
            by,
        });
    }

    /// A last stay in hospital that ends with death.
    fn last_days(&mut self, death: Day) {
        let by = self.someone(Setting::Hospital, Role::Geriatrician);
        let start = death.plus(-self.rng.range(2, 9)).at(14 * 60 + 20);
        let minutes = (death.0 - start.day.0) * 1_440 + 22 * 60 - start.minute;
        let way = Way::Stay("21");
        let reason = Some(dx::PNEUMONIA);
        let kind = codes::HOSPITAL_ADMISSION;
        let service = "Ward for older people";
        self.visit(Visit { way, start, minutes, kind, reason, by, service });
        self.illness(dx::PNEUMONIA, start.day, 400, by);
    }
}
