//! A chart of one series over time, drawn here as SVG: no script, no style attribute, and nothing that only colour tells.
//! Two are drawn, because a wide one squeezed into a telephone has labels too small to read; the stylesheet shows one.

use askama::Template;
use jiff::civil::Date;

use super::ticks::{self, Grain};
use crate::html::Html;
use crate::texts::Texts;

/// One point of a series.
#[derive(Debug, Clone)]
pub(crate) struct ChartPoint {
    /// The day.
    pub(crate) date: Date,
    /// The hour of the day, so that two readings of one day stand apart.
    pub(crate) hour: f64,
    /// The value; the lower end of a bar where there is an upper one.
    pub(crate) value: f64,
    /// The upper end of a bar, for readings of two numbers.
    pub(crate) upper: Option<f64>,
    /// As text, for the label of the newest point.
    pub(crate) text: String,
    /// Drawn with the other shape: outside the usual range, or taken at home.
    pub(crate) marked: bool,
    /// What must be the same for two points to be joined: laboratory or source.
    pub(crate) series: String,
}

/// What a chart shows.
pub(crate) struct ChartData {
    /// Distinguishes the ids of several charts on one page.
    pub(crate) id: &'static str,
    /// Oldest first.
    pub(crate) points: Vec<ChartPoint>,
    /// Shaded band and its label.
    pub(crate) band: Option<Band>,
    /// What the picture shows, for those who do not see it.
    pub(crate) title: String,
    /// The finding in a sentence.
    pub(crate) description: String,
}

/// The usual range.
pub(crate) struct Band {
    /// Lower bound, if there is one.
    pub(crate) low: Option<f64>,
    /// Upper bound, if there is one.
    pub(crate) high: Option<f64>,
    /// Its label.
    pub(crate) label: String,
}

struct Size {
    name: &'static str,
    width: f64,
    height: f64,
    values: usize,
    dates: usize,
}

const SIZES: [Size; 2] = [
    Size { name: "narrow", width: 288.0, height: 260.0, values: 4, dates: 2 },
    Size { name: "wide", width: 600.0, height: 310.0, values: 5, dates: 5 },
];

const LEFT: f64 = 42.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 18.0;
const BOTTOM: f64 = 40.0;
/// About how wide one letter of a label is.
const LETTER: f64 = 9.0;
/// With more points than this the shapes are drawn smaller, so that each can be seen.
const MANY: usize = 16;

/// One drawing, with every coordinate worked out.
#[derive(Template)]
#[template(path = "components/chart.html")]
struct Drawing<'a> {
    id: String,
    name: &'static str,
    width: Coordinate,
    height: Coordinate,
    plot: Area,
    title: &'a str,
    description: &'a str,
    band: Option<(Area, Coordinate, &'a str)>,
    values: Vec<(Coordinate, String)>,
    dates: Vec<(Coordinate, Coordinate, String)>,
    lines: Vec<String>,
    marks: Vec<Mark>,
    radius: Coordinate,
    diamond: Coordinate,
    newest: Option<(Coordinate, Coordinate, &'static str, &'a str)>,
}

struct Area {
    x: Coordinate,
    y: Coordinate,
    width: Coordinate,
    height: Coordinate,
    right: Coordinate,
    bottom: Coordinate,
}

enum Mark {
    Dot(Coordinate, Coordinate),
    Diamond(Coordinate, Coordinate),
    Bar(Coordinate, Coordinate, Coordinate, bool),
}

/// A length in the drawing, written with one decimal at most.
#[derive(Clone, Copy)]
struct Coordinate(f64);

impl std::fmt::Display for Coordinate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let rounded = (self.0 * 10.0).round() / 10.0;
        // Adding zero turns a negative zero into a plain one.
        write!(f, "{}", rounded + 0.0)
    }
}

impl askama::filters::HtmlSafe for Coordinate {}

/// Draws the chart in every size, one after the other.
pub(crate) fn draw(t: Texts, data: &ChartData) -> Html {
    let drawings: String = SIZES.iter().filter_map(|size| drawing(t, data, size)?.render().ok()).collect();
    Html::from_template(drawings)
}

