//! A deterministic generator of synthetic residents of Leeds and of what the city's systems would send about them: FHIR
//! Bundles per source, the HL7 v2 messages of a hospital, and blood pressure measured at home. The same seed gives the
//! same bytes on every platform, and a person depends on nothing but the seed and their index. Every date is counted from
//! a day that the caller names. It must not know how anything is stored, served or shown, and it never reads a clock.
//!
//! Nobody here exists: numbers come from the range that the NHS keeps for tests, streets and organisations are invented,
//! telephone numbers are those that Ofcom keeps for drama.

mod clock;
mod codes;
mod fhir;
mod hl7;
mod home;
mod household;
mod identity;
mod json;
mod life;
mod names;
mod places;
mod rng;
mod sources;
mod story;
mod write;

use jiff::civil::Date;
use keepwell_model::NhsNumber;

use clock::Day;
pub use hl7::Hl7Message;
pub use household::Delegate;
use identity::{Identity, MOST_PEOPLE};
pub use names::Sex;
pub use places::Address;
pub use sources::{Setting, Source};
pub use write::{Summary, write};

/// What city to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Everything follows from this number.
    pub seed: u64,
    /// How many people, at most ten million.
    pub people: u32,
    /// The day on which the city is looked at.
    pub today: Date,
}

/// A city of synthetic residents. It holds no people: each is made when asked for.
#[derive(Clone, Debug)]
pub struct City {
    config: Config,
    today: Day,
}

/// A synthetic resident and what the systems of the city would send about them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Their index in the city.
    pub index: u32,
    /// NHS number, from the range for tests.
    pub nhs_number: NhsNumber,
    /// Title, as a letter has it.
    pub title: &'static str,
    /// Given name.
    pub given: String,
    /// Further given names.
    pub middle: Option<String>,
    /// Family name.
    pub family: String,
    /// Birth date.
    pub birth_date: Date,
    /// Age on the day of the city, or at death.
    pub age: i32,
    /// The day of death, where there is one.
    pub death_date: Option<Date>,
    /// Sex.
    pub sex: Sex,
    /// Where they live.
    pub address: Address,
    /// Where they lived before, and the day of the move.
    pub moved: Option<(Address, Date)>,
    /// The registered name of their GP practice's system.
    pub practice: &'static str,
    /// Who may act for them.
    pub delegates: Vec<Delegate>,
    /// A few words on what makes the record worth a look.
    pub story: String,
    /// One Bundle for each source that knows them.
    pub feeds: Vec<Feed>,
    /// The messages of the hospitals for the last two years, in the order they were sent.
    pub hl7: Vec<Hl7Message>,
    /// Blood pressure measured at home.
    pub blood_pressure_weeks: Vec<BloodPressureWeek>,
}

/// What one source sends about one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feed {
    /// The registered name of the source.
    pub source: &'static str,
    /// The organisation, in words.
    pub organisation: &'static str,
    /// A FHIR R4 Bundle of type `transaction`, as JSON.
    pub bundle: String,
}

/// A week of blood pressures measured at home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BloodPressureWeek {
    /// The first day.
    pub start: Date,
    /// The readings in order of time.
    pub readings: Vec<BloodPressure>,
}

/// One reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BloodPressure {
    /// Date and time by the clock on the wall.
    pub at: jiff::civil::DateTime,
    /// Systolic pressure in `mm[Hg]`.
    pub systolic: i32,
    /// Diastolic pressure in `mm[Hg]`.
    pub diastolic: i32,
    /// Beats a minute.
    pub pulse: i32,
}

/// Every registered source: the systems that send feeds.
#[must_use]
pub fn sources() -> &'static [Source] {
    &sources::SOURCES
}

fn date(day: Day) -> Date {
    let (year, month, day) = day.civil();
    let narrow = |n: i32| i8::try_from(n).expect("a month or a day");
    Date::new(i16::try_from(year).expect("a year of our time"), narrow(month), narrow(day)).expect("a real date")
}

impl Person {
    /// Whether the person can sign in for themselves: alive and 13 or older on the day of the city.
    #[must_use]
    pub fn can_sign_in(&self) -> bool {
        self.death_date.is_none() && self.age >= 13
    }
}

impl City {
    /// A city.
    ///
    /// # Panics
    /// Where more people are asked for than the test range has room for.
    #[must_use]
    pub fn new(config: Config) -> Self {
        assert!(config.people <= MOST_PEOPLE, "a city has at most {MOST_PEOPLE} people");
        let today = Day::new(config.today.year().into(), config.today.month().into(), config.today.day().into());
        Self { config, today }
    }

    /// How many people live here.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.config.people
    }

    /// Whether nobody lives here.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.config.people == 0
    }

    /// Everybody, one after the other.
    pub fn people(&self) -> impl Iterator<Item = Person> + '_ {
        (0..self.config.people).map(|index| self.person(index))
    }

    /// One person.
    #[must_use]
    pub fn person(&self, index: u32) -> Person {
        let (seed, today) = (self.config.seed, self.today);
        let who = Identity::new(seed, index, today);
        let record = life::live(seed, &who, today);
        let weeks = home::weeks(seed, &who, &record, today);
        let mut feeds: Vec<Feed> = fhir::bundles(&who, &record, today)
            .into_iter()
            .map(|(source, bundle)| Feed { source: source.name, organisation: source.organisation, bundle })
            .collect();
        if !weeks.is_empty() {
            let resident = &sources::SOURCES[sources::RESIDENT];
            let bundle = fhir::home_bundle(&who, &weeks, today);
            feeds.push(Feed { source: resident.name, organisation: resident.organisation, bundle });
        }
        Person {
            index,
            nhs_number: who.nhs_number,
            title: who.title,
            given: who.given.to_owned(),
            middle: who.middle.map(str::to_owned),
            family: who.family.clone(),
            birth_date: date(who.birth),
            age: who.last_day(today).age(who.birth),
            death_date: who.death.map(date),
            sex: who.sex,
            address: who.address.clone(),
            moved: who.moved.clone().map(|(address, day)| (address, date(day))),
            practice: sources::SOURCES[who.source(Setting::Gp)].name,
            delegates: who.delegates.iter().filter(|d| d.index < self.config.people).cloned().collect(),
            story: story::of(&who, &record, today),
            feeds,
            hl7: hl7::messages(&who, &record, today),
            blood_pressure_weeks: weeks.iter().map(home_week).collect(),
        }
    }
}

fn home_week(week: &home::Week) -> BloodPressureWeek {
    let reading = |r: &home::HomeReading| BloodPressure {
        at: date(r.at.day).at(
            i8::try_from(r.at.minute / 60).expect("an hour"),
            i8::try_from(r.at.minute % 60).expect("a minute"),
            0,
            0,
        ),
        systolic: r.systolic,
        diastolic: r.diastolic,
        pulse: r.pulse,
    };
    BloodPressureWeek { start: date(week.start), readings: week.readings.iter().map(reading).collect() }
}
