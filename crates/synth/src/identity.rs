//! One person as the registers know them: NHS number, name, address, contacts, and the day of death where there is one.

use keepwell_model::NhsNumber;

use crate::clock::Day;
use crate::household::{self, Block, Delegate, Home, Profile};
use crate::names::{Community, Sex};
use crate::places::Address;
use crate::rng::{Purpose, Rng};
use crate::sources::{COMMUNITY, HOSPITAL, SOURCES, Setting, WHARFE_HOSPITAL};

/// Everything about a person but their care.
pub(crate) struct Identity {
    pub(crate) index: u32,
    pub(crate) profile: Profile,
    pub(crate) nhs_number: NhsNumber,
    pub(crate) sex: Sex,
    pub(crate) birth: Day,
    pub(crate) death: Option<Day>,
    pub(crate) community: Community,
    pub(crate) title: &'static str,
    pub(crate) given: &'static str,
    pub(crate) middle: Option<&'static str>,
    pub(crate) family: String,
    pub(crate) address: Address,
    /// The address before, and the day of the move.
    pub(crate) moved: Option<(Address, Day)>,
    pub(crate) phone: String,
    pub(crate) email: Option<String>,
    pub(crate) language: Option<(&'static str, &'static str)>,
    pub(crate) delegates: Vec<Delegate>,
    /// Names of the delegates, in the same order, as a contact list has them.
    pub(crate) contacts: Vec<Contact>,
    pub(crate) twin: bool,
    /// Days on which this person gave birth, earliest first; twins count once.
    pub(crate) births: Vec<Day>,
    /// Those of them that were twins.
    pub(crate) twin_births: Vec<Day>,
    practice: usize,
    outer: bool,
    north: bool,
}

/// A contact of a person.
pub(crate) struct Contact {
    pub(crate) given: &'static str,
    pub(crate) family: String,
    pub(crate) sex: Sex,
    pub(crate) relation: &'static str,
    pub(crate) phone: String,
}

/// Most people a city can have: the test range has room for more, but seven varying digits are plenty.
pub(crate) const MOST_PEOPLE: u32 = 10_000_000;

/// The NHS number of person `index`: 9, seven digits that the seed shuffles without repeats, a digit that makes a check
/// digit possible, and the check digit.
fn nhs_number(seed: u64, index: u32) -> NhsNumber {
    let most = u64::from(MOST_PEOPLE);
    let start = u64::from(Rng::new(seed, 0, Purpose::Identity).below(MOST_PEOPLE));
    // 6,180,339 shares no factor with ten million, so the walk meets every number once.
    let mut rest = (u64::from(index % MOST_PEOPLE) * 6_180_339 + start) % most;
    let mut nine = [9, 0, 0, 0, 0, 0, 0, 0, 0];
    for place in (1..8).rev() {
        nine[place] = u8::try_from(rest % 10).expect("a digit");
        rest /= 10;
    }
    let mut rng = Rng::new(seed, index, Purpose::Identity);
    let first = rng.below(10);
    for step in 0..10 {
        nine[8] = u8::try_from((first + step) % 10).expect("a digit");
        if let Some(number) = NhsNumber::from_first_nine(nine) {
            return number;
        }
    }
    unreachable!("at most one of ten neighbours lacks a check digit")
}

/// Deaths of the last three years among 1,000 people of an age.
fn deaths_per_mille(age: i32) -> u32 {
    match age {
        ..40 => 0,
        40..65 => 7,
        65..80 => 35,
        _ => 120,
    }
}

/// A number that Ofcom keeps for stories.
fn phone(seed: u64, index: u32) -> String {
    let mut rng = Rng::new(seed, index.wrapping_add(1 << 30), Purpose::Identity);
    format!("07700 900{:03}", rng.below(1_000))
}

