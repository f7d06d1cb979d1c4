//! Names as the city's communities have them. Given names of the largest community follow the generation.

use crate::rng::Rng;

/// Male or female, as the records of the time have it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sex {
    /// Female.
    Female,
    /// Male.
    Male,
}

/// A community with its own names and its code in the NHS ethnic category list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Community {
    British,
    Irish,
    Polish,
    Romanian,
    Pakistani,
    Indian,
    Bangladeshi,
    Chinese,
    African,
    Caribbean,
    Arab,
    MixedCaribbean,
    MixedAsian,
}

use Community::{
    African, Arab, Bangladeshi, British, Caribbean, Chinese, Indian, Irish, MixedAsian, MixedCaribbean, Pakistani,
    Polish, Romanian,
};

/// How many of 1,000 households belong to each community, near the census of 2021 for Leeds.
pub(crate) const MIX: [(u32, Community); 13] = [
    (735, British),
    (12, Irish),
    (28, Polish),
    (14, Romanian),
    (42, Pakistani),
    (30, Indian),
    (9, Bangladeshi),
    (13, Chinese),
    (46, African),
    (14, Caribbean),
    (16, Arab),
    (23, MixedCaribbean),
    (18, MixedAsian),
];

impl Community {
    /// Code and words of the UK Core ethnic category list for England.
    pub(crate) fn ethnic_category(self) -> (&'static str, &'static str) {
        match self {
            British => ("A", "White - British"),
            Irish => ("B", "White - Irish"),
            Polish | Romanian => ("C", "White - Any other White background"),
            MixedCaribbean => ("D", "Mixed - White and Black Caribbean"),
            MixedAsian => ("F", "Mixed - White and Asian"),
            Indian => ("H", "Asian or Asian British - Indian"),
            Pakistani => ("J", "Asian or Asian British - Pakistani"),
            Bangladeshi => ("K", "Asian or Asian British - Bangladeshi"),
            Caribbean => ("M", "Black or Black British - Caribbean"),
            African => ("N", "Black or Black British - African"),
            Chinese => ("R", "Other Ethnic Groups - Chinese"),
            Arab => ("S", "Other Ethnic Groups - Any other ethnic group"),
        }
    }

    /// NICE NG136 chooses a calcium channel blocker first for these families, whatever the age.
    pub(crate) fn black_african_or_caribbean(self) -> bool {
        matches!(self, African | Caribbean | MixedCaribbean)
    }

    /// Type 2 diabetes is commoner and comes about ten years earlier.
    pub(crate) fn south_asian(self) -> bool {
        matches!(self, Pakistani | Indian | Bangladeshi | MixedAsian)
    }

    /// A first language other than English that some of the community would rather use: BCP 47 tag and name.
    pub(crate) fn language(self) -> Option<(&'static str, &'static str)> {
        match self {
            Polish => Some(("pl", "Polish")),
            Romanian => Some(("ro", "Romanian")),
            Pakistani => Some(("ur", "Urdu")),
            Indian => Some(("pa", "Punjabi")),
            Bangladeshi => Some(("bn", "Bengali")),
            Chinese => Some(("zh", "Chinese")),
            Arab => Some(("ar", "Arabic")),
            African => Some(("ti", "Tigrinya")),
            British | Irish | Caribbean | MixedCaribbean | MixedAsian => None,
        }
    }
}

type Names = &'static [&'static str];

#[rustfmt::skip]
const F_OLD: Names = &[
    "Margaret", "Jean", "Dorothy", "Joan", "Sheila", "Patricia", "Brenda", "Edith", "Doreen", "Audrey", "Hilda",
    "Kathleen", "Barbara", "Beryl", "Marjorie", "Joyce", "Eileen", "Shirley", "Maureen", "Rita", "Sylvia", "Freda",
];
const F_MID: Names = &[
    "Susan",
    "Julie",
    "Karen",
    "Jacqueline",
    "Deborah",
    "Tracey",
    "Jane",
    "Helen",
    "Diane",
    "Sharon",
    "Christine",
    "Linda",
    "Carol",
    "Sandra",
    "Angela",
    "Janet",
    "Elaine",
    "Lesley",
    "Gillian",
    "Wendy",
    "Lorraine",
    "Denise",
];
const F_ADULT: Names = &[
    "Sarah",
    "Claire",
    "Emma",
    "Laura",
    "Rebecca",
    "Gemma",
    "Rachel",
    "Kelly",
    "Victoria",
    "Katie",
    "Lauren",
    "Jessica",
    "Charlotte",
    "Hannah",
    "Amy",
    "Samantha",
    "Bethany",
    "Stephanie",
    "Jennifer",
    "Lucy",
    "Megan",
    "Zoë",
];
const F_CHILD: Names = &[
    "Olivia", "Amelia", "Isla", "Ava", "Mia", "Ivy", "Lily", "Freya", "Florence", "Willow", "Evie", "Poppy", "Ella",
    "Rosie", "Daisy", "Sienna", "Harriet", "Erin", "Maisie", "Imogen", "Orla", "Chloë",
];
const M_OLD: Names = &[
    "John", "Ronald", "Kenneth", "Derek", "Peter", "Brian", "Raymond", "Donald", "Dennis", "Gordon", "Harold", "Frank",
    "Arthur", "Norman", "Stanley", "Eric", "Leonard", "Alan", "Geoffrey", "Jack", "Walter", "Trevor",
];
const M_MID: Names = &[
    "David", "Stephen", "Paul", "Michael", "Andrew", "Mark", "Ian", "Kevin", "Philip", "Graham", "Nigel", "Martin",
    "Gary", "Keith", "Anthony", "Robert", "Neil", "Colin", "Steven", "Richard", "Simon", "Barry",
];
const M_ADULT: Names = &[
    "James",
    "Daniel",
    "Matthew",
    "Christopher",
    "Thomas",
    "Adam",
    "Ryan",
    "Joshua",
    "Luke",
    "Jonathan",
    "Lee",
    "Benjamin",
    "Craig",
    "Scott",
    "Liam",
    "Jordan",
    "Nathan",
    "Samuel",
    "Alexander",
    "Joseph",
    "Callum",
    "Sean",
];
const M_CHILD: Names = &[
    "Noah", "Oliver", "George", "Arthur", "Leo", "Harry", "Oscar", "Archie", "Freddie", "Theo", "Alfie", "Henry",
    "Charlie", "Isaac", "Finley", "Jude", "Rory", "Ethan", "Albie", "Toby", "Reuben", "Ellis",
];

