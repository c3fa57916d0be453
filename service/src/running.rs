//! An attempt that runs, as the rest of its worker sees it.

use crate::log_buffer::LogBuffer;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError},
    time::{Duration, Instant},
};
use taskbay_core::Abort;
use taskbay_engine::Lease;

/// An attempt that runs, as the rest of its worker sees it.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) lease: Lease,
    /// How long it holds each time that it is renewed.
    length: Duration,
    /// Ends the attempt.
    pub(crate) abort: Abort,
    /// What it says.
    pub(crate) log: Arc<LogBuffer>,
    state: Mutex<State>,
    /// Held while its log is sent, so that what was said first arrives first, and before how it ended.
    logging: Mutex<()>,
    /// Held while the engine is told of its lease or its end; true once it knows how the attempt ended.
    told: Mutex<bool>,
}

#[derive(Debug)]
struct State {
    ended_for: Option<End>,
    /// When its lease was last renewed, as far as is known.
    renewed: Instant,
    /// When the engine was last asked whether somebody wants it to stop.
    asked: Instant,
}

/// Why an attempt is ended before its task is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Somebody asked the engine to.
    Aborted,
    /// Its lease is lost: nobody wants its result any more.
    Lost,
    /// Its worker ends.
    HandedBack,
}

impl Running {
    pub(crate) fn new(lease: Lease, length: Duration) -> Self {
        Self {
            lease,
            length,
            abort: Abort::new(),
            log: Arc::default(),
            state: Mutex::new(State {
                ended_for: None,
                renewed: Instant::now(),
                asked: Instant::now(),
            }),
            logging: Mutex::default(),
            told: Mutex::default(),
        }
    }

    /// Ends the attempt. The first reason stays, but that a lease is lost counts most.
    pub(crate) fn end(&self, end: End) {
        let mut state = self.state();
        if state.ended_for.is_none() || end == End::Lost {
            state.ended_for = Some(end);
        }
        self.abort.set();
    }

    /// Why it was ended, if it was.
    pub(crate) fn ended_for(&self) -> Option<End> {
        self.state().ended_for
    }

    pub(crate) fn renewed(&self) -> Instant {
        self.state().renewed
    }

    /// Whether its lease cannot have run out yet, by this machine's steady clock. Where the engine says that it has, it is the
    /// database's clock that jumped: a scheduler puts that right in a moment, so it is asked again.
    pub(crate) fn has_time(&self) -> bool {
        self.renewed().elapsed() < self.length
    }

    pub(crate) fn has_renewed(&self, when: Instant) {
        self.state().renewed = when;
    }

    /// Whether it is that long ago that the engine was asked whether somebody wants it to stop; it is asked now then.
    pub(crate) fn is_to_ask(&self, every: Duration) -> bool {
        let mut state = self.state();
        let is_to_ask = state.asked.elapsed() >= every;
        if is_to_ask {
            state.asked = Instant::now();
        }
        is_to_ask
    }

    /// Its log is sent while this is held.
    pub(crate) fn logging(&self) -> MutexGuard<'_, ()> {
        self.logging.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The engine is told of its end while this is held; true once it knows.
    pub(crate) fn told(&self) -> MutexGuard<'_, bool> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same, unless it is being told just now.
    pub(crate) fn try_told(&self) -> Option<MutexGuard<'_, bool>> {
        match self.told.try_lock() {
            Ok(told) => Some(told),
            Err(TryLockError::Poisoned(told)) => Some(told.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
