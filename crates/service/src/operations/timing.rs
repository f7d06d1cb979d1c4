//! When things were, for the operations that ask for a span of time.

use keepwell_fhir::date::Moment;
use keepwell_fhir::json::{Kind, Node};

use super::given::{Given, unreadable};
use crate::FhirError;

/// A span of time in microseconds: its beginning, and the first moment after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: i64,
    pub(super) until: i64,
}

/// Where resources say when what they tell of was, the likeliest first; each with what may follow in the name.
const STEMS: [&str; 26] = [
    "effective",
    "performed",
    "period",
    "occurrence",
    "onset",
    "authoredOn",
    "date",
    "issued",
    "started",
    "start",
    "billablePeriod",
    "servicedPeriod",
    "timing",
    "created",
    "authored",
    "sent",
    "received",
    "recordedDate",
    "recorded",
    "dateWritten",
    "whenHandedOver",
    "whenPrepared",
    "statusDate",
    "identified",
    "assertedDate",
    "time",
];

impl Span {
    /// The span that a date or time covers, as much of it as was said.
    pub(super) fn of(moment: &Moment) -> Self {
        const SECOND: i64 = 1_000_000;
        const DAY: i64 = 86_400 * SECOND;
        let from = moment.earliest().micros();
        let month_after = |year: u16, month: u8| Moment {
            year: if month == 12 { year + 1 } else { year },
            month: Some(if month == 12 { 1 } else { month + 1 }),
            day: None,
            time: None,
            offset: None,
        };
        let until = match (moment.time, moment.day, moment.month) {
            (Some(time), ..) if time.micros > 0 => from + 1,
            (Some(_), ..) => from + SECOND,
            (None, Some(_), _) => from + DAY,
            (None, None, Some(month)) => month_after(moment.year, month).earliest().micros(),
            (None, None, None) => month_after(moment.year, 12).earliest().micros(),
        };
        Self { from, until }
    }

    /// From the start of one date to the end of another; what is not said is open.
    pub(super) fn asked(given: &Given, start: &str, end: &str) -> Result<Option<Self>, FhirError> {
        let read = |name: &str| -> Result<Option<Self>, FhirError> {
            given
                .one(name)?
                .map(|text| Moment::parse(text).map(|it| Self::of(&it)).ok_or_else(|| unreadable(name)))
                .transpose()
        };
        let (start, end) = (read(start)?, read(end)?);
        if start.is_none() && end.is_none() {
            return Ok(None);
        }
        let from = start.map_or(i64::MIN, |start| start.from);
        Ok(Some(Self { from, until: end.map_or(i64::MAX, |end| end.until) }))
    }

    pub(super) fn meets(self, other: Self) -> bool {
        self.from < other.until && other.from < self.until
    }

    /// When what a resource tells of was; `None` if it does not say.
    pub(super) fn of_resource(resource: Node<'_>) -> Option<Self> {
        let mut best: Option<(usize, Self)> = None;
        for (name, value) in resource.members() {
            let place = STEMS.iter().position(|stem| {
                name.strip_prefix(stem)
                    .is_some_and(|rest| matches!(rest, "" | "DateTime" | "Date" | "Instant" | "Period"))
            });
            let Some(place) = place.filter(|place| best.is_none_or(|(known, _)| *place < known)) else { continue };
            if let Some(span) = read(value) {
                best = Some((place, span));
            }
        }
        best.map(|(_, span)| span)
    }
}

/// A date, a time or a period.
fn read(value: Node<'_>) -> Option<Span> {
    let moment = |text: &str| Moment::parse(text).map(|it| Span::of(&it));
    match value.kind() {
        Kind::String => moment(&value.text()?),
        Kind::Object => {
            let (start, end) = (value.get_text("start"), value.get_text("end"));
            if start.is_none() && end.is_none() {
                return None;
            }
            let from = start.and_then(|text| moment(&text)).map_or(i64::MIN, |span| span.from);
            let until = end.and_then(|text| moment(&text)).map_or(i64::MAX, |span| span.until);
            Some(Span { from, until })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(text: &str) -> Span {
        Span::of(&Moment::parse(text).unwrap())
    }

    #[test]
    fn a_date_covers_as_much_as_was_said() {
        assert_eq!(span("2026").until, span("2027").from);
        assert_eq!(span("2024-02").until, span("2024-03").from);
        assert_eq!(span("2026-12").until, span("2027-01-01").from);
        assert_eq!(span("2026-12-31").until, span("2027").from);
        assert_eq!(span("2026-12-31T23:59:59Z").until, span("2027").from);
    }

    #[test]
    fn a_resource_is_dated_by_what_it_tells_of_before_when_it_was_written_down() {
        let of = |json: &str| Span::of_resource(Node::of_text(json));
        let json = r#"{"resourceType":"Observation","issued":"2026-03-01T00:00:00Z","effectivePeriod":{"start":"2026-01-01"}}"#;
        assert_eq!(of(json).unwrap(), Span { from: span("2026-01-01").from, until: i64::MAX });
        assert_eq!(of(r#"{"resourceType":"X","dateless":"2026","period":{}}"#), None);
        assert_eq!(of(r#"{"resourceType":"Patient","birthDate":"1958-02-11"}"#), None);
        assert!(of(r#"{"onsetDateTime":"2026-05"}"#).unwrap().meets(span("2026-05-31")));
        assert!(!of(r#"{"onsetDateTime":"2026-05"}"#).unwrap().meets(span("2026-06-01")));
    }
}
