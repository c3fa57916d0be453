//! Leases that ran out: their requests wait again.

use crate::{Stop, Supervisor, supervisor::Part};
use std::time::Duration;
use taskbay_core::with_sources;
use taskbay_engine::Engine;

/// How often it looks.
const LOOK: Duration = Duration::from_millis(500);
/// How long it waits after the engine failed.
const RETRY: Duration = Duration::from_secs(2);

/// Looks after the leases of an engine, beside a scheduler: plugins may hang for as long as leases hold, and no lease shall
/// be lost, nor a dead worker's request wait, since the clock jumped and nobody had the time to look.
///
/// Several may do so on one engine.
#[derive(Debug)]
pub struct Expiry {
    /// The loop, as the service manager sees it.
    part: Part,
}

impl Expiry {
    /// A part of that service.
    pub fn new(supervisor: &Supervisor) -> Self {
        Self {
            part: supervisor.part(),
        }
    }

    /// Ends attempts whose leases ran out, until told to stop.
    pub fn run(&self, engine: &dyn Engine, stop: &Stop) {
        while !stop.is_told() {
            self.part.beats();
            match engine.expire() {
                Ok(_) => {
                    self.part.is_ready();
                    stop.pause(LOOK);
                }
                Err(error) => {
                    let error = with_sources(&error);
                    log::warn!("leases that ran out are not looked at: {error}; trying again");
                    stop.pause(RETRY);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{thread, time::Instant};
    use taskbay_core::{Metadata, TaskName, Verdict};
    use taskbay_engine::{NewRequest, NewVerdict, Report, Status, open};

    #[test]
    fn what_ran_out_waits_again_without_a_scheduler() {
        let folder = tempfile::tempdir().unwrap();
        let engine = open(&format!("sqlite://{}/queue.db", folder.path().display())).unwrap();
        let request = NewRequest::new(TaskName::fold("noop").unwrap(), "{}");
        let id = engine.submit(&request).unwrap();
        engine.sign(id, "signature").unwrap();
        let report = Report {
            name: "worker".to_owned(),
            slots: 1,
            metadata: Metadata::default(),
            instance: 1,
        };
        let metadata_hash = engine.report(&report).unwrap().metadata_hash;
        let verdict = NewVerdict {
            signature: "signature".to_owned(),
            metadata_hash,
            verdict: Verdict::default(),
        };
        engine.record_verdicts(&[verdict]).unwrap();
        engine
            .claim("worker", Duration::from_millis(1))
            .unwrap()
            .unwrap();
        let status = || engine.request(id).unwrap().request.status;
        assert_eq!(status(), Status::Running);
        let (expiry, stop) = (Expiry::new(&Supervisor::new()), Stop::new());
        thread::scope(|scope| {
            scope.spawn(|| expiry.run(&*engine, &stop));
            let until = Instant::now() + Duration::from_mins(1);
            while status() != Status::Pending && Instant::now() < until {
                thread::sleep(Duration::from_millis(10));
            }
            stop.tell();
        });
        assert_eq!(status(), Status::Pending);
    }
}
