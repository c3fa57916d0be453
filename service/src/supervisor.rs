//! The service manager that started this process, where one did: it is told when the service is ready, and that it lives.

use crate::{Stop, stop::LOOK};
use sd_notify::{NotifyState, notify, watchdog_enabled};
use std::{
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// A service manager that understands systemd's `sd_notify(3)`. Where there is none, nobody is told.
///
/// It hears that the service is ready once each part says so of itself, and that it lives as long as each part does: one
/// that hangs has the whole service started anew.
#[derive(Clone, Debug, Default)]
pub struct Supervisor(Arc<Mutex<Vec<Part>>>);

/// A part of a service: one loop that nothing shall hold up for long.
#[derive(Clone, Debug)]
pub(crate) struct Part(Arc<Mutex<Life>>);

#[derive(Debug)]
struct Life {
    is_ready: bool,
    last_beat: Instant,
}

/// Tells the service manager, until it is dropped.
#[derive(Debug)]
pub struct Watch {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Supervisor {
    /// One that no part was named to yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Has the service wait for a further part, and live only as long as that does.
    pub(crate) fn part(&self) -> Part {
        let part = Part(Arc::new(Mutex::new(Life {
            is_ready: false,
            last_beat: Instant::now(),
        })));
        lock(&self.0).push(part.clone());
        part
    }

    /// Tells the service manager from now on how the service is, of which all parts are named.
    ///
    /// # Errors
    ///
    /// When the thread for it cannot be started.
    pub fn watch(&self, stop: &Stop) -> io::Result<Watch> {
        let is_over = Arc::new(AtomicBool::new(false));
        let (supervisor, stop, ended) = (self.clone(), stop.clone(), Arc::clone(&is_over));
        let thread = thread::Builder::new()
            .name("supervisor".into())
            .spawn(move || supervisor.tell(&stop, &ended))?;
        Ok(Watch {
            is_over,
            thread: Some(thread),
        })
    }

    fn tell(&self, stop: &Stop, is_over: &AtomicBool) {
        let (mut is_ready, mut is_ending) = (false, false);
        let limit = watchdog_enabled();
        let mut pinged: Option<Instant> = None;
        loop {
            let is_last = is_over.load(Ordering::Relaxed);
            if !is_ready && self.is_ready() {
                is_ready = true;
                send(NotifyState::Ready);
            }
            // A service that ends quickly may be over before it was seen to end.
            if !is_ending && (stop.is_told() || is_last) {
                is_ending = true;
                send(NotifyState::Stopping);
            }
            if let Some(limit) = limit
                && pinged.is_none_or(|at| at.elapsed() >= limit / 3)
                // How long it may take to end is another limit of the service manager's.
                && (is_ending || self.lives(limit))
            {
                pinged = Some(Instant::now());
                send(NotifyState::Watchdog);
            }
            if is_last {
                return;
            }
            thread::sleep(LOOK);
        }
    }

    fn is_ready(&self) -> bool {
        lock(&self.0).iter().all(|part| lock(&part.0).is_ready)
    }

    /// Whether each part has given a sign of life within that time.
    fn lives(&self, within: Duration) -> bool {
        let parts = lock(&self.0);
        parts
            .iter()
            .all(|part| lock(&part.0).last_beat.elapsed() < within)
    }
}

impl Part {
    /// A sign of life.
    pub(crate) fn beats(&self) {
        lock(&self.0).last_beat = Instant::now();
    }

    /// It does from now on what it is there for.
    pub(crate) fn is_ready(&self) {
        lock(&self.0).is_ready = true;
        self.beats();
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn send(state: NotifyState<'_>) {
    if let Err(error) = notify(&[state]) {
        log::warn!("the service manager cannot be told: {error}");
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No change is left half made, so what a panicking thread leaves is whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_ready_once_each_part_is() {
        let supervisor = Supervisor::new();
        let (one, other) = (supervisor.part(), supervisor.part());
        one.is_ready();
        other.beats();
        assert!(!supervisor.is_ready());
        other.is_ready();
        assert!(supervisor.is_ready());
    }

    #[test]
    fn lives_as_long_as_each_part_does() {
        let supervisor = Supervisor::new();
        let (_silent, lively) = (supervisor.part(), supervisor.part());
        let limit = Duration::from_millis(200);
        assert!(supervisor.lives(Duration::from_mins(10)));
        thread::sleep(limit);
        lively.beats();
        assert!(!supervisor.lives(limit));
    }
}
