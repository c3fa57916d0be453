//! PostgreSQL: a database that several machines share, and a worker's side as functions in it.

mod migrate;
mod server;
mod work;

use crate::{EngineError, place::Place, sql::Database};
use sqlx::postgres::PgConnectOptions;
use std::str::FromStr;

pub(crate) use server::{ANSWER_TIMEOUT, CROWDED, Crowd, Server, in_time, no_answer};
pub(crate) use work::{
    append_log, claim, complete, forget, is_abort_requested, keep_chunk, put_chunk, relate,
    release, renew, report, settle, store_artifact,
};

/// Connects, and brings the schema up to date.
pub(crate) async fn open(place: &Place, url: &str) -> Result<Database, EngineError> {
    let options = PgConnectOptions::from_str(url).map_err(|error| EngineError::BadUrl {
        url: place.to_string(),
        // The parser's other errors may quote what it could not read, which may be the password.
        reason: match error {
            sqlx::Error::Configuration(_) => {
                "it cannot be parsed; escape special characters of the password".to_owned()
            }
            _ => "it has options that are not known".to_owned(),
        },
    })?;
    let options = options.application_name("taskbay").options([
        ("search_path", "taskbay,pg_temp"),
        // A statement that nobody waits for any more is broken off: it would keep its place among the server's connections as
        // long as it waits for a lock, and then do what nobody hears of.
        ("client_connection_check_interval", "5s"),
        // Whoever is paused, or gone without a word, in the middle of a transaction keeps what it locked from everybody else. No
        // transaction waits for anything but the server.
        ("idle_in_transaction_session_timeout", "10s"),
    ]);
    let database = Database::Postgres(Server::new(options));
    migrate::migrate(&database, place).await?;
    Ok(database)
}