impl Identity {
    /// The person with an index.
    pub(crate) fn new(seed: u64, index: u32, today: Day) -> Self {
        let (number, place) = household::locate(index);
        let block = Block::new(seed, number, today);
        let member = &block.members[place];
        let mut rng = Rng::new(seed, index, Purpose::Identity);
        let age = today.age(member.birth);
        let mortal = member.profile == Profile::Typical && member.mother.is_none();
        let death = (mortal && rng.chance(deaths_per_mille(age))).then(|| today.plus(-rng.range(12, 1_000)));
        let Home { address, district, before } = &block.homes[member.home];
        let last = death.unwrap_or(today);
        let moved = before.clone().filter(|(_, day)| *day > member.birth && *day < last);
        let ascii: String = format!("{}.{}", member.given, member.family)
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || *c == '.')
            .collect();
        let email = ((16..85).contains(&age) && rng.chance(850))
            .then(|| format!("{}{index}@example.org", ascii.to_lowercase()));
        let language = member.community.language().filter(|_| age > 4 && rng.chance(220));
        let mut births: Vec<Day> = block.members.iter().filter(|m| m.mother == Some(place)).map(|m| m.birth).collect();
        births.sort();
        let twin_births = births.windows(2).filter(|two| two[0] == two[1]).map(|two| two[0]).collect();
        births.dedup();
        let contact = |(at, relation, _): &(usize, &'static str, &'static str)| {
            let other = &block.members[*at];
            Contact {
                given: other.given,
                family: other.family.clone(),
                sex: other.sex,
                relation,
                phone: phone(seed, household::index_of(number, *at)),
            }
        };
        let delegate = |(at, relation, basis): &(usize, &'static str, &'static str)| Delegate {
            index: household::index_of(number, *at),
            relation,
            basis,
        };
        Self {
            index,
            profile: member.profile,
            nhs_number: nhs_number(seed, index),
            sex: member.sex,
            birth: member.birth,
            death,
            community: member.community,
            title: title(&mut rng, member.sex, age),
            given: member.given,
            middle: member.middle,
            family: member.family.clone(),
            address: address.clone(),
            moved,
            phone: phone(seed, index),
            email,
            language,
            delegates: member.delegates.iter().map(delegate).collect(),
            contacts: member.delegates.iter().map(contact).collect(),
            twin: member.twin,
            births,
            twin_births,
            practice: district.practice,
            outer: district.number >= 13 && district.number != 28,
            north: matches!(district.number, 21 | 29 | 20),
        }
    }

    /// The last day on which anything can happen to the person.
    pub(crate) fn last_day(&self, today: Day) -> Day {
        self.death.unwrap_or(today)
    }

    /// The index of the source that gives this kind of care to this person.
    pub(crate) fn source(&self, setting: Setting) -> usize {
        let wanted = match setting {
            Setting::Gp => self.practice,
            Setting::Hospital => HOSPITAL,
            Setting::Community => COMMUNITY + usize::from(self.outer),
            other => SOURCES.iter().position(|s| s.setting == other).expect("every setting has a source"),
        };
        debug_assert!(SOURCES[wanted].setting == setting);
        wanted
    }

    /// The hospital for clinics near home; the laboratory and emergencies are always the large one's.
    pub(crate) fn near_hospital(&self) -> usize {
        if self.north { WHARFE_HOSPITAL } else { HOSPITAL }
    }

    /// Title, given and family name, as a letter has them.
    pub(crate) fn full_name(&self) -> String {
        format!("{} {} {}", self.title, self.given, self.family)
    }
}

fn title(rng: &mut Rng, sex: Sex, age: i32) -> &'static str {
    match (sex, age) {
        (Sex::Male, ..16) => "Master",
        (Sex::Male, _) => "Mr",
        (Sex::Female, ..18) => "Miss",
        (Sex::Female, 18..40) => rng.pick(&["Miss", "Ms", "Mrs"]),
        (Sex::Female, _) => rng.pick(&["Mrs", "Mrs", "Ms"]),
    }
}
