//! Upkeep: what is old and needed by nobody goes.

use crate::{SchedulerConfig, Stop};
use std::time::{Duration, Instant};
use taskbay_core::with_sources;
use taskbay_engine::{Engine, Pruned};

/// How often it looks.
const EVERY: Duration = Duration::from_hours(1);
/// How long completed requests stay where the settings do not say.
const KEEP: Duration = Duration::from_hours(90 * 24);
/// How far the database's clock may go ahead between two looks, besides the time that passed. A machine that slept has not
/// seen that pass.
const SLACK_MS: i64 = 24 * 60 * 60 * 1000;

/// Removes completed requests once they are as old as the settings say, and what belongs to nothing any more, until told to
/// stop. Artifacts stay, but for what attempts of those requests left without a result.
///
/// A clock that is far ahead, be it for a moment, makes everything old: so nothing is removed when it was found to jump.
///
/// Several may do so on one engine.
pub fn tidy(engine: &dyn Engine, config: &SchedulerConfig, stop: &Stop) {
    let keep = config.keep.unwrap_or(KEEP);
    let mut upkeep = Upkeep::default();
    while !stop.is_told() {
        upkeep.look(engine, keep, Instant::now());
        stop.pause(EVERY);
    }
}

/// What the database's clock said last.
#[derive(Debug, Default)]
struct Upkeep {
    last: Option<(i64, Instant)>,
}

impl Upkeep {
    /// Removes what is old, unless the clock jumped since the last look.
    fn look(&mut self, engine: &dyn Engine, keep: Duration, at: Instant) {
        let now = match engine.now() {
            Ok(now) => now.0,
            Err(error) => {
                log::warn!("what is old is not removed: {}", with_sources(&error));
                return;
            }
        };
        let passed = |seen| i64::try_from(at.saturating_duration_since(seen).as_millis());
        let ahead = self.last.replace((now, at)).map_or(0, |(last, seen)| {
            (now - last).saturating_sub(passed(seen).unwrap_or(i64::MAX))
        });
        if ahead > SLACK_MS {
            let hours = ahead / 3_600_000;
            log::warn!("the database's clock went {hours} h ahead: nothing is removed for now");
        } else {
            prune(engine, keep);
        }
    }
}

fn prune(engine: &dyn Engine, keep: Duration) {
    match engine.prune(keep) {
        Ok(pruned) if pruned == Pruned::default() => {}
        Ok(Pruned {
            requests,
            workers,
            artifacts,
            signatures,
            chunks,
        }) => log::info!(
            "removed {requests} requests completed and {workers} workers seen more than {} ago, {artifacts} artifacts that lost attempts had left, \
             {signatures} signatures and {chunks} pieces of files that belonged to nothing",
            humantime::format_duration(keep)
        ),
        Err(error) => log::warn!("what is old is not removed: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;
    use taskbay_core::TaskName;
    use taskbay_engine::{EngineError, NewRequest, open};

    #[test]
    fn what_is_old_goes_and_the_rest_stays() {
        let folder = tempfile::tempdir().unwrap();
        let engine = open(&format!("sqlite://{}/queue.db", folder.path().display())).unwrap();
        let request = NewRequest::new(TaskName::fold("noop").unwrap(), "{}");
        let [old, waiting] = [(); 2].map(|()| engine.submit(&request).unwrap());
        engine.abort(old).unwrap();
        prune(&*engine, KEEP);
        prune(&*engine, Duration::MAX);
        engine.request(old).unwrap();
        let stop = Stop::new();
        let config = SchedulerConfig {
            keep: Some(Duration::ZERO),
        };
        thread::scope(|scope| {
            scope.spawn(|| tidy(&*engine, &config, &stop));
            let until = Instant::now() + Duration::from_mins(1);
            while engine.request(old).is_ok() && Instant::now() < until {
                thread::sleep(Duration::from_millis(10));
            }
            stop.tell();
        });
        assert!(matches!(
            engine.request(old),
            Err(EngineError::NotFound { .. })
        ));
        engine.request(waiting).unwrap();
    }

    /// The clock is far ahead, and then it is not.
    #[test]
    fn a_clock_that_jumped_makes_nothing_old() {
        let folder = tempfile::tempdir().unwrap();
        let engine = open(&format!("sqlite://{}/queue.db", folder.path().display())).unwrap();
        let request = NewRequest::new(TaskName::fold("noop").unwrap(), "{}");
        let id = engine.submit(&request).unwrap();
        engine.abort(id).unwrap();
        let mut upkeep = Upkeep::default();
        let now = engine.now().unwrap().0;
        let far = 91 * 24 * 3_600_000;
        upkeep.last = Some((now - far, Instant::now()));
        upkeep.look(&*engine, Duration::ZERO, Instant::now());
        engine.request(id).unwrap();
        // It is set back, which makes nothing old.
        upkeep.last = Some((now + far, Instant::now()));
        upkeep.look(&*engine, KEEP, Instant::now());
        engine.request(id).unwrap();
        // It stays as it is, as time goes on.
        upkeep.look(&*engine, Duration::ZERO, Instant::now() + EVERY);
        engine.request(id).unwrap_err();
    }
}
