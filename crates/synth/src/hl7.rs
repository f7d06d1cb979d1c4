//! The HL7 v2.5.1 messages that the hospitals send for the same events as their Bundles: admissions and discharges,
//! registrations and changes of the person's details, results, appointments and letters.

use std::fmt::Write;

use crate::clock::{Day, Moment};
use crate::codes;
use crate::fhir::{interpretation, local_number, range};
use crate::identity::Identity;
use crate::json::write_decimal;
use crate::life::{Booking, By, Fate, Letter, Record, Report, Visit, Way};
use crate::names::Sex;
use crate::places::Address;
use crate::sources::{HOSPITAL, SOURCES, Setting, staff_number};

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hl7Message {
    /// The registered name of the source that sends it.
    pub source: &'static str,
    /// Type and event, such as `ADT^A01`.
    pub kind: &'static str,
    /// The message: segments that end with a carriage return, in UTF-8.
    pub text: String,
}

/// Months of messages before today: a feed does not repeat a decade.
const MONTHS: i32 = 24;

/// Sends a message of a type at a time, filled by a function.
type Send<'a> = dyn FnMut(&'static str, Moment, &dyn Fn(&mut Message<'_>)) + 'a;

/// One message while it is written.
struct Message<'a> {
    who: &'a Identity,
    source: usize,
    out: String,
}

/// The messages about one person, in the order they were sent.
pub(crate) fn messages(who: &Identity, record: &Record, today: Day) -> Vec<Hl7Message> {
    let from = today.plus(-MONTHS * 30);
    let mut sent: Vec<(Moment, Hl7Message)> = Vec::new();
    for (source, entry) in SOURCES.iter().enumerate() {
        if entry.setting != Setting::Hospital {
            continue;
        }
        let mine = |by: By| by.source == source;
        let mut count = 0;
        let mut send = |kind: &'static str, at: Moment, fill: &dyn Fn(&mut Message<'_>)| {
            if at.day < from || at.day > today {
                return;
            }
            count += 1;
            let mut message = Message { who, source, out: String::with_capacity(1_024) };
            message.header(kind, at, count);
            fill(&mut message);
            sent.push((at, Hl7Message { source: entry.name, kind, text: message.out }));
        };
        for (number, visit) in record.visits.iter().enumerate().filter(|(_, v)| mine(v.by)) {
            let Way::Stay(_) = visit.way else { continue };
            let out = visit.start.plus(visit.minutes);
            send("ADT^A01", visit.start.plus(4), &|m| {
                m.event("A01", visit.start);
                m.person(visit.start.day);
                m.stay(number, visit, None);
            });
            send("ADT^A03", out.plus(6), &|m| {
                m.event("A03", out);
                m.person(out.day);
                m.stay(number, visit, Some(out));
            });
        }
        let known = source == HOSPITAL && !record.reports.is_empty()
            || record.visits.iter().any(|v| mine(v.by))
            || record.bookings.iter().any(|b| mine(b.by));
        if known {
            registrations(who, record, source, from, &mut send);
        }
        if source == HOSPITAL {
            for (number, report) in record.reports.iter().enumerate() {
                send("ORU^R01", report.taken.plus(report.delay), &|m| {
                    m.person(report.taken.day);
                    m.report(number, report);
                });
            }
        }
        for (number, booking) in record.bookings.iter().enumerate().filter(|(_, b)| mine(b.by)) {
            send("SIU^S12", booking.made, &|m| m.appointment(number, booking, "NEW"));
            if booking.fate == Fate::Cancelled {
                let at = booking.at.day.plus(-1).at(11 * 60);
                send("SIU^S15", at.max(booking.made.plus(30)), &|m| m.appointment(number, booking, "CAN"));
            }
        }
        for (number, letter) in record.letters.iter().enumerate().filter(|(_, l)| mine(l.by)) {
            send("MDM^T02", letter.at.plus(3), &|m| {
                m.event("T02", letter.at);
                m.person(letter.at.day);
                m.document(number, letter);
            });
        }
    }
    // A stable sort: messages of one minute keep the order in which they were made.
    sent.sort_by_key(|(at, _)| *at);
    sent.into_iter().map(|(_, message)| message).collect()
}

