//! The workers that an engine knows, as they are matched.

use crate::error::CommandError;
use std::collections::BTreeSet;
use taskbay_core::TaskName;
use taskbay_engine::{ALIVE, Engine, Timestamp, Worker as Recorded};
use taskbay_scheduler::{Lists, Scheduler, Worker};

/// The workers that ever reported, each with what keeps it away.
pub(super) fn fleet(engine: &dyn Engine) -> Result<Scheduler, CommandError> {
    let mut fleet = Scheduler::default();
    for worker in workers(engine)? {
        fleet.set_worker(worker);
    }
    Ok(fleet)
}

/// The same, by name.
pub(super) fn workers(engine: &dyn Engine) -> Result<Vec<Worker>, CommandError> {
    let now = engine.now()?;
    let recorded = engine.workers()?.into_iter();
    let reported = recorded.filter(|worker| worker.last_seen.is_some());
    Ok(reported.map(|worker| matched(worker, now)).collect())
}

/// A worker as it is matched.
pub(super) fn matched(recorded: Recorded, now: Timestamp) -> Worker {
    let away = away(&recorded, now);
    let settings = recorded.settings;
    let mut worker = Worker::new(recorded.name, recorded.effective);
    worker.is_busy = recorded.running >= recorded.slots;
    let listed = |names: Vec<TaskName>| names.into_iter().collect::<BTreeSet<_>>();
    worker.lists = Lists {
        allow: settings.allow.map(listed),
        deny: settings.deny.map(listed).unwrap_or_default(),
        away,
    };
    worker
}

/// Why a worker gets nothing, whatever it can.
fn away(worker: &Recorded, now: Timestamp) -> Option<String> {
    let is_gone = |seen: &Timestamp| now.since(*seen) > ALIVE;
    let seen = match worker.last_seen {
        None => Some("never reported".to_owned()),
        Some(seen) => is_gone(&seen).then(|| format!("was not seen since {seen}")),
    };
    let disabled = (!worker.settings.enabled).then(|| "is disabled".to_owned());
    let draining = worker.settings.draining.then(|| "is draining".to_owned());
    let why: Vec<_> = [disabled, draining, seen].into_iter().flatten().collect();
    (!why.is_empty()).then(|| format!("it {}", why.join(" and ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use taskbay_core::Metadata;
    use taskbay_engine::Settings;

    fn check(seen: Option<i64>, enabled: bool, draining: bool, expected: Option<&str>) {
        let worker = Recorded {
            name: "a".to_owned(),
            slots: 1,
            running: 0,
            last_seen: seen.map(Timestamp),
            reported: Metadata::default(),
            effective: Metadata::default(),
            metadata_hash: None,
            settings: Settings {
                enabled,
                draining,
                ..Settings::default()
            },
        };
        let worker = matched(worker, Timestamp(3_600_000));
        assert_eq!(worker.lists.away.as_deref(), expected);
    }

    /// Nobody judges a worker that was not seen for ten minutes, so none is to be counted on.
    #[test]
    fn who_gets_nothing_is_away() {
        check(Some(3_600_000), true, false, None);
        check(Some(3_000_000), true, false, None);
        check(Some(3_600_001), true, false, None);
        let gone = "it was not seen since 1970-01-01T00:49:59.999Z";
        check(Some(2_999_999), true, false, Some(gone));
        check(None, true, false, Some("it never reported"));
        check(Some(3_600_000), true, true, Some("it is draining"));
        let both = "it is disabled and is draining";
        check(Some(3_600_000), false, true, Some(both));
    }
}
