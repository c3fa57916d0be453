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
use taskbay_core::with_sources;
use taskbay_engine::{EngineError, NewLogLine, WorkerEngine};

/// How often attempts are looked at: whether a lease is to be renewed, and what was said.
const LOOK: Duration = Duration::from_millis(200);
/// How many bytes of a log are sent at once: what gets through a slow network (70 kbit/s) before the engine gives up waiting,
/// since the result comes after it.
const PART: usize = 1 << 18;
/// How often the engine is asked at most whether an attempt shall stop, because something happened.
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
    engine: Arc<dyn WorkerEngine>,
    /// The renewing, as the service manager sees it.
    renewing: Part,
    /// How long a lease holds.
    length: Duration,
    running: Mutex<Vec<Arc<Running>>>,
    /// Told when an attempt is done.
    changed: Condvar,
    is_over: AtomicBool,
    /// Whether the worker waits no longer until the engine knows how attempts ended.
    gives_up: AtomicBool,
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
        engine: Arc<dyn WorkerEngine>,
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
            gives_up: AtomicBool::new(false),
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

    pub(crate) fn engine(&self) -> &Arc<dyn WorkerEngine> {
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

    /// Has nobody wait any longer until the engine knows how attempts ended.
    pub(crate) fn give_up(&self) {
        self.shared.gives_up.store(true, Ordering::Relaxed);
    }

    pub(crate) fn gives_up(&self) -> bool {
        self.shared.gives_up.load(Ordering::Relaxed)
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
            if running.renewed().elapsed() >= self.length / 3 {
                self.renew(&running);
            } else if is_nudged && running.is_to_ask(NUDGED) {
                self.ask(&running);
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
        // One whose end is known by now, or is being told, needs it no more.
        let told = running.try_told();
        if told.as_deref() != Some(&false) {
            return;
        }
        // As it is now, since the engine counts from when it hears of it.
        let now = Instant::now();
        match self.engine.renew(&running.lease, self.length) {
            Ok(renewal) => {
                running.has_renewed(now);
                if renewal.abort_requested {
                    running.end(End::Aborted);
                }
            }
            Err(EngineError::Stale { .. }) if !running.has_time() => running.end(End::Lost),
            // The attempt goes on: its lease may still hold when the engine is back.
            Err(error) => {
                let error = with_sources(&error);
                log::warn!("the lease of {} is not renewed: {error}", running.lease);
            }
        }
    }

    /// Asks whether somebody wants the attempt to stop. A renewal would say that, too, and be one more thing that happened.
    fn ask(&self, running: &Running) {
        self.renewing.beats();
        let told = running.try_told();
        if told.as_deref() != Some(&false) {
            return;
        }
        match self.engine.is_abort_requested(&running.lease) {
            Ok(true) => running.end(End::Aborted),
            Err(EngineError::Stale { .. }) if !running.has_time() => running.end(End::Lost),
            // The next renewal says it.
            Ok(false) | Err(_) => {}
        }
    }

    fn send_logs(&self) {
        let running = self.running().clone();
        for running in running {
            if let Err(error) = send_log(&*self.engine, &running) {
                log::debug!("the log of {} is not sent: {error}", running.lease);
            }
        }
    }
}

/// Sends what an attempt has said since the last time. What the engine does not take now is kept.
///
/// # Errors
///
/// When the engine may take it later.
pub(crate) fn send_log(engine: &dyn WorkerEngine, running: &Running) -> Result<(), EngineError> {
    let _in_order = running.logging();
    let mut lines = running.log.take();
    while !lines.is_empty() {
        let rest = lines.split_off(part(&lines));
        match engine.append_log(&running.lease, &lines) {
            Ok(()) => {}
            Err(EngineError::Stale { .. }) if !running.has_time() => {
                running.end(End::Lost);
                return Ok(());
            }
            Err(error @ (EngineError::TooLarge { .. } | EngineError::Invalid { .. })) => {
                let (count, lease) = (lines.len(), &running.lease);
                log::error!("{count} lines of the log of {lease} are lost: {error}");
            }
            Err(error) => {
                lines.extend(rest);
                running.log.put_back(lines);
                return Err(error);
            }
        }
        lines = rest;
    }
    Ok(())
}

/// How many of the lines are sent at once: about [`PART`] bytes.
fn part(lines: &[NewLogLine]) -> usize {
    let mut bytes = 0;
    let part = lines.iter().take_while(|line| {
        bytes += line.message.len();
        bytes <= PART
    });
    part.count().max(1)
}
