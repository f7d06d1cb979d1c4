//! Made-up data for the samples of the pages: ordinary, empty, hostile and very long.

use keepwell_model::{Labels, Purpose, Timestamp};
use keepwell_service::{
    AccessLine, Category, CategoryCount, Home, Looked, Measure, Measurement, Page, Point, TestHistory, TestItem,
    TestResult, When,
};

const HOSPITAL: &str = "Leeds Teaching Hospitals";
const SURGERY: &str = "Chapel Allerton Surgery";
/// What a source could send to break a page.
const HOSTILE: &str = "</title><script>alert(1)</script>\" onload='x' \u{202e}gnirts \u{e000}0\u{e001} =cmd";

/// The moment at which the samples are shown: 23 November 2026, half past five.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_micros(1_795_455_000_000_000)
}

fn when(date: &str, time: Option<&str>) -> When {
    let day = date.parse::<jiff::civil::Date>().expect("samples have real dates");
    let at = jiff::tz::TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).expect("in range").as_microsecond();
    When { text: date.into(), date: date.into(), time: time.map(Into::into), at: Timestamp::from_micros(at) }
}

fn item(name: &str, value: &str, unit: &str, range: &str, outside: Option<bool>) -> TestItem {
    TestItem {
        id: "0123456789abcdef-2".into(),
        name: name.into(),
        test: Some(name.to_lowercase().replace(' ', "-")),
        value_text: value.into(),
        unit: unit.into(),
        value: value.parse().ok(),
        range: (!range.is_empty()).then(|| range.into()),
        outside,
        absent: None,
        status: "final".into(),
        when: Some(when("2026-10-09", None)),
        notes: Vec::new(),
        parts: Vec::new(),
    }
}

fn report(id: u32, name: &str, date: &str, items: Vec<TestItem>) -> TestResult {
    TestResult {
        id: format!("0123456789abcdef-{id}"),
        name: name.into(),
        when: Some(when(date, Some("09:40"))),
        received: now().plus_seconds(-86_400),
        source: HOSPITAL.into(),
        lab: Some("Leeds Pathology".into()),
        status: "final".into(),
        conclusion: None,
        items,
        labels: Labels::GENERAL,
    }
}

pub(crate) fn reports() -> Page<TestResult> {
    let count = vec![
        item("Haemoglobin", "128", "g/L", "115 - 165 g/L", Some(false)),
        item("White blood cell count", "11.8", "10*9/L", "4.0 - 11.0 10*9/L", Some(true)),
        item("Platelet count", "", "10*9/L", "", None),
    ];
    let mut remark =
        report(2, "HbA1c", "2026-10-09", vec![item("HbA1c", "48", "mmol/mol", "20 - 41 mmol/mol", Some(true))]);
    remark.conclusion = Some("Slightly raised. Please repeat in three months.".into());
    let mut odd = report(4, HOSTILE, "2026-09-02", vec![item(HOSTILE, HOSTILE, HOSTILE, HOSTILE, None)]);
    odd.status = "preliminary".into();
    odd.conclusion = Some(HOSTILE.into());
    odd.items[0].notes = vec![HOSTILE.into()];
    let mut undated =
        report(5, "COVID-19 test", "2026-09-02", vec![item("SARS-CoV-2 RNA", "Not detected", "", "", None)]);
    undated.when = None;
    undated.status = "corrected".into();
    let long = "Antineutrophil cytoplasmic antibody immunofluorescence pattern and specificity panel ".repeat(2);
    let mut wide =
        report(6, long.trim(), "2026-08-15", (0..9).map(|_| item(long.trim(), "0.001", "kU/L", "", None)).collect());
    wide.items[1].parts = vec![measure("other", "Part one", "3", "kU/L"), measure("other", "Part two", "4", "kU/L")];
    wide.items[1].value_text = String::new();
    wide.items[2].value_text = String::new();
    wide.items[2].absent = Some("Sample clotted".into());
    let items = vec![report(1, "Full blood count", "2026-10-09", count), remark, odd, undated, wide];
    Page { total: items.len(), items, page: 1, pages: 1 }
}

fn point(date: &str, value: &str, unit: &str, outside: Option<bool>, lab: &str) -> Point {
    Point {
        id: "0123456789abcdef-2".into(),
        when: Some(when(date, None)),
        received: now(),
        value_text: value.into(),
        unit: unit.into(),
        value: value.parse().ok(),
        range: Some("20 - 41 mmol/mol".into()),
        outside,
        status: "final".into(),
        source: HOSPITAL.into(),
        lab: Some(lab.into()),
    }
}

fn history(name: &str, points: Vec<Point>) -> TestHistory {
    TestHistory {
        test: "hba1c".into(),
        name: name.into(),
        unit: "mmol/mol".into(),
        one_unit: points.windows(2).all(|pair| pair[0].unit == pair[1].unit),
        points,
        low: Some(20.0),
        high: Some(41.0),
    }
}

