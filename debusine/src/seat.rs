//! A seat: one worker of a server, which executes one request at a time.

use crate::{
    attempt::Attempt,
    live_log::LiveLog,
    polling::Polling,
    record::{Record, Shelf},
    token::Token,
    told::Told,
};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// A seat: one worker of a server, which executes one request at a time. A worker with several slots has several.
#[derive(Debug)]
pub(crate) struct Seat {
    /// Its number, from 1.
    pub(crate) number: usize,
    pub(crate) token: Token,
    pub(crate) shelf: Shelf,
    /// What is to be said over its connection.
    pub(crate) live: LiveLog,
    state: Mutex<State>,
}

#[derive(Debug)]
pub(crate) struct State {
    /// Whether the server knows of this connection and of what is offered.
    is_ready: bool,
    /// Whether what it executes is its last.
    is_leaving: bool,
    pub(crate) polling: Polling,
    pub(crate) work: Work,
    /// What it executed last without a result that the server has: another request may be the same.
    pub(crate) before: Option<Record>,
    /// The number of the request that it was given last, and when.
    pub(crate) given: Option<(i64, Instant)>,
    /// What the server was told last.
    pub(crate) told: Option<Told>,
}

/// What a seat is about.
#[derive(Debug)]
pub(crate) enum Work {
    Nothing,
    /// The server is being asked for work.
    Asking,
    Executing(Arc<Attempt>),
    /// A result waits until the server can be told; until then it is not asked for work, since it would take the request for
    /// one that is lost.
    Kept(Box<Record>),
}

impl Seat {
    /// A seat that goes on where an earlier process was.
    pub(crate) fn new(number: usize, token: Token, shelf: Shelf) -> Self {
        let (work, before) = match shelf.read() {
            Some(record) if record.completion.is_some() => (Work::Kept(record.into()), None),
            before => (Work::Nothing, before),
        };
        Self {
            number,
            token,
            shelf,
            live: LiveLog::default(),
            state: Mutex::new(State {
                is_ready: false,
                is_leaving: false,
                polling: Polling::new(Instant::now()),
                work,
                before,
                given: None,
                told: None,
            }),
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to ask for work, if it is time.
    pub(crate) fn begins_to_ask(&self) -> bool {
        let mut state = self.state();
        let is_free = matches!(state.work, Work::Nothing);
        let now = Instant::now();
        let begins = is_free && state.is_ready && state.polling.is_due(now);
        if begins {
            state.work = Work::Asking;
            state.polling.asks(now);
        }
        begins
    }

    /// The server offered something, over a connection that was opened then.
    pub(crate) fn is_offered(&self, opened: Instant) {
        let mut state = self.state();
        state.polling.is_offered(Instant::now());
        if let Some(told) = &mut state.told {
            told.is_offered(opened);
        }
    }

    /// The server was told the result of a request.
    pub(crate) fn has_told(&self, record: Record) {
        let mut state = self.state();
        let given = state
            .given
            .filter(|(request, _)| *request == record.request);
        state.told = Some(Told::now(record, given.map(|(_, when)| when)));
    }

    /// Whether it has a result that the server does not know yet.
    #[cfg(test)]
    pub(crate) fn has_result(&self) -> bool {
        matches!(self.state().work, Work::Kept(_))
    }

    /// The server knows of this connection and of what is offered.
    pub(crate) fn is_ready(&self) {
        let mut state = self.state();
        if !state.is_ready {
            state.is_ready = true;
            state.polling = Polling::new(Instant::now());
        }
    }

    /// Whether the server knows of what is offered.
    pub(crate) fn has_offered(&self) -> bool {
        self.state().is_ready
    }

    /// The connection is over.
    pub(crate) fn is_cut(&self) {
        self.state().is_ready = false;
    }

    /// What it executes is its last, and done.
    pub(crate) fn leaves(&self) {
        self.state().is_leaving = true;
    }

    /// Whether it needs no connection, where the worker takes no more requests. A result that is kept is told without one:
    /// over one the server would answer it with the next request.
    pub(crate) fn needs_nothing(&self) -> bool {
        let state = self.state();
        state.is_leaving || matches!(state.work, Work::Nothing | Work::Kept(_))
    }

    /// The attempt, if the seat executes that one.
    pub(crate) fn attempt(&self, lease: &taskbay_engine::Lease) -> Option<Arc<Attempt>> {
        match &self.state().work {
            Work::Executing(attempt) if attempt.lease == *lease => Some(Arc::clone(attempt)),
            _ => None,
        }
    }

    /// It is free again, and the server is asked for work after `pause` at the latest.
    pub(crate) fn is_free(&self, pause: Option<Duration>) {
        let mut state = self.state();
        state.work = Work::Nothing;
        if let Some(pause) = pause {
            state.polling.pauses(Instant::now(), pause);
        }
    }
}
