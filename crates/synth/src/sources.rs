//! The organisations whose systems send feeds, with fictional names and codes, and the people who work there.

/// The kind of care an organisation gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Setting {
    /// A GP practice.
    Gp,
    /// A hospital, with the pathology laboratory.
    Hospital,
    /// Community health: district nurses, physiotherapists, health visitors.
    Community,
    /// Mental health.
    MentalHealth,
    /// Adult social care.
    SocialCare,
    /// The residents themselves.
    Resident,
}

/// A system that sends feeds.
#[derive(Debug)]
pub struct Source {
    /// The name it is registered under.
    pub name: &'static str,
    /// The organisation, in words.
    pub organisation: &'static str,
    /// The kind of care.
    pub setting: Setting,
    /// A fictional organisation code in the manner of the national directory.
    pub code: &'static str,
    /// Street, postcode.
    pub(crate) address: (&'static str, &'static str),
    pub(crate) phone: &'static str,
    /// The staff who appear in its records.
    pub(crate) staff: &'static [Staff],
}

/// Somebody who works there.
#[derive(Debug)]
pub(crate) struct Staff {
    pub(crate) given: &'static str,
    pub(crate) family: &'static str,
    pub(crate) title: &'static str,
    pub(crate) role: Role,
}

/// What somebody does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    Doctor,
    Nurse,
    Pharmacist,
    Physician,
    Surgeon,
    Cardiologist,
    Nephrologist,
    Diabetologist,
    Respiratory,
    Geriatrician,
    Obstetrician,
    Midwife,
    Paediatrician,
    Oncologist,
    Pathologist,
    Ophthalmologist,
    DistrictNurse,
    Physiotherapist,
    HealthVisitor,
    Podiatrist,
    Psychiatrist,
    MentalHealthNurse,
    Therapist,
    SocialWorker,
    OccupationalTherapist,
    CareWorker,
}

const fn staff(title: &'static str, given: &'static str, family: &'static str, role: Role) -> Staff {
    Staff { given, family, title, role }
}

macro_rules! practice {
    ($name:literal, $organisation:literal, $code:literal, $street:literal, $postcode:literal, $phone:literal,
     $first:expr, $second:expr, $nurse:expr) => {
        Source {
            name: $name,
            organisation: $organisation,
            setting: Setting::Gp,
            code: $code,
            address: ($street, $postcode),
            phone: $phone,
            staff: &[
                staff("Dr", $first.0, $first.1, Role::Doctor),
                staff("Dr", $second.0, $second.1, Role::Doctor),
                staff("Nurse", $nurse.0, $nurse.1, Role::Nurse),
                staff("Mr", "Owen", "Prescott", Role::Pharmacist),
            ],
        }
    };
}

/// Number of GP practices; they come first in [`SOURCES`].
pub(crate) const PRACTICES: usize = 12;
/// Index of the large hospital, whose laboratory serves the whole city.
pub(crate) const HOSPITAL: usize = PRACTICES;
/// Index of the hospital of the valley in the north.
pub(crate) const WHARFE_HOSPITAL: usize = PRACTICES + 1;
/// Index of the first of two community services (inner city, outer city).
pub(crate) const COMMUNITY: usize = PRACTICES + 2;
/// Index of the mental health service; the talking therapies follow it.
pub(crate) const MENTAL_HEALTH: usize = PRACTICES + 4;
/// Index of the talking therapies.
pub(crate) const TALKING_THERAPIES: usize = PRACTICES + 5;
/// Index of the council's adult social care; the home care provider follows it.
pub(crate) const SOCIAL_CARE: usize = PRACTICES + 6;
/// Index of the home care provider.
pub(crate) const HOME_CARE: usize = PRACTICES + 7;
/// Index of the residents' own entries.
pub(crate) const RESIDENT: usize = PRACTICES + 8;