fn drawing<'a>(t: Texts, data: &'a ChartData, size: &Size) -> Option<Drawing<'a>> {
    let (first, last) = (data.points.first()?, data.points.last()?);
    let scale = Scale::new(data, size);
    let bottom = size.height - BOTTOM;
    let area = |x: f64, y: f64, width: f64, height: f64| Area {
        x: Coordinate(x),
        y: Coordinate(y),
        width: Coordinate(width),
        height: Coordinate(height),
        right: Coordinate(x + width),
        bottom: Coordinate(y + height),
    };
    let plot_width = size.width - LEFT - RIGHT;
    let band = data.band.as_ref().map(|band| {
        let top = band.high.map_or(TOP, |high| scale.y(high).max(TOP));
        let foot = band.low.map_or(bottom, |low| scale.y(low).min(bottom));
        let height = (foot - top).max(0.0);
        // The label stands inside a band that has room for it, and above a thin one.
        let label = if height >= 22.0 { foot - 7.0 } else { top - 5.0 };
        (area(LEFT, top, plot_width, height), Coordinate(label), band.label.as_str())
    });
    let step = scale.ticks.get(1).zip(scale.ticks.first()).map_or(1.0, |(second, first)| second - first);
    let (grain, marks) = ticks::dates(first.date, last.date, size.dates);
    Some(Drawing {
        id: format!("{}-{}", data.id, size.name),
        name: size.name,
        width: Coordinate(size.width),
        height: Coordinate(size.height),
        plot: area(LEFT, TOP, plot_width, bottom - TOP),
        title: &data.title,
        description: &data.description,
        band,
        values: scale.ticks.iter().map(|v| (Coordinate(scale.y(*v)), ticks::label(*v, step))).collect(),
        dates: date_labels(t, grain, marks, &scale, size),
        lines: lines(&data.points, &scale),
        radius: Coordinate(if data.points.len() > MANY { 3.5 } else { 5.0 }),
        diamond: Coordinate(if data.points.len() > MANY { 5.5 } else { 8.0 }),
        marks: data.points.iter().map(|point| scale.mark(point)).collect(),
        newest: newest(last, &scale, size),
    })
}

/// The newest value as a label beside its point, on the side that has room.
fn newest<'a>(
    last: &'a ChartPoint,
    scale: &Scale,
    size: &Size,
) -> Option<(Coordinate, Coordinate, &'static str, &'a str)> {
    let (x, y) = (scale.at(last), scale.y(last.upper.unwrap_or(last.value)));
    let lift = if y - 14.0 < TOP { y + 24.0 } else { y - 13.0 };
    let half = width_of(&last.text) / 2.0;
    let x = x.min(size.width - half - 2.0);
    (!last.text.is_empty()).then_some((Coordinate(x), Coordinate(lift), "middle", last.text.as_str()))
}

fn date_labels(
    t: Texts,
    grain: Grain,
    marks: Vec<Date>,
    scale: &Scale,
    size: &Size,
) -> Vec<(Coordinate, Coordinate, String)> {
    let mut out: Vec<(Coordinate, Coordinate, String)> = Vec::new();
    let mut free_from = 0.0;
    for mark in marks {
        let text = match grain {
            Grain::Year => mark.year().to_string(),
            Grain::Month => crate::display::month_and_year(t, mark),
            Grain::Day => crate::display::day_and_month(t, mark),
        };
        let half = width_of(&text) / 2.0;
        let at = scale.x(mark);
        let centre = at.clamp(half + 2.0, size.width - half - 2.0);
        if centre - half < free_from {
            continue;
        }
        free_from = centre + half + 10.0;
        out.push((Coordinate(at), Coordinate(centre), text));
    }
    out
}

#[expect(clippy::cast_precision_loss, reason = "a short label")]
fn width_of(text: &str) -> f64 {
    text.chars().count() as f64 * LETTER
}

/// Lines between points that may be compared; a change of series breaks the line.
fn lines(points: &[ChartPoint], scale: &Scale) -> Vec<String> {
    points
        .chunk_by(|a, b| a.series == b.series)
        .filter(|run| run.len() > 1 && run.iter().all(|point| point.upper.is_none()))
        .map(|run| {
            let place =
                |point: &ChartPoint| format!("{},{}", Coordinate(scale.at(point)), Coordinate(scale.y(point.value)));
            run.iter().map(place).collect::<Vec<_>>().join(" ")
        })
        .collect()
}

struct Scale {
    ticks: Vec<f64>,
    first: Date,
    days: f64,
    left: f64,
    width: f64,
    bottom: f64,
    height: f64,
}

