//! The engine on a Debusine server, as a worker sees it.

use crate::{
    asking::{self, forever},
    attempt::Attempt,
    attendant::attend,
    client::Client,
    completion::Completion,
    delivery,
    dialect::Dialect,
    registration,
    seat::{Seat, Work},
    server::AttemptServer,
    shared::Shared,
    workplace::Workplace,
};
use std::{
    fs::File,
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use taskbay_core::{Abort, NoServer, Outcome, Server};
use taskbay_engine::{
    Claim, EngineError, Lease, NewLogLine, Renewal, Report, Seen, Standing, WorkerEngine,
};

/// How long a result waits for its seat to leave the server.
const GOODBYE: Duration = Duration::from_secs(5);

/// A Debusine server, as a worker sees it.
#[derive(Debug)]
pub struct DebusineEngine {
    shared: Arc<Shared>,
    place: String,
    threads: Vec<JoinHandle<()>>,
    /// Held as long as this process is the worker.
    _locks: Vec<File>,
}

impl DebusineEngine {
    /// Finds out what the server speaks, registers what is not registered yet, and connects: as many workers of the server as
    /// there are `slots`, since it gives each one request at a time. `name` is what the server names them after.
    ///
    /// # Errors
    ///
    /// When the server is none that is known, cannot be reached, or refuses to register; when a token is not kept safe; or
    /// when another process is this worker.
    pub fn open(workplace: &Workplace, name: &str, slots: u32) -> Result<Self, EngineError> {
        let client = Arc::new(Client::new(workplace.url().clone()));
        let dialect = Dialect::find(&client)?;
        let mut locks = vec![workplace.lock()?];
        let seats = (1..=slots as usize)
            .map(|number| {
                let token = registration::token(&client, workplace, name, number)?;
                locks.push(workplace.lock_token(number)?);
                Ok(Seat::new(number, token, workplace.shelf(number)?))
            })
            .collect::<Result<Vec<_>, EngineError>>()?;
        let place = workplace.url().to_string();
        let mut engine = Self {
            shared: Arc::new(Shared::new(client, dialect, seats)),
            place,
            threads: Vec::new(),
            _locks: locks,
        };
        engine.shared.untold.find(workplace, slots as usize)?;
        for at in 0..engine.shared.seats.len() {
            let attend = move |shared: &Shared| attend(shared, &shared.seats[at]);
            engine.start(format!("seat {}", at + 1), attend)?;
        }
        let tell = |shared: &Shared| shared.untold.tell(&shared.client);
        engine.start("untold".to_owned(), tell)?;
        Ok(engine)
    }

    /// Starts a thread, which lasts as long as the worker.
    fn start(
        &mut self,
        name: String,
        work: impl FnOnce(&Shared) + Send + 'static,
    ) -> Result<(), EngineError> {
        let shared = Arc::clone(&self.shared);
        let thread = thread::Builder::new()
            .name(name)
            .spawn(move || work(&shared));
        self.threads
            .push(thread.map_err(|error| EngineError::Unavailable {
                place: self.place.clone(),
                source: error.into(),
            })?);
        Ok(())
    }

    /// The server of the attempt that holds that lease, whose waiting `abort` ends.
    pub fn server(&self, lease: Lease, abort: Abort) -> Arc<dyn Server> {
        match self.attempt(&lease) {
            Ok((seat, attempt)) => Arc::new(AttemptServer {
                client: Arc::clone(&self.shared.client),
                dialect: self.shared.dialect(),
                attempt,
                worker: seat.token.clone(),
                abort,
            }),
            Err(_) => Arc::new(NoServer),
        }
    }

    /// Leaves the server before it is told a result, with which it would give the next request to this seat; waits for that, and
    /// no longer than [`GOODBYE`].
    fn goodbye(seat: &Seat) {
        seat.leaves();
        let until = Instant::now() + GOODBYE;
        while seat.has_offered() && Instant::now() < until {
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// The attempt that holds that lease, and its seat.
    fn attempt(&self, lease: &Lease) -> Result<(&Seat, Arc<Attempt>), EngineError> {
        let mut seats = self.shared.seats.iter();
        let found = seats.find_map(|seat| Some((seat, seat.attempt(lease)?)));
        found.ok_or_else(|| EngineError::Stale {
            reason: format!("this process does not execute {lease}"),
        })
    }
}

impl WorkerEngine for DebusineEngine {
    fn place(&self) -> &str {
        &self.place
    }

    /// The server is told as soon as there is a connection, and whenever it asks.
    fn report(&self, report: &Report) -> Result<Standing, EngineError> {
        self.shared.offers(&report.metadata);
        Ok(Standing {
            enabled: true,
            draining: false,
            is_contested: false,
            metadata_hash: String::new(),
            effective: report.metadata.clone(),
        })
    }

    /// A server tells its workers nothing of the static metadata that it has of them.
    fn tells_all_metadata(&self) -> bool {
        false
    }

    fn claim(&self, _: &str, _: Duration) -> Result<Option<Claim>, EngineError> {
        let mut failed = None;
        for seat in &self.shared.seats {
            if !seat.begins_to_ask() {
                continue;
            }
            match asking::next(&self.shared, seat) {
                Ok(Some(claim)) => return Ok(Some(claim)),
                Ok(None) => {}
                // The others would wait for it as long.
                Err(fault) if fault.is_passing() => return Err(fault.into()),
                Err(fault) => failed = Some(fault),
            }
        }
        failed.map_or(Ok(None), |fault| Err(fault.into()))
    }

    /// The server would go on giving requests to whoever is connected.
    fn drains(&self) {
        self.shared.drains();
    }

    /// The server has no leases: what a worker has it keeps.
    fn renew(&self, lease: &Lease, _: Duration) -> Result<Renewal, EngineError> {
        self.attempt(lease)?;
        Ok(Renewal {
            lease_until: forever(),
            abort_requested: false,
        })
    }

    /// The server tells no worker.
    fn is_abort_requested(&self, lease: &Lease) -> Result<bool, EngineError> {
        self.attempt(lease).map(|_| false)
    }

    fn append_log(&self, lease: &Lease, lines: &[NewLogLine]) -> Result<(), EngineError> {
        let (seat, attempt) = self.attempt(lease)?;
        if self.shared.dialect() == Dialect::Scoped {
            seat.live.say(lease.request, lines);
        }
        // A log costs no result.
        if let Err(fault) = attempt.logs.append(lines) {
            let fault = taskbay_core::with_sources(&fault);
            log::error!("lines of the log of {lease} are lost: {fault}");
        }
        Ok(())
    }

    /// The result is on disk before it is told. Where the server is away, or does not take the token now, it is kept, and told
    /// when it can be.
    fn complete(&self, lease: &Lease, outcome: &Outcome) -> Result<(), EngineError> {
        let (seat, attempt) = self.attempt(lease)?;
        if self.shared.is_draining() {
            Self::goodbye(seat);
        }
        let mut record = attempt.record();
        record.completion = Some(Completion::of(&attempt.task, outcome, attempt.duration()));
        Ok(self.shared.complete(seat, record)?)
    }

    /// The server takes nothing back: it gives the request out again, under another number, when this worker next asks for
    /// work. The logs are given to it now.
    fn release(&self, lease: &Lease, reason: &str, delay: Duration) -> Result<(), EngineError> {
        let (seat, attempt) = self.attempt(lease)?;
        let mut record = attempt.record();
        let client = &self.shared.client;
        let given = delivery::send_logs(client, &attempt.login, &attempt.logs, &mut record);
        if let Err(fault) = given {
            let fault = taskbay_core::with_sources(&fault);
            log::warn!("the debug logs of {lease} are lost ({reason}): {fault}");
        }
        let mut state = seat.state();
        state.before = Some(record);
        state.work = Work::Nothing;
        state.polling.pauses(Instant::now(), delay);
        Ok(())
    }

    fn wait(&self, seen: &mut Seen, timeout: Duration) -> Result<bool, EngineError> {
        Ok(self.shared.bell.wait(seen, timeout))
    }
}

impl Drop for DebusineEngine {
    fn drop(&mut self) {
        self.shared.ends();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests;
