//! What the pages show: plain structs with values as they arrived (text), parsed numbers beside them for charts, and on
//! every item who sent it and when it came. No words for people are made here beyond what the record says.

use keepwell_model::{Labels, NhsNumber, Purpose, Timestamp};

/// What is wrong with the fields of a form, in the order of the form; never empty when returned as an error.
pub type FormErrors = Vec<keepwell_clinical::FieldError>;

/// One page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// The items, newest first.
    pub items: Vec<T>,
    /// This page's number; the first is 1.
    pub page: usize,
    /// How many pages there are; at least 1.
    pub pages: usize,
    /// How many items there are on all pages.
    pub total: usize,
}

/// A moment or a day as the record says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct When {
    /// Exactly as sent: `2026`, `2026-11`, `2026-11-23` or `2026-11-23T09:30:00+00:00`.
    pub text: String,
    /// The local (London) date as far as known: `2026`, `2026-11` or `2026-11-23`.
    pub date: String,
    /// The local time of day, `09:30`, where one is given.
    pub time: Option<String>,
    /// For sorting and charts: the moment, or the start of the day, month or year.
    pub at: Timestamp,
}

/// A kind of content that a person would name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Category {
    /// Name, address, contact.
    Person,
    /// Laboratory and other tests.
    TestResults,
    /// Blood pressure, weight and the like.
    Measurements,
    /// Conditions.
    Conditions,
    /// Medicines.
    Medicines,
    /// Allergies.
    Allergies,
    /// Vaccinations.
    Vaccinations,
    /// Operations and other procedures.
    Procedures,
    /// Visits and appointments.
    Visits,
    /// Letters and documents.
    Documents,
    /// Care plans and goals.
    Plans,
    /// Who looked at the record.
    AccessLines,
    /// Anything else.
    Other,
}

impl Category {
    /// All of them, in the order of the pages.
    pub const ALL: [Self; 13] = [
        Self::Person,
        Self::TestResults,
        Self::Measurements,
        Self::Conditions,
        Self::Medicines,
        Self::Allergies,
        Self::Vaccinations,
        Self::Procedures,
        Self::Visits,
        Self::Documents,
        Self::Plans,
        Self::AccessLines,
        Self::Other,
    ];

    /// The key that storage and translations use.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::TestResults => "test-results",
            Self::Measurements => "measurements",
            Self::Conditions => "conditions",
            Self::Medicines => "medicines",
            Self::Allergies => "allergies",
            Self::Vaccinations => "vaccinations",
            Self::Procedures => "procedures",
            Self::Visits => "visits",
            Self::Documents => "documents",
            Self::Plans => "plans",
            Self::AccessLines => "access-lines",
            Self::Other => "other",
        }
    }

    /// The category of a key; an unknown key is `Other`, so that a line written by a newer version is still shown.
    #[must_use]
    pub fn of_key(key: &str) -> Self {
        Self::ALL.into_iter().find(|category| category.key() == key).unwrap_or(Self::Other)
    }
}

/// The first page after sign-in.
#[derive(Debug, Clone, PartialEq)]
pub struct Home {
    /// Full name as the newest demographics give it.
    pub name: String,
    /// NHS number, where the record has one.
    pub nhs_number: Option<NhsNumber>,
    /// Date of birth, `YYYY-MM-DD`.
    pub birth_date: String,
    /// Categories with anything in them, in the order of the pages.
    pub categories: Vec<CategoryCount>,
    /// The newest test results, three at most.
    pub latest_results: Vec<TestResult>,
    /// The newest measurement.
    pub latest_measurement: Option<Measurement>,
}

/// How much of a category there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CategoryCount {
    /// The category.
    pub category: Category,
    /// How many items, as the category's own page would count them.
    pub count: usize,
    /// When the newest of them came to Keepwell.
    pub received: Timestamp,
}

/// A test report, or a single result that belongs to no report.
#[derive(Debug, Clone, PartialEq)]
pub struct TestResult {
    /// Resource id of the report, or of the result.
    pub id: String,
    /// Name of the report or test.
    pub name: String,
    /// When the sample was taken or the test done.
    pub when: Option<When>,
    /// When it came to Keepwell.
    pub received: Timestamp,
    /// Organisation whose system sent it.
    pub source: String,
    /// Laboratory or person that did it, where the record says so.
    pub lab: Option<String>,
    /// FHIR status: `final`, `preliminary`, `amended`, `cancelled` …
    pub status: String,
    /// The laboratory's conclusion in words.
    pub conclusion: Option<String>,
    /// The results, in the order of the report.
    pub items: Vec<TestItem>,
    /// Privacy labels.
    pub labels: Labels,
}

