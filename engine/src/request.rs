//! Work requests: a task's name, its data, and how far it got.

use crate::{Attempt, Timestamp};
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};
use taskbay_core::{OutcomeError, OutcomeResult, TaskName};

/// The number of a request in its engine. Later requests have higher ones.
pub type RequestId = i64;

/// How often a request is tried where it does not say.
pub const DEFAULT_MAX_ATTEMPTS: u32 = 3;

/// A request as it is submitted.
#[derive(Clone, Debug, PartialEq)]
pub struct NewRequest {
    /// The task.
    pub task_name: TaskName,
    /// What it is configured with: one JSON document, kept as it is written, at most 1 MiB.
    pub task_data: String,
    /// Higher goes first; 0 where nothing speaks for or against it.
    pub priority: i32,
    /// How long an attempt may take; as long as it likes where not given.
    pub timeout: Option<Duration>,
    /// After how many lost attempts it is held; at least 1.
    pub max_attempts: u32,
}

/// A request without its data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Its number.
    pub id: RequestId,
    /// The task.
    pub task_name: TaskName,
    /// Higher goes first.
    pub priority: i32,
    /// When it was submitted.
    pub created_at: Timestamp,
    /// How long an attempt may take.
    pub timeout: Option<Duration>,
    /// After how many lost attempts it is held.
    pub max_attempts: u32,
    /// How far it got.
    pub status: Status,
    /// The result, once completed.
    pub result: Option<OutcomeResult>,
    /// What went wrong; of a held request, what became of its attempts.
    pub errors: Vec<OutcomeError>,
    /// Whether somebody asked to stop it.
    pub abort_requested: bool,
    /// Before that moment nobody gets it.
    pub not_before: Timestamp,
    /// The key of its match signature, once somebody configured it.
    pub signature: Option<String>,
    /// How often a worker has claimed it, in all.
    pub attempts: i64,
    /// When it was completed.
    pub completed_at: Option<Timestamp>,
}

/// A request with its data and attempts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequestDetails {
    /// The request.
    #[serde(flatten)]
    pub request: Request,
    /// The JSON document as it was submitted.
    pub task_data: String,
    /// Its attempts, the first one first.
    pub tries: Vec<Attempt>,
}

/// How far a request got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It waits for a worker.
    Pending,
    /// A worker has it.
    Running,
    /// It has a result.
    Completed,
    /// Its attempts are used up and left no result; somebody has to look.
    Held,
}

/// Which requests to list.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestFilter {
    /// Only those that got that far.
    pub status: Option<Status>,
    /// Only those of that task.
    pub task_name: Option<TaskName>,
    /// Only those with a lower number, to page on.
    pub before: Option<RequestId>,
    /// At most so many.
    pub limit: u32,
}

/// What became of the wish to stop a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Abort {
    /// It had not begun, and is completed as aborted.
    Completed,
    /// Its worker is told with the next renewal.
    Requested,
    /// It had its result already, and keeps it.
    TooLate,
}

/// A pending request that nobody has configured yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Unsigned {
    /// Its number.
    pub id: RequestId,
    /// The task.
    pub task_name: TaskName,
    /// The JSON document as it was submitted.
    pub task_data: String,
    /// Its priority.
    pub priority: i64,
}

impl NewRequest {
    /// A request of priority 0 without a time limit, that is held after three lost attempts.
    pub fn new(task_name: TaskName, task_data: impl Into<String>) -> Self {
        Self {
            task_name,
            task_data: task_data.into(),
            priority: 0,
            timeout: None,
            max_attempts: DEFAULT_MAX_ATTEMPTS,
        }
    }
}

impl Default for RequestFilter {
    /// The newest 100.
    fn default() -> Self {
        Self {
            status: None,
            task_name: None,
            before: None,
            limit: 100,
        }
    }
}

impl Status {
    /// The status as scripts spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Held => "held",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
