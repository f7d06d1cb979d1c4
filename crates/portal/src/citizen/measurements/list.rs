//! `/record/measurements`: readings that the person or somebody else took, newest first.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use keepwell_model::Timestamp;
use keepwell_service::{Measure, Measurement, Page};
use serde::Deserialize;

use crate::components::chart::{self, ChartData, ChartPoint};
use crate::components::pagination::{PageQuery, Pagination, Step};
use crate::display::{self, Shown};
use crate::errors::PageError;
use crate::html::Html;
use crate::session::Resident;
use crate::shell::{Section, Shell, page};
use crate::texts::{Arg, Texts};
use crate::{Portal, routes};

/// With fewer readings than this a table says more than a chart.
const FEWEST_FOR_CHART: usize = 4;
/// For so many seconds after it was taken, a very high reading brings its safety message with it.
const ALERT: i64 = 24 * 3_600;

/// The page.
#[derive(Template)]
#[template(path = "citizen/measurements/list.html")]
pub(crate) struct ListPage {
    shell: Shell,
    /// The reading just added.
    added: Option<Shown>,
    /// Whether that one is very high.
    added_severe: bool,
    /// Whether that one or the newest is.
    severe: bool,
    total: usize,
    chart: Option<Chart>,
    rows: Vec<Row>,
    pagination: Pagination,
}

struct Chart {
    drawing: Html,
    headline: Html,
    both: bool,
}

struct Row {
    when: Shown,
    name: Shown,
    values: Vec<Shown>,
    by: Html,
}

impl ListPage {
    fn new(shell: Shell, found: &Page<Measurement>, added: Option<&str>, now: Timestamp) -> Self {
        let t = shell.t;
        let added = added.and_then(|id| found.items.iter().find(|reading| reading.own && reading.id == id));
        let newest = found.items.iter().find(|reading| reading.key == "blood-pressure");
        let recent = newest.filter(|reading| {
            found.page == 1 && reading.when.as_ref().is_some_and(|when| now < when.at.plus_seconds(ALERT))
        });
        Self {
            severe: [added, recent].into_iter().flatten().any(|reading| reading.severe),
            added_severe: added.is_some_and(|reading| reading.severe),
            added: added.map(main_value),
            total: found.total,
            chart: if found.page == 1 { chart(t, &found.items) } else { None },
            rows: found.items.iter().map(|reading| row(t, reading)).collect(),
            pagination: Pagination::new(routes::MEASUREMENTS, found.page, found.pages),
            shell,
        }
    }
}

fn part<'a>(reading: &'a Measurement, key: &str) -> Option<&'a Measure> {
    reading.values.iter().find(|value| value.key == key)
}

/// The reading in one value: both numbers of a blood pressure, or the first that there is.
fn main_value(reading: &Measurement) -> Shown {
    match (part(reading, "systolic"), part(reading, "diastolic")) {
        (Some(top), Some(bottom)) => display::blood_pressure(&top.value_text, &bottom.value_text, &top.unit),
        _ => reading.values.first().map_or_else(|| display::text(""), |v| display::quantity(&v.value_text, &v.unit)),
    }
}

fn row(t: Texts, reading: &Measurement) -> Row {
    let mut values = vec![main_value(reading)];
    let shown = if values[0].text().contains('/') { &["systolic", "diastolic"][..] } else { &[] };
    let first = usize::from(shown.is_empty());
    for value in reading.values.iter().skip(first).filter(|value| !shown.contains(&value.key)) {
        let quantity = display::quantity(&value.value_text, &value.unit);
        let key = format!("measure-{}", value.key);
        let name = if t.has(&key) { t.say(&key) } else { value.name.clone() };
        values.push(display::text(
            &t.plain("measure-part", &[("name", display::text(&name).into()), ("value", quantity.into())]),
        ));
    }
    let key = format!("measure-{}", reading.key);
    Row {
        when: display::when(t, reading.when.as_ref()),
        name: display::text(&if t.has(&key) { t.say(&key) } else { reading.name.clone() }),
        values,
        by: if reading.own { t.html("measurements-by-you", &[]) } else { display::name(&reading.source).html() },
    }
}

/// Blood pressure over time: a bar from the bottom to the top number for each reading.
fn chart(t: Texts, readings: &[Measurement]) -> Option<Chart> {
    let point = |reading: &Measurement| {
        let when = reading.when.as_ref()?;
        let hour = when.time.as_deref().and_then(|time| time.get(..2)?.parse().ok());
        Some(ChartPoint {
            date: display::civil_date(when)?,
            hour: hour.unwrap_or(0.0),
            value: part(reading, "diastolic")?.value?,
            upper: Some(part(reading, "systolic")?.value?),
            text: String::new(),
            marked: reading.own,
            series: String::new(),
        })
    };
    let mut points: Vec<ChartPoint> = readings.iter().rev().filter_map(point).collect();
    points.sort_by(|a, b| (a.date, a.hour).partial_cmp(&(b.date, b.hour)).unwrap_or(std::cmp::Ordering::Equal));
    if points.len() < FEWEST_FOR_CHART {
        return None;
    }
    let newest = readings.iter().find(|reading| point(reading).is_some())?;
    let args = [
        ("value", Arg::from(main_value(newest))),
        ("date", display::when_date(t, newest.when.as_ref()).into()),
        ("count", points.len().into()),
    ];
    let both = points.iter().any(|point| point.marked) && points.iter().any(|point| !point.marked);
    let data = ChartData {
        id: "pressure",
        points,
        band: None,
        title: t.say("measurements-chart-title"),
        description: t.plain("measurements-headline", &args),
    };
    Some(Chart { drawing: chart::draw(t, &data), headline: t.html("measurements-headline", &args), both })
}

/// What may stand behind the address.
#[derive(Deserialize)]
pub(crate) struct ListQuery {
    added: Option<String>,
    #[serde(flatten)]
    page: PageQuery,
}

/// Shows it.
pub(crate) async fn show(
    State(portal): State<Portal>,
    resident: Resident,
    Query(query): Query<ListQuery>,
) -> Result<Response, PageError> {
    let found = portal.service().measurements(&resident.session, query.page.number()).await?;
    let shell = resident.shell(&portal, Section::Measurements);
    Ok(page(&ListPage::new(shell, &found, query.added.as_deref(), portal.config().clock.now())))
}

#[cfg(test)]
impl crate::quality::Samples for ListPage {
    fn samples(t: Texts) -> Vec<Self> {
        use crate::tests::samples;
        let shell = || crate::quality::shell(t, Section::Measurements, true);
        let now = samples::now();
        let empty = Page { items: Vec::new(), page: 1, pages: 1, total: 0 };
        let readings = samples::measurements(false);
        let severe = samples::measurements(true);
        vec![
            Self::new(shell(), &readings, None, now),
            Self::new(shell(), &readings, Some(&readings.items[0].id), now),
            Self::new(shell(), &severe, Some(&severe.items[0].id), now),
            Self::new(shell(), &empty, None, now),
        ]
    }
}
