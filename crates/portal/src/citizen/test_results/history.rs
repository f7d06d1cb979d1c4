//! `/record/test-results/history/{test}`: one test over time: the finding in a sentence, a chart, a table, a file.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use keepwell_service::{Point, TestHistory};

use crate::components::chart::{self, Band, ChartData, ChartPoint};
use crate::display::{self, Shown};
use crate::errors::PageError;
use crate::html::Html;
use crate::session::Resident;
use crate::shell::{Section, Shell, page};
use crate::texts::{Arg, Texts};
use crate::{Portal, routes};

/// With fewer points than this a table says more than a chart.
const FEWEST_FOR_CHART: usize = 4;
/// Names longer than this are not repeated in the headline.
const LONG_NAME: usize = 40;
/// With no more points than this the table is open from the start.
const MOST_FOR_OPEN_TABLE: usize = 5;

/// The page.
#[derive(Template)]
#[template(path = "citizen/test_results/history.html")]
pub(crate) struct HistoryPage {
    shell: Shell,
    name: Shown,
    headline: Html,
    compared: Option<String>,
    chart: Option<Html>,
    notes: Vec<String>,
    /// Whether filled circles need to be told apart from diamonds.
    inside: bool,
    /// Whether there are diamonds.
    outside: bool,
    rows: Vec<Row>,
    open: bool,
    csv: String,
}

struct Row {
    when: Shown,
    href: String,
    value: Shown,
    range: Option<Shown>,
    outside: bool,
    source: Shown,
}

impl HistoryPage {
    fn new(shell: Shell, history: &TestHistory) -> Self {
        let t = shell.t;
        let drawn = Drawn::of(history);
        let (headline, plain) = headline(t, history, &drawn);
        let chart = (drawn.points.len() >= FEWEST_FOR_CHART).then(|| {
            chart::draw(
                t,
                &ChartData {
                    id: "chart",
                    points: drawn.points.iter().map(|(point, date)| chart_point(point, *date)).collect(),
                    band: band(t, history),
                    title: t.plain("history-chart-title", &[("name", display::text(&history.name).into())]),
                    description: plain,
                },
            )
        });
        let outside = drawn.points.iter().filter(|(point, _)| point.outside == Some(true)).count();
        Self {
            name: display::text(&history.name),
            headline,
            compared: compared_latest(t, history),
            notes: if chart.is_some() { drawn.notes(t, history) } else { Vec::new() },
            inside: outside > 0 && outside < drawn.points.len(),
            outside: outside > 0,
            rows: history.points.iter().map(|point| row(t, point)).collect(),
            open: chart.is_none() || history.points.len() <= MOST_FOR_OPEN_TABLE,
            csv: routes::test_history_csv(&history.test),
            chart,
            shell,
        }
    }
}

/// The points that one chart may hold: numbers with a date, in the newest unit, oldest first.
struct Drawn<'a> {
    points: Vec<(&'a Point, jiff::civil::Date)>,
}

impl<'a> Drawn<'a> {
    fn of(history: &'a TestHistory) -> Self {
        let unit = history.points.iter().find(|point| point.value.is_some()).map_or("", |point| &point.unit);
        let fits = |point: &&Point| point.value.is_some_and(f64::is_finite) && point.unit == unit;
        let dated = |point: &'a Point| Some((point, point.when.as_ref().and_then(display::civil_date)?));
        Self { points: history.points.iter().rev().filter(fits).filter_map(dated).collect() }
    }

    /// The oldest point that may be compared with the newest: what lies between came from the same laboratory.
    fn first_comparable(&self) -> Option<&'a Point> {
        let newest = self.points.last()?.0;
        let same = |pair: &&(&'a Point, jiff::civil::Date)| series(pair.0) == series(newest);
        self.points.iter().rev().take_while(same).last().map(|(point, _)| *point)
    }

    /// What the picture leaves out or breaks, and why.
    fn notes(&self, t: Texts, history: &TestHistory) -> Vec<String> {
        let mut notes = Vec::new();
        if self.points.windows(2).any(|pair| series(pair[0].0) != series(pair[1].0)) {
            notes.push(t.say("history-note-lab"));
        }
        if !history.one_unit {
            notes.push(t.say("history-note-unit"));
        }
        if history.points.iter().any(|point| point.value.is_none()) {
            notes.push(t.say("history-note-words"));
        }
        notes
    }
}

