//! An attempt at a work request, as its server knows it.

use crate::{client::Login, debug_logs::DebugLogs, record::Record};
use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};
use taskbay_core::{ArtifactId, TaskName};
use taskbay_engine::Lease;

/// The most artifacts that the debug logs are related to.
const MOST_RELATED: usize = 100;
/// The categories of systems: what a task executes in is not what it is about.
const SYSTEMS: [&str; 2] = ["debian:system-tarball", "debian:system-image"];

/// An attempt at a work request, as its server knows it.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) lease: Lease,
    pub(crate) task: TaskName,
    pub(crate) login: Login,
    pub(crate) logs: DebugLogs,
    pub(crate) began: Instant,
    record: Record,
    about: Mutex<Vec<ArtifactId>>,
    source: Mutex<Option<String>>,
}

impl Attempt {
    /// One that begins now.
    pub(crate) fn begin(
        lease: Lease,
        task: TaskName,
        login: Login,
        logs: DebugLogs,
        record: Record,
    ) -> Self {
        Self {
            lease,
            task,
            login,
            logs,
            began: Instant::now(),
            record,
            about: Mutex::default(),
            source: Mutex::default(),
        }
    }

    /// The work request and its workspace.
    pub(crate) fn request(&self) -> (i64, &str) {
        (self.record.request, &self.record.workspace)
    }

    /// Notes that the task fetched an artifact.
    pub(crate) fn has_fetched(&self, artifact: ArtifactId, category: &str) {
        if SYSTEMS.contains(&category) {
            return;
        }
        let mut about = self.about.lock().unwrap_or_else(PoisonError::into_inner);
        if about.len() < MOST_RELATED && !about.contains(&artifact) {
            about.push(artifact);
        }
    }

    /// Notes where on the server the `.dsc` file is that the task fetched; the first is the one that it is about.
    pub(crate) fn has_source(&self, url: &str) {
        let mut source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        source.get_or_insert_with(|| url.to_owned());
    }

    /// Where on the server the source package is that the task is about.
    pub(crate) fn source(&self) -> Option<String> {
        let source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        source.clone()
    }

    pub(crate) fn duration(&self) -> Duration {
        self.began.elapsed()
    }

    /// What is known of it now.
    pub(crate) fn record(&self) -> Record {
        let about = self.about.lock().unwrap_or_else(PoisonError::into_inner);
        Record {
            about: about.clone(),
            ..self.record.clone()
        }
    }
}
