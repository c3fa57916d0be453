//! When a service is told to end.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// How often whoever waits looks whether the service is told to end.
pub(crate) const LOOK: Duration = Duration::from_millis(100);

/// Counts how often a service was told to end: once to finish what it has, twice to do so at once.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicUsize>);

impl Stop {
    /// One that was not told yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells the service to end, or to hurry.
    pub fn tell(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether it shall end.
    pub fn is_told(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }

    /// Waits, unless the service is told to end.
    pub(crate) fn pause(&self, time: Duration) {
        let until = Instant::now() + time;
        while !self.is_told() && Instant::now() < until {
            thread::sleep(LOOK);
        }
    }

    /// Whether it shall end at once.
    pub fn is_urgent(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 1
    }
}
