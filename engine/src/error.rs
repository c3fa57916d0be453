//! What an engine answers when it cannot do what was asked.

use std::{error::Error, fmt::Display, io};

/// Why an engine did not do what was asked. No text of it contains a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The URL is of a kind that no engine here speaks.
    #[error(
        "`{url}` names no engine that is known here: an engine is `sqlite:///path`, `postgres://…` or, for workers, `debusine+https://…`"
    )]
    UnknownScheme {
        /// The URL, without its password.
        url: String,
    },
    /// The URL is of a known kind, but cannot be read.
    #[error("the engine's address `{url}` cannot be used: {reason}")]
    BadUrl {
        /// The URL, without its password.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The database or server cannot be reached, or does not answer in time.
    #[error("the engine `{place}` is not available")]
    Unavailable {
        /// Its URL, without its password.
        place: String,
        /// What the system or the driver says.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The server is none that is known here.
    #[error("`{place}` is no server that this program can serve: {reason}")]
    Foreign {
        /// Its URL.
        place: String,
        /// How that was noticed.
        reason: String,
    },
    /// The server does not do what was asked.
    #[error("{reason}")]
    Refused {
        /// What, and why.
        reason: String,
    },
    /// Others can read a secret of the worker's.
    #[error("{file} is not used: {reason}")]
    Exposed {
        /// The file.
        file: String,
        /// Who.
        reason: String,
        /// The command that helps.
        remedy: String,
    },
    /// The database answered with an error.
    #[error("the database `{place}` failed")]
    Database {
        /// Its URL, without its password.
        place: String,
        /// What it says.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The role that connects may not do this.
    #[error("the database `{place}` does not permit this to the role that connects")]
    Denied {
        /// Its URL, without its password.
        place: String,
        /// What it says.
        source: Box<dyn Error + Send + Sync>,
    },
    /// Others may change the database's file.
    #[error(
        "the database `{place}` is not used, since others could change what is in it: {reason}"
    )]
    Untrusted {
        /// Its URL.
        place: String,
        /// Which file or folder, and who.
        reason: String,
        /// The command that helps.
        remedy: String,
    },
    /// The database was made by a newer program.
    #[error(
        "the database `{place}` has schema version {found}, and this program knows up to {known}"
    )]
    Newer {
        /// Its URL, without its password.
        place: String,
        /// The version found.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// There is no such thing.
    #[error("there is no {what} `{name}`")]
    NotFound {
        /// What was looked for.
        what: &'static str,
        /// Its number or name.
        name: String,
    },
    /// The lease is lost: what the attempt says counts no more.
    #[error("the lease is lost: {reason}")]
    Stale {
        /// Which, and how it was lost.
        reason: String,
    },
    /// The request is in another state than this needs.
    #[error("request {request} is {status}, so it cannot be {wanted}")]
    WrongState {
        /// The request.
        request: i64,
        /// Its status.
        status: &'static str,
        /// What was asked: `retried`, …
        wanted: &'static str,
    },
    /// A worker that is to be removed executes something.
    #[error("worker `{name}` executes {running} request(s), so it cannot be removed")]
    Busy {
        /// Its name.
        name: String,
        /// How many requests it executes.
        running: u32,
    },
    /// Something is larger than what an engine takes.
    #[error("the {what} has {size} {unit}, and at most {limit} are taken")]
    TooLarge {
        /// What.
        what: &'static str,
        /// Its size.
        size: usize,
        /// The limit.
        limit: usize,
        /// What is counted: `bytes`, …
        unit: &'static str,
    },
    /// Something is not what it has to be.
    #[error("the {what} cannot be used: {reason}")]
    Invalid {
        /// What.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// What is stored is not what was stored once.
    #[error("the stored {what} is damaged: {reason}")]
    Corrupt {
        /// What.
        what: &'static str,
        /// How that was noticed.
        reason: String,
    },
    /// A file that goes in or out cannot be read or written.
    #[error("the content of file `{name}` cannot be read or written")]
    Content {
        /// The file's name in the artifact.
        name: String,
        /// Why.
        source: io::Error,
    },
}

impl EngineError {
    /// What can be done about it.
    pub fn help(&self) -> Option<String> {
        let text = match self {
            Self::UnknownScheme { .. } => {
                "for this machine alone use `sqlite:///var/lib/taskbay/queue.db`, for several `postgres://host/database`, for a \
                 worker of a Debusine server `debusine+https://host/api`"
            }
            Self::BadUrl { .. } => {
                "write `sqlite:///absolute/path`, `postgres://user@host:port/database` or `debusine+https://host/api`"
            }
            Self::Unavailable { place, .. } if place.starts_with("debusine") => {
                "see that the server runs and that the address is right; nothing that was recorded is lost"
            }
            Self::Foreign { .. } => {
                "see that the address is that of the API of a Debusine server (`https://host/api`) of version 0.11.3 or 0.16.2"
            }
            Self::Exposed { remedy, .. } => {
                return Some(format!(
                    "`{remedy}`; if others may have read it, remove it, so that the worker registers anew"
                ));
            }
            Self::Unavailable { .. } => {
                "see that the database runs, that the address is right, and that the disk is not full; nothing that was \
                 recorded is lost"
            }
            Self::Denied { .. } => {
                "connect as the role that owns the schema `taskbay`; members of `taskbay_worker` can only do a worker's work"
            }
            Self::Untrusted { remedy, .. } => {
                return Some(format!(
                    "let nobody but root and this user write to it (`{remedy}`), or use another file; several users can \
                     share a PostgreSQL database"
                ));
            }
            Self::Newer { .. } => {
                "upgrade taskbay on this machine, all machines of one engine alike"
            }
            Self::Stale { .. } => {
                "stop the attempt and drop its result: the request is another attempt's now. Longer leases help where \
                 machines pause"
            }
            Self::Busy { .. } => {
                "drain it first (`taskbay worker-set NAME --drain`), and wait until it is done; what a dead worker has is given \
                 to others when its lease runs out"
            }
            Self::TooLarge { .. } => "store what is large as an artifact",
            Self::Corrupt { .. } => "check the disk, and restore the database from a backup",
            Self::WrongState { .. } => "look at its state with `taskbay show`",
            Self::Database { .. }
            | Self::Refused { .. }
            | Self::NotFound { .. }
            | Self::Invalid { .. }
            | Self::Content { .. } => return None,
        };
        Some(text.to_owned())
    }

    pub(crate) fn invalid(what: &'static str, reason: impl Into<String>) -> Self {
        Self::Invalid {
            what,
            reason: reason.into(),
        }
    }

    pub(crate) fn not_found(what: &'static str, name: impl Display) -> Self {
        Self::NotFound {
            what,
            name: format!("{name}"),
        }
    }

    pub(crate) fn corrupt(what: &'static str, reason: impl Display) -> Self {
        Self::Corrupt {
            what,
            reason: format!("{reason}"),
        }
    }

    /// The error with the place where it happened, which the queries do not know.
    pub(crate) fn at(mut self, here: &str) -> Self {
        if let Self::Unavailable { place, .. }
        | Self::Database { place, .. }
        | Self::Denied { place, .. } = &mut self
        {
            here.clone_into(place);
        }
        self
    }
}