/// A28 when the person becomes known, A31 when details change, A08 when details of a patient in hospital change.
fn registrations(who: &Identity, record: &Record, source: usize, from: Day, send: &mut Send<'_>) {
    let visits = record.visits.iter().filter(|v| v.by.source == source).map(|v| v.start.day);
    let reports = record.reports.iter().map(|r| r.taken.day).filter(|_| source == HOSPITAL);
    let bookings = record.bookings.iter().filter(|b| b.by.source == source).map(|b| b.made.day);
    let first = visits.chain(reports).chain(bookings).min().map(|day| day.max(from));
    if let Some(first) = first {
        let at = first.at(7 * 60 + 30);
        send("ADT^A28", at, &|m| {
            m.event("A28", at);
            m.person(first);
        });
    }
    if let Some((_, moved)) = &who.moved {
        let at = moved.plus(3).working().at(9 * 60 + 40);
        send("ADT^A31", at, &|m| {
            m.event("A31", at);
            m.person(at.day);
        });
    }
    if let Some(death) = who.death {
        let at = death.plus(4).working().at(10 * 60 + 5);
        send("ADT^A31", at, &|m| {
            m.event("A31", at);
            m.person(at.day);
        });
    }
    let stay = |v: &&Visit| matches!(v.way, Way::Stay(_)) && v.by.source == source && v.minutes > 3 * 1_440;
    for (number, visit) in record.visits.iter().enumerate().filter(|(_, v)| stay(v)) {
        // The ward corrects a detail, such as the next of kin, on the second day.
        let at = visit.start.day.plus(1).at(14 * 60 + 20);
        send("ADT^A08", at, &|m| {
            m.event("A08", at);
            m.person(at.day);
            m.stay(number, visit, None);
        });
    }
}

/// Escapes a text for a field: the delimiters of MSH-1 and MSH-2, and the ends of lines.
fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '|' => out.push_str("\\F\\"),
            '^' => out.push_str("\\S\\"),
            '&' => out.push_str("\\T\\"),
            '~' => out.push_str("\\R\\"),
            '\\' => out.push_str("\\E\\"),
            '\n' => out.push_str("\\.br\\"),
            '\r' => {}
            other => out.push(other),
        }
    }
}

fn compact(day: Day) -> String {
    let (year, month, day) = day.civil();
    format!("{year:04}{month:02}{day:02}")
}

fn stamp(at: Moment) -> String {
    let mut out = String::with_capacity(19);
    at.write_hl7(&mut out);
    out
}

