//! `Observation/$stats`: figures about the values of a test over a time, of one person (R4,
//! OperationDefinition/Observation-stats).

use bytes::Bytes;
use keepwell_fhir::document::Item;
use keepwell_fhir::element::{Coding, Concept};
use keepwell_fhir::json::Node;
use keepwell_fhir::outcome::IssueCode;
use keepwell_fhir::stats::{Question, Statistic, stats};
use keepwell_model::Timestamp;

use super::given::{Given, OperationRequest, missing, unreadable};
use super::lastn::{Token, any, observations, whose};
use super::shown::Shown;
use super::timing::Span;
use crate::extract::category_of;
use crate::gate::looked;
use crate::rest::or_not_found;
use crate::systems::Client;
use crate::{FhirError, Service};

const PARAMETERS: [&str; 10] =
    ["patient", "subject", "code", "system", "coding", "duration", "period", "statistic", "include", "limit"];
/// Codes that figures are made for at once.
const MOST_CODES: usize = 50;
/// Observations that come along at most.
const MOST_SOURCES: usize = 10_000;

/// A code that figures are wanted for: its system, if one is given, and the code.
type Code = (Option<String>, String);

impl Service {
    /// Figures about the values of one or several codes, as a Parameters resource.
    ///
    /// # Errors
    /// [`FhirError`]: 400 for parameters that cannot be read, 404 not found, 422 if it is not said whose, 503.
    pub async fn observation_stats(&self, client: &Client, request: &OperationRequest<'_>) -> Result<Bytes, FhirError> {
        let given = Given::read(request, &PARAMETERS)?;
        let record = whose(&given)?;
        let (codes, statistics) = (codes(&given)?, statistics(&given)?);
        let span = span(&given, self.now())?;
        let sources =
            given.flag("include")?.then_some(given.number("limit")?.unwrap_or(MOST_SOURCES).min(MOST_SOURCES));
        let seen = self.see(client, record).await.map_err(or_not_found)?;
        let tokens: Vec<Token> =
            codes.iter().map(|(system, code)| Token::exactly(system.clone(), code.clone())).collect();
        let named = |node: Node<'_>| node.get("code").is_some_and(|code| any(&tokens, &Concept::of(code)));
        let found = observations(&seen, |node| {
            let fits = named(node) || node.get("component").into_iter().flat_map(Node::each).any(named);
            fits && Span::of_resource(node).is_none_or(|own| own.meets(span))
        })
        .await?;
        let mut shown = Shown::new(&seen);
        let projected: Vec<(String, Vec<u8>)> = found
            .iter()
            .map(|(entry, body)| {
                let mut json = Vec::with_capacity(body.len() + 384);
                shown.write(entry, body, &mut json);
                (shown.reference(entry), json)
            })
            .collect();
        let items: Vec<Item<'_>> = projected
            .iter()
            .filter_map(|(reference, json)| Some(Item { reference, resource: Node::new(json)? }))
            .collect();
        let asked: Vec<(Option<&str>, &str)> =
            codes.iter().map(|(system, code)| (system.as_deref(), &**code)).collect();
        let instant = |micros: i64| Timestamp::from_micros(micros).to_string();
        let start = (span.from > i64::MIN).then(|| instant(span.from));
        let end = (span.until < i64::MAX).then(|| instant(span.until - 1));
        let answer = stats(
            &items,
            &Question {
                subject: &format!("Patient/{record}"),
                codes: &asked,
                statistics: &statistics,
                period: (start.as_deref(), end.as_deref()),
                sources,
            },
        );
        // An empty list is none in FHIR.
        let nothing = br#"{"resourceType":"Parameters"}"#;
        let answer = if answer.ends_with(b"[]}") { Bytes::from_static(nothing) } else { Bytes::from(answer) };
        let categories: Vec<_> = found.iter().map(|(_, body)| (category_of("Observation", body), 1)).collect();
        drop((shown, found));
        Ok(seen.release(self, answer, looked(categories)).await?)
    }
}

fn statistics(given: &Given) -> Result<Vec<Statistic>, FhirError> {
    let named = |text: &str| {
        let code = text.rsplit('|').next().unwrap_or_default();
        Statistic::of(code).ok_or_else(|| {
            let words = "One of these figures is not offered here. See HL7's code system 'observation-statistics'.";
            FhirError::new(400, IssueCode::NotSupported, words).at("statistic")
        })
    };
    let all: Vec<Statistic> =
        given.all("statistic").flat_map(|list| list.split(',')).map(named).collect::<Result<_, _>>()?;
    if all.is_empty() { Err(missing("statistic")) } else { Ok(all) }
}

fn codes(given: &Given) -> Result<Vec<Code>, FhirError> {
    let system = given.one("system")?;
    let mut codes = Vec::new();
    for text in given.all("code").flat_map(|list| list.split(',')) {
        let (own, code) = text.split_once('|').map_or((system, text), |(system, code)| (Some(system), code));
        codes.push((own.map(str::to_owned), code.to_owned()));
    }
    for coding in given.objects("coding") {
        let coding = Node::new(coding).map(Coding::of).ok_or_else(|| unreadable("coding"))?;
        let code = coding.code.ok_or_else(|| unreadable("coding"))?.into_owned();
        codes.push((coding.system.map(std::borrow::Cow::into_owned), code));
    }
    match codes.len() {
        0 => Err(missing("code")),
        1..=MOST_CODES => Ok(codes),
        _ => Err(FhirError::new(413, IssueCode::TooCostly, "Ask for fewer codes at once.").at("code")),
    }
}

/// The time that is asked for: hours until now, or a period.
fn span(given: &Given, now: Timestamp) -> Result<Span, FhirError> {
    if let Some(hours) = given.one("duration")? {
        let hours: f64 = hours.parse().map_err(|_| unreadable("duration"))?;
        if !(hours > 0.0 && hours < 10_000_000.0) {
            return Err(unreadable("duration"));
        }
        #[expect(clippy::cast_possible_truncation, reason = "it is less than ten million hours")]
        let micros = (hours * 3_600e6) as i64;
        return Ok(Span { from: now.micros() - micros, until: now.micros() + 1 });
    }
    let period = given.objects("period").next().and_then(|period| Node::new(period)).map(|period| {
        let text = format!(r#"{{"period":{}}}"#, period.raw());
        Span::of_resource(Node::of_text(&text)).ok_or_else(|| unreadable("period"))
    });
    period.transpose()?.ok_or_else(|| missing("duration"))
}
