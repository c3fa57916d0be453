//! Results that a server does not take, and those of seats that are used no more: told apart from the seats.

use crate::{
    client::Client,
    debug_logs::DebugLogs,
    delivery::{self, Fate},
    fault::Fault,
    record::Shelf,
    token::Token,
    workplace::Workplace,
};
use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use taskbay_core::with_sources;
use taskbay_engine::EngineError;

/// After how long the server is told again at first; then it is twice as long each time.
const SHORTEST: Duration = Duration::from_mins(1);
/// After how long at most, while it cannot be reached and while it can.
const AWAY: Duration = Duration::from_mins(2);
const LONGEST: Duration = Duration::from_hours(1);

/// Results that a server does not take, and those of seats that are used no more.
#[derive(Debug, Default)]
pub(crate) struct Untold {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    results: Vec<Kept>,
    is_over: bool,
}

/// A result that waits to be told.
#[derive(Debug)]
struct Kept {
    /// The number of its seat.
    seat: usize,
    token: Token,
    shelf: Shelf,
    /// Whether this process has told it.
    is_tried: bool,
    pause: Duration,
    due: Instant,
}

impl Untold {
    /// Finds what earlier processes left: what the server did not take, and the results of seats beyond those that are used now.
    ///
    /// # Errors
    ///
    /// When a token cannot be read.
    pub(crate) fn find(&self, workplace: &Workplace, used: usize) -> Result<(), EngineError> {
        for (seat, shelf) in workplace.shelf(1)?.apart() {
            match Token::read(&workplace.token_file(seat))? {
                Some(token) => self.add(seat, token, shelf, false),
                None => log::error!(
                    "the result in {} cannot be told without the token of seat {seat}; remove that folder to give it up",
                    shelf.folder().display()
                ),
            }
        }
        for seat in used + 1.. {
            let Some(token) = Token::read(&workplace.token_file(seat))? else {
                break;
            };
            let place = workplace.shelf(seat)?;
            if place
                .read()
                .is_some_and(|record| record.completion.is_some())
            {
                self.add(seat, token, place, false);
            }
        }
        // Those of seats that ask for nothing wait for nobody.
        for kept in &mut self.waiting().results {
            if kept.seat > used {
                kept.due = Instant::now();
            }
        }
        Ok(())
    }

    /// Adds a result of the seat of that number, which this process told already, or the seat tells before it asks for work.
    pub(crate) fn add(&self, seat: usize, token: Token, place: Shelf, is_tried: bool) {
        self.put(Kept {
            seat,
            token,
            shelf: place,
            is_tried,
            pause: SHORTEST,
            due: Instant::now() + SHORTEST,
        });
    }

    /// Tells the server what is there, again and again, until the worker ends.
    pub(crate) fn tell(&self, client: &Client) {
        while let Some(kept) = self.wait() {
            self.try_to_tell(client, kept);
        }
    }

    /// Tells the server what a seat has that this process has not told yet.
    pub(crate) fn tell_new(&self, client: &Client, seat: usize) {
        let is_new = |kept: &Kept| !kept.is_tried && kept.seat == seat;
        loop {
            // Nobody waits for a server that holds the list.
            let new = self.waiting().take(is_new);
            let Some(kept) = new else {
                return;
            };
            self.try_to_tell(client, kept);
        }
    }

    /// The worker ends.
    pub(crate) fn end(&self) {
        self.waiting().is_over = true;
        self.changed.notify_all();
    }

    fn try_to_tell(&self, client: &Client, mut kept: Kept) {
        let Some((fault, fate)) = kept.tell(client) else {
            return;
        };
        let longest = match fault {
            Fault::Unavailable { .. } if fate == Fate::Waits => AWAY,
            _ => LONGEST,
        };
        kept.is_tried = true;
        kept.due = Instant::now() + kept.pause.min(longest);
        kept.pause = (kept.pause * 2).min(LONGEST);
        log::warn!(
            "the result in {} is not taken yet, and told again in {} s: {}",
            kept.shelf.folder().display(),
            kept.due.saturating_duration_since(Instant::now()).as_secs(),
            with_sources(&fault)
        );
        self.put(kept);
    }

    fn put(&self, kept: Kept) {
        self.waiting().results.push(kept);
        self.changed.notify_all();
    }

    /// The next that is due; none once the worker ends.
    fn wait(&self) -> Option<Kept> {
        let mut waiting = self.waiting();
        loop {
            if waiting.is_over {
                return None;
            }
            let now = Instant::now();
            if let Some(kept) = waiting.take(|kept| kept.due <= now) {
                return Some(kept);
            }
            let dues = waiting.results.iter().map(|kept| kept.due);
            let patience = dues.min().map_or(LONGEST, |due| due - now);
            let waited = self.changed.wait_timeout(waiting, patience);
            (waiting, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn take(&mut self, is_it: impl FnMut(&Kept) -> bool) -> Option<Kept> {
        let at = self.results.iter().position(is_it)?;
        Some(self.results.swap_remove(at))
    }
}

impl Kept {
    /// Tells it: why it is to be told again, if it is, and whether its seat would wait for that.
    fn tell(&self, client: &Client) -> Option<(Fault, Fate)> {
        // Whoever removed it has given it up.
        let before = self.shelf.read()?;
        let (request, mut record) = (before.request, before.clone());
        let logs = DebugLogs::of_before(self.shelf.clone());
        let Err(untaken) = delivery::tell(client, &self.token, &logs, &mut record) else {
            log::info!("the result of work request {request}, which was kept, is told");
            self.shelf.remove();
            return None;
        };
        let fate = untaken.fate(client, &self.token, &mut record);
        let fault = untaken.why;
        if fate == Fate::IsLost {
            log::error!(
                "the result of work request {request}, which was kept, is refused, and so lost: {}",
                with_sources(&fault)
            );
            self.shelf.remove();
            return None;
        }
        if record != before
            && let Err(fault) = self.shelf.keep(&record)
        {
            log::error!("{}", with_sources(&fault));
        }
        Some((fault, fate))
    }
}
