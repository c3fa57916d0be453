//! Points in time that a user may have set as far off as a duration can say.

use std::time::{Duration, Instant};

/// The longest time that anything may be given: longer than anything runs, and near enough for every clock.
pub const LONGEST: Duration = Duration::from_hours(24 * 365 * 100);

/// `duration` after `start`; a century after it when that is further off than can be said.
pub(crate) fn later(start: Instant, duration: Duration) -> Instant {
    start + duration.min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_duration_has_an_end() {
        let now = Instant::now();
        assert_eq!(
            later(now, Duration::from_secs(3)),
            now + Duration::from_secs(3)
        );
        assert!(later(now, Duration::MAX) > now + Duration::from_hours(24));
    }
}
