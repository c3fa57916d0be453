//! Attempts: one try to execute a request each, under a lease.

use crate::{EngineError, RequestId, Timestamp, sql::Row, timestamp::span};
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};
use taskbay_core::TaskName;

/// What a worker holds while it executes a request. Every word about the attempt names it.
///
/// The fence grows with each claim of the request by a random number: nobody can guess it who may do a worker's work only,
/// and it does not come again either when the database is restored from a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Lease {
    /// The request.
    pub request: RequestId,
    /// The attempt's number in it, from 1.
    pub attempt: i64,
    /// The fencing number.
    pub fence: i64,
}

/// A request that a worker may execute now.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// What to name from now on.
    pub lease: Lease,
    /// Until when the lease holds, unless renewed, by the database's clock.
    pub lease_until: Timestamp,
    /// The task.
    pub task_name: TaskName,
    /// The JSON document as it was submitted.
    pub task_data: String,
    /// Its priority.
    pub priority: i32,
    /// How long the attempt may take.
    pub timeout: Option<Duration>,
}

/// What a renewed lease comes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Renewal {
    /// Until when it holds now.
    pub lease_until: Timestamp,
    /// Whether somebody asked to stop the request.
    pub abort_requested: bool,
}

/// One try to execute a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// Its number in the request, from 1.
    pub n: i64,
    /// The worker that has or had it.
    pub worker: String,
    /// When it was claimed.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How it ended.
    pub outcome: Option<AttemptOutcome>,
    /// Why it was lost or released, in words.
    pub reason: Option<String>,
    /// Until when its lease holds or held.
    pub lease_until: Timestamp,
    /// Its fencing number.
    pub fence: i64,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptOutcome {
    /// As the result of the request.
    Success,
    /// As the result of the request.
    Failure,
    /// As the result of the request.
    Error,
    /// As the result of the request.
    Aborted,
    /// Its worker let the lease run out.
    Lost,
    /// Its worker handed the request back.
    Released,
}

impl fmt::Display for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            request,
            attempt,
            fence,
        } = self;
        write!(f, "attempt {attempt} of request {request} (fence {fence})")
    }
}

/// The claim that a claiming statement gave.
pub(crate) fn claim_of(row: &Row) -> Result<Claim, EngineError> {
    Ok(Claim {
        lease: Lease {
            request: row.int("request_id")?,
            attempt: row.int("attempt")?,
            fence: row.int("fence")?,
        },
        lease_until: Timestamp(row.int("lease_until")?),
        task_name: row.word("task_name")?,
        task_data: row.text("task_data")?,
        priority: row.count("priority")?,
        timeout: row.get::<Option<i64>>("timeout_ms")?.map(span),
    })
}
