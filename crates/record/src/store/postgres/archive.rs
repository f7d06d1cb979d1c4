//! The archive of a store (`store::archive`) out of and into PostgreSQL.

use std::path::PathBuf;
use std::pin::pin;

use bytes::{BufMut as _, BytesMut};
use deadpool_postgres::Object;
use futures_util::{FutureExt as _, TryStreamExt as _};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::spawn_blocking;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{IsNull, ToSql, Type};
use tokio_postgres::{Row, types};

use super::fault::Fault;
use super::session::{BEGIN, BEGIN_READING, Outcome, Sessions, undo};
use crate::RecordError;
use crate::store::archive::{FORMAT, Kind, Reader, TABLES, Table, TableRow, Value, Writer, not_empty};

const _: () = assert!(super::schema::FORMAT == FORMAT as usize, "the archive knows these tables");

/// So many rows wait between the connection and the file.
const WAITING: usize = 64;

/// A row on its way, or the word that all were sent.
enum Item {
    Row(TableRow),
    End,
}

fn stopped<T>(_: T) -> Fault {
    Fault::Record(RecordError::Store("the thread of the archive stopped".into()))
}

/// Writes everything as it is at one moment.
pub(super) async fn write(sessions: &Sessions, to: PathBuf) -> Result<(), Fault> {
    let session = sessions.get().await?;
    let (sender, receiver) = channel(WAITING);
    let file = spawn_blocking(move || write_file(&to, receiver));
    let sent = send_tables(&session, sender).await;
    match sent {
        Ok(()) => undo(session).await,
        // The rest of a table may still be on its way; closing is quicker than taking it all in.
        Err(_) => drop(Object::take(session)),
    }
    // What went wrong with the file is why nobody took the rows.
    file.await.map_err(stopped)??;
    sent
}

fn write_file(to: &std::path::Path, mut rows: Receiver<Item>) -> Result<(), RecordError> {
    let mut writer = Writer::create(to)?;
    loop {
        match rows.blocking_recv() {
            Some(Item::Row((table, values))) => writer.row(table, &values)?,
            Some(Item::End) => return writer.finish(),
            // The sender failed and says why itself; the half-written file goes.
            None => return Ok(()),
        }
    }
}

async fn send_tables(session: &Object, sender: Sender<Item>) -> Result<(), Fault> {
    session.batch_execute(BEGIN_READING).await?;
    for table in TABLES {
        let sql = format!("SELECT {} FROM {}", table.column_list(), table.name);
        let statement = session.prepare(&sql).await?;
        let none: [&(dyn ToSql + Sync); 0] = [];
        let mut rows = pin!(session.query_raw(&statement, none).await?);
        while let Some(row) = rows.try_next().await? {
            sender.send(Item::Row((table, values(table, &row)?))).await.map_err(stopped)?;
        }
    }
    sender.send(Item::End).await.map_err(stopped)
}

fn values(table: &Table, row: &Row) -> Result<Vec<Value>, Fault> {
    let mut values = Vec::with_capacity(table.columns.len());
    for (column, (_, kind)) in table.columns.iter().enumerate() {
        let value = match kind {
            Kind::Number => row.try_get::<_, Option<i64>>(column)?.map(Value::Number),
            Kind::Small => row.try_get::<_, Option<i16>>(column)?.map(|small| Value::Number(small.into())),
            Kind::Flag => row.try_get::<_, Option<bool>>(column)?.map(|flag| Value::Number(flag.into())),
            Kind::Bytes => row.try_get::<_, Option<Vec<u8>>>(column)?.map(Value::Bytes),
            Kind::Text => row.try_get::<_, Option<String>>(column)?.map(Value::Text),
        };
        values.push(value.unwrap_or(Value::Null));
    }
    Ok(values)
}

/// Fills an empty store, all or nothing.
pub(super) async fn read(sessions: &Sessions, from: PathBuf) -> Result<(), RecordError> {
    sessions.transaction(&from, |session, from| fill(session, from.clone()).boxed()).await
}

async fn fill(session: &Object, from: PathBuf) -> Result<Outcome<()>, Fault> {
    session.batch_execute(BEGIN).await?;
    for table in TABLES {
        let name = table.name;
        session.batch_execute(&format!("LOCK TABLE {name} IN EXCLUSIVE MODE")).await?;
        let row = session.query_one(&format!("SELECT EXISTS (SELECT 1 FROM {name})"), &[]).await?;
        if row.try_get(0)? {
            return Err(not_empty().into());
        }
    }
    let (sender, mut receiver) = channel(WAITING);
    let file = spawn_blocking(move || read_file(&from, &sender));
    let mut next = receiver.recv().await;
    while let Some(Item::Row((table, _))) = &next {
        let table = *table;
        let columns: Vec<Type> = table.columns.iter().map(|(_, kind)| column_type(*kind)).collect();
        let sql = format!("COPY {} ({}) FROM STDIN BINARY", table.name, table.column_list());
        let mut copy = pin!(BinaryCopyInWriter::new(session.copy_in(&sql).await?, &columns));
        while let Some(Item::Row((of, values))) = &next {
            if !std::ptr::eq(*of, table) {
                break;
            }
            copy.as_mut().write_raw(values).await?;
            next = receiver.recv().await;
        }
        copy.finish().await?;
    }
    // The thread has checked the sum by now, or says what is wrong with the file.
    drop(receiver);
    file.await.map_err(stopped)??;
    if !matches!(next, Some(Item::End)) {
        return Err(stopped(()));
    }
    let sql =
        "SELECT setval(pg_get_serial_sequence('log_pending', 'row'), max(row)) FROM log_pending HAVING count(*) > 0";
    session.batch_execute(sql).await?;
    Ok(Outcome::Commit(()))
}

fn read_file(from: &std::path::Path, rows: &Sender<Item>) -> Result<(), RecordError> {
    let mut reader = Reader::open(from)?;
    while let Some(row) = reader.next()? {
        if rows.blocking_send(Item::Row(row)).is_err() {
            // The other side failed and says why itself.
            return Ok(());
        }
    }
    drop(rows.blocking_send(Item::End));
    Ok(())
}

const fn column_type(kind: Kind) -> Type {
    match kind {
        Kind::Number => Type::INT8,
        Kind::Small => Type::INT2,
        Kind::Flag => Type::BOOL,
        Kind::Bytes => Type::BYTEA,
        Kind::Text => Type::TEXT,
    }
}

impl ToSql for Value {
    fn to_sql(&self, column: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => return Ok(IsNull::Yes),
            Self::Number(number) if *column == Type::INT2 => out.put_i16(i16::try_from(*number)?),
            Self::Number(number) if *column == Type::BOOL => out.put_u8(u8::from(*number != 0)),
            Self::Number(number) => out.put_i64(*number),
            Self::Bytes(bytes) => out.put_slice(bytes),
            Self::Text(text) => out.put_slice(text.as_bytes()),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    types::to_sql_checked!();
}
