//! Civil dates as day numbers, and the moments of a day in Leeds with their distance from UTC.

use std::fmt::Write;

/// A civil date: days since 1970-01-01.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub(crate) struct Day(pub(crate) i32);

/// A minute of a day in Leeds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Moment {
    /// The day.
    pub(crate) day: Day,
    /// Minutes since midnight by the clock on the wall.
    pub(crate) minute: i32,
}

impl Day {
    /// The day of a date in the proleptic Gregorian calendar. A day past the month's end runs on into the next month.
    pub(crate) fn new(year: i32, month: i32, day: i32) -> Self {
        let y = if month <= 2 { year - 1 } else { year };
        let era = y.div_euclid(400);
        let year_of_era = y.rem_euclid(400);
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        Self(era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468)
    }

    /// Year, month and day.
    pub(crate) fn civil(self) -> (i32, i32, i32) {
        let shifted = self.0 + 719_468;
        let era = shifted.div_euclid(146_097);
        let doe = shifted.rem_euclid(146_097);
        let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let shifted_month = (5 * doy + 2) / 153;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        (yoe + era * 400 + i32::from(month <= 2), month, doy - (153 * shifted_month + 2) / 5 + 1)
    }

    /// The calendar year.
    pub(crate) fn year(self) -> i32 {
        self.civil().0
    }

    /// The month, 1 to 12.
    pub(crate) fn month(self) -> i32 {
        self.civil().1
    }

    /// Some days later (or earlier).
    pub(crate) fn plus(self, days: i32) -> Self {
        Self(self.0 + days)
    }

    /// The same date some years later; 29 February becomes 1 March in a common year.
    pub(crate) fn plus_years(self, years: i32) -> Self {
        let (year, month, day) = self.civil();
        if month == 2 && day == 29 && Self::new(year + years, 2, 29).month() != 2 {
            return Self::new(year + years, 3, 1);
        }
        Self::new(year + years, month, day)
    }

    /// Whole years from a birth date to this day.
    pub(crate) fn age(self, birth: Self) -> i32 {
        let ((y1, m1, d1), (y0, m0, d0)) = (self.civil(), birth.civil());
        y1 - y0 - i32::from((m1, d1) < (m0, d0))
    }

    /// 0 for Monday to 6 for Sunday.
    pub(crate) fn weekday(self) -> i32 {
        (self.0 + 3).rem_euclid(7)
    }

    /// This day, or the next that is neither on a weekend nor a bank holiday in England.
    pub(crate) fn working(self) -> Self {
        let mut day = self;
        while day.weekday() > 4 || day.bank_holiday() {
            day = day.plus(1);
        }
        day
    }

    /// Whether services are closed: the usual holidays, without those that are granted once.
    fn bank_holiday(self) -> bool {
        let (year, month, day) = self.civil();
        let monday = self.weekday() == 0;
        match month {
            1 => day == 1 || monday && day <= 3,
            3 | 4 => matches!(self.0 - easter(year).0, -2 | 1),
            5 => monday && (day <= 7 || day >= 25),
            8 => monday && day >= 25,
            12 => matches!(day, 25 | 26) || self.weekday() < 2 && matches!(day, 27 | 28),
            _ => false,
        }
    }

    /// This day at a time of day.
    pub(crate) fn at(self, minute: i32) -> Moment {
        Moment { day: self, minute }
    }

    /// Writes `2026-11-23`.
    pub(crate) fn write(self, out: &mut String) {
        let (year, month, day) = self.civil();
        write!(out, "{year:04}-{month:02}-{day:02}").expect("a string takes all text");
    }

    /// `23 November 2026`, as letters have it.
    pub(crate) fn words(self) -> String {
        const MONTHS: [&str; 12] = [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ];
        let (year, month, day) = self.civil();
        format!("{day} {} {year}", MONTHS[(month - 1).unsigned_abs() as usize])
    }
}

