//! An attempt that runs, as the rest of its worker sees it.

use crate::log_buffer::LogBuffer;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};
use taskbay_core::Abort;
use taskbay_engine::Lease;

/// An attempt that runs, as the rest of its worker sees it.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) lease: Lease,
    /// Ends the attempt.
    pub(crate) abort: Abort,
    /// What it says.
    pub(crate) log: Arc<LogBuffer>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    ended_for: Option<End>,
    /// When its lease was last renewed, as far as is known.
    renewed: Instant,
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
    pub(crate) fn new(lease: Lease) -> Self {
        Self {
            lease,
            abort: Abort::new(),
            log: Arc::default(),
            state: Mutex::new(State {
                ended_for: None,
                renewed: Instant::now(),
            }),
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

    pub(crate) fn has_renewed(&self, when: Instant) {
        self.state().renewed = when;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
