//! The home blood pressure average of NICE NG136 (BP-1 to BP-5, BP-10). It shows every reading with what became of it, the
//! sums and the mean, and which numbers the mean reaches. It does not say that anybody has a condition.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;
use keepwell_model::Timestamp;

use crate::local::in_london;

/// One reading as it goes in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HomeReading {
    /// When it was taken.
    pub at: Timestamp,
    /// Top number.
    pub systolic: f64,
    /// Bottom number.
    pub diastolic: f64,
}

/// The numbers that a home average is compared with. Configuration, because targets differ by age and treatment (BP-7).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// First threshold: top and bottom number.
    pub first: (f64, f64),
    /// Second threshold.
    pub second: (f64, f64),
    /// Days with readings needed before there is an average.
    pub days: usize,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { first: (135.0, 85.0), second: (150.0, 95.0), days: 4 }
    }
}

/// What became of a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// It counts.
    Counted,
    /// Taken on the first day, which is left out (BP-4).
    FirstDay,
    /// Less than a minute after the reading before it (BP-1).
    TooSoon,
}

/// Half of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Session {
    /// Before noon.
    Morning,
    /// From noon.
    Evening,
}

/// A half day without a reading (BP-2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The local date.
    pub date: String,
    /// Which half.
    pub session: Session,
}

/// The average with its workings.
#[derive(Debug, Clone, PartialEq)]
pub struct Average {
    /// Every reading in order of time, with its local date and what became of it.
    pub readings: Vec<(HomeReading, String, Use)>,
    /// Days with readings.
    pub days: usize,
    /// Half days without a reading, from the first day to the last.
    pub gaps: Vec<Gap>,
    /// How many readings count.
    pub counted: usize,
    /// Sums of the readings that count: top, bottom.
    pub sums: (f64, f64),
    /// The mean, not rounded; `None` while there are too few days (BP-3).
    pub mean: Option<(f64, f64)>,
    /// How many thresholds the unrounded mean reaches with either number: 0, 1 or 2 (BP-5).
    pub reaches: u8,
}

impl Average {
    /// The mean as it is shown: rounded to whole numbers, halves up.
    #[must_use]
    pub fn shown(&self) -> Option<(f64, f64)> {
        self.mean.map(|(top, bottom)| ((top + 0.5).floor(), (bottom + 0.5).floor()))
    }
}

/// Works out the average. The order of the readings handed in does not matter.
#[must_use]
pub fn average(readings: &[HomeReading], thresholds: &Thresholds) -> Average {
    let mut sorted = readings.to_vec();
    sorted.sort_by(|a, b| {
        a.at.cmp(&b.at).then(a.systolic.total_cmp(&b.systolic)).then(a.diastolic.total_cmp(&b.diastolic))
    });
    let worked = work_out(&sorted);
    let (days, gaps) = days_and_gaps(&sorted);
    let mut sums = (0.0, 0.0);
    let mut counted = 0usize;
    for (reading, _, _) in worked.iter().filter(|(_, _, used)| *used == Use::Counted) {
        sums = (sums.0 + reading.systolic, sums.1 + reading.diastolic);
        counted += 1;
    }
    let enough = days >= thresholds.days && counted > 0;
    let mean = enough.then(|| {
        let n = u32::try_from(counted).map_or(f64::INFINITY, f64::from);
        (sums.0 / n, sums.1 / n)
    });
    let reaches =
        mean.map_or(0, |mean| u8::from(either(mean, thresholds.first)) + u8::from(either(mean, thresholds.second)));
    Average { readings: worked, days, gaps, counted, sums, mean, reaches }
}

fn either(mean: (f64, f64), threshold: (f64, f64)) -> bool {
    mean.0 >= threshold.0 || mean.1 >= threshold.1
}

fn work_out(sorted: &[HomeReading]) -> Vec<(HomeReading, String, Use)> {
    let mut worked: Vec<(HomeReading, String, Use)> = Vec::with_capacity(sorted.len());
    let mut first_day: Option<String> = None;
    let mut last_kept: Option<Timestamp> = None;
    for &reading in sorted {
        let date = in_london(reading.at).date;
        let first = first_day.get_or_insert_with(|| date.clone());
        // A reading that comes too soon does not count, so the minute runs from the last one that was not too soon.
        let too_soon = last_kept.is_some_and(|last| reading.at < last.plus_seconds(60));
        let used = match (too_soon, *first == date) {
            (true, _) => Use::TooSoon,
            (false, true) => Use::FirstDay,
            (false, false) => Use::Counted,
        };
        if !too_soon {
            last_kept = Some(reading.at);
        }
        worked.push((reading, date, used));
    }
    worked
}

/// Longest stretch, in days, over which a whole day without readings is shown as a gap: beyond it the readings are not one
/// series.
const STRETCH: usize = 31;

fn days_and_gaps(sorted: &[HomeReading]) -> (usize, Vec<Gap>) {
    let mut days: BTreeMap<String, (bool, bool)> = BTreeMap::new();
    for reading in sorted {
        let local = in_london(reading.at);
        let morning = local.time.as_str() < "12:00";
        let day = days.entry(local.date).or_default();
        day.0 |= morning;
        day.1 |= !morning;
    }
    let with_readings = days.len();
    for date in between(&days) {
        days.entry(date).or_default();
    }
    let mut gaps = Vec::new();
    for (date, (morning, evening)) in days {
        for (had, session) in [(morning, Session::Morning), (evening, Session::Evening)] {
            if !had {
                gaps.push(Gap { date: date.clone(), session });
            }
        }
    }
    (with_readings, gaps)
}

/// The dates from the first to the last, if they are close enough to be one series.
fn between(days: &BTreeMap<String, (bool, bool)>) -> Vec<String> {
    let read = |text: &String| text.parse::<Date>().ok();
    let (Some(first), Some(last)) = (days.keys().next().and_then(read), days.keys().next_back().and_then(read)) else {
        return Vec::new();
    };
    let all: Vec<Date> = first.series(1.day()).take_while(|date| *date <= last).take(STRETCH + 1).collect();
    if all.len() > STRETCH { Vec::new() } else { all.iter().map(Date::to_string).collect() }
}
