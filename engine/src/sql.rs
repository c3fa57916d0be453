//! What both databases do alike: one engine, and the queries that both understand.

mod database;
mod engine;
mod patience;
mod readable;
mod row;
mod value;
mod worker_engine;

pub(crate) mod again;
pub(crate) mod artifacts;
pub(crate) mod clock;
pub(crate) mod expiry;
pub(crate) mod logs;
pub(crate) mod prune;
pub(crate) mod requests;
pub(crate) mod signatures;
pub(crate) mod submission;
pub(crate) mod verdicts;
pub(crate) mod watch;
pub(crate) mod workers;

pub(crate) use database::{CHANNEL, Database, Transaction};
pub(crate) use engine::SqlEngine;
pub(crate) use readable::readable;
pub(crate) use row::{Row, json, word};
pub(crate) use value::Value;
