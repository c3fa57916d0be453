//! What a worker is like now.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};
use taskbay_core::{Metadata, TaskName};
use taskbay_engine::Report;
use taskbay_loader::Admissible;

/// What a worker is like: the files of its tasks, and what holds of its metadata.
#[derive(Clone, Debug, Default)]
pub(crate) struct Present {
    pub(crate) files: BTreeMap<TaskName, Admissible>,
    /// What it reports; none before the first time.
    pub(crate) report: Option<Report>,
    /// What it reports, with what an administrator says over it.
    pub(crate) metadata: Metadata,
}

/// What a worker is like now; attempts that began before go on with what was.
#[derive(Debug, Default)]
pub(crate) struct Now(RwLock<Arc<Present>>);

impl Now {
    pub(crate) fn get(&self) -> Arc<Present> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn set(&self, present: Present) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(present);
    }
}
