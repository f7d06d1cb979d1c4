//! One life: what happened, when, where and why. The disease models in this folder write it; the writers of feeds and
//! messages read it. Everything is guarded here: nothing is recorded before birth, after death or after today.

mod body;
mod checks;
#[cfg(test)]
mod coherence;
mod everyday;
mod growing_up;
mod heart;
mod letters;
mod lungs;
mod metabolic;
mod mind;
mod old_age;
mod pregnancy;
mod surgery;

use crate::clock::{Day, Moment};
use crate::codes::medicines::{Class, Drug};
use crate::codes::tests_of::{Analyte, Measure, Panel};
use crate::codes::vaccines::Vaccine;
use crate::codes::{self, Code};
use crate::identity::Identity;
use crate::rng::{Purpose, Rng};
use crate::sources::{Role, SOURCES, Setting};
pub(crate) use body::Body;

/// Who did something: a source and one of its staff.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct By {
    pub(crate) source: usize,
    pub(crate) staff: usize,
}

/// A condition on a problem list.
pub(crate) struct Problem {
    pub(crate) code: Code,
    pub(crate) onset: Day,
    pub(crate) ended: Option<Day>,
    pub(crate) by: By,
    /// A lasting condition, in contrast to an illness that passes.
    pub(crate) lasting: bool,
}

/// A course of a medicine.
pub(crate) struct Course {
    pub(crate) drug: &'static Drug,
    pub(crate) start: Day,
    /// The last day, where it has ended or is set to end.
    pub(crate) end: Option<Day>,
    /// The condition it is for.
    pub(crate) problem: Option<usize>,
    pub(crate) by: By,
    /// A short course, in contrast to a repeat prescription.
    pub(crate) acute: bool,
}

/// A value of a laboratory result.
#[derive(Clone, Copy)]
pub(crate) struct Value {
    pub(crate) analyte: &'static Analyte,
    pub(crate) value: i32,
    /// The laboratory reports only that the value is greater than this.
    pub(crate) more_than: bool,
}

/// A laboratory report.
pub(crate) struct Report {
    pub(crate) panel: &'static Panel,
    pub(crate) taken: Moment,
    /// Minutes from the sample to the report.
    pub(crate) delay: i32,
    pub(crate) values: Vec<Value>,
    pub(crate) comment: Option<&'static str>,
    /// Who asked for it.
    pub(crate) by: By,
}

/// A measurement or an answer outside the laboratory.
pub(crate) enum Reading {
    Pressure(i32, i32),
    Quantity(&'static Measure, i32),
    Answer(Code, Code),
}

/// A measurement with its time and place.
pub(crate) struct Vital {
    pub(crate) at: Moment,
    pub(crate) by: By,
    pub(crate) reading: Reading,
    pub(crate) visit: Option<usize>,
}

/// How a contact took place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Way {
    Surgery,
    Telephone,
    Home,
    Clinic,
    Emergency,
    /// A stay, with the code of how it came about in the list of admission methods.
    Stay(&'static str),
}

/// A contact with a service.
pub(crate) struct Visit {
    pub(crate) way: Way,
    pub(crate) start: Moment,
    pub(crate) minutes: i32,
    pub(crate) kind: Code,
    pub(crate) reason: Option<Code>,
    pub(crate) by: By,
    /// The service or ward.
    pub(crate) service: &'static str,
}

/// A document.
pub(crate) struct Letter {
    pub(crate) at: Moment,
    pub(crate) kind: Code,
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) by: By,
    pub(crate) visit: Option<usize>,
}

/// What became of an appointment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fate {
    Booked,
    Kept,
    Missed,
    Cancelled,
}

/// An appointment.
pub(crate) struct Booking {
    pub(crate) at: Moment,
    pub(crate) minutes: i32,
    pub(crate) made: Moment,
    pub(crate) fate: Fate,
    pub(crate) service: &'static str,
    pub(crate) reason: Option<Code>,
    pub(crate) by: By,
}

