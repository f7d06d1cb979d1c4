//! Moments as HTTP headers write them.

use keepwell_model::Timestamp;

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Reads what [`http_date`] writes: as seconds since the epoch. The two older forms of RFC 9110 are not read; a condition
/// on such a date counts as none.
pub(crate) fn read_http_date(text: &str) -> Option<i64> {
    let mut parts = text.trim().split(' ');
    let (_weekday, day, month, year, time) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    if parts.next() != Some("GMT") || parts.next().is_some() || year.len() != 4 || day.len() != 2 || time.len() != 8 {
        return None;
    }
    let month = i64::try_from(MONTHS.iter().position(|name| *name == month)?).ok()? + 1;
    let (day, year): (i64, i64) = (day.parse().ok()?, year.parse().ok()?);
    let clock: Vec<i64> = time.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let [hour, minute, second] = clock[..] else { return None };
    // Days since the epoch, counted in years that begin in March.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let day_of_era = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1;
    Some((day_of_era - 719_468) * 86_400 + hour * 3_600 + minute * 60 + second)
}

/// `Mon, 23 Nov 2026 09:30:00 GMT`.
pub(crate) fn http_date(at: Timestamp) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    let days = at.micros().div_euclid(86_400_000_000);
    let weekday = usize::try_from(days.rem_euclid(7)).map_or("", |day| DAYS[day]);
    // `2026-11-23T09:30:00.000Z`
    let text = at.to_string();
    let (date, time) = text.split_once('T').unwrap_or((&text, ""));
    let mut parts = date.rsplitn(3, '-');
    let (day, month, year) =
        (parts.next().unwrap_or_default(), parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let month = month.parse::<usize>().ok().and_then(|month| MONTHS.get(month.checked_sub(1)?)).unwrap_or(&"");
    format!("{weekday}, {day} {month} {year} {} GMT", time.get(..8).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_as_http_wants_it() {
        for (micros, expected) in [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (784_111_777_000_000, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (1_795_426_200_999_999, "Mon, 23 Nov 2026 09:30:00 GMT"),
        ] {
            assert_eq!(http_date(Timestamp::from_micros(micros)), expected);
            assert_eq!(read_http_date(expected), Some(micros / 1_000_000));
        }
        for text in
            ["", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun, 06 Nov 1994 08:49 GMT", "x"]
        {
            assert_eq!(read_http_date(text), None, "{text}");
        }
    }
}