pub(crate) fn histories() -> Vec<TestHistory> {
    let unit = "mmol/mol";
    let lab = "Leeds Pathology";
    let full = vec![
        point("2026-10-09", "48", unit, Some(true), lab),
        point("2026-04-21", "51", unit, Some(true), lab),
        point("2025-10-02", "54", unit, Some(true), lab),
        point("2025-03-30", "58", unit, Some(true), "Bradford Laboratory"),
        point("2024-10-11", "47", unit, Some(true), "Bradford Laboratory"),
        point("2024-01-15", "40", unit, Some(false), "Bradford Laboratory"),
        point("2023-06-20", "38", unit, Some(false), "Bradford Laboratory"),
        point("2022-06-14", "Haemolysed", "", None, "Bradford Laboratory"),
        point("2021-06-14", "5.8", "%", None, "Bradford Laboratory"),
    ];
    let few = full[..3].to_vec();
    let one = full[..1].to_vec();
    let words = vec![point("2026-10-09", "Not detected", "", None, lab)];
    vec![history("HbA1c", full), history("HbA1c", few), history("HbA1c", one), history(HOSTILE, words)]
}

fn measure(key: &'static str, name: &str, value: &str, unit: &str) -> Measure {
    Measure { key, name: name.into(), value_text: value.into(), unit: unit.into(), value: value.parse().ok() }
}

fn pressure(id: u32, date: &str, time: &str, top: &str, bottom: &str, own: bool) -> Measurement {
    let mut values = vec![
        measure("systolic", "Systolic blood pressure", top, "mm[Hg]"),
        measure("diastolic", "Diastolic blood pressure", bottom, "mm[Hg]"),
    ];
    if own {
        values.push(measure("pulse", "Heart rate", "72", "/min"));
    }
    Measurement {
        id: format!("0123456789abcdef-{id}"),
        key: "blood-pressure",
        name: "Blood pressure".into(),
        values,
        when: Some(when(date, Some(time))),
        received: now(),
        source: if own { "Amina Khan".into() } else { SURGERY.into() },
        own,
        status: "final".into(),
        severe: top.parse::<u32>().unwrap_or(0) >= 180,
        labels: Labels::GENERAL,
    }
}

pub(crate) fn measurements(severe: bool) -> Page<Measurement> {
    let top = if severe { "184" } else { "128" };
    let mut weight = pressure(9, "2026-03-02", "10:15", "0", "0", false);
    weight.key = "weight";
    weight.name = "Body weight".into();
    weight.values = vec![measure("weight", "Body weight", "71.5", "kg")];
    let items = vec![
        pressure(20, "2026-11-23", "17:10", top, "82", true),
        pressure(19, "2026-11-22", "08:05", "135", "86", true),
        pressure(18, "2026-11-21", "08:00", "131", "84", true),
        pressure(17, "2026-11-20", "08:10", "138", "88", true),
        pressure(12, "2026-05-06", "10:20", "142", "91", false),
        weight,
        pressure(8, "2025-03-02", "10:10", "136", "85", false),
    ];
    Page { total: items.len(), items, page: 1, pages: 1 }
}

pub(crate) fn home() -> Home {
    let count = |category, count| CategoryCount { category, count, received: now() };
    Home {
        name: "Amina Khan".into(),
        nhs_number: "9434765919".parse().ok(),
        birth_date: "1967-03-14".into(),
        categories: vec![
            count(Category::TestResults, 42),
            count(Category::Measurements, 17),
            count(Category::Conditions, 3),
            count(Category::Medicines, 1),
            count(Category::Vaccinations, 6),
        ],
        latest_results: reports().items.into_iter().filter(|report| report.name != HOSTILE).take(3).collect(),
        latest_measurement: measurements(false).items.into_iter().next(),
    }
}

pub(crate) fn empty_home() -> Home {
    Home {
        name: "Wilhelmina Featherstonehaugh-Cholmondeley of the Very Long Name".into(),
        nhs_number: None,
        birth_date: "2026-11".into(),
        categories: Vec::new(),
        latest_results: Vec::new(),
        latest_measurement: None,
    }
}

pub(crate) fn access_lines() -> Page<AccessLine> {
    let line =
        |hours: i64, who: &str, role: &str, organisation: &str, purpose, action: &str, what: &[(Category, usize)]| {
            AccessLine {
                when: now().plus_seconds(-hours * 3_600),
                who: who.into(),
                role: role.into(),
                organisation: organisation.into(),
                purpose,
                action: action.into(),
                what: what.iter().map(|&(category, count)| Looked { category, count }).collect(),
                own: role == "resident",
                number: 1,
                seq: 1,
            }
        };
    let items = vec![
        line(0, "", "resident", "", Purpose::OwnUse, "read", &[(Category::TestResults, 20)]),
        line(0, "", "resident", "", Purpose::OwnUse, "write", &[(Category::Measurements, 1)]),
        line(
            3,
            "Dr Amir Hussain",
            "General practitioner",
            SURGERY,
            Purpose::DirectCare,
            "read",
            &[(Category::Person, 1), (Category::Medicines, 4), (Category::Allergies, 1), (Category::Other, 2)],
        ),
        line(30, "hospital", "system", HOSPITAL, Purpose::DirectCare, "write", &[(Category::TestResults, 1)]),
        line(31, "Dr Jo Bell", "Consultant", HOSPITAL, Purpose::Emergency, "read", &[]),
        line(60, "", "keepwell", "", Purpose::Administration, "read", &[(Category::Documents, 2)]),
        line(61, "Tariq Khan", "delegate", "", Purpose::OwnUse, "read", &[(Category::AccessLines, 9)]),
        line(62, HOSTILE, HOSTILE, HOSTILE, Purpose::DirectCare, "read", &[(Category::Visits, 1)]),
    ];
    Page { total: items.len(), items, page: 1, pages: 1 }
}
