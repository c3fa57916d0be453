//! Where work requests wait: in a file, or in a database that several machines share.
//!
//! [`open`] gives the [`Engine`] that a URL names. Requests come in with [`submit`](Engine::submit); a scheduler gives
//! them match signatures and records which workers suit; workers claim what suits them, under a lease; and what became of
//! it is recorded once. What a worker needs of it is a [`WorkerEngine`], which other crates may be too.
//!
//! This crate refuses to know what tasks mean, how matching is decided, and how tasks are executed: a verdict is a row that
//! somebody else filled, and task data a text that it keeps.

#![forbid(unsafe_code)]

mod engine;
mod error;
mod worker_engine;

mod open;
mod place;

mod attempt;
mod request;

mod verdict;
mod worker;

mod artifact;
mod files;
mod log_line;
mod upkeep;

mod hash;
pub mod limits;
mod timestamp;

mod postgres;
mod sql;
mod sql_error;
mod sqlite;

pub use artifact::{ArtifactFilter, NewArtifact, NewFile, StoredArtifact, StoredFile};
pub use attempt::{Attempt, AttemptOutcome, Claim, Lease, Renewal};
pub use engine::Engine;
pub use error::EngineError;
pub use files::{PartFile, write_file};
pub use log_line::{LogLevel, LogLine, LogPosition, NewLogLine};
pub use open::open;
pub use place::has_password;
pub use request::{
    Abort, DEFAULT_MAX_ATTEMPTS, NewRequest, Request, RequestDetails, RequestFilter, RequestId,
    Status, Unsigned,
};
pub use timestamp::Timestamp;
pub use upkeep::{Expired, Pruned, Seen};
pub use verdict::{MissingVerdict, MissingVerdicts, NewVerdict, PendingSignature, RecordedVerdict};
pub use worker::{ALIVE, Report, Settings, Standing, Worker};
pub use worker_engine::WorkerEngine;
