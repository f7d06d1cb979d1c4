//! Appending one commit: one transaction of two round trips. The first sends every statement at once, the second the
//! `COMMIT`, if every condition held. Rows are locked in one order by everyone: the idempotency key, records by id,
//! aliases by index.

use deadpool_postgres::Object;
use futures_util::future::BoxFuture;
use keepwell_model::{RecordId, Stream};
use tokio_postgres::{Row, Statement};

use super::fault::Fault;
use super::read::array;
use super::session::{BEGIN, Outcome, Param, Sessions, params, pipeline, refs};
use crate::RecordError;
use crate::commit::Head;
use crate::store::sqlite::{decode_blocks, encode_blocks};
use crate::store::{Append, AppendPart, Appended};

const REMEMBER: &str = "INSERT INTO idempotency (tenant, idx, forget_after, blocks) VALUES ($1, $2, $3, $4) \
                        ON CONFLICT DO NOTHING";
const RECALL: &str = "SELECT blocks FROM idempotency WHERE tenant = $1 AND idx = $2";

/// One statement for each block: the head moves if it is the expected one, and only then are there rows to add the block
/// and its log entry from. It answers 1 or 0 rows.
macro_rules! append_to {
    ($seq:literal, $hash:literal, $next:literal, $tag:literal) => {
        concat!(
            "WITH head AS (UPDATE record SET ",
            $seq,
            " = $5::bigint, ",
            $hash,
            " = $6::bytea, ",
            $next,
            " = $7::bigint, ",
            $tag,
            " = $8::bytea, merged = CASE WHEN $12::boolean THEN $13::bytea ELSE merged END, \
             merged_tag = CASE WHEN $12::boolean THEN $14::bytea ELSE merged_tag END \
             WHERE record = $1::bytea AND tenant = $2::bigint AND ",
            $seq,
            " = $3::bigint AND ",
            $hash,
            " IS NOT DISTINCT FROM $4::bytea AND NOT erased AND ($9::boolean OR merged IS NULL) RETURNING record), ",
            "pending AS (INSERT INTO log_pending (tenant, record, stream, seq, hash) \
             SELECT $2::bigint, record, $10::smallint, $5::bigint, $6::bytea FROM head) \
             INSERT INTO block (record, stream, seq, block) \
             SELECT record, $10::smallint, $5::bigint, $11::bytea FROM head"
        )
    };
}
const APPEND_CARE: &str = append_to!("care_seq", "care_hash", "care_next", "care_tag");
const APPEND_ACCESS: &str = append_to!("access_seq", "access_hash", "access_next", "access_tag");

/// The same for a record that must not be there yet.
macro_rules! create_with {
    ($columns:literal) => {
        concat!(
            "WITH head AS (INSERT INTO record (record, tenant, wrapped, merged, merged_tag, ",
            $columns,
            ") VALUES ($1, $2, $3, $10, $11, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING record), \
             pending AS (INSERT INTO log_pending (tenant, record, stream, seq, hash) \
             SELECT $2::bigint, record, $8::smallint, $4::bigint, $5::bytea FROM head) \
             INSERT INTO block (record, stream, seq, block) \
             SELECT record, $8::smallint, $4::bigint, $9::bytea FROM head"
        )
    };
}
const CREATE_CARE: &str = create_with!("care_seq, care_hash, care_next, care_tag");
const CREATE_ACCESS: &str = create_with!("access_seq, access_hash, access_next, access_tag");

const ATTACH: &str = "INSERT INTO alias (tenant, idx, record, tag) \
    SELECT $1::bigint, a.idx, a.record, a.tag FROM unnest($2::bytea[], $3::bytea[], $4::bytea[]) AS a (idx, record, tag) \
    ON CONFLICT DO NOTHING";
const LEADS_TO: &str = "SELECT idx, record FROM alias WHERE tenant = $1 AND idx = ANY ($2::bytea[])";
const DETACH: &str = "DELETE FROM alias USING unnest($2::bytea[], $3::bytea[]) AS d (idx, record) \
    WHERE alias.tenant = $1 AND alias.idx = d.idx AND alias.record = d.record";

pub(super) async fn append(sessions: &Sessions, append: Append) -> Result<Appended, RecordError> {
    let answer = sessions.transaction(&append, |session, append| Box::pin(attempt(session, append))).await?;
    match answer {
        Some(appended) => Ok(appended),
        None => recall(sessions, &append).await,
    }
}

