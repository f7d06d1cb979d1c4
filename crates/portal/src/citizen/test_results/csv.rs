//! `/record/test-results/history/{test}/csv`: the same results as a file for a spreadsheet.

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use keepwell_service::TestHistory;

use crate::Portal;
use crate::errors::PageError;
use crate::session::Resident;
use crate::texts::Texts;

/// Sends the file. Its name says nothing about the person or the test.
pub(crate) async fn download(
    State(portal): State<Portal>,
    resident: Resident,
    Path(test): Path<String>,
) -> Result<Response, PageError> {
    let history = portal.service().test_history(&resident.session, &test).await?;
    let t = resident.shell(&portal, crate::shell::Section::TestResults).t;
    let disposition = "attachment; filename=\"test-results.csv\"";
    let headers = [(header::CONTENT_TYPE, "text/csv; charset=utf-8"), (header::CONTENT_DISPOSITION, disposition)];
    Ok((headers, file(t, &history)).into_response())
}

/// The file: dates as `2026-11-23`, which every spreadsheet knows, values digit for digit.
fn file(t: Texts, history: &TestHistory) -> String {
    // The mark at the start tells older spreadsheets that this is UTF-8.
    let mut out = String::from("\u{feff}");
    let heads = ["history-date", "csv-test", "csv-value", "csv-unit", "result-usual", "csv-outside", "history-lab"];
    line(&mut out, heads.map(|key| t.say(key)));
    for point in &history.points {
        let when = point.when.as_ref().map_or("", |when| &when.date);
        let outside = match point.outside {
            Some(true) => t.say("csv-yes"),
            Some(false) => t.say("csv-no"),
            None => String::new(),
        };
        let lab = point.lab.as_deref().unwrap_or(&point.source);
        let range = point.range.as_deref().unwrap_or_default();
        let cells = [when, &history.name, &point.value_text, &point.unit, range, &outside, lab];
        line(&mut out, cells.map(str::to_owned));
    }
    out
}

fn line<const N: usize>(out: &mut String, cells: [String; N]) {
    out.push_str(&cells.map(|text| cell(&text)).join(","));
    out.push_str("\r\n");
}

/// A cell that no spreadsheet takes for a formula (T39). A plain number may begin with its minus.
fn cell(text: &str) -> String {
    let is_number = !text.starts_with('+') && text.parse::<f64>().is_ok_and(f64::is_finite);
    let dangerous = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) && !is_number;
    let guarded = if dangerous { format!("'{text}") } else { text.to_owned() };
    if guarded.contains([',', '"', '\n', '\r', ';', '\t', '\'']) {
        format!("\"{}\"", guarded.replace('"', "\"\""))
    } else {
        guarded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t39_no_cell_is_a_formula() {
        for text in ["=1+1", "+44", "-cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "\r=1", "＝1", "-", "+inf"] {
            assert!(cell(text).trim_start_matches('"').starts_with('\''), "{text:?}");
        }
    }

    #[test]
    fn a_number_stays_a_number_and_quotes_are_doubled() {
        assert_eq!(cell("-1.50"), "-1.50");
        assert_eq!(cell("4.0"), "4.0");
        assert_eq!(cell("a,b"), "\"a,b\"");
        assert_eq!(cell("say \"hm\""), "\"say \"\"hm\"\"\"");
    }

    #[test]
    fn the_file_has_one_line_for_each_result_and_one_above() {
        let history = &crate::tests::samples::histories()[0];
        assert_eq!(file(Texts::of("en"), history).lines().count(), history.points.len() + 1);
    }
}
