//! Who lives in the city: blocks of twenty people made of households, so that families hold together while person `i`
//! still depends on nothing but the seed and `i`.

use crate::clock::Day;
use crate::names::{self, Community, MIX, Sex};
use crate::places::{self, Address, District};
use crate::rng::{Purpose, Rng};

/// People in a block.
const BLOCK: u32 = 20;

/// What a life must contain. All but the first few people of a city are `Typical`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Profile {
    Typical,
    Diabetes,
    Kidney,
    Mother,
    Child,
    Frail,
    Carer,
    Bipolar,
    Pregnant,
    Lungs,
    TypeOne,
}

/// Who may act for somebody, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delegate {
    /// The index of the person who may act.
    pub index: u32,
    /// What they are to the person: `mother`, `father`, `daughter`, `son`, `husband`, `wife`.
    pub relation: &'static str,
    /// Why they may act: `parental responsibility`, `consent`, `lasting power of attorney`.
    pub basis: &'static str,
}

/// One person of a block.
#[derive(Clone)]
pub(crate) struct Member {
    pub(crate) profile: Profile,
    pub(crate) sex: Sex,
    pub(crate) birth: Day,
    pub(crate) community: Community,
    pub(crate) given: &'static str,
    pub(crate) middle: Option<&'static str>,
    pub(crate) family: String,
    pub(crate) home: usize,
    pub(crate) delegates: Vec<(usize, &'static str, &'static str)>,
    pub(crate) mother: Option<usize>,
    pub(crate) twin: bool,
}

/// A home, and the one before it with the day of the move.
#[derive(Clone)]
pub(crate) struct Home {
    pub(crate) address: Address,
    pub(crate) district: &'static District,
    pub(crate) before: Option<(Address, Day)>,
}

/// The people of one block.
pub(crate) struct Block {
    pub(crate) members: Vec<Member>,
    pub(crate) homes: Vec<Home>,
}

struct Builder {
    rng: Rng,
    today: Day,
    block: Block,
}

/// The block a person is in, and the person's place in it.
pub(crate) fn locate(index: u32) -> (u32, usize) {
    (index / BLOCK, (index % BLOCK) as usize)
}

/// The index of a member of a block.
pub(crate) fn index_of(block: u32, member: usize) -> u32 {
    block * BLOCK + u32::try_from(member).expect("a block is small")
}

impl Block {
    /// The block with a number.
    pub(crate) fn new(seed: u64, number: u32, today: Day) -> Self {
        let rng = Rng::new(seed, number, Purpose::Household);
        let block = Self { members: Vec::with_capacity(BLOCK as usize), homes: Vec::new() };
        let mut builder = Builder { rng, today, block };
        if number == 0 {
            builder.demonstration();
        } else {
            builder.single(number == 1);
        }
        if number % 10 == 3 {
            builder.family(true, true);
        }
        while builder.room() > 0 {
            builder.household();
        }
        let mut block = builder.block;
        if number % 20 == 5 {
            block.members[0] = Self::namesake(seed, number, today, block.members[0].home);
        }
        block
    }

    /// A stranger with the same name and birth date as somebody three blocks earlier.
    fn namesake(seed: u64, number: u32, today: Day, home: usize) -> Member {
        let other = Self::new(seed, number - 3, today).members.swap_remove(0);
        Member { home, delegates: Vec::new(), ..other }
    }
}

impl Builder {
    fn room(&self) -> usize {
        BLOCK as usize - self.block.members.len()
    }

    fn birth(&mut self, age: i32) -> Day {
        let days = self.rng.range(0, 364);
        self.today.plus_years(-age).plus(-days)
    }

    fn home(&mut self, community: Community, district: Option<u32>) -> usize {
        let elsewhere = community != Community::British && self.rng.chance(500);
        let number = district.or_else(|| elsewhere.then(|| self.rng.pick(&[7, 8, 9, 11, 17, 12])));
        let (address, district) = places::home(&mut self.rng, number.map(places::by_number));
        let before = self.rng.chance(140).then(|| {
            let (old, _) = places::home(&mut self.rng, None);
            let day = self.today.plus(-self.rng.range(15, 1_600));
            (old, day)
        });
        self.block.homes.push(Home { address, district, before });
        self.block.homes.len() - 1
    }

