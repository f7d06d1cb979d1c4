//! `Patient/$match`: whether somebody's details agree with a record (R4, OperationDefinition/Patient-match). An NHS number
//! is asked about together with date of birth and family name, never alone (NN-4). What does not agree and what is not
//! known get the same answer, and after the same time.

use std::time::Duration;

use bytes::Bytes;
use keepwell_fhir::json::{Node, push_string};
use keepwell_fhir::outcome::IssueCode;
use keepwell_fhir::person::{NHS_NUMBER_SYSTEM, Person};
use keepwell_fhir::resource::Resource;
use keepwell_model::{NhsNumber, Purpose, RecordId};
use keepwell_policy::{Action, Target};
use keepwell_record::Alias;
use tokio::time::Instant;

use super::given::{Given, OperationRequest, missing};
use crate::gate::{looked, permit};
use crate::matching::{FoundBy, judge};
use crate::names::Details;
use crate::systems::Client;
use crate::views::Category;
use crate::{FhirError, Service, ServiceError};

/// Every answer takes a multiple of this, so that its time does not tell whether a record had to be looked into.
const BEAT: Duration = Duration::from_millis(100);

/// How well details agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Grade {
    /// In NHS number, date of birth, family name and first name.
    Certain,
    /// In all of these but the first name.
    Probable,
}

impl Grade {
    /// HL7's code, and the score of the search.
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Certain => ("certain", "1"),
            Self::Probable => ("probable", "0.8"),
        }
    }
}

impl Service {
    /// The person whose details agree with those of a Patient, as a searchset Bundle; an empty one if there is none. A
    /// system that feeds the person's record gets the Patient as it may read it, any other no more than a yes.
    ///
    /// # Errors
    /// [`FhirError`]: 400 for what cannot be read, 422 for a Patient without what has to be compared, 503.
    pub async fn match_person(&self, client: &Client, request: &OperationRequest<'_>) -> Result<Bytes, FhirError> {
        let given = Given::read(request, &["resource", "onlyCertainMatches", "count"])?;
        let resource = given.resource("resource").ok_or_else(|| missing("resource"))?;
        let (details, number) = self.comparable(resource)?;
        let (only_certain, count) = (given.flag("onlyCertainMatches")?, given.number("count")?);
        let began = Instant::now();
        let found = self.find_match(client, &details, number).await;
        let found = match found {
            Ok(found) => found.filter(|(_, grade)| count != Some(0) && (!only_certain || *grade == Grade::Certain)),
            Err(error) => {
                wait(began).await;
                return Err(error.into());
            }
        };
        let answer = self.answer_match(client, found, number, request.base).await;
        wait(began).await;
        answer
    }

    /// What is compared, if all of it is there.
    fn comparable(&self, resource: &[u8]) -> Result<(Details, NhsNumber), FhirError> {
        let resource = Resource::new(resource);
        let person = resource.as_ref().ok().and_then(Person::of);
        let person = person.ok_or_else(|| FhirError::new(400, IssueCode::Invalid, "Send a Patient.").at("resource"))?;
        let details = Details::of(&person);
        let [number] = details.nhs_numbers[..] else { return Err(not_enough()) };
        if !details.complete() || number.is_test_range() && !self.inner.config.test_numbers {
            return Err(not_enough());
        }
        Ok((details, number))
    }