/// One result.
#[derive(Debug, Clone, PartialEq)]
pub struct TestItem {
    /// Its resource id.
    pub id: String,
    /// Name of the test.
    pub name: String,
    /// Slug of the test for its history; it stands for the code and holds no personal data. `None` without any code.
    pub test: Option<String>,
    /// Value as sent, digit for digit, without unit; empty if there is none (`absent` says why).
    pub value_text: String,
    /// Unit to show.
    pub unit: String,
    /// The value as a number, for charts.
    pub value: Option<f64>,
    /// Reference range in words, as sent.
    pub range: Option<String>,
    /// Whether the value lies outside the range, where that can be told.
    pub outside: Option<bool>,
    /// Why there is no value, where the sender says so.
    pub absent: Option<String>,
    /// FHIR status.
    pub status: String,
    /// When.
    pub when: Option<When>,
    /// Comments as sent.
    pub notes: Vec<String>,
    /// Parts of a result that has several, such as a panel in one Observation.
    pub parts: Vec<Measure>,
}

/// The history of one test.
#[derive(Debug, Clone, PartialEq)]
pub struct TestHistory {
    /// The test's slug.
    pub test: String,
    /// Name as the newest result gives it.
    pub name: String,
    /// Unit as the newest result gives it.
    pub unit: String,
    /// Whether every point with a number has that same unit. Only then may they share a chart.
    pub one_unit: bool,
    /// The results, newest first.
    pub points: Vec<Point>,
    /// Bounds of the newest reference range, for the chart's band.
    pub low: Option<f64>,
    /// See `low`.
    pub high: Option<f64>,
}

/// One result in a history.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Resource id of the result.
    pub id: String,
    /// When.
    pub when: Option<When>,
    /// When it came to Keepwell.
    pub received: Timestamp,
    /// Value as sent.
    pub value_text: String,
    /// Unit as sent.
    pub unit: String,
    /// As a number.
    pub value: Option<f64>,
    /// Reference range in words.
    pub range: Option<String>,
    /// Whether outside the range.
    pub outside: Option<bool>,
    /// FHIR status.
    pub status: String,
    /// Organisation whose system sent it.
    pub source: String,
    /// Laboratory, where the record says so.
    pub lab: Option<String>,
}

/// A reading that a person or a professional took.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// Resource id.
    pub id: String,
    /// Key of the measurement (`blood-pressure`, `weight` …) where Keepwell knows it; `other` otherwise.
    pub key: &'static str,
    /// Name as sent.
    pub name: String,
    /// The values: one, or the parts of a panel (systolic and diastolic).
    pub values: Vec<Measure>,
    /// When it was taken.
    pub when: Option<When>,
    /// When it came to Keepwell.
    pub received: Timestamp,
    /// Organisation whose system sent it; the person's own name if they added it.
    pub source: String,
    /// Whether the person added it themselves.
    pub own: bool,
    /// FHIR status.
    pub status: String,
    /// Whether it is a blood pressure at or above the severe threshold (BP-6).
    pub severe: bool,
    /// Privacy labels.
    pub labels: Labels,
}

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub struct Measure {
    /// Key (`systolic`, `diastolic`, `pulse`, …) where known; `other` otherwise.
    pub key: &'static str,
    /// Name as sent.
    pub name: String,
    /// Value as sent.
    pub value_text: String,
    /// Unit to show.
    pub unit: String,
    /// As a number.
    pub value: Option<f64>,
}

/// What was added, and whether the person must read a safety message now (BP-6).
#[derive(Debug, Clone, PartialEq)]
pub struct AddedReading {
    /// The reading as the record holds it.
    pub reading: Measurement,
    /// At or above 180/120: show the safety message at once.
    pub severe: bool,
    /// Whether the same form had been sent before; nothing was added this time.
    pub repeated: bool,
}

/// A line of "who looked at my record".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessLine {
    /// When.
    pub when: Timestamp,
    /// Who, in words: a name, a system, or empty when it was the person (`own`).
    pub who: String,
    /// Role in words or a key: `resident`, `system`, `General practitioner` …
    pub role: String,
    /// Organisation in words; empty for the person.
    pub organisation: String,
    /// What for.
    pub purpose: Purpose,
    /// `read` or `write`.
    pub action: String,
    /// What, as categories with counts.
    pub what: Vec<Looked>,
    /// Whether it was the person themselves.
    pub own: bool,
    /// Its number among the lines of the record, from 1.
    pub number: u32,
    /// Sequence number of the line's block in the access stream, for proofs.
    pub seq: u64,
}

/// A category that was looked at or changed, and how many items of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// The category.
    pub category: Category,
    /// How many items.
    pub count: usize,
}
