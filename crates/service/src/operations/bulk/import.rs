//! `$import`: an upload of NDJSON, taken in as transactions, one for each person. Nothing is fetched from addresses that a
//! caller names: that would let callers look around in the server's own network (threat T26).
//!
//! A line that is refused does not keep the others out, with one exception: where the Patient is refused, nothing that is
//! about that person is taken, lest it go to somebody else whom the sender once called the same (threat T14).

use std::collections::{BTreeMap, HashSet};

use bytes::Bytes;
use keepwell_fhir::outcome::{Issue, IssueCode, Outcome};
use keepwell_record::busy;

use super::jobs::{File, Job, Work};
use super::lines::{Group, Groups, Line, Whose, bundle};
use crate::systems::Client;
use crate::{FhirError, Service, ServiceError};

/// How often a Bundle is sent again without the lines that were refused, before each line is sent by itself.
const ROUNDS: usize = 8;
/// How many refusals are in a file.
const PART: usize = 1_000;

/// What has become of the lines.
#[derive(Default)]
struct Told {
    taken: u64,
    /// What is wrong, by line.
    refused: BTreeMap<usize, Vec<Issue>>,
}

impl Service {
    /// Starts to take an upload in, and answers the job's id. Sent again, it changes nothing.
    ///
    /// # Errors
    /// [`FhirError`]: 400 for an upload without a line, 413, 429, 503.
    pub async fn import(&self, client: &Client, upload: Bytes, address: &str) -> Result<String, FhirError> {
        let most = self.inner.config.max_entries;
        let groups = busy(|| Groups::read(&upload, most)).map_err(|_| {
            let words = format!("The upload has more than {most} lines, the limit here. Send it in parts.");
            FhirError::new(413, IssueCode::TooLong, words)
        })?;
        drop(upload);
        if groups.groups.is_empty() && groups.wrong.is_empty() {
            let words = "There is nothing in the upload. Send resources as NDJSON, one in each line.";
            return Err(FhirError::new(400, IssueCode::Required, words));
        }
        let mut job = Job::new(client, Work::Import, address, self.now());
        let (id, running) = self.begin_job(&job).await?;
        let (service, client, own) = (self.clone(), client.clone(), id.clone());
        tokio::spawn(async move {
            let ended = service.take_in(&client, &own, &mut job, groups).await;
            service.end_job(&own, job, ended).await;
            drop(running);
        });
        Ok(id)
    }

    /// Takes the Bundles in, one after the other. `None` if the rest is not wanted any more.
    async fn take_in(
        &self,
        client: &Client,
        id: &str,
        job: &mut Job,
        groups: Groups,
    ) -> Result<Option<u64>, ServiceError> {
        let mut told = Told::default();
        for (line, issue) in groups.wrong {
            told.refused.insert(line, vec![issue]);
        }
        let mut refused = HashSet::new();
        for (index, group) in groups.groups.into_iter().enumerate() {
            if !self.go_on(id, job, index as u64).await? {
                return Ok(None);
            }
            if refused.contains(&group.whose) {
                told.follow(&group.lines);
                continue;
            }
            let Group { whose, lines } = group;
            if !self.take_group(client, lines, &mut told).await && matches!(whose, Whose::Person(_)) {
                refused.insert(whose);
            }
        }
        let issues: Vec<_> = told.refused.into_iter().map(|(line, issues)| outcome(line, issues)).collect();
        for (part, outcomes) in (0u32..).zip(issues.chunks(PART)) {
            self.keep_part(id, job, part, &outcomes.concat()).await?;
            job.files.push(File { kind: "OperationOutcome".to_owned(), part, count: outcomes.len() as u64 });
        }
        Ok(Some(told.taken))
    }

