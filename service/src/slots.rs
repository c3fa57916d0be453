//! The slots of a worker, in which attempts run.

use crate::{
    MakeHosts, MakeServer, WorkerOptions,
    attempt::{self, LATER, Told},
    fitting,
    leases::{Leases, send_log},
    news::News,
    present::{Now, Present},
    running::Running,
};
use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use taskbay_core::{TaskName, with_sources};
use taskbay_engine::{Claim, EngineError, Report, WorkerEngine};
use taskbay_loader::Admissible;

/// How long a worker waits before it asks an engine again that failed.
pub(crate) const RETRY: Duration = Duration::from_secs(1);
/// For how long a database that answers with errors is told how an attempt ended.
const FAILING: Duration = Duration::from_mins(2);

/// The slots of a worker: each attempt has a thread of its own, and a lease that is kept until it is done.
#[derive(Clone)]
pub(crate) struct Slots {
    pub(crate) options: Arc<WorkerOptions>,
    pub(crate) now: Arc<Now>,
    pub(crate) leases: Arc<Leases>,
    pub(crate) news: Arc<News>,
    pub(crate) make_hosts: MakeHosts,
    pub(crate) make_server: MakeServer,
    /// Until when nothing is to be claimed.
    pub(crate) rest: Arc<Mutex<Option<Instant>>>,
    /// Whether another worker reported under the same name.
    pub(crate) is_contested: Arc<AtomicBool>,
}

impl Slots {
    pub(crate) fn engine(&self) -> &Arc<dyn WorkerEngine> {
        self.leases.engine()
    }

    /// Tells the engine what this worker offers, and keeps what it says of it.
    ///
    /// # Errors
    ///
    /// When the engine fails, or does not take it.
    pub(crate) fn stand(
        &self,
        report: Report,
        files: BTreeMap<TaskName, Admissible>,
    ) -> Result<Arc<Present>, EngineError> {
        let turn = self.now.turn();
        self.stand_in_turn(&turn, report, files)
    }

    fn stand_in_turn(
        &self,
        _: &MutexGuard<'_, ()>,
        report: Report,
        files: BTreeMap<TaskName, Admissible>,
    ) -> Result<Arc<Present>, EngineError> {
        let standing = self.engine().report(&report)?;
        // Before the first report that is mostly a predecessor, which was killed a moment ago and left its name to this one.
        self.note_contested(standing.is_contested && self.now.get().report.is_some());
        let metadata = standing.effective;
        self.now.set(Present {
            files,
            report: Some(report),
            metadata,
            is_partly_known: !self.engine().tells_all_metadata(),
        });
        Ok(self.now.get())
    }

    /// Warns, once, while another worker has this one's name.
    fn note_contested(&self, is_contested: bool) {
        let was_contested = self.is_contested.swap(is_contested, Ordering::Relaxed);
        if is_contested && !was_contested {
            log::warn!(
                "another worker has the name `{}` too: the engine has the metadata of both in turns, and their requests may \
                 not suit; give each a name of its own (`--name`)",
                self.options.name
            );
        }
    }

    /// Finds out what the engine holds of this worker by now.
    fn stand_anew(&self) -> Result<Arc<Present>, EngineError> {
        let turn = self.now.turn();
        let present = self.now.get();
        match present.report.clone() {
            Some(report) => self.stand_in_turn(&turn, report, present.files.clone()),
            None => Ok(present),
        }
    }

    /// Until when nothing is to be claimed, since this worker can execute nothing.
    pub(crate) fn rests_until(&self) -> Option<Instant> {
        *self.rest()
    }