/// The answer that the first commit with this key got.
async fn recall(sessions: &Sessions, append: &Append) -> Result<Appended, RecordError> {
    let (key, _) = append.idempotency.expect("only a key can be there already");
    let rows = sessions.rows(RECALL, &params![tenant(append), key.to_vec()]).await?;
    let blocks: &[u8] = match rows.first() {
        Some(row) => row.try_get(0).map_err(Fault::Db)?,
        // Forgotten between two statements: whoever retries after all this time may try once more.
        None => return Err(Fault::Again("an idempotency key").into()),
    };
    Ok(Appended::Repeated(decode_blocks(blocks)))
}

fn tenant(append: &Append) -> i64 {
    i64::from(append.tenant.0)
}

/// One statement of the pipeline and how its answer is read.
enum Sent {
    Begin,
    Remember,
    Part(usize),
    Attach,
    LeadsTo,
    Detach,
}

enum Reply {
    Done,
    Count(u64),
    Rows(Vec<Row>),
}

/// Sends everything and judges the answers; `None` if the idempotency key was there already.
async fn attempt(session: &Object, append: &Append) -> Result<Outcome<Option<Appended>>, Fault> {
    let aliases = Aliases::of(append);
    let mut sent = vec![Sent::Begin];
    let mut statements: Vec<BoxFuture<'_, Result<Reply, tokio_postgres::Error>>> = vec![Box::pin(async {
        session.batch_execute(BEGIN).await?;
        Ok(Reply::Done)
    })];
    if let Some((key, forget_after)) = &append.idempotency {
        let statement = session.prepare_cached(REMEMBER).await?;
        let params = params![tenant(append), &key[..], *forget_after, encode_blocks(&append.parts)];
        statements.push(count(session, statement, params));
        sent.push(Sent::Remember);
    }
    let mut order: Vec<usize> = (0..append.parts.len()).collect();
    order.sort_unstable_by_key(|&at| append.parts[at].record);
    for at in order {
        let part = &append.parts[at];
        let (sql, params) = part_statement(append, part);
        statements.push(count(session, session.prepare_cached(sql).await?, params));
        sent.push(Sent::Part(at));
    }
    if !aliases.attach.is_empty() {
        let statement = session.prepare_cached(ATTACH).await?;
        statements.push(count(session, statement, aliases.attach_params(append)));
        sent.push(Sent::Attach);
        let statement = session.prepare_cached(LEADS_TO).await?;
        statements.push(rows(session, statement, params![tenant(append), aliases.attach_indexes()]));
        sent.push(Sent::LeadsTo);
    }
    if !aliases.detach.is_empty() {
        let statement = session.prepare_cached(DETACH).await?;
        statements.push(count(session, statement, aliases.detach_params(append)));
        sent.push(Sent::Detach);
    }
    let answers = pipeline(statements).await;
    // After the first error, the others only say that there was one.
    let answers = answers.into_iter().collect::<Result<Vec<_>, _>>()?;
    judge(append, &aliases, &sent, &answers)
}

fn judge(
    append: &Append,
    aliases: &Aliases<'_>,
    sent: &[Sent],
    answers: &[Reply],
) -> Result<Outcome<Option<Appended>>, Fault> {
    // The refusal to report is the first in the caller's order, not in that of the locks.
    let mut conflict = None;
    for (what, answer) in sent.iter().zip(answers) {
        match (what, answer) {
            (Sent::Remember, Reply::Count(0)) => return Ok(Outcome::Undo(None)),
            (Sent::Part(at), Reply::Count(0)) => conflict = Some(conflict.map_or(*at, |other| (*at).min(other))),
            _ => {}
        }
    }
    if let Some(at) = conflict {
        return Ok(Outcome::Undo(Some(Appended::Conflict(append.parts[at].record))));
    }
    for (what, answer) in sent.iter().zip(answers) {
        if let (Sent::LeadsTo, Reply::Rows(rows)) = (what, answer)
            && !aliases.all_lead_home(rows)?
        {
            return Ok(Outcome::Undo(Some(Appended::AliasTaken)));
        }
    }
    Ok(Outcome::Commit(Some(Appended::Done)))
}

fn count<'a>(
    session: &'a Object,
    statement: Statement,
    params: Vec<Param<'a>>,
) -> BoxFuture<'a, Result<Reply, tokio_postgres::Error>> {
    Box::pin(async move { session.execute(&statement, &refs(&params)).await.map(Reply::Count) })
}