    fn add(&mut self, sex: Sex, birth: Day, community: Community, family: &str, home: usize) -> usize {
        let mut given = names::given(&mut self.rng, community, sex, birth.year());
        for _ in 0..4 {
            if !self.block.members.iter().any(|m| m.home == home && m.given == given) {
                break;
            }
            given = names::given(&mut self.rng, community, sex, birth.year());
        }
        let with_middle = matches!(community, Community::British | Community::Irish | Community::Caribbean);
        let middle = (with_middle && self.rng.chance(700))
            .then(|| names::given(&mut self.rng, community, sex, birth.year() - 25))
            .filter(|middle| *middle != given);
        self.block.members.push(Member {
            profile: Profile::Typical,
            sex,
            birth,
            community,
            given,
            middle,
            family: names::inflected(family, community, sex),
            home,
            delegates: Vec::new(),
            mother: None,
            twin: false,
        });
        self.block.members.len() - 1
    }

    fn sex(&mut self) -> Sex {
        if self.rng.chance(510) { Sex::Female } else { Sex::Male }
    }

    fn community(&mut self) -> Community {
        *self.rng.weighted(&MIX)
    }

    fn household(&mut self) {
        let room = self.room();
        match self.rng.below(100) {
            0..=23 if room >= 3 => self.family(false, true),
            24..=31 if room >= 2 => self.family(false, false),
            32..=50 if room >= 2 => self.couple(25, 66),
            51..=55 if room >= 3 => self.students(),
            56..=68 if room >= 2 => self.couple(66, 92),
            69..=81 => self.single(true),
            _ => self.single(false),
        }
    }

    fn single(&mut self, old: bool) {
        let community = self.community();
        let sex = self.sex();
        let age = if old { 66 + self.rng.range(0, 18) + self.rng.range(0, 17) } else { self.rng.range(19, 69) };
        let birth = self.birth(age);
        let family = names::family(&mut self.rng, community);
        let home = self.home(community, None);
        self.add(sex, birth, community, family, home);
    }

    fn students(&mut self) {
        let home = self.home(Community::British, Some(6));
        for _ in 0..3 {
            let community = self.community();
            let sex = self.sex();
            let age = self.rng.range(18, 23);
            let birth = self.birth(age);
            let family = names::family(&mut self.rng, community);
            self.add(sex, birth, community, family, home);
        }
    }

    fn couple(&mut self, low: i32, high: i32) {
        let community = self.community();
        let family = names::family(&mut self.rng, community);
        let home = self.home(community, None);
        let age = self.rng.range(low, high);
        let other = (age + self.rng.range(-5, 5)).clamp(20, 99);
        let (birth, other_birth) = (self.birth(age), self.birth(other));
        let first = self.add(Sex::Female, birth, community, family, home);
        let second = self.add(Sex::Male, other_birth, community, family, home);
        if age >= 80 && self.rng.chance(500) {
            self.block.members[second].delegates.push((first, "wife", "consent"));
        } else if (44..66).contains(&age) && self.room() > 0 && self.rng.chance(550) {
            self.parent_of(first);
        }
    }

    /// An old parent in a home of their own, cared for by a daughter.
    fn parent_of(&mut self, child: usize) -> usize {
        let Member { community, birth, family, .. } = self.block.members[child].clone();
        let sex = if self.rng.chance(650) { Sex::Female } else { Sex::Male };
        let parent_birth = birth.plus_years(-self.rng.range(22, 34)).plus(-self.rng.range(0, 300));
        let home = self.home(community, None);
        let parent = self.add(sex, parent_birth, community, &family, home);
        let basis = if self.rng.chance(400) { "lasting power of attorney" } else { "consent" };
        self.block.members[parent].delegates.push((child, "daughter", basis));
        parent
    }