/// Results of two laboratories may differ for no other reason than the laboratory.
fn series(point: &Point) -> &str {
    point.lab.as_deref().unwrap_or(&point.source)
}

fn chart_point(point: &Point, date: jiff::civil::Date) -> ChartPoint {
    ChartPoint {
        date,
        hour: 0.0,
        value: point.value.unwrap_or_default(),
        upper: None,
        text: point.value_text.clone(),
        marked: point.outside == Some(true),
        series: series(point).to_owned(),
    }
}

fn band(t: Texts, history: &TestHistory) -> Option<Band> {
    let number = |value: f64| display::quantity(&value.to_string(), "");
    let label = match (history.low, history.high) {
        (Some(low), Some(high)) => {
            t.plain("history-band", &[("low", number(low).into()), ("high", number(high).into())])
        }
        (Some(low), None) => t.plain("history-band-low", &[("low", number(low).into())]),
        (None, Some(high)) => t.plain("history-band-high", &[("high", number(high).into())]),
        (None, None) => return None,
    };
    Some(Band { low: history.low, high: history.high, label })
}

/// The finding, as markup and as plain text.
fn headline(t: Texts, history: &TestHistory, drawn: &Drawn<'_>) -> (Html, String) {
    // The heading above has just said a long name; saying it again would bury the finding.
    let long = history.name.chars().count() > LONG_NAME;
    let name = if long { t.say("history-it") } else { history.name.clone() };
    let name = ("name", Arg::from(display::text(&name)));
    let both = |key: &str, args: &[(&str, Arg)]| (t.html(key, args), t.plain(key, args));
    let shown = |point: &Point| display::quantity(&point.value_text, &point.unit);
    let (first, last) = match (drawn.first_comparable(), drawn.points.last()) {
        (Some(first), Some((last, _))) if !std::ptr::eq(first, *last) => (first, *last),
        (Some(only), _) => {
            let when = display::when_date(t, only.when.as_ref());
            return both("history-one", &[name, ("value", shown(only).into()), ("date", when.into())]);
        }
        _ => return both("history-words", &[name, ("count", history.points.len().into())]),
    };
    let (from, to) = {
        let months = (display::month_of(t, first.when.as_ref()), display::month_of(t, last.when.as_ref()));
        let days = || (display::when_date(t, first.when.as_ref()), display::when_date(t, last.when.as_ref()));
        if months.0 == months.1 { days() } else { months }
    };
    let change = match last.value.partial_cmp(&first.value) {
        Some(std::cmp::Ordering::Less) => "history-down",
        Some(std::cmp::Ordering::Greater) => "history-up",
        _ => "history-same",
    };
    let old = display::quantity(&first.value_text, "");
    both(change, &[name, ("old", old.into()), ("new", shown(last).into()), ("from", from.into()), ("to", to.into())])
}

fn compared_latest(t: Texts, history: &TestHistory) -> Option<String> {
    let latest = history.points.first()?;
    let words = display::interpretation(t, latest.outside, latest.value, history.low, history.high)?;
    Some(t.plain("history-latest", &[("compared", display::text(&words).into())]))
}

fn row(t: Texts, point: &Point) -> Row {
    let value = display::quantity(&point.value_text, &point.unit);
    let missing = value.is_empty();
    Row {
        when: display::when_date(t, point.when.as_ref()),
        href: routes::test_result(&point.id),
        value: if missing { display::text(&t.say("result-missing")) } else { value },
        range: point.range.as_deref().filter(|range| !range.is_empty()).map(display::range),
        outside: point.outside == Some(true),
        source: display::name(series(point)),
    }
}

/// Shows it.
pub(crate) async fn show(
    State(portal): State<Portal>,
    resident: Resident,
    Path(test): Path<String>,
) -> Result<Response, PageError> {
    let history = portal.service().test_history(&resident.session, &test).await?;
    Ok(page(&HistoryPage::new(resident.shell(&portal, Section::TestResults), &history)))
}

#[cfg(test)]
impl crate::quality::Samples for HistoryPage {
    fn samples(t: Texts) -> Vec<Self> {
        let shell = || crate::quality::shell(t, Section::TestResults, true);
        crate::tests::samples::histories().iter().map(|history| Self::new(shell(), history)).collect()
    }
}
