//! Tells whoever waits that something happened.

use std::{
    collections::BTreeSet,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use taskbay_engine::Seen;

/// Tells whoever waits that something happened, or that it is time.
#[derive(Debug)]
pub(crate) struct Bell {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    /// How often it was rung.
    count: u64,
    /// When it rings by itself: each seat has its own time.
    alarms: BTreeSet<Instant>,
}

impl Bell {
    /// One that nobody has heard yet.
    pub(crate) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                count: 1,
                alarms: BTreeSet::new(),
            }),
            changed: Condvar::new(),
        }
    }

    pub(crate) fn ring(&self) {
        self.state().count += 1;
        self.changed.notify_all();
    }

    /// Rings by itself at that time, if it does not sooner.
    pub(crate) fn ring_at(&self, time: Instant) {
        if self.state().alarms.insert(time) {
            self.changed.notify_all();
        }
    }

    /// Waits until it was rung since the caller last heard it, at most so long; says whether.
    pub(crate) fn wait(&self, seen: &mut Seen, timeout: Duration) -> bool {
        let until = Instant::now() + timeout;
        let mut state = self.state();
        loop {
            let now = Instant::now();
            while state.alarms.first().is_some_and(|alarm| *alarm <= now) {
                state.alarms.pop_first();
                state.count += 1;
                self.changed.notify_all();
            }
            if state.count != seen.0 {
                seen.0 = state.count;
                return true;
            }
            if now >= until {
                return false;
            }
            let next = state
                .alarms
                .first()
                .map_or(until, |alarm| until.min(*alarm));
            let waited = self.changed.wait_timeout(state, next - now);
            (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// Whoever waits already hears it, too.
    #[test]
    fn it_rings_when_it_is_time() {
        let (bell, mut seen) = (Bell::new(), Seen::default());
        bell.wait(&mut seen, Duration::ZERO);
        let long = Duration::from_mins(1);
        let begun = Instant::now();
        std::thread::scope(|scope| {
            let heard = scope.spawn(|| bell.wait(&mut seen, long));
            std::thread::sleep(Duration::from_millis(50));
            bell.ring_at(begun + long);
            bell.ring_at(begun + Duration::from_millis(100));
            bell.ring_at(begun + long / 3);
            assert!(heard.join().unwrap());
        });
        // Of several times the first does not take the others along.
        bell.ring_at(Instant::now() + Duration::from_millis(20));
        assert!(bell.wait(&mut seen, long));
        assert!(begun.elapsed() < long / 2);
        assert!(!bell.wait(&mut seen, Duration::ZERO));
    }
}