    fn family(&mut self, twins: bool, father: bool) {
        let community = self.community();
        let family = names::family(&mut self.rng, community);
        let home = self.home(community, None);
        let age = self.rng.range(22, 49);
        let birth = self.birth(age);
        let mother = self.add(Sex::Female, birth, community, family, home);
        let father = father.then(|| {
            let older = self.rng.range(-3, 7);
            let birth = self.birth(age + older);
            self.add(Sex::Male, birth, community, family, home)
        });
        let wanted = if twins { 2 } else { *self.rng.weighted(&[(40, 1), (42, 2), (18, 3)]) };
        let eldest = (age - self.rng.range(18, 36)).clamp(0, 17);
        let mut child_age = eldest;
        for number in 0..wanted.min(self.room()) {
            let child = self.child(mother, father, child_age, number == 1 && twins);
            if self.rng.chance(20) && number == 0 && self.room() > 0 && !twins {
                self.child(mother, father, child_age, true);
                break;
            }
            debug_assert!(self.block.members[child].mother == Some(mother));
            if !twins {
                child_age -= self.rng.range(2, 4);
                if child_age < 0 {
                    break;
                }
            }
        }
    }

    fn child(&mut self, mother: usize, father: Option<usize>, age: i32, twin_of_last: bool) -> usize {
        let sex = self.sex();
        let Member { community, family, home, .. } = self.block.members[mother].clone();
        let birth = if twin_of_last {
            let first = self.block.members.last_mut().expect("the first twin");
            first.twin = true;
            first.birth
        } else {
            self.birth(age)
        };
        // A masculine form, so that a son of a mother with a feminine form does not inherit that.
        let family = father.map_or(family, |f| self.block.members[f].family.clone());
        let child = self.add(sex, birth, community, &family, home);
        let member = &mut self.block.members[child];
        member.mother = Some(mother);
        member.twin = twin_of_last;
        if self.today.age(birth) < 16 {
            member.delegates.push((mother, "mother", "parental responsibility"));
            if let Some(father) = father {
                member.delegates.push((father, "father", "parental responsibility"));
            }
        }
        child
    }

    /// The first people of every city: each shows one part of the product well.
    fn demonstration(&mut self) {
        let mut one = |profile, sex, age, community, district| {
            let birth = self.birth(age);
            let family = names::family(&mut self.rng, community);
            let home = self.home(community, Some(district));
            let at = self.add(sex, birth, community, family, home);
            self.block.members[at].profile = profile;
        };
        one(Profile::Diabetes, Sex::Female, 63, Community::Pakistani, 8);
        one(Profile::Kidney, Sex::Male, 71, Community::British, 12);
        one(Profile::Mother, Sex::Female, 34, Community::British, 5);
        let child = self.child(2, None, 4, false);
        self.block.members[child].profile = Profile::Child;
        let birth = self.birth(87);
        let home = self.home(Community::British, Some(14));
        let family = names::family(&mut self.rng, Community::British);
        let frail = self.add(Sex::Female, birth, Community::British, family, home);
        let birth = self.birth(61);
        let home = self.home(Community::British, Some(15));
        let carer = self.add(Sex::Female, birth, Community::British, family, home);
        self.block.members[frail].profile = Profile::Frail;
        self.block.members[frail].delegates.push((carer, "daughter", "lasting power of attorney"));
        self.block.members[carer].profile = Profile::Carer;
        let mut one = |profile, sex, age, community, district| {
            let birth = self.birth(age);
            let family = names::family(&mut self.rng, community);
            let home = self.home(community, Some(district));
            let at = self.add(sex, birth, community, family, home);
            self.block.members[at].profile = profile;
        };
        one(Profile::Bipolar, Sex::Male, 46, Community::Caribbean, 7);
        one(Profile::Pregnant, Sex::Female, 29, Community::Polish, 11);
        one(Profile::Lungs, Sex::Male, 58, Community::Irish, 9);
        one(Profile::TypeOne, Sex::Male, 17, Community::Indian, 17);
        self.family(true, true);
    }
}
