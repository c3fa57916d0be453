//! The slots of a worker, in which attempts run.

use crate::{
    MakeHosts, WorkerOptions,
    attempt::{self, Told},
    leases::{Leases, send_log},
    news::News,
    present::Now,
    running::Running,
    store_server::StoreServer,
};
use std::{fmt, sync::Arc, thread, time::Duration};
use taskbay_core::Server;
use taskbay_engine::{Claim, Engine, EngineError};

/// How long a worker waits before it asks an engine again that failed.
pub(crate) const RETRY: Duration = Duration::from_secs(1);

/// The slots of a worker: each attempt has a thread of its own, and a lease that is kept until it is done.
#[derive(Clone)]
pub(crate) struct Slots {
    pub(crate) options: Arc<WorkerOptions>,
    pub(crate) now: Arc<Now>,
    pub(crate) leases: Arc<Leases>,
    pub(crate) news: Arc<News>,
    pub(crate) make_hosts: MakeHosts,
}

impl Slots {
    pub(crate) fn engine(&self) -> &Arc<dyn Engine> {
        self.leases.engine()
    }

    /// Executes what was claimed, in a free slot.
    pub(crate) fn begin(&self, claim: Claim) {
        log::info!("{} begins: `{}`", claim.lease, claim.task_name);
        let running = Arc::new(Running::new(claim.lease));
        self.leases.add(Arc::clone(&running));
        let guard = Done {
            slots: self.clone(),
            running: Arc::clone(&running),
        };
        let begun = thread::Builder::new()
            .name(format!("request {}", claim.lease.request))
            .spawn(move || guard.slots.execute(&claim, &guard.running));
        if let Err(error) = begun {
            log::error!("{} cannot begin: {error}", running.lease);
        }
    }

    fn execute(&self, claim: &Claim, running: &Arc<Running>) {
        let mut hosts = (self.make_hosts)(running.abort.clone());
        let server: Arc<dyn Server> = Arc::new(StoreServer::new(
            Arc::clone(self.engine()),
            claim.lease,
            self.options.has_local_files,
        ));
        let present = self.now.get();
        let told = attempt::make(
            claim,
            running,
            &present,
            &mut hosts,
            &server,
            self.options.grace,
        );
        self.tell(running, &told);
    }

    /// Tells the engine how an attempt ended: as long as it takes, since nobody else knows.
    fn tell(&self, running: &Running, told: &Told) {
        let lease = &running.lease;
        loop {
            send_log(&**self.engine(), running);
            let answer = match told {
                Told::Completed(outcome) => self.engine().complete(lease, outcome),
                Told::Released { reason, after } => self.engine().release(lease, reason, *after),
                Told::Nothing => return,
            };
            match answer {
                Ok(()) => {
                    log::info!("{lease} ends: {told}");
                    return;
                }
                Err(EngineError::Stale { reason }) => {
                    log::warn!("{lease} ends, and its result is refused: {reason}");
                    return;
                }
                Err(error @ (EngineError::Unavailable { .. } | EngineError::Database { .. })) => {
                    log::warn!("how {lease} ended is not told yet: {error}");
                    thread::sleep(RETRY);
                }
                Err(error) => {
                    log::error!("how {lease} ended cannot be told: {error}");
                    return;
                }
            }
        }
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
