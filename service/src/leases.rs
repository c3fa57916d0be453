//! Leases that are kept while their attempts run, by threads of their own.

use crate::{
    running::{End, Running},
    supervisor::Part,
};
use std::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use taskbay_engine::{Engine, EngineError};

/// How often attempts are looked at: whether a lease is to be renewed, and what was said.
const LOOK: Duration = Duration::from_millis(200);
/// How often a lease is renewed at most because something happened.
const NUDGED: Duration = Duration::from_secs(1);

/// The attempts that run, whose leases are renewed and whose logs are sent until they are done.
///
/// Renewing has a thread of its own, so that nothing else that takes long costs a lease.
#[derive(Debug)]
pub(crate) struct Leases {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    engine: Arc<dyn Engine>,
    /// The renewing, as the service manager sees it.
    renewing: Part,
    /// How long a lease holds.
    length: Duration,
    running: Mutex<Vec<Arc<Running>>>,
    /// Told when an attempt is done.
    changed: Condvar,
    is_over: AtomicBool,
    /// Whether something happened in the engine, such as that somebody asked to stop a request.
    is_nudged: AtomicBool,
}

impl Leases {
    /// Keeps leases of that length.
    ///
    /// # Errors
    ///
    /// When the threads cannot be started.
    pub(crate) fn new(
        engine: Arc<dyn Engine>,
        length: Duration,
        renewing: Part,
    ) -> std::io::Result<Self> {
        renewing.is_ready();
        let shared = Arc::new(Shared {
            engine,
            renewing,
            length,
            running: Mutex::default(),
            changed: Condvar::new(),
            is_over: AtomicBool::new(false),
            is_nudged: AtomicBool::new(false),
        });
        let start = |name: &str, work: fn(&Shared)| {
            let shared = Arc::clone(&shared);
            thread::Builder::new().name(name.to_owned()).spawn(move || {
                while !shared.is_over.load(Ordering::Relaxed) {
                    work(&shared);
                    thread::sleep(LOOK);
                }
            })
        };
        let threads = vec![
            start("leases", Shared::renew_all)?,
            start("logs", Shared::send_logs)?,
        ];
        Ok(Self { shared, threads })
    }

    pub(crate) fn engine(&self) -> &Arc<dyn Engine> {
        &self.shared.engine
    }

    pub(crate) fn length(&self) -> Duration {
        self.shared.length
    }

    /// Keeps the lease of that attempt from now on.
    pub(crate) fn add(&self, running: Arc<Running>) {
        self.shared.running().push(running);
    }

    /// Keeps it no more.
    pub(crate) fn remove(&self, running: &Arc<Running>) {
        self.shared
            .running()
            .retain(|other| !Arc::ptr_eq(other, running));
        self.shared.changed.notify_all();
    }

    /// How many attempts run.
    pub(crate) fn count(&self) -> usize {
        self.shared.running().len()
    }

    /// Waits until fewer than `most` attempts run, that long at most. Says whether it is so.
    pub(crate) fn wait_until_fewer_than(&self, most: usize, time: Duration) -> bool {
        let running = self.shared.running();
        let waited = self
            .shared
            .changed
            .wait_timeout_while(running, time, |running| running.len() >= most);
        let (running, _) = waited.unwrap_or_else(PoisonError::into_inner);
        running.len() < most
    }

    /// Looks soon whether somebody asked to stop an attempt.
    pub(crate) fn nudge(&self) {
        self.shared.nudge();
    }

    /// Ends every attempt.
    pub(crate) fn end_all(&self, end: End) {
        for running in self.shared.running().iter() {
            running.end(end);
        }
    }
}

impl Drop for Leases {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn running(&self) -> MutexGuard<'_, Vec<Arc<Running>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn renew_all(&self) {
        let is_nudged = self.is_nudged.swap(false, Ordering::Relaxed);
        let running = self.running().clone();
        self.renewing.beats();
        for running in running {
            // What happens all the time need not be asked for all the time.
            let wait = if is_nudged { NUDGED } else { self.length / 3 };
            if running.renewed().elapsed() >= wait.min(self.length / 3) {
                self.renew(&running);
            } else if is_nudged {
                self.nudge();
            }
        }
    }

    fn nudge(&self) {
        self.is_nudged.store(true, Ordering::Relaxed);
    }

    fn renew(&self, running: &Running) {
        self.renewing.beats();
        // As it is now, since the engine counts from when it hears of it.
        let now = Instant::now();
        match self.engine.renew(&running.lease, self.length) {
            Ok(renewal) => {
                running.has_renewed(now);
                if renewal.abort_requested {
                    running.end(End::Aborted);
                }
            }
            Err(EngineError::Stale { .. }) => running.end(End::Lost),
            // The attempt goes on: its lease may still hold when the engine is back.
            Err(error) => log::warn!("the lease of {} is not renewed: {error}", running.lease),
        }
    }

    fn send_logs(&self) {
        let running = self.running().clone();
        for running in running {
            send_log(&*self.engine, &running);
        }
    }
}

/// Sends what an attempt has said since the last time. What the engine does not take now is kept.
pub(crate) fn send_log(engine: &dyn Engine, running: &Running) {
    let lines = running.log.take();
    if lines.is_empty() {
        return;
    }
    match engine.append_log(&running.lease, &lines) {
        Ok(()) => {}
        Err(EngineError::Stale { .. }) => running.end(End::Lost),
        Err(error) => {
            log::debug!("the log of {} is not sent: {error}", running.lease);
            running.log.put_back(lines);
        }
    }
}
