//! Upkeep: what is old and needed by nobody goes.

use crate::{SchedulerConfig, Stop};
use std::time::Duration;
use taskbay_engine::{Engine, Pruned};

/// How often it looks.
const EVERY: Duration = Duration::from_hours(1);
/// How long completed requests stay where the settings do not say.
const KEEP: Duration = Duration::from_hours(90 * 24);

/// Removes completed requests once they are as old as the settings say, and what belongs to nothing any more, until told to
/// stop. Artifacts stay, but for what attempts of those requests left without a result.
///
/// Several may do so on one engine.
pub fn tidy(engine: &dyn Engine, config: &SchedulerConfig, stop: &Stop) {
    let keep = config.keep.unwrap_or(KEEP);
    while !stop.is_told() {
        prune(engine, keep);
        stop.pause(EVERY);
    }
}

fn prune(engine: &dyn Engine, keep: Duration) {
    match engine.prune(keep) {
        Ok(pruned) if pruned == Pruned::default() => {}
        Ok(Pruned {
            requests,
            artifacts,
            signatures,
            chunks,
        }) => log::info!(
            "removed {requests} requests completed more than {} ago, {artifacts} artifacts that lost attempts had left, \
             {signatures} signatures and {chunks} pieces of files that belonged to nothing",
            humantime::format_duration(keep)
        ),
        Err(error) => log::warn!("what is old is not removed: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{thread, time::Instant};
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
}