/// A vaccination.
pub(crate) struct Jab {
    pub(crate) vaccine: &'static Vaccine,
    pub(crate) day: Day,
    pub(crate) dose: i32,
    pub(crate) batch: String,
    pub(crate) by: By,
}

/// An allergy, or the statement that there is none.
pub(crate) struct Allergy {
    pub(crate) substance: Code,
    pub(crate) reaction: Option<(Code, &'static str)>,
    pub(crate) recorded: Day,
    pub(crate) by: By,
    pub(crate) category: &'static str,
}

/// A care plan with its goals and activities.
pub(crate) struct Plan {
    pub(crate) title: &'static str,
    pub(crate) summary: String,
    pub(crate) start: Day,
    pub(crate) review: Day,
    pub(crate) problems: Vec<usize>,
    pub(crate) goals: Vec<&'static str>,
    pub(crate) activities: Vec<&'static str>,
    pub(crate) by: By,
}

/// An operation or another procedure.
pub(crate) struct Operation {
    pub(crate) code: Code,
    /// What a scan or an X-ray showed.
    pub(crate) finding: Option<&'static str>,
    pub(crate) day: Day,
    pub(crate) reason: Option<Code>,
    pub(crate) by: By,
    pub(crate) visit: Option<usize>,
}

/// Something everybody who meets the person should know.
pub(crate) struct Alert {
    pub(crate) category: (&'static str, &'static str),
    pub(crate) text: &'static str,
    pub(crate) start: Day,
    pub(crate) by: By,
}

/// A life as it has been recorded.
#[derive(Default)]
pub(crate) struct Record {
    pub(crate) problems: Vec<Problem>,
    pub(crate) courses: Vec<Course>,
    pub(crate) reports: Vec<Report>,
    pub(crate) vitals: Vec<Vital>,
    pub(crate) visits: Vec<Visit>,
    pub(crate) letters: Vec<Letter>,
    pub(crate) bookings: Vec<Booking>,
    pub(crate) jabs: Vec<Jab>,
    pub(crate) allergies: Vec<Allergy>,
    pub(crate) plans: Vec<Plan>,
    pub(crate) operations: Vec<Operation>,
    pub(crate) alerts: Vec<Alert>,
}

/// Years of detail before today; older conditions are on the problem list, but their visits and results are not.
const DETAIL_YEARS: i32 = 12;

/// The working state while a life is made up.
pub(crate) struct Life<'a> {
    pub(crate) who: &'a Identity,
    pub(crate) rng: Rng,
    pub(crate) today: Day,
    /// The last day on which something can happen.
    pub(crate) end: Day,
    /// The first day of detail.
    pub(crate) since: Day,
    pub(crate) body: Body,
    pub(crate) record: Record,
}

/// Makes up the life of a person, up to today.
pub(crate) fn live(seed: u64, who: &Identity, today: Day) -> Record {
    let mut rng = Rng::new(seed, who.index, Purpose::Life);
    let end = who.last_day(today);
    let since = who.birth.max(today.plus_years(-DETAIL_YEARS));
    let body = Body::new(&mut rng, who);
    let mut life = Life { who, rng, today, end, since, body, record: Record::default() };
    life.allergies();
    life.slow_changes();
    life.childhood();
    life.metabolic();
    life.heart();
    life.lungs();
    life.mind();
    life.births();
    life.surgery();
    life.old_age();
    life.everyday();
    life.checks();
    let mut record = life.record;
    record.reports.sort_by_key(|r| r.taken);
    record.vitals.sort_by_key(|v| v.at);
    record.bookings.sort_by_key(|b| b.at);
    record.jabs.sort_by_key(|j| j.day);
    record
}

