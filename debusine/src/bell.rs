//! Tells whoever waits that something happened.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use taskbay_engine::Seen;

/// Tells whoever waits that something happened.
#[derive(Debug)]
pub(crate) struct Bell {
    count: Mutex<u64>,
    rung: Condvar,
}

impl Bell {
    /// One that nobody has heard yet.
    pub(crate) fn new() -> Self {
        Self {
            count: Mutex::new(1),
            rung: Condvar::new(),
        }
    }

    pub(crate) fn ring(&self) {
        *self.count() += 1;
        self.rung.notify_all();
    }

    /// Waits until it was rung since the caller last heard it, at most so long; says whether.
    pub(crate) fn wait(&self, seen: &mut Seen, timeout: Duration) -> bool {
        let heard = |count: &mut u64| *count == seen.0;
        let waited = self.rung.wait_timeout_while(self.count(), timeout, heard);
        let (count, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let is_new = *count != seen.0;
        seen.0 = *count;
        is_new
    }

    fn count(&self) -> MutexGuard<'_, u64> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_heard_is_not_heard_again() {
        let (bell, mut seen) = (Bell::new(), Seen::default());
        let now = Duration::ZERO;
        assert!(bell.wait(&mut seen, now));
        assert!(!bell.wait(&mut seen, now));
        bell.ring();
        bell.ring();
        assert!(bell.wait(&mut seen, now));
        assert!(!bell.wait(&mut seen, now));
    }
}
