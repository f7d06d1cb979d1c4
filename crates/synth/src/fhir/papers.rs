//! Documents and appointments.

use super::{Feed, concept, concepts, snomed};
use crate::codes::SNOMED;
use crate::life::Fate;

impl Feed<'_> {
    pub(super) fn papers(&mut self) {
        self.letters();
        self.bookings();
    }

    fn letters(&mut self) {
        let (record, source) = (self.record, self.source);
        for (at, letter) in record.letters.iter().enumerate().filter(|(_, l)| l.by.source == source) {
            let visit = letter.visit.filter(|v| self.mine(record.visits[*v].by));
            let id = self.id("doc", at);
            self.entry("DocumentReference", &id, "UKCore-DocumentReference", |j, refs| {
                j.str("status", "current");
                j.str("docStatus", "final");
                snomed(j, "type", letter.kind);
                refs.patient(j, "subject");
                j.moment("date", letter.at);
                j.one("author", |j| refs.staff_reference(j, letter.by));
                refs.organisation(j, "custodian");
                j.str("description", &letter.title);
                j.one("content", |j| {
                    j.obj("attachment", |j| {
                        j.str("contentType", "text/plain; charset=utf-8");
                        j.str("language", "en-GB");
                        j.str("data", &base64(letter.text.as_bytes()));
                        j.int("size", i32::try_from(letter.text.len()).expect("a letter is short"));
                        j.str("title", &letter.title);
                        j.moment("creation", letter.at);
                    });
                });
                if let Some(visit) = visit {
                    j.obj("context", |j| {
                        j.one("encounter", |j| refs.own_reference(j, "Encounter", "enc", visit));
                    });
                }
            });
        }
    }

    fn bookings(&mut self) {
        let (record, source) = (self.record, self.source);
        for (at, booking) in record.bookings.iter().enumerate().filter(|(_, b)| b.by.source == source) {
            let id = self.id("apt", at);
            self.entry("Appointment", &id, "UKCore-Appointment", |j, refs| {
                j.str(
                    "status",
                    match booking.fate {
                        Fate::Booked => "booked",
                        Fate::Kept => "fulfilled",
                        Fate::Missed => "noshow",
                        Fate::Cancelled => "cancelled",
                    },
                );
                if booking.fate == Fate::Cancelled {
                    let system = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason";
                    concept(j, "cancelationReason", system, "pat", "Patient");
                }
                j.one("serviceType", |j| j.str("text", booking.service));
                if let Some(reason) = booking.reason {
                    concepts(j, "reasonCode", SNOMED, reason.code, reason.term);
                }
                j.str("description", booking.service);
                j.moment("start", booking.at);
                j.moment("end", booking.at.plus(booking.minutes));
                j.int("minutesDuration", booking.minutes);
                j.moment("created", booking.made);
                j.arr("participant", |j| {
                    j.object(|j| {
                        refs.patient(j, "actor");
                        j.str("status", "accepted");
                    });
                    j.object(|j| {
                        refs.staff(j, "actor", booking.by);
                        j.str("status", "accepted");
                    });
                });
            });
        }
    }
}

/// Base64 with padding, as `Attachment.data` has it.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let three = [chunk[0], *chunk.get(1).unwrap_or(&0), *chunk.get(2).unwrap_or(&0)];
        let bits = u32::from(three[0]) << 16 | u32::from(three[1]) << 8 | u32::from(three[2]);
        for place in 0..4 {
            if place <= chunk.len() {
                out.push(char::from(DIGITS[(bits >> (18 - 6 * place)) as usize & 63]));
            } else {
                out.push('=');
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_agrees_with_the_vectors_of_rfc_4648() {
        for (text, encoded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(text.as_bytes()), encoded);
        }
    }
}
