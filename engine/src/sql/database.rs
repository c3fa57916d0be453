//! Two databases behind one small face, so that a query which both understand is written once.
//!
//! Both take `$1` as a parameter. All numbers are 64 bits wide, moments are milliseconds, documents are JSON text.

use super::{Row, Value};
use crate::{EngineError, postgres::Server};
use sqlx::{Postgres, Sqlite, SqlitePool, query};
use std::time::{SystemTime, UNIX_EPOCH};

/// The channel on which PostgreSQL tells that something changed.
pub(crate) const CHANNEL: &str = "taskbay";

/// A database.
#[derive(Debug)]
pub(crate) enum Database {
    /// One connection writes, since SQLite has one writer at a time and in-process callers queue fairly that way; several read.
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
    },
    Postgres(Server),
}

/// A transaction. Dropped without `commit`, it did nothing.
pub(crate) enum Transaction {
    Sqlite(sqlx::Transaction<'static, Sqlite>),
    Postgres(sqlx::Transaction<'static, Postgres>),
}

/// Binds the values to a query, whichever its database.
macro_rules! bound {
    ($sql:expr, $values:expr) => {
        $values
            .iter()
            .fold(query($sql), |query, value| match *value {
                Value::Int(int) => query.bind(int),
                Value::Bool(bool) => query.bind(bool),
                Value::Text(text) => query.bind(text),
                Value::Bytes(bytes) => query.bind(bytes),
            })
    };
}

impl Database {
    /// Begins a transaction that writes.
    pub(crate) async fn begin(&self) -> Result<Transaction, EngineError> {
        Ok(match self {
            // From the start: a reader that became a writer could fail at once where another wrote meanwhile.
            Self::Sqlite { writer, .. } => {
                Transaction::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?)
            }
            Self::Postgres(server) => Transaction::Postgres(server.begin().await?),
        })
    }

    /// Executes one statement, which is a transaction of its own: with fewer ways to the server and back than one that is
    /// begun and committed. Gives its only row, if there is one.
    pub(crate) async fn alone(
        &self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<Option<Row>, EngineError> {
        if let Self::Postgres(server) = self {
            let mut connection = server.connection().await?;
            let row = bound!(sql, values).fetch_optional(&mut *connection).await?;
            return Ok(row.map(Row::Postgres));
        }
        let mut transaction = self.begin().await?;
        let row = transaction.row(sql, values).await?;
        transaction.commit().await?;
        Ok(row)
    }

    /// Begins a transaction that reads.
    pub(crate) async fn read(&self) -> Result<Transaction, EngineError> {
        Ok(match self {
            Self::Sqlite { readers, .. } => Transaction::Sqlite(readers.begin().await?),
            Self::Postgres(server) => Transaction::Postgres(server.begin().await?),
        })
    }
}

impl Transaction {
    pub(crate) async fn rows(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, EngineError> {
        Ok(match self {
            Self::Sqlite(transaction) => {
                let rows = bound!(sql, values).fetch_all(&mut **transaction).await?;
                rows.into_iter().map(Row::Sqlite).collect()
            }
            Self::Postgres(transaction) => {
                let rows = bound!(sql, values).fetch_all(&mut **transaction).await?;
                rows.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    /// The only row, if there is one.
    pub(crate) async fn row(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<Option<Row>, EngineError> {
        Ok(self.rows(sql, values).await?.pop())
    }

    /// The only row, of a query that always gives one.
    pub(crate) async fn one(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<Row, EngineError> {
        let row = self.row(sql, values).await?;
        row.ok_or_else(|| sqlx::Error::RowNotFound.into())
    }

    /// Says how many rows changed.
    pub(crate) async fn execute(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<u64, EngineError> {
        Ok(match self {
            Self::Sqlite(transaction) => bound!(sql, values)
                .execute(&mut **transaction)
                .await?
                .rows_affected(),
            Self::Postgres(transaction) => bound!(sql, values)
                .execute(&mut **transaction)
                .await?
                .rows_affected(),
        })
    }

    /// Statements without values, as a migration has them.
    pub(crate) async fn script(&mut self, sql: &'static str) -> Result<(), EngineError> {
        match self {
            Self::Sqlite(transaction) => sqlx::raw_sql(sql)
                .execute(&mut **transaction)
                .await
                .map(drop)?,
            Self::Postgres(transaction) => sqlx::raw_sql(sql)
                .execute(&mut **transaction)
                .await
                .map(drop)?,
        }
        Ok(())
    }

    /// The text for the database at hand, where they differ.
    pub(crate) fn pick<T>(&self, sqlite: T, postgres: T) -> T {
        match self {
            Self::Sqlite(_) => sqlite,
            Self::Postgres(_) => postgres,
        }
    }

    /// The database's clock.
    pub(crate) async fn now(&mut self) -> Result<i64, EngineError> {
        match self {
            Self::Sqlite(_) => {
                let since = SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .unwrap_or_default();
                Ok(crate::timestamp::millis(since))
            }
            Self::Postgres(_) => self
                .one("select taskbay.now_ms() as now", &[])
                .await?
                .get("now"),
        }
    }

    /// Tells those who wait, once this is committed.
    pub(crate) async fn notify(&mut self) -> Result<(), EngineError> {
        if let Self::Postgres(_) = self {
            self.execute("select pg_notify($1, '')", &[CHANNEL.into()])
                .await?;
        }
        Ok(())
    }

    /// Ends it without a change. Dropped, it would end a little later, and keep what it locked from others until then.
    pub(crate) async fn give_up(self) -> Result<(), EngineError> {
        match self {
            Self::Sqlite(transaction) => transaction.rollback().await?,
            Self::Postgres(transaction) => transaction.rollback().await?,
        }
        Ok(())
    }

    pub(crate) async fn commit(self) -> Result<(), EngineError> {
        match self {
            Self::Sqlite(transaction) => transaction.commit().await?,
            Self::Postgres(transaction) => transaction.commit().await?,
        }
        Ok(())
    }
}
