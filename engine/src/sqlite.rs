//! SQLite: one file on one machine, and a worker's side in transactions of this process.

mod artifact;
mod claim;
mod file;
mod lease;
mod log;
mod migrate;
mod report;

use crate::{EngineError, place::Place, sql::Database};
use sqlx::{
    Connection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{path::Path, time::Duration};

pub(crate) use artifact::{keep_chunk, put_chunk, relate, store_artifact};
pub(crate) use claim::claim;
pub(crate) use lease::{complete, is_abort_requested, release, renew};
pub(crate) use log::append_log;
pub(crate) use report::{forget, report, settle};

/// How long a writer waits for another process's.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);
/// How many connections read at a time.
const READERS: u32 = 4;
/// Switching a new file to WAL fails at once where two do it, whatever the busy timeout.
const TRIES: u32 = 50;

/// Opens the file, which is created where missing, and brings it up to date.
pub(crate) async fn open(place: &Place, path: &Path) -> Result<Database, EngineError> {
    file::prepare(path, place)?;
    let options = options(path);
    let mut tries = 0;
    let writer = loop {
        let pool = pool(1).idle_timeout(None).max_lifetime(None);
        match pool
            .connect_with(options.clone())
            .await
            .map_err(EngineError::from)
        {
            Err(EngineError::Unavailable { .. }) if tries < TRIES => tries += 1,
            done => break done?,
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let readers = pool(READERS).connect_lazy_with(options);
    let database = Database::Sqlite { writer, readers };
    migrate::migrate(&database, place).await?;
    Ok(database)
}

/// Connections that are usable. On a full disk SQLite ends a transaction by itself, of which the driver hears nothing: to it
/// the transaction goes on, and none can begin any more.
fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .before_acquire(|connection, _| {
            let is_usable = !connection.is_in_transaction();
            Box::pin(async move { Ok(is_usable) })
        })
}

/// A connection of its own, for whoever watches the file.
pub(crate) fn watcher(readers: &SqlitePool) -> SqlitePool {
    let options = SqliteConnectOptions::clone(&readers.connect_options());
    // The version that it watches is one connection's: it must stay the same one.
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None);
    pool.connect_lazy_with(options)
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .busy_timeout(BUSY_TIMEOUT)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
}
