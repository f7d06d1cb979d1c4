//! Dates and times as the record says them, with the London date for people.

use keepwell_clinical::in_london;
use keepwell_fhir::date::Moment;
use keepwell_fhir::element::Timing;
use keepwell_model::Timestamp;

use crate::views::When;

/// When something was: its own time, else when it was issued.
pub(crate) fn when_of(timing: Option<&Timing<'_>>, issued: Option<&str>) -> Option<When> {
    let own = match timing {
        Some(Timing::At(text)) => when(text),
        Some(Timing::During(period)) => period.start.as_deref().or(period.end.as_deref()).and_then(when),
        Some(Timing::Other(_)) | None => None,
    };
    own.or_else(|| issued.and_then(when))
}

fn when(text: &str) -> Option<When> {
    let moment = Moment::parse(text)?;
    let at = moment.earliest();
    let (date, time) = match (moment.time, moment.offset) {
        (Some(_), Some(_)) => {
            let local = in_london(at);
            (local.date, Some(local.time))
        }
        // Without a zone it is the clock on the wall where it was written, and shown as it was written.
        (Some(time), None) => {
            (Moment { time: None, ..moment }.to_string(), Some(format!("{:02}:{:02}", time.hour, time.minute)))
        }
        (None, _) => (Moment { offset: None, ..moment }.to_string(), None),
    };
    Some(When { text: text.to_owned(), date, time, at })
}

/// What a list is sorted by, newest first.
pub(crate) fn sort_key(when: Option<&When>, received: Timestamp) -> std::cmp::Reverse<(Timestamp, Timestamp)> {
    std::cmp::Reverse((when.map_or(received, |when| when.at), received))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_shown_on_its_london_day_and_a_part_of_a_date_stays_a_part() {
        for (text, date, time) in [
            ("2026-07-01T23:30:00Z", "2026-07-02", Some("00:30")),
            ("2026-11-23T09:30:00.123+00:00", "2026-11-23", Some("09:30")),
            ("1983-04-07T09:49:33-04:00", "1983-04-07", Some("14:49")),
            ("2026-11-23T09:30:00", "2026-11-23", Some("09:30")),
            ("2026-11-23", "2026-11-23", None),
            ("2026-11", "2026-11", None),
            ("2026", "2026", None),
        ] {
            let when = when(text).unwrap();
            assert_eq!((when.date.as_str(), when.time.as_deref()), (date, time), "{text}");
            assert_eq!(when.text, text);
        }
        assert_eq!(when("yesterday"), None);
    }
}
