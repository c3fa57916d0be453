//! Verdicts as rows: which match signatures suit which metadata.

use crate::RequestId;
use std::sync::Arc;
use taskbay_core::{Metadata, Reason, TaskName, Verdict};

/// A match signature with pending requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingSignature {
    /// Its number. One that comes later has a greater one.
    pub number: i64,
    /// Its key, as the scheduler made it.
    pub key: String,
    /// The task.
    pub task_name: TaskName,
    /// The pending request of the signature that is first in the queue.
    pub example: RequestId,
    /// Its priority.
    pub priority: i64,
}

/// The verdicts on some signatures that nobody has given yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MissingVerdicts {
    /// The hashes of all metadata of workers seen in the last ten minutes, sorted.
    pub hashes: Vec<String>,
    /// Which of them lack a verdict on which of the signatures.
    pub pairs: Vec<MissingVerdict>,
}

/// A verdict that nobody has given yet.
#[derive(Clone, Debug, PartialEq)]
pub struct MissingVerdict {
    /// The key of the signature.
    pub signature: String,
    /// The task.
    pub task_name: TaskName,
    /// The pending request of the signature that is first in the queue, to be configured anew where the scheduler has
    /// forgotten it.
    pub example: RequestId,
    /// Its priority.
    pub priority: i64,
    /// The hash of the metadata.
    pub metadata_hash: String,
    /// The metadata, the effective one of at least one worker.
    pub metadata: Arc<Metadata>,
}

/// A verdict to be recorded, in the place of an earlier one.
#[derive(Clone, Debug, PartialEq)]
pub struct NewVerdict {
    /// The key of the signature.
    pub signature: String,
    /// The hash of the metadata.
    pub metadata_hash: String,
    /// The verdict.
    pub verdict: Verdict,
}

/// A recorded verdict, with whom it is about.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedVerdict {
    /// The hash of the metadata.
    pub metadata_hash: String,
    /// Whether such workers suit.
    pub can_run: bool,
    /// Why not.
    pub reasons: Vec<Reason>,
    /// The workers whose effective metadata it is, sorted.
    pub workers: Vec<String>,
}