fn british_given(sex: Sex, year: i32) -> Names {
    match (sex, year) {
        (Sex::Female, ..1950) => F_OLD,
        (Sex::Female, 1950..1974) => F_MID,
        (Sex::Female, 1974..2003) => F_ADULT,
        (Sex::Female, _) => F_CHILD,
        (Sex::Male, ..1950) => M_OLD,
        (Sex::Male, 1950..1974) => M_MID,
        (Sex::Male, 1974..2003) => M_ADULT,
        (Sex::Male, _) => M_CHILD,
    }
}

fn given_names(community: Community, sex: Sex, year: i32) -> Names {
    let female = sex == Sex::Female;
    match community {
        British | MixedCaribbean => british_given(sex, year),
        MixedAsian if female => {
            &["Aisha", "Maya", "Leila", "Sara", "Jasmine", "Nadia", "Anya", "Zara", "Tara", "Sofia"]
        }
        MixedAsian => &["Adam", "Zain", "Jay", "Rafi", "Danyal", "Kiran", "Sami", "Noah", "Ravi", "Elias"],
        Irish if female => {
            &["Mary", "Bridget", "Siobhán", "Aoife", "Niamh", "Kathleen", "Maeve", "Róisín", "Bernadette"]
        }
        Irish => &["Patrick", "Seán", "Michael", "Declan", "Eoin", "Brendan", "Conor", "Gerard", "Ciarán", "Liam"],
        Polish if female => {
            &["Agnieszka", "Katarzyna", "Magdalena", "Zofia", "Małgorzata", "Julia", "Ewa", "Hanna", "Alicja"]
        }
        Polish => {
            &["Piotr", "Tomasz", "Paweł", "Krzysztof", "Łukasz", "Jakub", "Marcin", "Szymon", "Filip", "Wojciech"]
        }
        Romanian if female => &["Elena", "Ioana", "Andreea", "Mihaela", "Ștefania", "Alina", "Daria", "Gabriela"],
        Romanian => &["Andrei", "Mihai", "Ionuț", "Ștefan", "Cristian", "Florin", "Radu", "Alexandru"],
        Pakistani if female => &[
            "Parveen", "Nasreen", "Shabnam", "Aisha", "Fatima", "Zainab", "Saima", "Rukhsana", "Maryam", "Hafsa",
            "Samina", "Khadija", "Noor", "Iqra",
        ],
        Pakistani => &[
            "Mohammed", "Imran", "Tariq", "Asif", "Ibrahim", "Yusuf", "Khalid", "Nadeem", "Hamza", "Bilal", "Sajid",
            "Muhammad", "Zahid", "Umar",
        ],
        Indian if female => {
            &["Harpreet", "Manjit", "Priya", "Jaswinder", "Simran", "Anita", "Meena", "Sunita", "Kavita", "Amrit"]
        }
        Indian => {
            &["Gurpreet", "Amarjit", "Rajesh", "Balbir", "Arjun", "Jaspal", "Sanjay", "Vikram", "Harjit", "Rohan"]
        }
        Bangladeshi if female => &["Rahima", "Shirin", "Nasima", "Tahmina", "Farhana", "Sultana", "Ayesha", "Rumana"],
        Bangladeshi => &["Abdul", "Rafiq", "Shahid", "Mizanur", "Kamal", "Tanvir", "Faisal", "Rahim"],
        Chinese if female => &["Mei", "Xiu Ying", "Li Na", "Hui", "Wing Yan", "Jing", "Yan", "Siu Ling", "Xin Yi"],
        Chinese => &["Wei", "Jun", "Ka Ho", "Ming", "Chi Wai", "Hao", "Kwok Wai", "Jian", "Zi Hao"],
        African if female => {
            &["Selam", "Abeba", "Ngozi", "Chipo", "Fatou", "Grace", "Rutendo", "Adaeze", "Amina", "Blessing"]
        }
        African => {
            &["Samuel", "Tesfay", "Chukwuma", "Tendai", "Emmanuel", "Ibrahim", "Yonas", "Kwame", "Musa", "Daniel"]
        }
        Caribbean if female => {
            &["Yvonne", "Beverley", "Marcia", "Sonia", "Keisha", "Jada", "Gloria", "Verna", "Tianna"]
        }
        Caribbean => &["Winston", "Delroy", "Errol", "Marcus", "Tyrone", "Jermaine", "Clive", "Malachi", "Desmond"],
        Arab if female => &["Layla", "Hala", "Rania", "Maryam", "Yasmin", "Huda", "Salma", "Nour", "Amal"],
        Arab => &["Ahmed", "Omar", "Khaled", "Yousef", "Hassan", "Ali", "Mustafa", "Karim", "Sami"],
    }
}

