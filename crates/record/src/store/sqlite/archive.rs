//! The archive of a store (`store::archive`) out of and into SQLite.

use std::path::Path;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Row, ToSql, params_from_iter};

use crate::RecordError;
use crate::store::archive::{FORMAT, Reader, TABLES, Table, Value, Writer, not_empty};

const _: () = assert!(super::schema::FORMAT == FORMAT as usize, "the archive knows these tables");

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Number(number) => ValueRef::Integer(*number),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

fn value(row: &Row<'_>, column: usize) -> rusqlite::Result<Value> {
    Ok(match row.get_ref(column)? {
        ValueRef::Integer(number) => Value::Number(number),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
        ValueRef::Text(_) => Value::Text(row.get(column)?),
        // The tables are strict and have no column of real numbers.
        ValueRef::Null | ValueRef::Real(_) => Value::Null,
    })
}

/// Writes everything as it is at one moment.
pub(super) fn write(c: &Connection, to: &Path) -> Result<(), RecordError> {
    let snapshot = c.unchecked_transaction()?;
    let mut writer = Writer::create(to)?;
    for table in TABLES {
        let mut statement = snapshot.prepare(&format!("SELECT {} FROM {}", table.column_list(), table.name))?;
        let mut rows = statement.query([])?;
        let mut values = Vec::with_capacity(table.columns.len());
        while let Some(row) = rows.next()? {
            values.clear();
            for column in 0..table.columns.len() {
                values.push(value(row, column)?);
            }
            writer.row(table, &values)?;
        }
    }
    writer.finish()
}

/// Fills an empty store, all or nothing.
pub(super) fn read(c: &Connection, from: &Path) -> Result<(), RecordError> {
    let mut reader = Reader::open(from)?;
    c.execute_batch("BEGIN IMMEDIATE")?;
    let filled = fill(c, &mut reader).and_then(|()| Ok(c.execute_batch("COMMIT")?));
    if filled.is_err() {
        // After some errors SQLite has rolled back already; then there is nothing to undo.
        drop(c.execute_batch("ROLLBACK"));
    }
    filled
}

fn fill(c: &Connection, reader: &mut Reader) -> Result<(), RecordError> {
    for table in TABLES {
        let sql = format!("SELECT EXISTS (SELECT 1 FROM {})", table.name);
        if c.query_row(&sql, [], |row| row.get(0))? {
            return Err(not_empty());
        }
    }
    while let Some((table, values)) = reader.next()? {
        c.prepare_cached(&insert(table))?.execute(params_from_iter(&values))?;
    }
    Ok(())
}

fn insert(table: &Table) -> String {
    let marks = vec!["?"; table.columns.len()].join(", ");
    format!("INSERT INTO {} ({}) VALUES ({marks})", table.name, table.column_list())
}
