//! What a worker is like now.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, TryLockError},
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
    /// Whether the engine may have judged by more than that.
    pub(crate) is_partly_known: bool,
}

/// What a worker is like now; attempts that began before go on with what was.
#[derive(Debug, Default)]
pub(crate) struct Now {
    present: RwLock<Arc<Present>>,
    /// Held while the engine is told of a change, and while it is asked for work: what it gives then is for what the worker
    /// has.
    turn: Mutex<()>,
}

impl Now {
    pub(crate) fn get(&self) -> Arc<Present> {
        Arc::clone(&self.present.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until nobody asks for work, or tells of a change.
    pub(crate) fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// None while the engine is told of a change.
    pub(crate) fn try_turn(&self) -> Option<MutexGuard<'_, ()>> {
        match self.turn.try_lock() {
            Ok(turn) => Some(turn),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    pub(crate) fn set(&self, present: Present) {
        *self.present.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(present);
    }
}