const BRITISH_FAMILY: Names = &[
    "Smith",
    "Jones",
    "Taylor",
    "Brown",
    "Wilson",
    "Johnson",
    "Walker",
    "Wood",
    "Thompson",
    "Robinson",
    "Wright",
    "Jackson",
    "Clarke",
    "White",
    "Hall",
    "Hughes",
    "Green",
    "Harrison",
    "Ward",
    "Turner",
    "Hill",
    "Cooper",
    "Shaw",
    "Barker",
    "Holroyd",
    "Sykes",
    "Armitage",
    "Firth",
    "Ackroyd",
    "Ramsden",
    "Butterworth",
    "Sutcliffe",
    "Hirst",
    "Dyson",
    "Brook",
    "Haigh",
    "Thornton",
    "Whitaker",
    "Lister",
    "Illingworth",
    "Bairstow",
    "Pickles",
    "Crossley",
    "Naylor",
    "Metcalfe",
    "Dawson",
    "Hardcastle",
    "Atkinson",
    "Stead",
    "Broadbent",
    "Kershaw",
    "Midgley",
    "Varley",
    "Bradley",
    "Ellis",
    "Fletcher",
    "Gill",
    "Marsden",
    "Mortimer-Lumb",
    "Bennett",
    "Sowerby",
    "D'Arcy",
    "Airey",
    "Rhodes",
    "Waterhouse",
    "Beaumont",
    "Tordoff",
    "Moorhouse",
    "Schofield",
    "Senior",
    "Womersley",
    "Pawson",
];

fn family_names(community: Community) -> Names {
    match community {
        British | MixedAsian => BRITISH_FAMILY,
        Irish => {
            &["O'Brien", "Murphy", "Kelly", "O'Connor", "Gallagher", "McHugh", "Doherty", "Brennan", "O'Shea", "Healy"]
        }
        Polish => {
            &["Nowak", "Kowalski", "Wiśniewski", "Zieliński", "Mazur", "Krawczyk", "Lewandowski", "Wójcik", "Dąbrowski"]
        }
        Romanian => &["Popescu", "Ionescu", "Munteanu", "Stoica", "Rusu", "Matei", "Dumitru", "Șerban"],
        Pakistani => {
            &["Hussain", "Khan", "Ahmed", "Akhtar", "Mahmood", "Iqbal", "Malik", "Shah", "Bashir", "Rafiq", "Mirza"]
        }
        Indian => &["Singh", "Patel", "Sharma", "Sandhu", "Gill", "Dhaliwal", "Bansal", "Chahal", "Mehta", "Joshi"],
        Bangladeshi => &["Miah", "Ali", "Uddin", "Rahman", "Islam", "Chowdhury", "Hoque", "Begum-Ali"],
        Chinese => &["Wong", "Chan", "Li", "Zhang", "Chen", "Lau", "Wang", "Cheung", "Liu"],
        African => {
            &["Tesfaye", "Okafor", "Moyo", "Mensah", "Kamara", "Ncube", "Adeyemi", "Gebremariam", "Banda", "Diallo"]
        }
        Caribbean | MixedCaribbean => {
            &["Campbell", "Francis", "Joseph", "Liburd", "Browne", "Henry", "Morgan", "Daniel", "Grant"]
        }
        Arab => &["Al-Hassan", "Haddad", "Saleh", "Mansour", "Al-Amin", "Nasser", "Khalil", "Aziz"],
    }
}

/// A given name for a person born in `year`.
pub(crate) fn given(rng: &mut Rng, community: Community, sex: Sex, year: i32) -> &'static str {
    rng.pick(given_names(community, sex, year))
}

/// A family name of the community, in the form a man carries.
pub(crate) fn family(rng: &mut Rng, community: Community) -> &'static str {
    rng.pick(family_names(community))
}

/// The form of a family name that this person carries: Polish names in -ski have a feminine form.
pub(crate) fn inflected(family: &str, community: Community, sex: Sex) -> String {
    match family.strip_suffix("ski") {
        Some(stem) if community == Polish && sex == Sex::Female => format!("{stem}ska"),
        _ => family.to_owned(),
    }
}
