//! Connections: how they are made, what must hold on each of them, and running statements on them.

use std::future::poll_fn;
use std::str::FromStr as _;
use std::task::Poll;
use std::time::Duration;

use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime};
use futures_util::future::BoxFuture;
use tokio_postgres::config::TargetSessionAttrs;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, NoTls, Row};

use super::fault::{self, Fault};
use super::{PostgresOptions, schema};
use crate::RecordError;

/// One value of a statement.
pub(super) type Param<'a> = Box<dyn ToSql + Sync + Send + 'a>;

macro_rules! params {
    ($($value:expr),* $(,)?) => {{
        let params: Vec<$crate::store::postgres::session::Param<'_>> = vec![$(Box::new($value)),*];
        params
    }};
}
pub(super) use params;

/// How often something is tried again that came to nothing because of others.
const TRIES: u32 = 12;
/// How often something is tried on another connection after one was lost.
const CONNECTIONS_TRIED: u32 = 3;
/// The oldest server that is accepted, as `server_version_num`.
const OLDEST: i32 = 150_000;

/// What every session is told. Every statement looks rows up by key, so one plan serves for ever and must not depend on
/// what the server happened to know of a table when it was still empty. No statement may run into a time limit, for a
/// `COMMIT` that is cut short while it waits for a standby would be acknowledged without it. A node that vanishes in the
/// middle of a transaction lets go of its rows after a minute.
const SETTINGS: &str = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET jit = off; \
    SET statement_timeout = 0; SET lock_timeout = '30s'; SET idle_in_transaction_session_timeout = '60s'; \
    SET default_transaction_isolation = 'read committed'; SET client_min_messages = error";

/// What a session says about the server.
pub(super) struct Facts {
    pub(super) synchronous_commit: String,
    pub(super) fsync: String,
    pub(super) version: i32,
}

/// The pool.
pub(super) struct Sessions {
    pool: Pool,
}

/// Reads the URL and adds what it leaves open.
fn config(url: &str) -> Result<Config, RecordError> {
    let mut config = Config::from_str(url).map_err(|error| {
        // The error names an option, never its value: the URL may hold a password.
        RecordError::Store(format!("the URL of the database cannot be read: {error}"))
    })?;
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(Duration::from_secs(5));
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(Duration::from_secs(30));
    }
    config.keepalives_idle(Duration::from_secs(30));
    if config.get_application_name().is_none() {
        config.application_name("keepwell");
    }
    // Several hosts are a primary and its standbys; the one that takes writes is meant, whichever that is at the time.
    if config.get_hosts().len() > 1 && config.get_target_session_attrs() == TargetSessionAttrs::Any {
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    }
    Ok(config)
}

async fn facts(client: &Client) -> Result<Facts, tokio_postgres::Error> {
    let row = client
        .query_one(
            "SELECT current_setting('synchronous_commit'), current_setting('fsync'), \
             current_setting('server_version_num')::int",
            &[],
        )
        .await?;
    Ok(Facts { synchronous_commit: row.try_get(0)?, fsync: row.try_get(1)?, version: row.try_get(2)? })
}

/// Makes a new connection ready, or says why it will not do.
async fn prepare(client: &Client, schema: Option<&str>) -> Result<Facts, HookError> {
    client.batch_execute(SETTINGS).await.map_err(HookError::Backend)?;
    if let Some(schema) = schema {
        client.batch_execute(&format!("SET search_path = \"{schema}\"")).await.map_err(HookError::Backend)?;
    }
    let facts = facts(client).await.map_err(HookError::Backend)?;
    if facts.version < OLDEST {
        return Err(HookError::message("this PostgreSQL is too old: version 15 or later is needed"));
    }
    if facts.synchronous_commit == "off" {
        return Err(HookError::message(
            "this PostgreSQL answers before a commit is on disk (synchronous_commit is off, in its configuration or for \
             this user or database); a health record must not be kept like that. Set it to on",
        ));
    }
    Ok(facts)
}

impl Sessions {
    pub(super) fn new(url: &str, options: &PostgresOptions) -> Result<Self, RecordError> {
        let schema = options.schema.clone();
        if let Some(schema) = &schema {
            schema::check_name(schema)?;
        }
        let manager =
            Manager::from_config(config(url)?, NoTls, ManagerConfig { recycling_method: RecyclingMethod::Fast });
        let hook = Hook::async_fn(move |client: &mut deadpool_postgres::ClientWrapper, _| {
            let schema = schema.clone();
            Box::pin(async move { prepare(client, schema.as_deref()).await.map(drop) })
        });
        let pool = Pool::builder(manager)
            .max_size(options.connections.max(1))
            .wait_timeout(Some(Duration::from_secs(30)))
            .create_timeout(Some(Duration::from_secs(15)))
            .runtime(Runtime::Tokio1)
            .post_create(hook)
            .build()
            .map_err(|error| RecordError::Store(error.to_string()))?;
        Ok(Self { pool })
    }

    pub(super) async fn get(&self) -> Result<Object, Fault> {
        Ok(self.pool.get().await?)
    }

    /// Says once, at the start, what is weaker than it should be.
    pub(super) async fn warn(&self) -> Result<(), Fault> {
        let facts = facts(&**self.get().await?).await?;
        if facts.synchronous_commit == "local" {
            tracing::warn!("synchronous_commit is local: a commit is on this server's disk, but on no standby's");
        }
        if facts.fsync == "off" {
            tracing::warn!("fsync is off on this PostgreSQL: a power cut loses records. Good for tests only");
        }
        Ok(())
    }

