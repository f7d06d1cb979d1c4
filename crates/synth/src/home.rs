//! Blood pressure measured at home, in weeks as NICE NG136 asks for: twice a day for seven days, two readings a minute
//! or two apart.

use crate::clock::{Day, Moment};
use crate::identity::Identity;
use crate::life::{Reading, Record};
use crate::rng::{Purpose, Rng};

/// One reading at home.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct HomeReading {
    pub(crate) at: Moment,
    pub(crate) systolic: i32,
    pub(crate) diastolic: i32,
    pub(crate) pulse: i32,
}

/// One week of readings.
pub(crate) struct Week {
    pub(crate) start: Day,
    pub(crate) readings: Vec<HomeReading>,
}

/// The weeks somebody measured: people with high blood pressure, once or more in the last two years.
pub(crate) fn weeks(seed: u64, who: &Identity, record: &Record, today: Day) -> Vec<Week> {
    let mut rng = Rng::new(seed, who.index, Purpose::Home);
    let hypertensive = record.problems.iter().any(|p| p.code == crate::codes::conditions::HYPERTENSION);
    let age = today.age(who.birth);
    if who.death.is_some() || age < 18 || !hypertensive {
        return Vec::new();
    }
    let count = if who.index < 10 { 3 } else { rng.range(0, 2) };
    let last = record.vitals.iter().rev().find_map(|v| match v.reading {
        Reading::Pressure(systolic, diastolic) => Some((systolic, diastolic)),
        _ => None,
    });
    let Some((systolic, diastolic)) = last else { return Vec::new() };
    let mut weeks = Vec::new();
    for number in (0..count).rev() {
        let start = today.plus(-(12 + number * 130 + rng.range(0, 40)));
        // Pressure at home runs about five lower than at the surgery.
        let level = (systolic - 5 + rng.around(3), diastolic - 4 + rng.around(2));
        weeks.push(week(&mut rng, start, level));
    }
    weeks
}

fn week(rng: &mut Rng, start: Day, level: (i32, i32)) -> Week {
    let mut readings = Vec::with_capacity(28);
    for day in 0..7 {
        for (from, to, higher) in [(6 * 60 + 40, 8 * 60 + 30, 2), (18 * 60 + 30, 21 * 60, -2)] {
            // Now and then one is missed after the fourth day.
            if day > 3 && rng.chance(40) {
                continue;
            }
            let first = start.plus(day).at(rng.range(from, to));
            let calm = if day == 0 { 5 } else { 0 };
            let (systolic, diastolic) = (level.0 + higher + calm + rng.around(5), level.1 + higher + rng.around(3));
            let pulse = 71 + rng.around(7);
            readings.push(HomeReading { at: first, systolic, diastolic, pulse });
            readings.push(HomeReading {
                at: first.plus(rng.range(1, 2)),
                systolic: systolic - rng.range(-2, 5),
                diastolic: diastolic - rng.range(-2, 3),
                pulse: pulse + rng.around(2),
            });
        }
    }
    Week { start, readings }
}
