//! Acknowledgements: what the sender of a message is answered.

use keepwell_model::Timestamp;

use crate::build::{Builder, SegmentBuilder};
use crate::message::Message;

/// What became of the message (MSA-1, original mode).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AckCode {
    /// Taken, and durable.
    Accept,
    /// Understood, but it holds an error: sending it again unchanged will not help.
    Error,
    /// Not taken, for a reason outside its content: send it again later, or to somebody else.
    Reject,
}

impl AckCode {
    /// The code: `AA`, `AE` or `AR`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Accept => "AA",
            Self::Error => "AE",
            Self::Reject => "AR",
        }
    }
}

/// What is wrong (the ERR segment).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AckError {
    /// A code of HL7 table 0357: 100 sequence, 101 missing, 102 data type, 103 value, 200 type, 201 event, 202 processing
    /// id, 203 version, 204 unknown key, 205 duplicate key, 207 internal.
    pub code: u16,
    /// The code in words.
    pub text: &'static str,
    /// Where: segment name, its place among segments of that name (from 1), field; none if it is the whole message.
    pub location: Option<(&'static str, usize, usize)>,
    /// What to do, in plain words, without personal data.
    pub message: String,
}

/// What the answer itself carries.
#[derive(Debug, Clone, Copy)]
pub struct Reply<'a> {
    /// The answer's own control id (MSH-10).
    pub control_id: &'a str,
    /// When it is given.
    pub time: Timestamp,
    /// Who answers where the message does not say whom it was meant for: application and facility.
    pub us: (&'a str, &'a str),
}

/// The answer to a message.
#[must_use]
pub fn ack(message: &Message<'_>, code: AckCode, errors: &[AckError], reply: Reply<'_>) -> Vec<u8> {
    let text = |field: usize, component: usize| message.text("MSH", field, component).unwrap_or_default();
    let part = |field: usize| [text(field, 1), text(field, 2), text(field, 3)];
    let copy = |header: &mut SegmentBuilder, number: usize, from: usize| {
        let parts = part(from);
        header.set_components(number, &[&*parts[0], &*parts[1], &*parts[2]]);
    };
    let builder = Builder::new(|header| {
        copy(header, 3, 5);
        copy(header, 4, 6);
        if text(5, 1).is_empty() {
            header.set(3, reply.us.0);
        }
        if text(6, 1).is_empty() {
            header.set(4, reply.us.1);
        }
        copy(header, 5, 3);
        copy(header, 6, 4);
        header.set(7, &time(reply.time));
        let event = text(9, 2);
        if event.is_empty() {
            header.set(9, "ACK");
        } else {
            header.set_components(9, &["ACK", &*event, "ACK"]);
        }
        header.set(10, reply.control_id);
        copy(header, 11, 11);
        copy(header, 12, 12);
    });
    finish(builder, code, &text(10, 1), errors)
}

/// The answer to bytes that are not a message: nothing of them is repeated.
#[must_use]
pub fn ack_unreadable(error: &AckError, reply: Reply<'_>) -> Vec<u8> {
    let builder = Builder::new(|header| {
        header.set(3, reply.us.0).set(4, reply.us.1).set(7, &time(reply.time)).set(9, "ACK");
        header.set(10, reply.control_id).set(11, "P").set(12, "2.4");
    });
    finish(builder, AckCode::Reject, "", std::slice::from_ref(error))
}

fn finish(builder: Builder, code: AckCode, control_id: &str, errors: &[AckError]) -> Vec<u8> {
    let mut builder = builder.segment("MSA", |msa| {
        msa.set(1, code.code()).set(2, control_id);
    });
    for error in errors {
        builder = builder.segment("ERR", |err| {
            if let Some((segment, place, field)) = error.location {
                err.set_components(2, &[segment, &place.to_string(), &field.to_string()]);
            }
            err.set_components(3, &[&error.code.to_string(), error.text, "HL70357"]);
            err.set(4, "E").set(8, &error.message);
        });
    }
    builder.finish()
}

/// A moment as HL7 v2 writes it, in UTC.
fn time(at: Timestamp) -> String {
    let digits: String = at.to_string().chars().filter(char::is_ascii_digit).take(14).collect();
    format!("{digits}+0000")
}
