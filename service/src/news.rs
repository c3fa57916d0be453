//! That something happened in an engine, for those who wait for it.

use std::{
    sync::{Condvar, Mutex, PoisonError},
    time::Duration,
};

/// Counts what happens, so that nothing goes unseen between looking and waiting.
#[derive(Debug, Default)]
pub(crate) struct News {
    count: Mutex<u64>,
    came: Condvar,
}

impl News {
    /// How much has happened so far.
    pub(crate) fn count(&self) -> u64 {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something happened.
    pub(crate) fn comes(&self) {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.came.notify_all();
    }

    /// Waits until more has happened than `seen`, that long at most.
    pub(crate) fn wait_for_more_than(&self, seen: u64, time: Duration) {
        let count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self
            .came
            .wait_timeout_while(count, time, |count| *count <= seen);
        drop(waited);
    }
}