fn rows<'a>(
    session: &'a Object,
    statement: Statement,
    params: Vec<Param<'a>>,
) -> BoxFuture<'a, Result<Reply, tokio_postgres::Error>> {
    Box::pin(async move { session.query(&statement, &refs(&params)).await.map(Reply::Rows) })
}

fn number(value: u64) -> i64 {
    i64::try_from(value).expect("sequence numbers are far below 2^63")
}

fn part_statement<'a>(append: &Append, part: &'a AppendPart) -> (&'static str, Vec<Param<'a>>) {
    let record = &part.record.as_bytes()[..];
    let Head { seq, hash } = &part.head.head;
    let stream = i16::from(part.stream.code());
    let (seq, next) = (number(seq.0), i64::from(part.head.next_number));
    let (hash, tag, block) = (&hash[..], &part.head.tag[..], &part.block[..]);
    let mark = part.merged.as_ref().and_then(Option::as_ref);
    let (into, into_tag) = mark.map(|(into, tag)| (&into.as_bytes()[..], &tag[..])).unzip();
    if let Some(wrapped) = &part.create {
        let sql = match part.stream {
            Stream::Care => CREATE_CARE,
            Stream::Access => CREATE_ACCESS,
        };
        let params = params![record, tenant(append), &wrapped[..], seq, hash, next, tag, stream, block, into, into_tag];
        return (sql, params);
    }
    let sql = match part.stream {
        Stream::Care => APPEND_CARE,
        Stream::Access => APPEND_ACCESS,
    };
    // An empty stream has no hash.
    let expected_hash = (part.expected.hash != [0; 32]).then_some(&part.expected.hash[..]);
    let params = params![
        record,
        tenant(append),
        number(part.expected.seq.0),
        expected_hash,
        seq,
        hash,
        next,
        tag,
        part.closed_allowed,
        stream,
        block,
        part.merged.is_some(),
        into,
        into_tag,
    ];
    (sql, params)
}

/// The aliases of all parts, in the order of their indexes.
struct Aliases<'a> {
    attach: Vec<(&'a [u8; 32], RecordId, &'a [u8; 16])>,
    detach: Vec<(&'a [u8; 32], RecordId)>,
}

impl<'a> Aliases<'a> {
    fn of(append: &'a Append) -> Self {
        let mut attach = Vec::new();
        let mut detach = Vec::new();
        for part in &append.parts {
            attach.extend(part.attach.iter().map(|(index, tag)| (index, part.record, tag)));
            // What is attached in the same breath stays.
            let goes = |index: &&[u8; 32]| !part.attach.iter().any(|(kept, _)| kept == *index);
            detach.extend(part.detach.iter().filter(goes).map(|index| (index, part.record)));
        }
        attach.sort_unstable();
        detach.sort_unstable();
        Self { attach, detach }
    }

    fn attach_indexes(&self) -> Vec<&'a [u8]> {
        self.attach.iter().map(|(index, ..)| &index[..]).collect()
    }

    fn attach_params(&self, append: &Append) -> Vec<Param<'a>> {
        let records: Vec<Vec<u8>> = self.attach.iter().map(|(_, record, _)| record.as_bytes().to_vec()).collect();
        let tags: Vec<&'a [u8]> = self.attach.iter().map(|(.., tag)| &tag[..]).collect();
        params![tenant(append), self.attach_indexes(), records, tags]
    }

    fn detach_params(&self, append: &Append) -> Vec<Param<'a>> {
        let indexes: Vec<&'a [u8]> = self.detach.iter().map(|(index, _)| &index[..]).collect();
        let records: Vec<Vec<u8>> = self.detach.iter().map(|(_, record)| record.as_bytes().to_vec()).collect();
        params![tenant(append), indexes, records]
    }

    /// Whether each alias now leads to the record that wanted it. One that is gone again was another record's a moment
    /// ago: once more.
    fn all_lead_home(&self, rows: &[Row]) -> Result<bool, Fault> {
        let mut found = std::collections::HashMap::with_capacity(rows.len());
        for row in rows {
            found.insert(array::<32>(row, 0)?, RecordId::from_bytes(array(row, 1)?));
        }
        for (index, record, _) in &self.attach {
            match found.get(*index) {
                None => return Err(Fault::Again("an alias")),
                Some(other) if other != record => return Ok(false),
                Some(_) => {}
            }
        }
        Ok(true)
    }
}
