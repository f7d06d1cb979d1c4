//! What one operation writes, made from its number alone, so that whoever finds a body later can tell whether it is
//! exactly what was sent.

use bytes::Bytes;
use keepwell_model::{
    Actor, Author, EntryNumber, Kind, Label, Labels, Purpose, RecordId, SeededRandom, Seq, SourceKey, Stream,
};
use keepwell_record::{Alias, Commit, Expect, Head, IdempotencyKey, Part, Write};
use serde::{Deserialize, Serialize};

/// One commit, as it is announced before it is tried.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) op: u64,
    pub(crate) keyed: bool,
    pub(crate) parts: Vec<PlanPart>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PlanPart {
    pub(crate) record: RecordId,
    pub(crate) access: bool,
    pub(crate) expect: PlanExpect,
    pub(crate) entries: Vec<PlanEntry>,
    pub(crate) attach: Vec<String>,
    #[serde(default)]
    pub(crate) detach: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum PlanExpect {
    New,
    Any,
    Head(u64, String),
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct PlanEntry {
    /// The entry to change, if it is not a new one.
    pub(crate) number: Option<u32>,
    /// Length of the body; `None` deletes.
    pub(crate) len: Option<usize>,
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(text.get(at..at + 2).unwrap_or("00"), 16).unwrap_or(0);
    (0..text.len()).step_by(2).map(digit).collect()
}

/// Aliases that begin like this are fought over by several records; all others belong to one for good.
pub(crate) const SHARED_ALIAS: &str = "shared";

pub(crate) fn alias(value: &str) -> Alias {
    Alias { system: "https://fhir.nhs.uk/Id/nhs-number".into(), value: value.to_owned() }
}

pub(crate) fn author(op: u64) -> Author {
    Author {
        actor: Actor::System { client: format!("client {op}"), organisation: "A surgery".into() },
        purpose: Purpose::DirectCare,
        source: Some("gp".into()),
    }
}

impl PlanPart {
    /// A part that appends to whatever is there.
    pub(crate) const fn any(record: RecordId, entries: Vec<PlanEntry>) -> Self {
        Self { record, access: false, expect: PlanExpect::Any, entries, attach: Vec::new(), detach: Vec::new() }
    }

    pub(crate) const fn stream(&self) -> Stream {
        if self.access { Stream::Access } else { Stream::Care }
    }
}

impl Plan {
    pub(crate) fn commit(&self) -> Commit {
        let parts = (0..self.parts.len()).map(|at| self.part(at)).collect();
        let idempotency = self.keyed.then(|| IdempotencyKey::of(&self.op.to_be_bytes()));
        Commit { author: author(self.op), idempotency, parts }
    }

    fn part(&self, at: usize) -> Part {
        let plan = &self.parts[at];
        let expect = match &plan.expect {
            PlanExpect::New => Expect::New,
            PlanExpect::Any => Expect::Any,
            PlanExpect::Head(seq, hash) => {
                Expect::Head(Head { seq: Seq(*seq), hash: unhex(hash).try_into().expect("32 bytes") })
            }
        };
        let writes = plan.entries.iter().enumerate().map(|(i, entry)| self.write(at, i, *entry)).collect();
        let attach = plan.attach.iter().map(|value| alias(value)).collect();
        let detach = plan.detach.iter().map(|value| alias(value)).collect();
        Part { attach, detach, ..Part::new(plan.record, plan.stream(), expect, writes) }
    }

    fn write(&self, part: usize, at: usize, entry: PlanEntry) -> Write {
        let (kind, labels, source) = manner(self.op, part, at);
        Write {
            number: entry.number.map(EntryNumber),
            kind,
            labels,
            source,
            body: entry.len.map(|len| body(self.op, part, at, len)),
        }
    }
}

/// Kind, labels and source of an entry, in some variety.
pub(crate) fn manner(op: u64, part: usize, at: usize) -> (Kind, Labels, Option<SourceKey>) {
    const KINDS: [&str; 4] = ["fhir/Observation", "fhir/Condition", "document", "hl7v2/raw"];
    let pick = op.wrapping_mul(31).wrapping_add((part * 7 + at) as u64);
    let label = [Label::General, Label::MentalHealth, Label::SexualHealth][(pick % 3) as usize];
    let source = pick.is_multiple_of(2).then(|| SourceKey {
        source: "gp".into(),
        kind: "Observation".into(),
        id: format!("{op}-{part}-{at}"),
    });
    (Kind::new(KINDS[(pick % 4) as usize]).expect("the words are kinds"), Labels::of(&[label]), source)
}

/// A body that says where it belongs, followed by bytes that depend on that.
pub(crate) fn body(op: u64, part: usize, at: usize, len: usize) -> Bytes {
    let mut bytes = format!("op={op} part={part} at={at} len={len};").into_bytes();
    let random = SeededRandom::new(op ^ ((part as u64) << 48) ^ ((at as u64) << 56) ^ len as u64);
    let mut chunk = vec![0u8; 512];
    keepwell_model::Random::fill(&random, &mut chunk);
    // Half of each chunk is words, so that compression has something to find.
    chunk[256..].copy_from_slice(&b"systolic diastolic ".repeat(14)[..256]);
    while bytes.len() < len {
        chunk[..8].copy_from_slice(&random.next().to_le_bytes());
        let room = (len - bytes.len()).min(chunk.len());
        bytes.extend_from_slice(&chunk[..room]);
    }
    bytes.into()
}

/// The operation, part and place that a body says it belongs to, if every byte of it is as that operation wrote it.
pub(crate) fn recognise(bytes: &[u8]) -> Option<(u64, usize, usize)> {
    let end = bytes.iter().position(|&byte| byte == b';')?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let mut fields = head.split(' ').map(|field| field.split_once('=').and_then(|(_, v)| v.parse::<u64>().ok()));
    let mut field = || fields.next().flatten();
    let (op, part, at, len) = (field()?, field()?, field()?, field()?);
    let (part, at) = (usize::try_from(part).ok()?, usize::try_from(at).ok()?);
    (body(op, part, at, usize::try_from(len).ok()?) == bytes).then_some((op, part, at))
}