impl Message<'_> {
    /// Adds a segment. Fields are given as they stand, so texts must have been escaped.
    fn segment(&mut self, fields: std::fmt::Arguments<'_>) {
        self.out.write_fmt(fields).expect("a string takes all text");
        self.out.push('\r');
    }

    fn header(&mut self, kind: &str, at: Moment, number: u32) {
        let source = &SOURCES[self.source];
        let structure = match kind {
            "ADT^A01" | "ADT^A08" => "ADT_A01",
            "ADT^A03" => "ADT_A03",
            "ADT^A28" | "ADT^A31" => "ADT_A05",
            "ORU^R01" => "ORU_R01",
            "MDM^T02" => "MDM_T02",
            _ => "SIU_S12",
        };
        let control = format!("{}{:07}{number:04}", source.code, self.who.index);
        let sent = stamp(at);
        self.segment(format_args!(
            "MSH|^~\\&|PAS|{}|KEEPWELL|LEEDS|{sent}||{kind}^{structure}|{control}|T|2.5.1|||AL|NE|GBR|UNICODE UTF-8",
            source.code
        ));
    }

    fn event(&mut self, event: &str, at: Moment) {
        let at = stamp(at);
        self.segment(format_args!("EVN|{event}|{at}"));
    }

    /// PID and PD1, as the details stood on a day.
    fn person(&mut self, day: Day) {
        let who = self.who;
        let source = &SOURCES[self.source];
        let local = local_number(self.source, who.index);
        let mut name = String::new();
        escape(&mut name, &who.family);
        name.push('^');
        escape(&mut name, who.given);
        name.push('^');
        escape(&mut name, who.middle.unwrap_or_default());
        let sex = match who.sex {
            Sex::Female => "F",
            Sex::Male => "M",
        };
        let address = match &who.moved {
            Some((before, moved)) if day < *moved => field(before),
            _ => field(&who.address),
        };
        let (death, dead) = match who.death.filter(|death| *death <= day) {
            Some(death) => (compact(death), "Y"),
            None => (String::new(), "N"),
        };
        let twin = if who.twin { "Y" } else { "" };
        let birth = compact(who.birth);
        let ethnic = who.community.ethnic_category().0;
        let number = who.nhs_number.digits();
        let language = who.language.map_or("en", |(tag, _)| tag);
        self.segment(format_args!(
            "PID|1||{number}^^^NHS^NH~{local}^^^{}^MR||{name}^^{}^^L||{birth}|{sex}|||{address}||{}^PRN^CP|\
             |{language}|||||||{ethnic}||{twin}|||||{death}|{dead}",
            source.code, who.title, who.phone
        ));
        let practice = &SOURCES[who.source(Setting::Gp)];
        let mut organisation = String::new();
        escape(&mut organisation, practice.organisation);
        self.segment(format_args!("PD1|||{organisation}^^{}", practice.code));
    }

    /// A segment whose fields are far apart: each with its number.
    fn sparse(&mut self, name: &str, fields: &[(usize, &str)]) {
        self.out.push_str(name);
        let mut at = 0;
        for (number, text) in fields {
            while at < *number {
                self.out.push('|');
                at += 1;
            }
            self.out.push_str(text);
        }
        self.out.push('\r');
    }

    /// PV1 of a stay, and its diagnosis.
    fn stay(&mut self, number: usize, visit: &Visit, out: Option<Moment>) {
        let doctor = staff(visit.by);
        let mut ward = String::new();
        escape(&mut ward, visit.service);
        write!(ward, "^^^{}", SOURCES[self.source].code).expect("a string takes all text");
        let method = match visit.way {
            Way::Stay(method) => method,
            _ => "",
        };
        let spell = self.spell(number);
        let (start, end) = (stamp(visit.start), out.map(stamp).unwrap_or_default());
        let gone = match (out, self.who.death) {
            (Some(out), Some(death)) if out.day >= death => "79",
            (Some(_), _) => "19",
            (None, _) => "",
        };
        self.sparse(
            "PV1",
            &[
                (1, "1"),
                (2, "I"),
                (3, &ward),
                (4, method),
                (7, &doctor),
                (19, &spell),
                (36, gone),
                (44, &start),
                (45, &end),
            ],
        );
        if let Some(reason) = visit.reason {
            let mut words = String::new();
            escape(&mut words, reason.term);
            self.segment(format_args!("DG1|1||{}^{words}^SCT||{start}|A", reason.code));
        }
    }

    fn spell(&self, number: usize) -> String {
        format!("{}-{}", local_number(self.source, self.who.index), number + 1)
    }

    fn report(&mut self, number: usize, report: &Report) {
        let filler = format!("{}-{:05}", local_number(self.source, self.who.index), number + 1);
        let (taken, issued) = (stamp(report.taken), stamp(report.taken.plus(report.delay)));
        let asked = staff(report.by);
        let mut words = String::new();
        escape(&mut words, report.panel.code.term);
        let code = report.panel.code.code;
        self.segment(format_args!("ORC|RE||{filler}|||||||||{asked}"));
        self.segment(format_args!(
            "OBR|1||{filler}|{code}^{words}^SCT^{}^^L|||{taken}|||||||||{asked}||||||{issued}||LAB|F",
            report.panel.short
        ));
        for (at, value) in report.values.iter().enumerate() {
            let analyte = value.analyte;
            let mut result = String::new();
            write_decimal(&mut result, value.value, analyte.places);
            let (kind, result) = if value.more_than { ("SN", format!(">^{result}")) } else { ("NM", result) };
            let mut words = String::new();
            escape(&mut words, analyte.code.term);
            let mut unit = String::new();
            escape(&mut unit, analyte.unit);
            let flag = interpretation(value, self.who.sex).map_or("", |(code, _)| code);
            let bounds = bounds(range(value, self.who.sex), analyte.places);
            self.segment(format_args!(
                "OBX|{}|{kind}|{}^{words}^SCT||{result}|{}^{unit}^UCUM|{bounds}|{flag}|||F|||{taken}||||||||\
                 |Aire Valley Pathology Laboratory",
                at + 1,
                analyte.code.code,
                analyte.ucum,
            ));
        }
        if let Some(comment) = report.comment {
            let mut words = String::new();
            escape(&mut words, comment);
            self.segment(format_args!("NTE|1|L|{words}"));
        }
    }

    fn appointment(&mut self, number: usize, booking: &Booking, action: &str) {
        let id = format!("A{}-{}", local_number(self.source, self.who.index), number + 1);
        let (start, end) = (stamp(booking.at), stamp(booking.at.plus(booking.minutes)));
        let mut service = String::new();
        escape(&mut service, booking.service);
        let status = if action == "CAN" { "Cancelled" } else { "Booked" };
        let doctor = staff(booking.by);
        let minutes = booking.minutes;
        self.segment(format_args!(
            "SCH|{id}|{id}|||||{service}|{service}|{minutes}|min|^^{minutes}^{start}^{end}|||||{doctor}||||{doctor}|||||{status}"
        ));
        self.person(booking.made.day);
        self.segment(format_args!("RGS|1|A"));
        self.segment(format_args!("AIS|1|A|{service}|{start}|||{minutes}|min"));
        self.segment(format_args!("AIP|1|A|{doctor}"));
    }

    fn document(&mut self, number: usize, letter: &Letter) {
        let id = format!("D{}-{}", local_number(self.source, self.who.index), number + 1);
        let at = stamp(letter.at);
        let writer = staff(letter.by);
        let spell = letter.visit.map(|visit| self.spell(visit)).unwrap_or_default();
        let mut title = String::new();
        escape(&mut title, &letter.title);
        let mut text = String::with_capacity(letter.text.len() + 64);
        escape(&mut text, &letter.text);
        let kind = letter.kind;
        let mut words = String::new();
        escape(&mut words, kind.term);
        let class = if letter.kind == codes::DISCHARGE_SUMMARY { "I" } else { "O" };
        self.sparse("PV1", &[(1, "1"), (2, class), (7, &writer), (19, &spell)]);
        let kind_field = format!("{}^{words}^SCT", kind.code);
        self.sparse(
            "TXA",
            &[
                (1, "1"),
                (2, &kind_field),
                (3, "TX"),
                (4, &at),
                (6, &at),
                (9, &writer),
                (12, &id),
                (16, &title),
                (17, "AU"),
                (19, "AV"),
            ],
        );
        self.segment(format_args!("OBX|1|TX|{}^{words}^SCT||{text}||||||F|||{at}", kind.code));
    }
}