    fn rest(&self) -> MutexGuard<'_, Option<Instant>> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Executes what was claimed, in a free slot, with what the worker had then.
    pub(crate) fn begin(&self, claim: Claim, present: Arc<Present>) {
        log::info!("{} begins: `{}`", claim.lease, claim.task_name);
        let running = Arc::new(Running::new(claim.lease, self.leases.length()));
        self.leases.add(Arc::clone(&running));
        let guard = Done {
            slots: self.clone(),
            running: Arc::clone(&running),
        };
        let begun = thread::Builder::new()
            .name(format!("request {}", claim.lease.request))
            .spawn(move || guard.slots.execute(&claim, &guard.running, &present));
        if let Err(error) = begun {
            let reason = format!("no thread can be started: {error}");
            // Once: whoever claims is not to be held up, and the lease runs out anyway.
            let told = self.tell_once(&running, &Told::Unable { reason }, Instant::now());
            let told = match told {
                Ok(()) => "it is handed back".to_owned(),
                Err(error) => format!("nor can it be handed back: {}", with_sources(&error)),
            };
            log::error!("{} cannot begin: {error}; {told}", running.lease);
        }
    }

    fn execute(&self, claim: &Claim, running: &Arc<Running>, present: &Present) {
        let mut hosts = (self.make_hosts)(running.abort.clone());
        let server = (self.make_server)(claim.lease, running.abort.clone());
        let told = attempt::make(
            claim,
            running,
            present,
            &|| self.stand_anew(),
            &mut hosts,
            &server,
            self.options.grace,
        );
        self.tell(running, &told);
    }

    /// Tells the engine how an attempt ended, since nobody else knows: as long as it is away, and for some time where it
    /// fails.
    fn tell(&self, running: &Running, told: &Told) {
        let lease = &running.lease;
        let since = Instant::now();
        loop {
            let error = match self.tell_once(running, told, since) {
                Ok(()) => break,
                Err(EngineError::Stale { reason }) if !running.has_time() => {
                    log::warn!("{lease} ends, and its result is refused: {reason}");
                    return;
                }
                Err(error) => error,
            };
            let may_pass = match error {
                EngineError::Unavailable { .. } | EngineError::Stale { .. } => true,
                EngineError::Database { .. } => since.elapsed() < FAILING,
                _ => false,
            };
            let text = with_sources(&error);
            if !may_pass || self.leases.gives_up() {
                log::error!("how {lease} ended cannot be told, so it is lost ({told}): {text}");
                return;
            }
            log::warn!("how {lease} ended is not told yet: {text}");
            thread::sleep(RETRY);
        }
        match told {
            Told::Completed(_) => log::info!("{lease} ends: {told}"),
            Told::Nothing => log::info!("{lease} ends, and is another's by now"),
            Told::Released { .. } | Told::Unable { .. } => log::warn!("{lease} ends: {told}"),
        }
    }

    fn tell_once(&self, running: &Running, told: &Told, since: Instant) -> Result<(), EngineError> {
        if matches!(told, Told::Nothing) {
            return Ok(());
        }
        match send_log(&**self.engine(), running) {
            // A log that cannot be kept costs no result.
            Err(error @ EngineError::Database { .. }) if since.elapsed() >= FAILING / 2 => {
                let error = with_sources(&error);
                log::error!("the end of the log of {} is lost: {error}", running.lease);
            }
            sent => sent?,
        }
        let mut is_told = running.told();
        let (engine, lease) = (self.engine(), &running.lease);
        match told {
            Told::Completed(outcome) => {
                let mut outcome = outcome.clone();
                outcome.errors = fitting::errors(&outcome.errors).into_owned();
                engine.complete(lease, &outcome)?;
            }
            Told::Released { reason, after } => {
                engine.release(lease, &fitting::release(reason), *after)?;
            }
            Told::Unable { reason } => {
                *self.rest() = Some(Instant::now() + LATER);
                engine.release(lease, &fitting::release(reason), LATER)?;
            }
            Told::Nothing => {}
        }
        *is_told = true;
        Ok(())
    }
}

impl fmt::Debug for Slots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slots")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// Ends an attempt for its worker, however its thread ends.
struct Done {
    slots: Slots,
    running: Arc<Running>,
}

impl Drop for Done {
    fn drop(&mut self) {
        self.slots.leases.remove(&self.running);
        // There is room now.
        self.slots.news.comes();
    }
}
