//! Who asks the helper: one thread after the other, each in its turn.

use crate::helper::Helper;
use pyo3::Python;
use std::{
    collections::VecDeque,
    mem, process,
    sync::{
        Mutex, MutexGuard, PoisonError,
        mpsc::{self, Sender},
    },
    time::Instant,
};

/// Whose turn it is to ask.
///
/// All of it is seen and changed only by a thread that holds the interpreter, and a process is forked only by such a thread:
/// so a fork finds it whole, and knows by the owner that nothing of it is its own.
#[derive(Debug)]
pub(crate) struct Turns(Mutex<State>);

#[derive(Debug)]
struct State {
    /// The process whose threads take turns.
    owner: u32,
    /// Whether some thread's turn lasts; the helper is with it then.
    is_taken: bool,
    helper: Option<Helper>,
    /// Who waits, first come first served.
    waiting: VecDeque<Sender<Option<Helper>>>,
}

/// A thread's turn. It is the next one's when this is dropped.
pub(crate) struct Turn<'t, 'py> {
    turns: &'t Turns,
    /// The helper; none where there is none yet, or it was given up.
    pub(crate) helper: Option<Helper>,
    /// It ends in a thread that holds the interpreter.
    held: Python<'py>,
}

impl State {
    fn new() -> Self {
        Self {
            owner: process::id(),
            is_taken: false,
            helper: None,
            waiting: VecDeque::new(),
        }
    }
}

impl Drop for State {
    fn drop(&mut self) {
        if self.owner != process::id() {
            // The helper, and who waits for it, are with the process that this was forked from.
            mem::forget(self.helper.take());
            mem::forget(mem::take(&mut self.waiting));
        }
    }
}

impl Turns {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(State::new()))
    }

    /// Takes a turn if nobody has it now.
    pub(crate) fn try_take<'py>(&self, py: Python<'py>) -> Option<Turn<'_, 'py>> {
        let mut state = self.state(py);
        if mem::replace(&mut state.is_taken, true) {
            return None;
        }
        Some(self.turn(py, state.helper.take()))
    }

    /// Waits for a turn until then.
    pub(crate) fn take<'py>(&self, py: Python<'py>, until: Instant) -> Option<Turn<'_, 'py>> {
        if let Some(turn) = self.try_take(py) {
            return Some(turn);
        }
        let (passed, turn) = mpsc::channel();
        self.state(py).waiting.push_back(passed);
        let left = until.saturating_duration_since(Instant::now());
        let (turn, helper) = py.detach(move || {
            let helper = turn.recv_timeout(left);
            (turn, helper)
        });
        // It may have come to this thread when it had just given up.
        let helper = helper.ok().or_else(|| turn.try_recv().ok())?;
        Some(self.turn(py, helper))
    }

    fn turn<'py>(&self, py: Python<'py>, helper: Option<Helper>) -> Turn<'_, 'py> {
        Turn {
            turns: self,
            helper,
            held: py,
        }
    }

    fn state(&self, _: Python<'_>) -> MutexGuard<'_, State> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.owner != process::id() {
            *state = State::new();
        }
        state
    }
}

impl Drop for Turn<'_, '_> {
    fn drop(&mut self) {
        let mut state = self.turns.state(self.held);
        let mut helper = self.helper.take();
        while let Some(next) = state.waiting.pop_front() {
            match next.send(helper) {
                Ok(()) => return,
                // It has given up.
                Err(unsent) => helper = unsent.0,
            }
        }
        state.is_taken = false;
        state.helper = helper;
    }
}
