//! When a server is asked for work.

use std::time::{Duration, Instant};

/// How long after an offer that came to nothing the server is asked again: it tells of work a moment before the work is there,
/// and never tells again.
const AGAIN: [Duration; 5] = [
    Duration::from_millis(15),
    Duration::from_millis(50),
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(5),
];
/// How often it is asked although it offered nothing.
const REGULARLY: Duration = Duration::from_mins(1);

/// When a server is asked for work.
#[derive(Debug)]
pub(crate) struct Polling {
    due: Instant,
    /// How often it had nothing since it last offered something.
    tries: usize,
    /// Whether somebody was told that it is due.
    is_told: bool,
}

impl Polling {
    /// Begins with a question, since something may have been offered before.
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            due: now,
            tries: AGAIN.len(),
            is_told: false,
        }
    }

    /// The server offered something.
    pub(crate) fn is_offered(&mut self, now: Instant) {
        self.tries = 0;
        self.set(now);
    }

    /// It had nothing. Says when it is asked again.
    pub(crate) fn had_nothing(&mut self, now: Instant) -> Instant {
        let pause = AGAIN.get(self.tries).copied();
        self.tries = self.tries.saturating_add(1);
        self.set(now + pause.unwrap_or(REGULARLY));
        self.due
    }

    /// It is being asked. What it offers meanwhile is for the next time.
    pub(crate) fn asks(&mut self, now: Instant) {
        self.set(now + REGULARLY);
    }

    /// It is asked again after `pause` at the latest.
    pub(crate) fn pauses(&mut self, now: Instant, pause: Duration) {
        if self.left(now) > pause {
            self.set(now + pause);
        }
    }

    /// Whether it is to be asked.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.due <= now
    }

    /// Whether it has just become so: true once.
    pub(crate) fn becomes_due(&mut self, now: Instant) -> bool {
        let becomes_due = self.is_due(now) && !self.is_told;
        self.is_told |= becomes_due;
        becomes_due
    }

    /// How long until then.
    pub(crate) fn left(&self, now: Instant) -> Duration {
        self.due.saturating_duration_since(now)
    }

    fn set(&mut self, due: Instant) {
        self.due = due;
        self.is_told = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The server's word comes before its work, and never again.
    #[test]
    fn an_offer_that_came_to_nothing_is_asked_for_again() {
        let now = Instant::now();
        let mut polling = Polling::new(now);
        assert!(polling.becomes_due(now) && !polling.becomes_due(now));
        polling.had_nothing(now);
        assert_eq!(polling.left(now), REGULARLY);
        polling.is_offered(now);
        assert!(polling.is_due(now));
        for pause in AGAIN.into_iter().chain([REGULARLY, REGULARLY]) {
            polling.had_nothing(now);
            assert_eq!(polling.left(now), pause);
        }
    }

    /// What is offered while the server is asked, or while something runs, is asked for after that.
    #[test]
    fn an_offer_outlasts_what_runs() {
        let now = Instant::now();
        let mut polling = Polling::new(now);
        polling.asks(now);
        assert!(!polling.is_due(now));
        polling.is_offered(now);
        assert!(polling.is_due(now + Duration::from_hours(1)));
        polling.pauses(now, Duration::from_secs(5));
        assert!(polling.becomes_due(now));
    }

    #[test]
    fn a_pause_only_shortens() {
        let now = Instant::now();
        let mut polling = Polling::new(now);
        polling.asks(now);
        polling.pauses(now, Duration::from_hours(1));
        assert_eq!(polling.left(now), REGULARLY);
        polling.pauses(now, Duration::from_secs(5));
        assert_eq!(polling.left(now), Duration::from_secs(5));
    }
}
