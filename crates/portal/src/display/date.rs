//! Dates and times in words: `9 October 2026`, `Friday 9 October 2026 at 5:30pm`. Months are written in full, because
//! screen readers misread short ones.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use keepwell_model::Timestamp;
use keepwell_service::When;

use super::Shown;
use crate::texts::{Arg, Texts};

/// The time zone that people's dates are in.
#[derive(Debug, Clone)]
pub(crate) struct Calendar(TimeZone);

/// The parts of "now" that a form starts with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClockFields {
    /// Day of the month.
    pub(crate) day: String,
    /// Month, as a number.
    pub(crate) month: String,
    /// Year.
    pub(crate) year: String,
    /// Time of day, `HH:MM`.
    pub(crate) time: String,
}

impl Calendar {
    /// The calendar of a time zone by its IANA name, such as `Europe/London`.
    pub(crate) fn of(zone: &str) -> Option<Self> {
        TimeZone::get(zone).ok().map(Self)
    }

    fn civil(&self, at: Timestamp) -> jiff::civil::DateTime {
        let moment = jiff::Timestamp::from_microsecond(at.micros()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        self.0.to_datetime(moment)
    }
}

/// A date, a month or a year, as far as the text `2026-11-23`, `2026-11` or `2026` knows it. A text of another shape is
/// shown as it stands, because a date that looks wrong is safer than one that is missing.
pub(crate) fn day(t: Texts, date: &str) -> Shown {
    Shown::new(spell(t, date), t.language().date_direction)
}

/// `9 October 2026 at 5:30pm`, or as much of it as is known.
pub(crate) fn when(t: Texts, when: Option<&When>) -> Shown {
    let Some(when) = when else { return no_date(t) };
    let date = spell(t, &when.date);
    let text = match when.time.as_deref().and_then(|time| clock(t, time)) {
        Some(time) => at_time(t, date, time),
        None => date,
    };
    Shown::new(text, t.language().date_direction)
}

/// Only the date of a moment that the record gives.
pub(crate) fn when_date(t: Texts, when: Option<&When>) -> Shown {
    when.map_or_else(|| no_date(t), |when| day(t, &when.date))
}

/// `October 2026`, for sentences where the day does not matter.
pub(crate) fn month_of(t: Texts, when: Option<&When>) -> Shown {
    let Some(when) = when else { return no_date(t) };
    let month = when.date.get(..7).unwrap_or(&when.date);
    Shown::new(spell(t, month), t.language().date_direction)
}

/// `2026`, to group a list by.
pub(crate) fn year_of(t: Texts, when: Option<&When>) -> Shown {
    let Some(when) = when else { return no_date(t) };
    Shown::new(when.date.get(..4).unwrap_or(&when.date), "ltr")
}

/// A moment of Keepwell's own: `9 October 2026 at 5:30pm`.
pub(crate) fn moment(t: Texts, calendar: &Calendar, at: Timestamp) -> Shown {
    let civil = calendar.civil(at);
    let date = spell_date(t, civil.date(), false);
    let text = at_time(t, date, time_of(t, civil.hour(), civil.minute()));
    Shown::new(text, t.language().date_direction)
}

/// The day of a moment, with the day of the week.
pub(crate) fn moment_at(t: Texts, calendar: &Calendar, at: Timestamp) -> Shown {
    Shown::new(spell_date(t, calendar.civil(at).date(), true), t.language().date_direction)
}

/// The time of day of a moment: `5:30pm`.
pub(crate) fn at(t: Texts, calendar: &Calendar, at: Timestamp) -> Shown {
    let civil = calendar.civil(at);
    Shown::nowrap(time_of(t, civil.hour(), civil.minute()), t.language().date_direction)
}

/// What a date and time form starts with.
pub(crate) fn clock_fields(calendar: &Calendar, now: Timestamp) -> ClockFields {
    let civil = calendar.civil(now);
    ClockFields {
        day: civil.day().to_string(),
        month: civil.month().to_string(),
        year: civil.year().to_string(),
        time: format!("{:02}:{:02}", civil.hour(), civil.minute()),
    }
}

/// `October 2026`, for the axis of a chart.
pub(crate) fn month_and_year(t: Texts, date: Date) -> String {
    let month = t.say(&format!("month-{}", date.month()));
    t.plain("date-month-year", &[("month", literal(&month)), ("year", literal(&date.year().to_string()))])
}

/// `9 October`, for the axis of a chart.
pub(crate) fn day_and_month(t: Texts, date: Date) -> String {
    let month = t.say(&format!("month-{}", date.month()));
    t.plain("date-day-month", &[("day", literal(&date.day().to_string())), ("month", literal(&month))])
}

/// The civil date of what the record gives, for charts; a month or year counts from its first day.
pub(crate) fn civil_date(when: &When) -> Option<Date> {
    let mut parts = when.date.split('-');
    let year = parts.next()?.parse().ok()?;
    let month = parts.next().map_or(Some(1), |month| month.parse().ok())?;
    let day = parts.next().map_or(Some(1), |day| day.parse().ok())?;
    Date::new(year, month, day).ok()
}

fn no_date(t: Texts) -> Shown {
    Shown::new(t.say("date-unknown"), t.language().direction)
}

fn spell(t: Texts, date: &str) -> String {
    let mut parts = date.split('-').map(str::parse::<i16>);
    let known = (parts.next(), parts.next(), parts.next(), parts.next());
    match known {
        (Some(Ok(year)), Some(Ok(month)), Some(Ok(day)), None) => {
            let (Ok(month), Ok(day)) = (i8::try_from(month), i8::try_from(day)) else { return date.to_owned() };
            Date::new(year, month, day).map_or_else(|_| date.to_owned(), |date| spell_date(t, date, false))
        }
        (Some(Ok(year)), Some(Ok(month @ 1..=12)), None, None) => {
            let month = t.say(&format!("month-{month}"));
            t.plain("date-month-year", &[("month", literal(&month)), ("year", literal(&year.to_string()))])
        }
        _ => date.to_owned(),
    }
}

fn spell_date(t: Texts, date: Date, with_weekday: bool) -> String {
    let month = t.say(&format!("month-{}", date.month()));
    let (day, year) = (date.day().to_string(), date.year().to_string());
    let mut args = vec![("day", literal(&day)), ("month", literal(&month)), ("year", literal(&year))];
    if with_weekday {
        let weekday = t.say(&format!("weekday-{}", date.weekday().to_monday_one_offset()));
        args.push(("weekday", literal(&weekday)));
        t.plain("date-weekday", &args)
    } else {
        t.plain("date-day", &args)
    }
}

fn clock(t: Texts, time: &str) -> Option<String> {
    let (hour, minute) = time.split_once(':')?;
    Some(time_of(t, hour.parse().ok()?, minute.get(..2)?.parse().ok()?))
}

fn time_of(t: Texts, hour: i8, minute: i8) -> String {
    if (hour, minute) == (0, 0) {
        return t.say("time-midnight");
    }
    if (hour, minute) == (12, 0) {
        return t.say("time-midday");
    }
    let twelve = if hour % 12 == 0 { 12 } else { hour % 12 };
    let (twelve, full, padded) = (twelve.to_string(), hour.to_string(), format!("{minute:02}"));
    let args = [("hour", literal(&twelve)), ("hour24", literal(&full)), ("minute", literal(&padded))];
    t.plain(
        match (hour < 12, minute == 0) {
            (true, true) => "time-am-hour",
            (true, false) => "time-am",
            (false, true) => "time-pm-hour",
            (false, false) => "time-pm",
        },
        &args,
    )
}

fn at_time(t: Texts, date: String, time: String) -> String {
    t.plain("date-at-time", &[("date", literal(&date)), ("time", literal(&time))])
}

fn literal(text: &str) -> Arg {
    Arg::Shown(Shown::new(text, "ltr"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn english() -> Texts {
        Texts::of("en")
    }

    fn sent(date: &str, time: Option<&str>) -> When {
        When { text: String::new(), date: date.into(), time: time.map(Into::into), at: Timestamp::default() }
    }

    #[test]
    fn dates_are_written_with_the_month_in_full_and_as_far_as_known() {
        for (date, shown) in [
            ("2026-10-09", "9 October 2026"),
            ("2026-10", "October 2026"),
            ("2026", "2026"),
            ("2026-13-01", "2026-13-01"),
            ("2026-02-30", "2026-02-30"),
            ("autumn", "autumn"),
            ("", ""),
        ] {
            assert_eq!(day(english(), date).text(), shown);
        }
    }

    #[test]
    fn times_are_midday_midnight_or_have_am_and_pm() {
        for (time, shown) in [
            ("00:00", "midnight"),
            ("12:00", "midday"),
            ("00:05", "12:05am"),
            ("09:30", "9:30am"),
            ("17:30", "5:30pm"),
            ("17:00", "5pm"),
            ("12:15", "12:15pm"),
        ] {
            let text = when(english(), Some(&sent("2026-10-09", Some(time))));
            assert_eq!(text.text(), format!("9 October 2026 at {shown}"));
        }
    }

    #[test]
    fn a_moment_is_told_in_local_time() {
        let london = Calendar::of("Europe/London").unwrap();
        let july = Timestamp::from_micros(1_783_155_600_000_000); // 2026-07-04T09:00:00Z
        assert_eq!(moment(english(), &london, july).text(), "4 July 2026 at 10am");
        assert_eq!(moment_at(english(), &london, july).text(), "Saturday 4 July 2026");
        assert_eq!(clock_fields(&london, july).time, "10:00");
    }

    #[test]
    fn a_date_keeps_its_order_in_a_right_to_left_page() {
        let page = Texts::of("ar-XB");
        assert!(day(page, "2026-10-09").to_string().starts_with("<bdi dir=\"ltr\">"));
    }
}