/// Easter Sunday of the Gregorian calendar.
fn easter(year: i32) -> Day {
    let golden = year % 19;
    let century = year / 100;
    let moon = (century - century / 4 - (8 * century + 13) / 25 + 19 * golden + 15) % 30;
    let full = moon - (moon / 28) * (1 - (moon / 28) * (29 / (moon + 1)) * ((21 - golden) / 11));
    let sunday = (year + year / 4 + full + 2 - century + century / 4) % 7;
    let from = full - sunday;
    let month = 3 + (from + 40) / 44;
    Day::new(year, month, from + 28 - 31 * (month / 4))
}

/// The last Sunday of a month of 31 days.
fn last_sunday(year: i32, month: i32) -> Day {
    let last = Day::new(year, month, 31);
    last.plus(-((last.weekday() + 1) % 7))
}

impl Moment {
    /// Some minutes later.
    pub(crate) fn plus(self, minutes: i32) -> Self {
        let total = self.minute + minutes;
        Self { day: self.day.plus(total.div_euclid(1_440)), minute: total.rem_euclid(1_440) }
    }

    /// Whether British Summer Time holds. Care happens by day, so the hour of the change itself does not matter.
    pub(crate) fn summer(self) -> bool {
        let year = self.day.year();
        self.day >= last_sunday(year, 3) && self.day < last_sunday(year, 10)
    }

    /// Writes `2026-07-23T09:30:00+01:00`.
    pub(crate) fn write(self, out: &mut String) {
        self.day.write(out);
        let offset = if self.summer() { "+01:00" } else { "+00:00" };
        write!(out, "T{:02}:{:02}:00{offset}", self.minute / 60, self.minute % 60).expect("a string takes all text");
    }

    /// Writes `20260723093000+0100`, as HL7 v2 has it.
    pub(crate) fn write_hl7(self, out: &mut String) {
        let (year, month, day) = self.day.civil();
        let offset = if self.summer() { "+0100" } else { "+0000" };
        write!(out, "{year:04}{month:02}{day:02}{:02}{:02}00{offset}", self.minute / 60, self.minute % 60)
            .expect("a string takes all text");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(moment: Moment) -> String {
        let mut out = String::new();
        moment.write(&mut out);
        out
    }

    #[test]
    fn every_day_of_two_centuries_survives_the_way_there_and_back() {
        for number in Day::new(1900, 1, 1).0..Day::new(2100, 1, 1).0 {
            let (year, month, day) = Day(number).civil();
            assert_eq!(Day::new(year, month, day), Day(number));
        }
        assert_eq!(Day::new(1970, 1, 1), Day(0));
        assert_eq!(Day::new(2026, 11, 23).weekday(), 0);
    }

    #[test]
    fn bank_holidays_are_not_working_days() {
        for (year, month, day, next) in [
            (2026, 12, 25, Day::new(2026, 12, 29)),
            (2026, 4, 3, Day::new(2026, 4, 7)),
            (2024, 3, 29, Day::new(2024, 4, 2)),
            (2025, 8, 25, Day::new(2025, 8, 26)),
            (2026, 11, 23, Day::new(2026, 11, 23)),
        ] {
            assert_eq!(Day::new(year, month, day).working(), next);
        }
    }

    #[test]
    fn times_carry_summer_time_between_the_last_sundays_of_march_and_october() {
        assert_eq!(text(Day::new(2026, 3, 28).at(600)), "2026-03-28T10:00:00+00:00");
        assert_eq!(text(Day::new(2026, 3, 29).at(600)), "2026-03-29T10:00:00+01:00");
        assert_eq!(text(Day::new(2026, 10, 24).at(600)), "2026-10-24T10:00:00+01:00");
        assert_eq!(text(Day::new(2026, 10, 25).at(600)), "2026-10-25T10:00:00+00:00");
    }

    #[test]
    fn a_person_born_on_29_february_grows_older_on_1_march_in_common_years() {
        let birth = Day::new(2000, 2, 29);
        assert_eq!(Day::new(2001, 2, 28).age(birth), 0);
        assert_eq!(Day::new(2001, 3, 1).age(birth), 1);
        assert_eq!(birth.plus_years(1), Day::new(2001, 3, 1));
        assert_eq!(birth.plus_years(4), Day::new(2004, 2, 29));
    }
}
