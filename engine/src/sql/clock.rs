//! What becomes of leases and waiting requests when the database's clock is set, or the machine slept.

use super::{Database, Transaction, expiry::LONGEST_BACK_OFF_MS};
use crate::EngineError;
use std::{
    sync::{Mutex, PoisonError},
    time::Instant,
};

/// How far the clock may go wrong unnoticed, besides the time that the answers take: less than any lease that lives long enough
/// to be renewed.
const SLACK_MS: i64 = 1_000;

/// Nobody is to lose a lease that he had no time to renew: each holds for its length from now. Whoever says something before
/// this is refused all the same, since a lease is lost the moment it runs out.
const LENGTHEN: &str = "
    update attempts set lease_until = $1 + lease_ms where ended_at is null and lease_until < $1 + lease_ms";
/// Leases that hold for longer than they were given: so the requests of a dead worker do not wait for the clock to be where
/// it was.
const SHORTEN: &str = "
    update attempts set lease_until = $1 + lease_ms where ended_at is null and lease_until > $1 + lease_ms + $2";
/// Requests that wait for longer than anybody makes them.
const LET_GO: &str = "
    update requests set not_before = $1 + $2 where status = 'pending' and not_before > $1 + $2";

/// What the database's clock said last.
#[derive(Debug, Default)]
pub(crate) struct Clock(Mutex<Option<Reading>>);

/// What a clock said between two instants: an answer may take its time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    pub(super) now: i64,
    asked: Instant,
    answered: Instant,
}

/// How the clock went on otherwise than time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Jump {
    /// It is ahead of where it should be.
    Ahead,
    /// It is behind; or it may be, since nobody has looked before.
    Back,
}

impl Reading {
    pub(super) async fn take(transaction: &mut Transaction) -> Result<Self, EngineError> {
        let asked = Instant::now();
        let now = transaction.now().await?;
        let answered = Instant::now();
        Ok(Self {
            now,
            asked,
            answered,
        })
    }
}

impl Clock {
    /// How the clock jumped since the reading that was kept, for certain.
    pub(super) fn jump(&self, reading: &Reading) -> Option<Jump> {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(last) = *last else {
            return Some(Jump::Back);
        };
        let went = reading.now - last.now;
        if went - passed(last.asked, reading.answered) > SLACK_MS {
            Some(Jump::Ahead)
        } else if passed(last.answered, reading.asked) - went > SLACK_MS {
            Some(Jump::Back)
        } else {
            None
        }
    }

    /// Measures later readings by this one, once what a jump did is put right.
    pub(super) fn keep(&self, reading: Reading) {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some(reading);
    }
}

fn passed(from: Instant, to: Instant) -> i64 {
    let passed = to.saturating_duration_since(from);
    i64::try_from(passed.as_millis()).unwrap_or(i64::MAX)
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
    use std::time::Duration;

    const HOUR: i64 = 3_600_000;

    /// What a clock said that was asked after that many seconds, and answered in so many more.
    fn reading(begun: Instant, now: i64, seconds: u64, took: u64) -> Reading {
        let asked = begun + Duration::from_secs(seconds);
        Reading {
            now,
            asked,
            answered: asked + Duration::from_secs(took),
        }
    }

    #[test]
    fn jumps_are_noticed_and_the_time_that_passes_is_not() {
        let (clock, begun) = (Clock::default(), Instant::now());
        assert_eq!(clock.jump(&reading(begun, HOUR, 0, 0)), Some(Jump::Back));
        clock.keep(reading(begun, HOUR, 0, 0));
        assert_eq!(clock.jump(&reading(begun, HOUR + 10, 0, 0)), None);
        assert_eq!(clock.jump(&reading(begun, HOUR + 60_000, 60, 0)), None);
        let ahead = reading(begun, 2 * HOUR, 1, 0);
        assert_eq!(clock.jump(&ahead), Some(Jump::Ahead));
        // Until it is put right.
        assert_eq!(clock.jump(&ahead), Some(Jump::Ahead));
        clock.keep(ahead);
        assert_eq!(clock.jump(&reading(begun, 2 * HOUR, 1, 0)), None);
        let back = reading(begun, HOUR, 1, 0);
        assert_eq!(clock.jump(&back), Some(Jump::Back));
    }

    #[test]
    fn a_slow_answer_is_no_jump() {
        let (clock, begun) = (Clock::default(), Instant::now());
        // The clock was read at the beginning of the first answer's time, and at the end of the second one's.
        clock.keep(reading(begun, HOUR, 0, 20));
        assert_eq!(clock.jump(&reading(begun, HOUR + 50_000, 30, 20)), None);
        // The other way round.
        assert_eq!(clock.jump(&reading(begun, HOUR + 10_000, 30, 20)), None);
        let ahead = reading(begun, HOUR + 55_000, 30, 20);
        assert_eq!(clock.jump(&ahead), Some(Jump::Ahead));
        let back = reading(begun, HOUR + 5_000, 30, 20);
        assert_eq!(clock.jump(&back), Some(Jump::Back));
    }
}