    /// Takes the lines of one Bundle, without those that are refused. Answers whether more may be taken of the same person.
    async fn take_group(&self, client: &Client, mut lines: Vec<Line>, told: &mut Told) -> bool {
        for _ in 0..ROUNDS {
            if lines.is_empty() {
                return true;
            }
            let error = match self.transaction(client, Bytes::from(bundle(&lines))).await {
                Ok(_) => {
                    told.take(&lines);
                    return true;
                }
                Err(error) => error,
            };
            let mut blamed = by_entry(&error);
            blamed.retain(|at, _| *at < lines.len());
            let is_over = !is_final(&error) || error.task.is_some();
            let patient = lines.iter().position(Line::is_patient).is_some_and(|at| blamed.contains_key(&at));
            if is_over || patient {
                told.refuse(&lines, &error, &blamed);
                return false;
            }
            if blamed.is_empty() {
                break;
            }
            let mut index = 0;
            lines.retain(|line| {
                let issues = blamed.remove(&index);
                index += 1;
                issues.as_ref().is_none_or(|issues| {
                    told.note(line, issues);
                    false
                })
            });
        }
        self.take_each(client, lines, told).await
    }

    /// Takes each line by itself.
    async fn take_each(&self, client: &Client, lines: Vec<Line>, told: &mut Told) -> bool {
        let mut lines = lines.into_iter();
        while let Some(line) = lines.next() {
            let line = [line];
            match self.transaction(client, Bytes::from(bundle(&line))).await {
                Ok(_) => told.take(&line),
                Err(error) => {
                    told.refuse(&line, &error, &by_entry(&error));
                    if line[0].is_patient() || error.task.is_some() {
                        told.follow(&lines.collect::<Vec<_>>());
                        return false;
                    }
                }
            }
        }
        true
    }
}

impl Told {
    fn take(&mut self, lines: &[Line]) {
        self.taken += lines.iter().map(|line| line.numbers.len() as u64).sum::<u64>();
    }

    fn note(&mut self, line: &Line, issues: &[Issue]) {
        for number in &line.numbers {
            self.refused.entry(*number).or_default().extend_from_slice(issues);
        }
    }

    /// Refuses lines together: those at fault with what is wrong, the others because of them.
    fn refuse(&mut self, lines: &[Line], error: &FhirError, blamed: &BTreeMap<usize, Vec<Issue>>) {
        let mut all: Vec<Issue> = error.issues.iter().filter(|issue| entry_of(issue).is_none()).cloned().collect();
        if let Some(task) = &error.task {
            let words = format!("It is kept as matching task {task}; nothing went into a record.");
            all.push(Issue::error(IssueCode::BusinessRule, words));
        }
        for (index, line) in lines.iter().enumerate() {
            match blamed.get(&index) {
                Some(issues) => self.note(line, &[issues, &all[..]].concat()),
                None if all.is_empty() => self.follow(std::slice::from_ref(line)),
                None => self.note(line, &all),
            }
        }
    }

    /// Refuses lines because the Patient whom they are about was refused.
    fn follow(&mut self, lines: &[Line]) {
        let words = "Something else in this upload that is about the same person was refused, and this depends on it. It was not taken.";
        let issue = Issue::error(IssueCode::BusinessRule, words);
        lines.iter().for_each(|line| self.note(line, std::slice::from_ref(&issue)));
    }
}

/// Whether sending the same again would be refused again.
fn is_final(error: &FhirError) -> bool {
    (400..500).contains(&error.status) && !matches!(error.status, 409 | 429)
}

/// The entry of the Bundle that an issue is about.
fn entry_of(issue: &Issue) -> Option<usize> {
    issue.expression.as_deref()?.strip_prefix("Bundle.entry[")?.split_once(']')?.0.parse().ok()
}

/// What is wrong, by the place of the entry that it is about; each issue says where in the resource.
fn by_entry(error: &FhirError) -> BTreeMap<usize, Vec<Issue>> {
    let mut blamed: BTreeMap<usize, Vec<Issue>> = BTreeMap::new();
    for issue in &error.issues {
        let Some(entry) = entry_of(issue) else { continue };
        let rest = issue.expression.as_deref().and_then(|text| text.split_once("].resource.")).map(|(_, rest)| rest);
        blamed.entry(entry).or_default().push(Issue { expression: rest.map(str::to_owned), ..issue.clone() });
    }
    blamed
}

/// The refusal of a line, as a line.
fn outcome(line: usize, mut issues: Vec<Issue>) -> Vec<u8> {
    for issue in &mut issues {
        let rest = issue.expression.take().map(|rest| format!(": {rest}")).unwrap_or_default();
        issue.expression = Some(format!("line {line}{rest}"));
    }
    let mut out = Outcome { issues }.to_json();
    out.push(b'\n');
    out
}
