//! `Observation/$stats`: what measurements come to (FHIR R4, OperationDefinition/Observation-stats).
//!
//! Measurements are summed up exactly, as the decimals that they were sent as. Only those with one unit are ever counted
//! together: nothing is converted, and each unit has statistics of its own.

mod compute;
mod series;

pub use compute::Statistic;

use crate::document::Item;
use crate::json::{push_string, quoted};
use series::{Series, Unit, gather};

/// What statistics are asked for.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Whom they are about, as the answer refers to them: `Patient/id`.
    pub subject: &'a str,
    /// The codes of the measurements: system, if one is given, and code. A panel stands for its parts.
    pub codes: &'a [(Option<&'a str>, &'a str)],
    /// Which statistics.
    pub statistics: &'a [Statistic],
    /// The time that the observations are from, told in the answer: start and end as dateTimes.
    pub period: (Option<&'a str>, Option<&'a str>),
    /// How many of the observations behind the numbers are wanted as well; `None` is none of them.
    pub sources: Option<usize>,
}

/// The statistics as a Parameters resource: an Observation for each code (and unit, where they differ) with a component for
/// each statistic. `observations` is what the caller may see of the subject and the time; those entered in error are
/// passed over here. A statistic that these values do not have (the deviation of one value) is absent, with a reason.
#[must_use]
pub fn stats(observations: &[Item<'_>], question: &Question<'_>) -> Vec<u8> {
    let all = gather(observations, question.codes);
    let mut out = br#"{"resourceType":"Parameters","parameter":["#.to_vec();
    let mut first = true;
    let mut parameter = |out: &mut Vec<u8>, name: &str| {
        out.extend_from_slice(if std::mem::take(&mut first) { b"{\"name\":" } else { b",{\"name\":" });
        push_string(out, name);
        out.extend_from_slice(b",\"resource\":");
    };
    for series in &all {
        parameter(&mut out, "statistics");
        push_observation(&mut out, series, question);
        out.push(b'}');
    }
    let mut sources: Vec<usize> = all.iter().flat_map(|series| series.sources()).collect();
    sources.sort_unstable();
    sources.dedup();
    for at in sources.into_iter().take(question.sources.unwrap_or(0)) {
        parameter(&mut out, "source");
        out.extend_from_slice(observations[at].resource.raw().as_bytes());
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
    out
}

fn push_observation(out: &mut Vec<u8>, series: &Series<'_>, question: &Question<'_>) {
    out.extend_from_slice(br#"{"resourceType":"Observation","status":"final","code":{"coding":["#);
    push_coding(out, series.system.as_deref(), &series.code, series.display.as_deref());
    out.extend_from_slice(br#"]},"subject":{"reference":"#);
    push_string(out, question.subject);
    out.push(b'}');
    let (start, end) = question.period;
    let ends = [("start", start), ("end", end)].map(|(name, end)| end.map(|end| format!("\"{name}\":{}", quoted(end))));
    let ends: Vec<String> = ends.into_iter().flatten().collect();
    if !ends.is_empty() {
        out.extend_from_slice(format!(",\"effectivePeriod\":{{{}}}", ends.join(",")).as_bytes());
    }
    if !question.statistics.is_empty() {
        out.extend_from_slice(br#","component":["#);
        for (index, statistic) in question.statistics.iter().enumerate() {
            out.extend_from_slice(if index > 0 { br#",{"code":{"coding":["# } else { br#"{"code":{"coding":["# });
            push_coding(out, Some(Statistic::SYSTEM), statistic.code(), Some(statistic.display()));
            out.extend_from_slice(b"]}");
            push_value(out, *statistic, series);
            out.push(b'}');
        }
        out.push(b']');
    }
    out.push(b'}');
}

fn push_coding(out: &mut Vec<u8>, system: Option<&str>, code: &str, display: Option<&str>) {
    let members = [("system", system), ("code", Some(code)), ("display", display)];
    let members = members.map(|(name, text)| text.map(|text| format!("\"{name}\":{}", quoted(text))));
    let members: Vec<String> = members.into_iter().flatten().collect();
    out.extend_from_slice(format!("{{{}}}", members.join(",")).as_bytes());
}

/// The value of a statistic with its unit, or that there is none.
fn push_value(out: &mut Vec<u8>, statistic: Statistic, series: &Series<'_>) {
    let Some(value) = statistic.of_values(&series.values, series.ignored) else {
        out.extend_from_slice(br#","dataAbsentReason":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/data-absent-reason","code":"not-a-number","display":"Not a Number (NaN)"}]}"#);
        return;
    };
    let unit = match statistic.power_of_unit() {
        0 => Unit::one(),
        1 => series.unit.clone(),
        power => series.unit.to_power(power),
    };
    out.extend_from_slice(format!(",\"valueQuantity\":{{\"value\":{value}").as_bytes());
    for (name, text) in [("unit", unit.words()), ("system", unit.system.as_deref()), ("code", unit.code.as_deref())] {
        if let Some(text) = text {
            out.extend_from_slice(format!(",\"{name}\":{}", quoted(text)).as_bytes());
        }
    }
    out.push(b'}');
}