impl Scale {
    fn new(data: &ChartData, size: &Size) -> Self {
        let bounds = data.band.iter().flat_map(|band| [band.low, band.high]).flatten();
        let values = data.points.iter().flat_map(|point| [Some(point.value), point.upper]).flatten().chain(bounds);
        let (mut low, mut high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        if low == high {
            (low, high) = (low - 1.0, high + 1.0);
        }
        let (first, last) = match (data.points.first(), data.points.last()) {
            (Some(first), Some(last)) => (first.date, last.date),
            _ => (Date::default(), Date::default()),
        };
        Self {
            ticks: ticks::values(low, high, size.values),
            first,
            days: f64::from(first.until(last).map_or(0, |span| span.get_days())).max(1.0),
            // Room for the shapes of the first and last point.
            left: LEFT + 14.0,
            width: size.width - LEFT - RIGHT - 28.0,
            bottom: size.height - BOTTOM,
            height: size.height - BOTTOM - TOP,
        }
    }

    fn x(&self, date: Date) -> f64 {
        let days = f64::from(self.first.until(date).map_or(0, |span| span.get_days()));
        self.left + self.width * (days / self.days)
    }

    fn at(&self, point: &ChartPoint) -> f64 {
        let last = self.left + self.width;
        (self.x(point.date) + self.width * (point.hour / 24.0 / self.days)).min(last)
    }

    fn y(&self, value: f64) -> f64 {
        let (Some(low), Some(high)) = (self.ticks.first(), self.ticks.last()) else { return self.bottom };
        self.bottom - self.height * (value - low) / (high - low)
    }

    fn mark(&self, point: &ChartPoint) -> Mark {
        let (x, y) = (Coordinate(self.at(point)), Coordinate(self.y(point.value)));
        match point.upper {
            Some(upper) => {
                let top = self.y(upper);
                Mark::Bar(Coordinate(x.0 - 3.0), Coordinate(top), Coordinate((y.0 - top).max(2.0)), point.marked)
            }
            None if point.marked => Mark::Diamond(x, y),
            None => Mark::Dot(x, y),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use jiff::civil::date;

    pub(crate) fn sample() -> ChartData {
        let point = |year: i16, value: f64, marked: bool, series: &str| ChartPoint {
            date: date(year, 10, 9),
            hour: 0.0,
            value,
            upper: None,
            text: format!("{value}"),
            marked,
            series: series.to_owned(),
        };
        ChartData {
            id: "chart",
            points: vec![
                point(2022, 38.0, false, "A"),
                point(2023, 44.0, true, "A"),
                point(2024, 47.0, true, "B"),
                point(2025, 40.0, false, "B"),
            ],
            band: Some(Band { low: Some(20.0), high: Some(41.0), label: "Usual range 20 to 41".to_owned() }),
            title: "HbA1c over time".to_owned(),
            description: "It went up.".to_owned(),
        }
    }

    #[test]
    fn points_of_two_laboratories_are_never_joined() {
        let drawn = draw(Texts::of("en"), &sample());
        // Two lines in each of the two sizes.
        assert_eq!(drawn.as_str().matches("<polyline").count(), 4);
    }

    #[test]
    fn outside_points_have_another_shape_and_the_range_has_a_label() {
        let drawn = draw(Texts::of("en"), &sample()).as_str().to_owned();
        assert_eq!(drawn.matches("<circle").count(), 4);
        assert_eq!(drawn.matches("kw-chart__point--hollow").count(), 4);
        assert_eq!(drawn.matches("Usual range 20 to 41").count(), 2);
        assert!(!drawn.contains("style="), "the policy blocks inline styles");
    }

    #[test]
    fn ids_are_unique_and_every_drawing_has_a_name_and_a_description() {
        let drawn = draw(Texts::of("en"), &sample()).as_str().to_owned();
        for id in ["chart-narrow-title", "chart-narrow-text", "chart-wide-title", "chart-wide-text"] {
            assert_eq!(drawn.matches(&format!("id=\"{id}\"")).count(), 1);
        }
        assert_eq!(drawn.matches("role=\"img\"").count(), 2);
    }

    #[test]
    fn a_single_day_a_flat_line_and_no_points_can_all_be_drawn() {
        let mut data = sample();
        data.band = None;
        for point in &mut data.points {
            point.date = date(2026, 1, 1);
            point.value = 5.0;
        }
        assert!(!draw(Texts::of("en"), &data).as_str().contains("NaN"));
        data.points.clear();
        assert_eq!(draw(Texts::of("en"), &data).as_str(), "");
    }

    /// axe cannot judge contrast inside a drawing, so this does: the colours of `styles/_chart.scss` on white and on the
    /// grey of the usual range.
    #[test]
    fn chart_colours_have_enough_contrast() {
        let luminance = |rgb: [u8; 3]| {
            let [r, g, b] = rgb.map(|c| {
                let c = f64::from(c) / 255.0;
                if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
            });
            0.2126 * r + 0.7152 * g + 0.0722 * b
        };
        let contrast = |a, b| {
            let (a, b) = (luminance(a), luminance(b));
            (a.max(b) + 0.05) / (a.min(b) + 0.05)
        };
        let (white, range) = ([255; 3], [0xe8, 0xed, 0xee]);
        let (text, line) = ([0x21, 0x2b, 0x32], [0x00, 0x5e, 0xb8]);
        for background in [white, range] {
            assert!(contrast(text, background) >= 7.0);
            assert!(contrast(line, background) >= 4.5);
        }
    }
}