    /// Runs a query that changes nothing, or a statement that may as well run twice.
    pub(super) async fn rows(&self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>, Fault> {
        for attempt in 1.. {
            match self.rows_once(sql, params).await {
                Err(fault) if fault.passes() && attempt < TRIES => pause(attempt).await,
                Err(fault) if fault.lost() && attempt < CONNECTIONS_TRIED => pause(attempt).await,
                other => return other,
            }
        }
        unreachable!("the loop ends by returning")
    }

    async fn rows_once(&self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>, Fault> {
        let session = self.get().await?;
        let statement = session.prepare_cached(sql).await?;
        Ok(session.query(&statement, &refs(params)).await?)
    }

    /// Runs a statement that may as well run twice; answers how many rows it changed.
    pub(super) async fn execute(&self, sql: &str, params: &[Param<'_>]) -> Result<u64, Fault> {
        for attempt in 1.. {
            match self.execute_once(sql, params).await {
                Err(fault) if fault.passes() && attempt < TRIES => pause(attempt).await,
                Err(fault) if fault.lost() && attempt < CONNECTIONS_TRIED => pause(attempt).await,
                other => return other,
            }
        }
        unreachable!("the loop ends by returning")
    }

    async fn execute_once(&self, sql: &str, params: &[Param<'_>]) -> Result<u64, Fault> {
        let session = self.get().await?;
        let statement = session.prepare_cached(sql).await?;
        Ok(session.execute(&statement, &refs(params)).await?)
    }

    /// Runs a transaction, and once more whenever it came to nothing because of others, or because its connection was
    /// lost before `COMMIT` was sent. Not knowing what became of `COMMIT` is [`RecordError::Unknown`].
    pub(super) async fn transaction<C: Sync, T>(
        &self,
        context: &C,
        work: impl for<'a> Fn(&'a Object, &'a C) -> BoxFuture<'a, Result<Outcome<T>, Fault>>,
    ) -> Result<T, RecordError> {
        for attempt in 1.. {
            match self.transaction_once(context, &work).await {
                Err(fault) if fault.passes() && attempt < TRIES => pause(attempt).await,
                Err(fault) if fault.lost() && attempt < CONNECTIONS_TRIED => pause(attempt).await,
                other => return other.map_err(RecordError::from),
            }
        }
        unreachable!("the loop ends by returning")
    }

    async fn transaction_once<C: Sync, T>(
        &self,
        context: &C,
        work: &impl for<'a> Fn(&'a Object, &'a C) -> BoxFuture<'a, Result<Outcome<T>, Fault>>,
    ) -> Result<T, Fault> {
        let session = self.get().await?;
        let ended = match work(&session, context).await {
            Ok(Outcome::Commit(value)) => match session.batch_execute("COMMIT").await {
                Ok(()) => return Ok(value),
                Err(error) if fault::certainly_undone(&error) => Err(error.into()),
                Err(error) => {
                    tracing::warn!("the answer to a COMMIT never came: {error}");
                    Err(Fault::Record(RecordError::Unknown))
                }
            },
            Ok(Outcome::Undo(value)) => Ok(value),
            Err(fault) => Err(fault),
        };
        undo(session).await;
        ended
    }
}

/// Ends a transaction without its changes and gives the connection back; one that cannot even do that is closed.
pub(super) async fn undo(session: Object) {
    if session.batch_execute("ROLLBACK").await.is_err() {
        drop(Object::take(session));
    }
}

/// How a transaction is to end, and what it answers.
pub(super) enum Outcome<T> {
    Commit(T),
    Undo(T),
}

/// Begins one that reads whole tables as they are at one moment; the settings for looking rows up are not wanted then.
pub(super) const BEGIN_READING: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL enable_seqscan = on";

/// Begins a transaction whatever isolation the role has by default. Whether it may write is the server's to say.
pub(super) const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

pub(super) fn refs<'a>(params: &'a [Param<'_>]) -> Vec<&'a (dyn ToSql + Sync)> {
    params.iter().map(|param| &**param as &(dyn ToSql + Sync)).collect()
}

/// A little longer each time; by attempt, so that two that met once do not meet for ever.
async fn pause(attempt: u32) {
    tokio::time::sleep(Duration::from_millis(u64::from(attempt * attempt) * 3)).await;
}

/// Sends all statements before it waits for the first answer. They arrive in the order given: each is sent when its
/// future is polled for the first time, and here that happens strictly in order.
pub(super) async fn pipeline<T>(mut statements: Vec<BoxFuture<'_, T>>) -> Vec<T> {
    let mut answers: Vec<Option<T>> = statements.iter().map(|_| None).collect();
    let mut sent = false;
    let mut first_open = 0;
    poll_fn(|context| {
        if !sent {
            sent = true;
            for (statement, answer) in statements.iter_mut().zip(&mut answers) {
                if let Poll::Ready(value) = statement.as_mut().poll(context) {
                    *answer = Some(value);
                }
            }
        }
        // Answers come in the same order, so only the first open one can be next.
        while first_open < statements.len() {
            if answers[first_open].is_none() {
                match statements[first_open].as_mut().poll(context) {
                    Poll::Ready(value) => answers[first_open] = Some(value),
                    Poll::Pending => return Poll::Pending,
                }
            }
            first_open += 1;
        }
        Poll::Ready(())
    })
    .await;
    answers.into_iter().flatten().collect()
}
