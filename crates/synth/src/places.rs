//! Where people live: real postcode districts of Leeds, streets that do not exist, and inward codes from 0W to 0Z, where
//! hardly any street is, so that no letter could reach a real door.

use crate::rng::Rng;

/// An address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Address {
    /// House and street.
    pub line: String,
    /// The part of the city.
    pub area: &'static str,
    /// Post town.
    pub town: &'static str,
    /// Postcode.
    pub postcode: String,
}

/// A postcode district: its number in LS, its name, its share of the people and the number of its GP practice in
/// [`crate::sources::SOURCES`].
pub(crate) struct District {
    pub(crate) number: u32,
    pub(crate) area: &'static str,
    pub(crate) practice: usize,
}

const fn district(number: u32, area: &'static str, practice: usize) -> District {
    District { number, area, practice }
}

pub(crate) const DISTRICTS: [(u32, District); 27] = [
    (5, district(1, "City Centre", 11)),
    (10, district(2, "Woodhouse", 1)),
    (14, district(3, "Burley", 0)),
    (30, district(4, "Burley", 0)),
    (30, district(5, "Kirkstall", 0)),
    (50, district(6, "Headingley", 1)),
    (45, district(7, "Chapel Allerton", 4)),
    (60, district(8, "Harehills", 2)),
    (65, district(9, "Burmantofts", 2)),
    (60, district(10, "Hunslet", 3)),
    (60, district(11, "Beeston", 3)),
    (60, district(12, "Armley", 9)),
    (55, district(13, "Bramley", 9)),
    (50, district(14, "Seacroft", 8)),
    (48, district(15, "Cross Gates", 8)),
    (40, district(16, "Adel", 1)),
    (55, district(17, "Moortown", 5)),
    (35, district(18, "Horsforth", 10)),
    (20, district(19, "Yeadon", 10)),
    (18, district(20, "Guiseley", 10)),
    (18, district(21, "Otley", 7)),
    (16, district(22, "Wetherby", 5)),
    (20, district(25, "Garforth", 8)),
    (35, district(26, "Rothwell", 6)),
    (60, district(27, "Morley", 6)),
    (45, district(28, "Pudsey", 9)),
    (16, district(29, "Ilkley", 7)),
];

const STEMS: [&str; 40] = [
    "Larkspur",
    "Tenterfield",
    "Weaver",
    "Foxholes",
    "Fulling Mill",
    "Damson",
    "Gritstone",
    "Heddle",
    "Kingcup",
    "Linnet",
    "Millrace",
    "Nettlebed",
    "Ousel",
    "Packhorse",
    "Quarry Nook",
    "Rushbearing",
    "Shuttle",
    "Teasel",
    "Umber",
    "Velvet",
    "Wharfstone",
    "Yarrow",
    "Bobbin",
    "Carding",
    "Dyehouse",
    "Elderflower",
    "Flaxen",
    "Goit",
    "Hawfinch",
    "Ironstone",
    "Jackdaw",
    "Kersey",
    "Loom",
    "Madder",
    "Oatcake",
    "Plover",
    "Ropewalk",
    "Saddler",
    "Thimble",
    "Worsted",
];
const ENDINGS: [&str; 12] =
    ["Road", "Street", "Avenue", "Lane", "Grove", "Terrace", "Mount", "Drive", "Crescent", "Close", "View", "Place"];
/// Letters of an inward code: Royal Mail leaves out C, I, K, M, O and V.
const INWARD: &[u8] = b"ABDEFGHJLNPQRSTUWXYZ";

/// The district with a number.
pub(crate) fn by_number(number: u32) -> &'static District {
    &DISTRICTS.iter().find(|(_, d)| d.number == number).expect("a district of the list").1
}

/// A home in a district, or anywhere in the city.
pub(crate) fn home(rng: &mut Rng, district: Option<&'static District>) -> (Address, &'static District) {
    let district = district.unwrap_or_else(|| rng.weighted(&DISTRICTS));
    let street = format!("{} {}", rng.pick(&STEMS), rng.pick(&ENDINGS));
    let number = rng.range(1, 148);
    let flat = rng.chance(if district.number <= 4 { 600 } else { 120 });
    let line =
        if flat { format!("Flat {}, {number} {street}", rng.range(1, 24)) } else { format!("{number} {street}") };
    let (first, last) = (rng.pick(b"WXYZ"), rng.pick(INWARD));
    let postcode = format!("LS{} 0{}{}", district.number, char::from(first), char::from(last));
    let town = match district.number {
        21 => "Otley",
        22 => "Wetherby",
        28 => "Pudsey",
        29 => "Ilkley",
        _ => "Leeds",
    };
    (Address { line, area: district.area, town, postcode }, district)
}