/// Every registered source.
pub(crate) static SOURCES: [Source; PRACTICES + 9] = [
    practice!(
        "gp-kirkstall",
        "Kirkstall Forge Surgery",
        "KWG01",
        "2 Goit Street",
        "LS5 0ZA",
        "0113 496 0101",
        ("Helen", "Marchbank"),
        ("Imtiaz", "Sarwar"),
        ("Bridget", "Coyle")
    ),
    practice!(
        "gp-headingley",
        "Headingley Oak Medical Practice",
        "KWG02",
        "17 Plover Lane",
        "LS6 0ZB",
        "0113 496 0102",
        ("Rupert", "Ashworth"),
        ("Nkechi", "Obi"),
        ("Carole", "Tindall")
    ),
    practice!(
        "gp-harehills",
        "Harehills Lane End Health Centre",
        "KWG03",
        "9 Shuttle Road",
        "LS8 0ZD",
        "0113 496 0103",
        ("Farida", "Qureshi"),
        ("Daniel", "Ogden"),
        ("Lorna", "Bright")
    ),
    practice!(
        "gp-beeston",
        "Beeston Hill Top Surgery",
        "KWG04",
        "41 Ropewalk Street",
        "LS11 0ZE",
        "0113 496 0104",
        ("Stuart", "Penhaligon"),
        ("Anjali", "Deshmukh"),
        ("Tracy", "Womack")
    ),
    practice!(
        "gp-chapel-allerton",
        "Chapel Allerton Green Practice",
        "KWG05",
        "5 Teasel Grove",
        "LS7 0ZF",
        "0113 496 0105",
        ("Marcia", "Liddell"),
        ("Tobias", "Krause"),
        ("Eleanor", "Speight")
    ),
    practice!(
        "gp-moortown",
        "Moortown Corner Surgery",
        "KWG06",
        "88 Larkspur Avenue",
        "LS17 0ZG",
        "0113 496 0106",
        ("Jonathan", "Feldman"),
        ("Priti", "Raval"),
        ("Gwen", "Hollis")
    ),
    practice!(
        "gp-morley",
        "Morley Bottoms Medical Centre",
        "KWG07",
        "12 Weaver Street",
        "LS27 0ZH",
        "0113 496 0107",
        ("Andrew", "Threlfall"),
        ("Siân", "Prosser"),
        ("Denise", "Ibbotson")
    ),
    practice!(
        "gp-otley",
        "Otley Chevin Practice",
        "KWG08",
        "3 Gritstone Terrace",
        "LS21 0ZJ",
        "0113 496 0108",
        ("Catherine", "Dunhill"),
        ("Mohan", "Pillai"),
        ("Ruth", "Ellershaw")
    ),
    practice!(
        "gp-seacroft",
        "Seacroft Ring Road Surgery",
        "KWG09",
        "60 Madder Drive",
        "LS14 0ZL",
        "0113 496 0109",
        ("Patrick", "Delaney"),
        ("Yetunde", "Bello"),
        ("Sharon", "Cudworth")
    ),
    practice!(
        "gp-armley",
        "Armley Gate Medical Practice",
        "KWG10",
        "24 Worsted Road",
        "LS12 0ZN",
        "0113 496 0110",
        ("Louise", "Garside"),
        ("Hassan", "Javed"),
        ("Paula", "Renshaw")
    ),
    practice!(
        "gp-horsforth",
        "Horsforth Newlaithes Surgery",
        "KWG11",
        "7 Linnet View",
        "LS18 0ZP",
        "0113 496 0111",
        ("Edward", "Carrick"),
        ("Mei", "Tang"),
        ("Alison", "Purdy")
    ),
    practice!(
        "gp-city",
        "Leeds Wharf City Practice",
        "KWG12",
        "1 Ironstone Place",
        "LS1 0ZQ",
        "0113 496 0112",
        ("Zainab", "Farooqi"),
        ("Gareth", "Lloyd"),
        ("Monika", "Sobczak")
    ),
    Source {
        name: "leeds-hospital",
        organisation: "Aire Valley Teaching Hospital",
        setting: Setting::Hospital,
        code: "KWH01",
        address: ("100 Dyehouse Lane", "LS9 0YA"),
        phone: "0113 496 0200",
        staff: &[
            staff("Dr", "Rosalind", "Achebe", Role::Physician),
            staff("Mr", "Fergus", "Nairn", Role::Surgeon),
            staff("Dr", "Sunil", "Bhatt", Role::Cardiologist),
            staff("Dr", "Ingrid", "Halvorsen", Role::Nephrologist),
            staff("Dr", "Amara", "Nwosu", Role::Diabetologist),
            staff("Dr", "Colm", "Tierney", Role::Respiratory),
            staff("Dr", "Philippa", "Yates", Role::Geriatrician),
            staff("Miss", "Leonie", "Strauss", Role::Obstetrician),
            staff("Midwife", "Joanne", "Sugden", Role::Midwife),
            staff("Dr", "Vivek", "Menon", Role::Paediatrician),
            staff("Dr", "Harriet", "Pym", Role::Oncologist),
            staff("Dr", "Alasdair", "Reid", Role::Pathologist),
            staff("Mr", "Dev", "Chaudhuri", Role::Ophthalmologist),
        ],
    },
    Source {
        name: "wharfe-hospital",
        organisation: "Wharfe Valley Hospital",
        setting: Setting::Hospital,
        code: "KWH02",
        address: ("15 Wharfstone Road", "LS21 0YB"),
        phone: "0113 496 0210",
        staff: &[
            staff("Dr", "Elspeth", "Mallory", Role::Geriatrician),
            staff("Mr", "Lewis", "Adair", Role::Surgeon),
            staff("Mr", "Hugo", "Santos", Role::Ophthalmologist),
        ],
    },
    Source {
        name: "community-inner",
        organisation: "Leeds Inner City Community Health",
        setting: Setting::Community,
        code: "KWC01",
        address: ("33 Carding Street", "LS10 0XA"),
        phone: "0113 496 0301",
        staff: &[
            staff("Sister", "Maureen", "Oyelaran", Role::DistrictNurse),
            staff("Ms", "Kirsty", "Baines", Role::Physiotherapist),
            staff("Ms", "Salma", "Idris", Role::HealthVisitor),
            staff("Mr", "Adrian", "Footitt", Role::Podiatrist),
        ],
    },
    Source {
        name: "community-outer",
        organisation: "Leeds Outer Ring Community Health",
        setting: Setting::Community,
        code: "KWC02",
        address: ("8 Yarrow Close", "LS16 0XB"),
        phone: "0113 496 0302",
        staff: &[
            staff("Sister", "Pauline", "Greaves", Role::DistrictNurse),
            staff("Mr", "Ross", "Telford", Role::Physiotherapist),
            staff("Ms", "Janine", "Crowther", Role::HealthVisitor),
            staff("Ms", "Hetty", "Moss", Role::Podiatrist),
        ],
    },
    Source {
        name: "mental-health",
        organisation: "Aire and Wharfe Mental Health Service",
        setting: Setting::MentalHealth,
        code: "KWM01",
        address: ("50 Thimble Lane", "LS7 0WA"),
        phone: "0113 496 0401",
        staff: &[
            staff("Dr", "Naomi", "Castellan", Role::Psychiatrist),
            staff("Mr", "Jerome", "Whittle", Role::MentalHealthNurse),
        ],
    },
    Source {
        name: "talking-therapies",
        organisation: "Leeds Riverside Talking Therapies",
        setting: Setting::MentalHealth,
        code: "KWM02",
        address: ("4 Millrace Place", "LS2 0WB"),
        phone: "0113 496 0402",
        staff: &[staff("Ms", "Isobel", "Fairweather", Role::Therapist)],
    },
    Source {
        name: "adult-social-care",
        organisation: "Leeds Adult Social Care (synthetic)",
        setting: Setting::SocialCare,
        code: "KWS01",
        address: ("1 Packhorse Street", "LS1 0UA"),
        phone: "0113 496 0501",
        staff: &[
            staff("Ms", "Bernice", "Holland", Role::SocialWorker),
            staff("Mr", "Glyn", "Parry", Role::OccupationalTherapist),
        ],
    },
    Source {
        name: "home-care",
        organisation: "Kindly Light Home Care",
        setting: Setting::SocialCare,
        code: "KWS02",
        address: ("72 Bobbin Road", "LS13 0UB"),
        phone: "0113 496 0502",
        staff: &[staff("Ms", "Florence", "Adjei", Role::CareWorker)],
    },
    Source {
        name: "resident",
        organisation: "Residents' own entries",
        setting: Setting::Resident,
        code: "KWR01",
        address: ("1 Packhorse Street", "LS1 0UA"),
        phone: "0113 496 0500",
        staff: &[],
    },
];

/// The number of a member of staff in the national user directory: twelve digits, of a block that is not in use.
pub(crate) fn staff_number(source: usize, staff: usize) -> String {
    format!("900000{source:03}{:03}", staff + 1)
}

impl Source {
    /// Number of the first member of staff with a role; the first of all where nobody has it.
    pub(crate) fn find(&self, role: Role) -> usize {
        self.staff.iter().position(|s| s.role == role).unwrap_or(0)
    }
}
