//! Workers: what they say of themselves, and what an administrator says of them.

use crate::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use taskbay_core::{Metadata, TaskName};

/// A worker that was not seen for longer counts for gone: nobody judges it any more.
pub const ALIVE: Duration = Duration::from_mins(10);

/// What a worker says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Its name. Whoever reports under a name is that worker.
    pub name: String,
    /// How many requests it executes at a time. For people and the scheduler: the engine counts nothing against it, since
    /// a worker claims only when it has room, and one that was killed must not wait for its own lost leases.
    pub slots: u32,
    /// Its metadata, at most 1 MiB.
    pub metadata: Metadata,
    /// A random number of the process that reports, which tells it from another one of its name.
    pub instance: u64,
}

/// How a worker stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// Whether it gets requests at all.
    pub enabled: bool,
    /// Whether it shall finish what it has and get nothing new.
    pub draining: bool,
    /// Whether the last report under this name, no more than a minute ago, came from another process. Before a process's
    /// first report that may be a predecessor which was killed; later it is another worker that has the name too.
    pub is_contested: bool,
    /// The hash of its effective metadata, by which verdicts are found.
    pub metadata_hash: String,
    /// What holds of its metadata: what it reported, with the administrator's static metadata over it.
    pub effective: Metadata,
}

/// A worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Worker {
    /// Its name.
    pub name: String,
    /// How many requests it executes at a time, as it last said.
    pub slots: u32,
    /// How many it executes now.
    pub running: u32,
    /// When it last reported or asked for work; never for one that only an administrator spoke of.
    pub last_seen: Option<Timestamp>,
    /// What it reported.
    pub reported: Metadata,
    /// What holds: what it reported, with the administrator's static metadata over it.
    pub effective: Metadata,
    /// The hash of what holds; none before its first report.
    pub metadata_hash: Option<String>,
    /// What an administrator said.
    pub settings: Settings,
}

/// What an administrator says of a worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Overrides what the worker reports, key by key.
    pub static_metadata: Metadata,
    /// The only tasks it gets. Where there is such a list, `deny` counts for nothing.
    pub allow: Option<Vec<TaskName>>,
    /// The tasks it does not get.
    pub deny: Option<Vec<TaskName>>,
    /// Whether it gets requests at all.
    pub enabled: bool,
    /// Whether it shall finish what it has and get nothing new.
    pub draining: bool,
}

impl Default for Settings {
    /// Enabled, with nothing overridden and nothing forbidden.
    fn default() -> Self {
        Self {
            static_metadata: Metadata::default(),
            allow: None,
            deny: None,
            enabled: true,
            draining: false,
        }
    }
}

impl Settings {
    /// Whether the lists permit the task.
    pub fn permits(&self, task: &TaskName) -> bool {
        match (&self.allow, &self.deny) {
            (Some(allow), _) => allow.contains(task),
            (None, Some(deny)) => !deny.contains(task),
            (None, None) => true,
        }
    }
}