    async fn find_match(
        &self,
        client: &Client,
        details: &Details,
        number: NhsNumber,
    ) -> Result<Option<(RecordId, Grade)>, ServiceError> {
        let ask = |record| permit(&client.actor(), Purpose::DirectCare, Action::MatchPerson, Target::Person(record));
        // Asked whether or not there is a record, so that nobody who may not match learns which it is.
        let _may_match = ask(self.tenant().new_record_id())?;
        let alias = Alias { system: NHS_NUMBER_SYSTEM.to_owned(), value: number.digits() };
        let Some(record) = self.tenant().look_up(&alias).await? else { return Ok(None) };
        let _permit = ask(record)?;
        let known = match self.known_details(record).await {
            // It was erased in this very moment.
            Err(ServiceError::NotFound) => return Ok(None),
            known => known?,
        };
        if judge(details, &known, FoundBy::Number).is_err() {
            return Ok(None);
        }
        let certain =
            known.iter().any(|it| details.same_birth_date(it) && details.shares_family(it) && details.shares_given(it));
        Ok(Some((record, if certain { Grade::Certain } else { Grade::Probable })))
    }

    async fn answer_match(
        &self,
        client: &Client,
        found: Option<(RecordId, Grade)>,
        number: NhsNumber,
        base: &str,
    ) -> Result<Bytes, FhirError> {
        let Some((record, grade)) = found else { return Ok(bundle(None, grade_words(None))) };
        let seen = match self.see(client, record).await {
            Ok(seen) => Some(seen),
            Err(ServiceError::NotFound) => None,
            Err(error) => return Err(error.into()),
        };
        // That it agrees, and not one thing that the caller did not say.
        let no_more = || Ok(bundle(Some((None, yes(number))), grade_words(Some(grade))));
        let Some(seen) = seen else { return no_more() };
        let Some(patient) = seen.patient().filter(|entry| !entry.is_deleted()) else { return no_more() };
        let body = seen.body(&patient).await?;
        let full_url = format!("{base}/Patient/{record}");
        let answer = bundle(Some((Some(full_url), seen.project(&patient, &body).to_vec())), grade_words(Some(grade)));
        Ok(seen.release(self, answer, looked([(Category::Person, 1)])).await?)
    }
}

fn not_enough() -> FhirError {
    let words = "The Patient needs one NHS number in force, a whole date of birth and a family name: a number alone does not \
                 say who somebody is.";
    FhirError::new(422, IssueCode::Required, words).at("resource")
}

/// The next beat.
async fn wait(began: Instant) {
    let beats = began.elapsed().as_micros() / BEAT.as_micros() + 1;
    let beats = u32::try_from(beats).unwrap_or(u32::MAX);
    tokio::time::sleep_until(began + BEAT.saturating_mul(beats)).await;
}

fn grade_words(grade: Option<Grade>) -> (&'static str, &'static str) {
    grade.map_or(("certainly-not", "0"), Grade::words)
}

/// A Patient who has nothing but the number that was asked about.
fn yes(number: NhsNumber) -> Vec<u8> {
    let mut out = br#"{"resourceType":"Patient","meta":{"tag":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}]},"identifier":[{"system":"#.to_vec();
    push_string(&mut out, NHS_NUMBER_SYSTEM);
    out.extend_from_slice(br#","value":"#);
    push_string(&mut out, &number.digits());
    out.extend_from_slice(b"}]}");
    debug_assert!(Node::new(&out).is_some());
    out
}

fn bundle(found: Option<(Option<String>, Vec<u8>)>, (code, score): (&str, &str)) -> Bytes {
    let mut out = br#"{"resourceType":"Bundle","type":"searchset","total":"#.to_vec();
    let Some((full_url, resource)) = found else {
        out.extend_from_slice(b"0}");
        return Bytes::from(out);
    };
    out.extend_from_slice(br#"1,"entry":[{"#);
    if let Some(full_url) = full_url {
        out.extend_from_slice(br#""fullUrl":"#);
        push_string(&mut out, &full_url);
        out.push(b',');
    }
    out.extend_from_slice(br#""resource":"#);
    out.extend_from_slice(&resource);
    let search = format!(
        r#","search":{{"extension":[{{"url":"http://hl7.org/fhir/StructureDefinition/match-grade","valueCode":"{code}"}}],"mode":"match","score":{score}}}}}]}}"#
    );
    out.extend_from_slice(search.as_bytes());
    Bytes::from(out)
}
