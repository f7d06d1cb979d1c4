//! Letters: clinic letters and discharge summaries with the people, the dates and the findings of the visit they follow.

use std::fmt::Write;

use super::{By, Letter, Life, Visit, Way};
use crate::clock::{Day, Moment};
use crate::codes::{self, Code};
use crate::sources::{SOURCES, Setting};

/// A part of a letter.
pub(crate) enum Point<'a> {
    Diagnosis(&'a str),
    Text(&'a str),
    Measured(&'a str, i32, &'a str),
    Action(&'a str),
}

impl Life<'_> {
    /// A letter to the practice after a clinic.
    pub(crate) fn clinic_letter(
        &mut self,
        at: Moment,
        visit: Option<usize>,
        by: By,
        clinic: &str,
        points: &[Point<'_>],
    ) {
        let typed = at.plus(1_440 * self.rng.range(2, 9) + 95);
        let typed = Moment { day: typed.day.working(), ..typed };
        let text = self.text(by, typed.day, &format!("{clinic} on {}", at.day.words()), points, true);
        let title = format!("{clinic} letter");
        self.letter(Letter { at: typed, kind: codes::OUTPATIENT_LETTER, title, text, by, visit });
    }

    /// A document of another kind.
    pub(crate) fn document(&mut self, at: Moment, kind: Code, title: &str, by: By, points: &[Point<'_>]) {
        let copied = SOURCES[by.source].setting != Setting::Gp;
        let text = self.text(by, at.day, title, points, copied);
        self.letter(Letter { at, kind, title: title.to_owned(), text, by, visit: None });
    }

    /// A stay in hospital that ends on a working hour; nothing if it would not fit into the life.
    pub(crate) fn stay(
        &mut self,
        start: Moment,
        nights: (i32, i32),
        method: &'static str,
        ward: &'static str,
        reason: Option<Code>,
        by: By,
    ) -> Option<usize> {
        let nights = self.rng.range(nights.0, nights.1);
        let out = start.day.plus(nights).at(10 * 60 + 5 * self.rng.range(0, 72));
        let minutes = (out.day.0 - start.day.0) * 1_440 + out.minute - start.minute;
        let way = Way::Stay(method);
        let kind = codes::HOSPITAL_ADMISSION;
        self.visit(Visit { way, start, minutes, kind, reason, by, service: ward })
    }

    /// The discharge summary of a stay.
    pub(crate) fn discharge(&mut self, stay: Option<usize>, by: By, title: &str, points: &[Point<'_>]) {
        let Some(visit) = stay else { return };
        let (start, end) = {
            let visit = &self.record.visits[visit];
            (visit.start, visit.start.plus(visit.minutes))
        };
        let subject = format!("{title}. Admitted {}, went home {}", start.day.words(), end.day.words());
        let text = self.text(by, end.day, &subject, points, true);
        let title = format!("Discharge summary: {title}");
        let at = end.plus(45);
        self.letter(Letter { at, kind: codes::DISCHARGE_SUMMARY, title, text, by, visit: stay });
    }

    fn text(&self, by: By, day: Day, subject: &str, points: &[Point<'_>], to_practice: bool) -> String {
        let source = &SOURCES[by.source];
        let staff = &source.staff[by.staff];
        let practice = &SOURCES[self.who.source(Setting::Gp)];
        let mut text = String::with_capacity(1_200);
        let mut line = |parts: std::fmt::Arguments<'_>| {
            text.write_fmt(parts).expect("a string takes all text");
            text.push('\n');
        };
        line(format_args!("{}\n{}, Leeds {}", source.organisation, source.address.0, source.address.1));
        line(format_args!("Telephone {}\n\n{}\n", source.phone, day.words()));
        if to_practice {
            line(format_args!("To: {}", practice.organisation));
        }
        line(format_args!("About: {}", self.who.full_name()));
        line(format_args!("Born: {}   NHS number: {}", self.who.birth.words(), self.who.nhs_number));
        let address = self.address_on(day);
        line(format_args!("Address: {}, {}, {}\n", address.line, address.town, address.postcode));
        line(format_args!("{subject}\n"));
        let mut actions = false;
        for point in points {
            match point {
                Point::Diagnosis(words) => line(format_args!("Diagnosis: {words}")),
                Point::Text(words) => line(format_args!("\n{words}")),
                Point::Measured(name, value, unit) => line(format_args!("{name}: {value} {unit}")),
                Point::Action(words) => {
                    if !actions {
                        line(format_args!("\nWhat happens next"));
                    }
                    actions = true;
                    line(format_args!("- {words}"));
                }
            }
        }
        line(format_args!("\n{} {} {}\n{}", staff.title, staff.given, staff.family, codes::role_words(staff.role)));
        if to_practice {
            line(format_args!("Copy to: {}", self.who.full_name()));
        }
        text
    }

    /// Where the person lived on a day.
    fn address_on(&self, day: Day) -> &crate::places::Address {
        match &self.who.moved {
            Some((before, moved)) if day < *moved => before,
            _ => &self.who.address,
        }
    }
}
