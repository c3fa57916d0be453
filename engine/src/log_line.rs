//! What attempts log.

use crate::Timestamp;
use serde::{Deserialize, Serialize};

/// A line as a worker appends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLogLine {
    /// How much it matters.
    pub level: LogLevel,
    /// What it says, at most 64 KiB.
    pub message: String,
}

/// A line of an attempt's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// Where it stands in the request's log.
    #[serde(flatten)]
    pub position: LogPosition,
    /// When the engine got it.
    pub time: Timestamp,
    /// How much it matters.
    pub level: LogLevel,
    /// What it says.
    pub message: String,
}

/// A place in a request's log. The default is before the first line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LogPosition {
    /// The attempt.
    pub attempt: i64,
    /// The line in it, from 1.
    pub line: i64,
}

/// How much a line matters. `Output` is what commands print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// The task did not go on.
    Error,
    /// Something is not as it should be.
    Warn,
    /// For whoever watches.
    Info,
    /// For whoever looks for a fault.
    Debug,
    /// For whoever looks for a fault long.
    Trace,
    /// What a command of the task printed.
    Output,
}