impl Life<'_> {
    /// Age today, or at death.
    pub(crate) fn age(&self) -> i32 {
        self.end.age(self.who.birth)
    }

    /// Age on a day.
    pub(crate) fn age_on(&self, day: Day) -> i32 {
        day.age(self.who.birth)
    }

    /// The day on which the person reached an age, give or take most of a year.
    pub(crate) fn at_age(&mut self, years: i32) -> Day {
        let days = self.rng.range(0, 360);
        self.who.birth.plus_years(years).plus(days)
    }

    /// Whether the person is alive today.
    pub(crate) fn alive(&self) -> bool {
        self.who.death.is_none()
    }

    fn lived(&self, day: Day) -> bool {
        day >= self.who.birth && day <= self.end
    }

    fn detailed(&self, day: Day) -> bool {
        day >= self.since && day <= self.end
    }

    /// Somebody of the person's practice.
    pub(crate) fn gp(&mut self) -> By {
        By { source: self.who.source(Setting::Gp), staff: usize::from(self.rng.chance(400)) }
    }

    /// The practice nurse.
    pub(crate) fn nurse(&self) -> By {
        self.someone(Setting::Gp, Role::Nurse)
    }

    /// The first who has a role in the service that cares for the person.
    pub(crate) fn someone(&self, setting: Setting, role: Role) -> By {
        let source = self.who.source(setting);
        By { source, staff: SOURCES[source].find(role) }
    }

    /// Somebody at a source.
    pub(crate) fn at(&self, source: usize, role: Role) -> By {
        By { source, staff: SOURCES[source].find(role) }
    }

    /// Whether the problem list has a condition.
    pub(crate) fn has(&self, code: Code) -> bool {
        self.record.problems.iter().any(|p| p.code == code)
    }

    /// The number of a condition on the problem list.
    pub(crate) fn problem_with(&self, code: Code) -> Option<usize> {
        self.record.problems.iter().position(|p| p.code == code)
    }

    /// A condition that stays.
    pub(crate) fn problem(&mut self, code: Code, onset: Day, by: By) -> Option<usize> {
        if !self.lived(onset) {
            return None;
        }
        self.record.problems.push(Problem { code, onset, ended: None, by, lasting: true });
        Some(self.record.problems.len() - 1)
    }

    /// An illness that passes.
    pub(crate) fn illness(&mut self, code: Code, onset: Day, days: i32, by: By) -> Option<usize> {
        if !self.detailed(onset) {
            return None;
        }
        let ended = Some(onset.plus(days)).filter(|day| *day <= self.end);
        self.record.problems.push(Problem { code, onset, ended, by, lasting: false });
        Some(self.record.problems.len() - 1)
    }

    /// Whether an allergy, a pregnancy or the person's age rules a medicine out on a day.
    fn ruled_out(&self, drug: &Drug, day: Day) -> bool {
        let allergic = |code: Code| self.record.allergies.iter().any(|a| a.substance == code);
        match drug.class {
            Class::Penicillin => allergic(codes::PENICILLIN),
            Class::Trimethoprim => allergic(codes::TRIMETHOPRIM) || self.pregnant_on(day),
            Class::AntiInflammatory => allergic(codes::IBUPROFEN) || self.pregnant_on(day),
            Class::Statin => self.age_on(day) < 25 || self.pregnant_on(day),
            Class::NotInPregnancy => self.age_on(day) < 12 || self.pregnant_on(day),
            Class::Other => false,
        }
    }

    /// A repeat prescription, until it is stopped or life ends.
    pub(crate) fn repeat(&mut self, drug: &'static Drug, start: Day, problem: Option<usize>, by: By) -> Option<usize> {
        if !self.lived(start) || self.ruled_out(drug, start) {
            return None;
        }
        let mut end = self.who.death;
        for at in 0..self.record.courses.len() {
            let other = &self.record.courses[at];
            let clash = !other.acute && other.drug.group() == drug.group() && other.end.is_none_or(|day| day > start);
            if !clash {
                continue;
            }
            if other.start > start {
                end = Some(end.map_or(other.start, |day| day.min(other.start)));
            } else if other.drug == drug || other.start == start {
                return Some(at);
            } else {
                self.record.courses[at].end = Some(start);
            }
        }
        self.record.courses.push(Course { drug, start, end, problem, by, acute: false });
        Some(self.record.courses.len() - 1)
    }

    /// Stops a repeat prescription.
    pub(crate) fn stop(&mut self, course: Option<usize>, day: Day) {
        if let Some(course) = course {
            let course = &mut self.record.courses[course];
            if day <= self.end && day > course.start {
                course.end = Some(day);
            }
        }
    }

    /// A short course.
    pub(crate) fn acute(&mut self, drug: &'static Drug, start: Day, days: i32, problem: Option<usize>, by: By) {
        if self.detailed(start) && !self.ruled_out(drug, start) {
            let end = Some(start.plus(days));
            self.record.courses.push(Course { drug, start, end, problem, by, acute: true });
        }
    }

    /// A medicine, or another where the first is ruled out.
    pub(crate) fn acute_or(
        &mut self,
        drugs: [&'static Drug; 2],
        start: Day,
        days: i32,
        problem: Option<usize>,
        by: By,
    ) {
        let drug = if self.ruled_out(drugs[0], start) { drugs[1] } else { drugs[0] };
        self.acute(drug, start, days, problem, by);
    }

    /// A laboratory report; without values there is none.
    pub(crate) fn report(&mut self, panel: &'static Panel, taken: Moment, values: Vec<Value>, by: By) {
        self.report_with(panel, taken, values, None, by);
    }

    /// A laboratory report with a comment.
    pub(crate) fn report_with(
        &mut self,
        panel: &'static Panel,
        taken: Moment,
        values: Vec<Value>,
        comment: Option<&'static str>,
        by: By,
    ) {
        let delay = self.rng.range(4 * 60, 9 * 60);
        if self.detailed(taken.day) && self.lived(taken.plus(delay).day) && !values.is_empty() {
            self.record.reports.push(Report { panel, taken, delay, values, comment, by });
        }
    }

    /// A measurement.
    pub(crate) fn vital(&mut self, at: Moment, reading: Reading, visit: Option<usize>, by: By) {
        if self.detailed(at.day) {
            self.record.vitals.push(Vital { at, by, reading, visit });
        }
    }

    /// A contact.
    pub(crate) fn visit(&mut self, visit: Visit) -> Option<usize> {
        if !self.detailed(visit.start.day) || !self.lived(visit.start.plus(visit.minutes).day) {
            return None;
        }
        self.record.visits.push(visit);
        Some(self.record.visits.len() - 1)
    }

    /// A contact at the practice.
    pub(crate) fn surgery_visit(&mut self, at: Moment, kind: Code, reason: Option<Code>, by: By) -> Option<usize> {
        let way = if kind == codes::TELEPHONE { Way::Telephone } else { Way::Surgery };
        self.visit(Visit { way, start: at, minutes: 10, kind, reason, by, service: "General practice" })
    }

    /// A clinic at a hospital or another service, with the appointment that led to it.
    pub(crate) fn clinic(&mut self, at: Moment, service: &'static str, reason: Option<Code>, by: By) -> Option<usize> {
        let kind = codes::OUTPATIENT;
        let visit = self.visit(Visit { way: Way::Clinic, start: at, minutes: 20, kind, reason, by, service });
        if visit.is_some() {
            let notice = self.rng.range(21, 70);
            let mut made = at.day.plus(-notice).working().at(600);
            if self.rng.chance(80) {
                // A first date that did not suit, or was missed; the one that was kept came two weeks later.
                let first = at.day.plus(-14).working().at(at.minute);
                let fate = if self.rng.chance(750) { Fate::Cancelled } else { Fate::Missed };
                self.book(Booking { at: first, minutes: 20, made, fate, service, reason, by });
                made = if fate == Fate::Missed { first.plus(1_440) } else { first.plus(-1_380) };
            }
            self.book(Booking { at, minutes: 20, made, fate: Fate::Kept, service, reason, by });
        }
        visit
    }

    /// An appointment; those to come are only for the living.
    pub(crate) fn book(&mut self, booking: Booking) {
        let to_come = booking.at.day > self.today;
        let wanted = if to_come { self.alive() } else { self.detailed(booking.at.day) };
        if wanted && booking.made.day >= self.who.birth && booking.made.day <= self.end {
            self.record.bookings.push(booking);
        }
    }

    /// An appointment some days from now.
    pub(crate) fn book_ahead(&mut self, low: i32, high: i32, service: &'static str, reason: Option<Code>, by: By) {
        let day = self.today.plus(self.rng.range(low, high)).working();
        let at = self.hour(day);
        let made = self.today.plus(-self.rng.range(1, 30)).at(660);
        self.book(Booking { at, minutes: 15, made, fate: Fate::Booked, service, reason, by });
    }

    /// The next appointment of a series that is due on a day, or soon where that day is past.
    pub(crate) fn book_due(&mut self, due: Day, service: &'static str, reason: Option<Code>, by: By) {
        let at = self.working_hour(due.max(self.today.plus(4)));
        let made = self.today.plus(-self.rng.range(1, 30)).at(660);
        self.book(Booking { at, minutes: 15, made, fate: Fate::Booked, service, reason, by });
    }

    /// A document. Its writer and reader are put around the text.
    pub(crate) fn letter(&mut self, letter: Letter) {
        if self.detailed(letter.at.day) {
            self.record.letters.push(letter);
        }
    }

    /// A vaccination.
    pub(crate) fn jab(&mut self, vaccine: &'static Vaccine, day: Day, dose: i32) {
        let by = self.nurse();
        let batch = format!(
            "{}{}{:04}",
            char::from(b'A' + u8::try_from(self.rng.below(26)).expect("a letter")),
            char::from(b'A' + u8::try_from(self.rng.below(26)).expect("a letter")),
            self.rng.below(10_000)
        );
        if self.lived(day) {
            self.record.jabs.push(Jab { vaccine, day, dose, batch, by });
        }
    }

    /// A care plan.
    pub(crate) fn plan(&mut self, plan: Plan) {
        if self.detailed(plan.start) {
            self.record.plans.push(plan);
        }
    }

    /// An operation.
    pub(crate) fn operation(&mut self, code: Code, day: Day, reason: Option<Code>, visit: Option<usize>, by: By) {
        if self.lived(day) {
            self.record.operations.push(Operation { code, finding: None, day, reason, by, visit });
        }
    }

    /// A scan or an X-ray with what it showed.
    pub(crate) fn scan(&mut self, code: Code, day: Day, visit: Option<usize>, by: By, finding: &'static str) {
        if self.detailed(day) {
            let finding = Some(finding);
            self.record.operations.push(Operation { code, finding, day, reason: None, by, visit });
        }
    }

    /// Something to know.
    pub(crate) fn alert(&mut self, category: (&'static str, &'static str), text: &'static str, start: Day, by: By) {
        if self.lived(start) {
            self.record.alerts.push(Alert { category, text, start, by });
        }
    }

    /// A time of day in working hours.
    pub(crate) fn hour(&mut self, day: Day) -> Moment {
        let five_minutes = self.rng.range(0, 102);
        day.at(8 * 60 + 30 + 5 * five_minutes)
    }

    /// A time of day in working hours on a working day on or after `day`.
    pub(crate) fn working_hour(&mut self, day: Day) -> Moment {
        self.hour(day.working())
    }
}

/// A value.
pub(crate) fn value(analyte: &'static Analyte, value: i32) -> Value {
    Value { analyte, value, more_than: false }
}
