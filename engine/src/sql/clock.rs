//! What becomes of leases and waiting requests when the database's clock is set, or the machine slept.

use super::{Database, expiry::LONGEST_BACK_OFF_MS};
use crate::EngineError;
use std::{
    sync::{Mutex, PoisonError},
    time::Instant,
};

/// How far the clock may go wrong unnoticed: less than any lease that lives long enough to be renewed.
const SLACK_MS: i64 = 1_000;

/// Nobody is to lose a lease that he had no time to renew: each holds for its length from now.
const LENGTHEN: &str = "
    update attempts set lease_until = $1 + lease_ms where ended_at is null and lease_until < $1 + lease_ms";
/// Leases that hold for longer than they were given: so the requests of a dead worker do not wait for the clock to be where
/// it was.
const SHORTEN: &str = "
    update attempts set lease_until = $1 + lease_ms where ended_at is null and lease_until > $1 + lease_ms + $2";
/// Requests that wait for longer than anybody makes them.
const LET_GO: &str = "
    update requests set not_before = $1 + $2 where status = 'pending' and not_before > $1 + $2";

/// What the database's clock said last, and when that was.
#[derive(Debug, Default)]
pub(crate) struct Clock(Mutex<Option<(i64, Instant)>>);

/// How the clock went on otherwise than time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Jump {
    /// It is ahead of where it should be.
    Ahead,
    /// It is behind; or it may be, since nobody has looked before.
    Back,
}

impl Clock {
    pub(super) fn jump(&self, now: i64) -> Option<Jump> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = last.replace((now, Instant::now()));
        let Some((then, when)) = before else {
            return Some(Jump::Back);
        };
        let passed = i64::try_from(when.elapsed().as_millis()).unwrap_or(i64::MAX);
        match now - then - passed {
            ahead if ahead > SLACK_MS => Some(Jump::Ahead),
            ahead if ahead < -SLACK_MS => Some(Jump::Back),
            _ => None,
        }
    }
}

/// Has what was noted by the clock before it jumped count from now.
pub(super) async fn put_right(database: &Database, jump: Jump) -> Result<(), EngineError> {
    let mut transaction = database.begin().await?;
    let now = transaction.now().await?;
    let (leases, requests) = match jump {
        Jump::Ahead => (transaction.execute(LENGTHEN, &[now.into()]).await?, 0),
        Jump::Back => (
            transaction
                .execute(SHORTEN, &[now.into(), SLACK_MS.into()])
                .await?,
            transaction
                .execute(LET_GO, &[now.into(), LONGEST_BACK_OFF_MS.into()])
                .await?,
        ),
    };
    if leases > 0 || requests > 0 {
        log::warn!(
            "the database's clock jumped: {leases} leases and {requests} waiting requests count from now"
        );
    }
    transaction.notify().await?;
    transaction.commit().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jumps_are_noticed_and_the_time_that_passes_is_not() {
        let clock = Clock::default();
        let hour = 3_600_000;
        assert_eq!(clock.jump(hour), Some(Jump::Back));
        assert_eq!(clock.jump(hour + 10), None);
        assert_eq!(clock.jump(2 * hour), Some(Jump::Ahead));
        assert_eq!(clock.jump(2 * hour), None);
        assert_eq!(clock.jump(hour), Some(Jump::Back));
    }
}