/// Somebody as XCN has it.
fn staff(by: By) -> String {
    let Some(staff) = SOURCES[by.source].staff.get(by.staff) else { return String::new() };
    let mut out = staff_number(by.source, by.staff);
    out.push('^');
    escape(&mut out, staff.family);
    out.push('^');
    escape(&mut out, staff.given);
    write!(out, "^^^{}", staff.title).expect("a string takes all text");
    out
}

/// A reference range as OBX-7 has it.
fn bounds((low, high): (Option<i32>, Option<i32>), places: u32) -> String {
    let mut out = String::new();
    match (low, high) {
        (Some(low), Some(high)) => {
            write_decimal(&mut out, low, places);
            out.push('-');
            write_decimal(&mut out, high, places);
        }
        (Some(low), None) => {
            out.push('>');
            write_decimal(&mut out, low, places);
        }
        (None, Some(high)) => {
            out.push('<');
            write_decimal(&mut out, high, places);
        }
        (None, None) => {}
    }
    out
}

/// PID-11.
fn field(address: &Address) -> String {
    let mut out = String::new();
    escape(&mut out, &address.line);
    write!(out, "^^{}^West Yorkshire^{}^GBR^H", address.town, address.postcode).expect("a string takes all text");
    out
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn delimiters_in_a_text_become_escape_sequences() {
        let mut out = String::new();
        escape(&mut out, "A&E | 10^9 ~ C:\\ward\nnext");
        assert_eq!(out, "A\\T\\E \\F\\ 10\\S\\9 \\R\\ C:\\E\\ward\\.br\\next");
    }
}
