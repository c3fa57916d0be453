//! What a database's errors mean.

use crate::EngineError;
use std::{borrow::Cow, io};

impl EngineError {
    /// Whether the same may go well when it is tried again, since transactions were in each other's way: the database undid
    /// this one.
    pub(crate) fn is_passing(&self) -> bool {
        let Self::Database { source, .. } = self else {
            return false;
        };
        let code = source.downcast_ref::<sqlx::Error>().and_then(answer_code);
        code.is_some_and(|code| PASSING.contains(&&*code))
    }

    /// Whether something was not removed since something else refers to it.
    pub(crate) fn is_reference(&self) -> bool {
        let Self::Database { source, .. } = self else {
            return false;
        };
        let code = source.downcast_ref::<sqlx::Error>().and_then(answer_code);
        code.is_some_and(|code| code == REFERENCE)
    }

    /// Whether the same may go well in a while, without anybody doing anything about the address, the login, or the rights:
    /// the database is not reachable now, starts, or is overcrowded.
    pub fn is_temporary(&self) -> bool {
        let Self::Unavailable { source, .. } = self else {
            return false;
        };
        match source.downcast_ref::<sqlx::Error>() {
            Some(sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut) => true,
            Some(error) => answer_code(error).is_some_and(|code| {
                let of_postgres = code.len() == 5;
                of_postgres && !code.starts_with("28") && !code.starts_with("3D")
            }),
            None => source.is::<io::Error>(),
        }
    }

    /// Whether the server has no connection left.
    pub(crate) fn is_crowded(&self) -> bool {
        let Self::Unavailable { source, .. } = self else {
            return false;
        };
        let code = source.downcast_ref::<sqlx::Error>().and_then(answer_code);
        code.is_some_and(|code| code == TOO_MANY_CONNECTIONS)
    }
}

/// SQLSTATEs that the functions of the PostgreSQL engine raise.
const STALE: &str = "TB001";
const NO_WORKER: &str = "TB002";
const NO_FILE: &str = "TB003";
const NO_ARTIFACT: &str = "TB004";
/// PostgreSQL's own.
const INSUFFICIENT_PRIVILEGE: &str = "42501";
const TOO_MANY_CONNECTIONS: &str = "53300";
const REFERENCE: &str = "23503";
/// A failure to serialise, and a deadlock.
const PASSING: [&str; 2] = ["40001", "40P01"];

impl From<sqlx::Error> for EngineError {
    fn from(error: sqlx::Error) -> Self {
        let place = String::new();
        let Some(answer) = error.as_database_error() else {
            return match error {
                sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolTimedOut => {
                    Self::Unavailable {
                        place,
                        source: error.into(),
                    }
                }
                _ => Self::Database {
                    place,
                    source: error.into(),
                },
            };
        };
        let message = answer.message().to_owned();
        let code = answer.code().unwrap_or_default().into_owned();
        match code.as_str() {
            STALE => Self::Stale { reason: message },
            NO_WORKER => Self::not_found("worker", message),
            NO_FILE => Self::not_found("file", message),
            NO_ARTIFACT => Self::not_found("artifact", message),
            INSUFFICIENT_PRIVILEGE => Self::Denied {
                place,
                source: error.into(),
            },
            _ if is_unavailable(&code) => Self::Unavailable {
                place,
                source: error.into(),
            },
            _ => Self::Database {
                place,
                source: error.into(),
            },
        }
    }
}

fn answer_code(error: &sqlx::Error) -> Option<Cow<'_, str>> {
    error.as_database_error()?.code()
}

/// Connections and their resources (08, 53, 57P, and 25P03, that the server ended one since nothing came in the middle of its
/// transaction), logins (28) and missing databases (3D) of PostgreSQL; SQLite's busy, locked, full, cannot open and I/O errors,
/// whose extended codes have the plain one in their lowest byte.
fn is_unavailable(code: &str) -> bool {
    let of_postgres = ["08", "53", "57P", "25P03", "28", "3D"];
    if code.len() == 5 {
        return of_postgres.iter().any(|class| code.starts_with(class));
    }
    code.parse::<u32>()
        .is_ok_and(|code| matches!(code & 0xff, 5 | 6 | 10 | 13 | 14))
}
