//! Dates and times, checked against the calendar without being read into anything.

const DATE: &str = "write a date as YYYY, YYYY-MM or YYYY-MM-DD";
const DATE_TIME: &str = "write a date, or a date and time with seconds and zone such as 2026-11-23T09:30:00Z";
const INSTANT: &str = "write a date and time with seconds and zone such as 2026-11-23T09:30:00Z";
const TIME: &str = "write a time of day with seconds such as 09:30:00, without a zone";
const NO_SUCH_DAY: &str = "there is no such day in the calendar";

/// What is wrong with a `date`.
#[inline]
pub(super) fn date(bytes: &[u8]) -> Option<&'static str> {
    if !matches!(bytes.len(), 4 | 7 | 10) {
        return Some(DATE);
    }
    calendar(bytes, DATE)
}

/// What is wrong with a `dateTime`.
#[inline]
pub(super) fn date_time(bytes: &[u8]) -> Option<&'static str> {
    match bytes.len() {
        4 | 7 | 10 => calendar(bytes, DATE_TIME),
        _ => moment(bytes, DATE_TIME),
    }
}

/// What is wrong with an `instant`.
#[inline]
pub(super) fn instant(bytes: &[u8]) -> Option<&'static str> {
    moment(bytes, INSTANT)
}

/// What is wrong with a `time`.
#[inline]
pub(super) fn time(bytes: &[u8]) -> Option<&'static str> {
    (clock(bytes) != Some(bytes.len())).then_some(TIME)
}

/// `YYYY[-MM[-DD]]`, all of it.
#[inline]
fn calendar(bytes: &[u8], format: &'static str) -> Option<&'static str> {
    let Some(year) = two(bytes, 0).zip(two(bytes, 2)).map(|(high, low)| high * 100 + low) else { return Some(format) };
    if year == 0 {
        return Some("there is no year 0000");
    }
    if bytes.len() == 4 {
        return None;
    }
    let Some(month) = two(bytes, 5).filter(|_| bytes[4] == b'-') else { return Some(format) };
    if !(1..=12).contains(&month) {
        return Some("there is no such month");
    }
    if bytes.len() == 7 {
        return None;
    }
    let Some(day) = two(bytes, 8).filter(|_| bytes[7] == b'-') else { return Some(format) };
    let longest = match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    (!(1..=longest).contains(&day)).then_some(NO_SUCH_DAY)
}

/// A whole date, `T`, a time and a zone.
#[inline]
fn moment(bytes: &[u8], format: &'static str) -> Option<&'static str> {
    let Some((date, rest)) = bytes.split_at_checked(10) else { return Some(format) };
    if let Some(fault) = calendar(date, format) {
        return Some(fault);
    }
    let Some(rest) = rest.strip_prefix(b"T") else { return Some(format) };
    let Some(end) = clock(rest) else { return Some(format) };
    (!zone(&rest[end..])).then_some(format)
}

/// Where a time of day at the start of `bytes` ends: `hh:mm:ss[.f…]`, a leap second allowed.
#[inline]
fn clock(bytes: &[u8]) -> Option<usize> {
    let (hour, minute, second) = (two(bytes, 0)?, two(bytes, 3)?, two(bytes, 6)?);
    if bytes[2] != b':' || bytes[5] != b':' || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    if bytes.get(8) != Some(&b'.') {
        return Some(8);
    }
    let fraction = bytes[9..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    (fraction > 0).then_some(9 + fraction)
}

/// `Z`, or up to fourteen hours from it.
#[inline]
fn zone(bytes: &[u8]) -> bool {
    match bytes {
        b"Z" => true,
        [b'+' | b'-', rest @ ..] if rest.len() == 5 && rest[2] == b':' => match (two(rest, 0), two(rest, 3)) {
            (Some(hours), Some(minutes)) => hours < 14 && minutes < 60 || hours == 14 && minutes == 0,
            _ => false,
        },
        _ => false,
    }
}

/// Two digits.
#[inline]
fn two(bytes: &[u8], at: usize) -> Option<u32> {
    let (high, low) = (*bytes.get(at)?, *bytes.get(at + 1)?);
    (high.is_ascii_digit() && low.is_ascii_digit()).then(|| u32::from(high - b'0') * 10 + u32::from(low - b'0'))
}
