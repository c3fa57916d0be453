//! A worker: it says what it offers, takes requests, executes them, and says how they ended.

use crate::{
    MakeHosts, MakeServer, Stop, Supervisor, WorkerOptions,
    leases::Leases,
    running::End,
    slots::{RETRY, Slots},
    stop::LOOK,
    supervisor::Part,
};
use std::{
    hash::{BuildHasher, RandomState},
    io, process,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};
use taskbay_core::{Metadata, with_sources};
use taskbay_engine::{EngineError, Report, Seen, WorkerEngine};
use taskbay_worker::{Failure, Offer, WorkerAnalysis};

/// How often it asks for work although nothing happened: what an engine tells can be lost.
/// Also, nobody tells that a request waited its time.
const REGULARLY: Duration = Duration::from_secs(5);
/// How often it says what it offers although nothing changed, and hears what an administrator says of it.
const REPORT: Duration = Duration::from_secs(20);

/// How long the engine is told how attempts ended that were to end at once, after the grace that they have.
const TELLING: Duration = Duration::from_secs(10);

/// Hears what a worker offers, whenever that is found out, and what was refused.
pub trait OfferHeard {
    /// The worker was described, and the engine knows.
    fn offers(&mut self, offer: &Offer, analysis: &WorkerAnalysis);
}

/// A worker that takes requests from an engine.
#[derive(Clone, Debug)]
pub struct WorkerService {
    slots: Slots,
    /// What tells this process from another worker of its name.
    instance: u64,
    /// Its loops, as the service manager sees them.
    describing: Part,
    claiming: Part,
}

impl WorkerService {
    /// A worker of that engine. Each attempt has plugin hosts and a server of its own.
    ///
    /// # Errors
    ///
    /// When its threads cannot be started.
    pub fn new(
        engine: Arc<dyn WorkerEngine>,
        make_hosts: MakeHosts,
        make_server: MakeServer,
        options: WorkerOptions,
        supervisor: &Supervisor,
    ) -> io::Result<Self> {
        let leases = Leases::new(engine, options.lease, supervisor.part())?;
        Ok(Self {
            instance: RandomState::new().hash_one(process::id()),
            slots: Slots {
                leases: Arc::new(leases),
                options: Arc::new(options),
                now: Arc::default(),
                news: Arc::default(),
                make_hosts,
                make_server,
                rest: Arc::default(),
                is_contested: Arc::default(),
            },
            describing: supervisor.part(),
            claiming: supervisor.part(),
        })
    }

    /// Works until it is told to stop, and then until what runs is done or handed back.
    ///
    /// # Errors
    ///
    /// When a thread cannot be started.
    pub fn run(&self, mut offer: Offer, stop: &Stop, heard: &mut dyn OfferHeard) -> io::Result<()> {
        thread::scope(|scope| {
            let named = |name: &str| thread::Builder::new().name(name.to_owned());
            named("news").spawn_scoped(scope, || self.listen(stop))?;
            let claims = named("claims").spawn_scoped(scope, || self.claim(stop));
            // The other thread would go on without it.
            let claims = claims.inspect_err(|_| stop.tell())?;
            // Processes are started from the thread that this is called from, where that is the main thread.
            self.describe(&mut offer, stop, heard);
            // What it takes last is to be drained too.
            let _ = claims.join();
            self.engine().drains();
            self.drain(stop);
            Ok(())
        })
    }

    fn engine(&self) -> &Arc<dyn WorkerEngine> {
        self.slots.engine()
    }

    /// Says what this machine offers, at first and whenever that changes.
    fn describe(&self, offer: &mut Offer, stop: &Stop, heard: &mut dyn OfferHeard) {
        let mut reported = Metadata::default();
        // What is to be told once the engine knows it.
        let mut untold = None;
        let mut due: Option<Instant> = None;
        while !stop.is_told() {
            self.describing.beats();
            match offer.wait(LOOK) {
                Ok(Some(analysis)) => {
                    reported = analysis.metadata.clone();
                    untold = Some(analysis);
                    due = Some(Instant::now());
                }
                Ok(None) => {}
                Err(Failure::Interrupted) => return,
                // The machine may have what it lacks in a while. What was said last still holds as far as anybody knows.
                Err(failure) => {
                    log::warn!("{failure}; trying again");
                    stop.pause(RETRY * 5);
                }
            }
            if due.is_some_and(|due| due <= Instant::now()) {
                let is_known = self.report(offer, &reported, stop);
                due = Some(Instant::now() + REPORT);
                if let Some(analysis) = untold.take_if(|_| is_known) {
                    heard.offers(offer, &analysis);
                    self.slots.news.comes();
                }
            }
        }
    }

    /// Tells the engine what this worker offers, and keeps what it says of it. Says whether the engine knows.
    fn report(&self, offer: &Offer, metadata: &Metadata, stop: &Stop) -> bool {
        let report = Report {
            name: self.slots.options.name.clone(),
            slots: self.slots.options.slots,
            metadata: metadata.clone(),
            instance: self.instance,
        };
        let told = retried(stop, || {
            self.describing.beats();
            self.slots.stand(report.clone(), offer.files())
        });
        match told {
            Some(Ok(_)) => {
                self.describing.is_ready();
                return true;
            }
            Some(Err(error)) => {
                let error = with_sources(&error);
                log::error!("what this worker offers is not known to the engine: {error}");
            }
            None => {}
        }
        false
    }

    /// Hears that something happened in the engine, such as that somebody aborts what still runs as the worker ends.
    fn listen(&self, stop: &Stop) {
        let mut seen = Seen::default();
        while !stop.is_told() || self.slots.leases.count() > 0 {
            match self.engine().wait(&mut seen, LOOK * 5) {
                Ok(true) => {
                    self.slots.leases.nudge();
                    self.slots.news.comes();
                }
                Ok(false) => {}
                Err(error) => {
                    log::warn!("the engine is not heard: {}", with_sources(&error));
                    thread::sleep(RETRY);
                }
            }
        }
    }

    /// Takes requests while there is room.
    fn claim(&self, stop: &Stop) {
        let slots = self.slots.options.slots as usize;
        self.claiming.is_ready();
        while !stop.is_told() {
            self.claiming.beats();
            if !self.slots.leases.wait_until_fewer_than(slots, LOOK) {
                continue;
            }
            if let Some(until) = self.slots.rests_until() {
                stop.pause(until.saturating_duration_since(Instant::now()).min(LOOK));
                if Instant::now() < until {
                    continue;
                }
            }
            let seen = self.slots.news.count();
            if seen == 0 || self.slots.now.get().metadata.is_empty() {
                self.slots.news.wait_for_more_than(seen, LOOK);
                continue;
            }
            let Some(turn) = self.slots.now.try_turn() else {
                self.slots.news.wait_for_more_than(seen, LOOK);
                continue;
            };
            let asked = Instant::now();
            let claimed = self
                .engine()
                .claim(&self.slots.options.name, self.slots.leases.length());
            let present = self.slots.now.get();
            drop(turn);
            match claimed {
                Ok(Some(claim)) => self.slots.begin(claim, present),
                Ok(None) => {
                    let until = asked + REGULARLY;
                    while !stop.is_told()
                        && self.slots.news.count() == seen
                        && Instant::now() < until
                    {
                        self.claiming.beats();
                        self.slots.news.wait_for_more_than(seen, LOOK);
                    }
                }
                Err(error) => {
                    log::warn!("no request is taken: {}", with_sources(&error));
                    stop.pause(RETRY);
                }
            }
        }
    }

    /// Waits until what runs is done; hands back what is not in time.
    fn drain(&self, stop: &Stop) {
        let until = Instant::now() + self.slots.options.drain;
        let mut given_up: Option<Instant> = None;
        while !self.slots.leases.wait_until_fewer_than(1, LOOK) {
            match given_up {
                None if stop.is_urgent() || Instant::now() >= until => {
                    self.slots.leases.end_all(End::HandedBack);
                    given_up = Some(Instant::now() + self.slots.options.grace + TELLING);
                }
                Some(at) if at <= Instant::now() => self.slots.leases.give_up(),
                _ => {}
            }
        }
    }
}

/// Asks the engine until it answers, or the service is told to end: `None` then.
fn retried<T>(
    stop: &Stop,
    question: impl Fn() -> Result<T, EngineError>,
) -> Option<Result<T, EngineError>> {
    loop {
        match question() {
            Err(error @ EngineError::Unavailable { .. }) => {
                log::warn!("{}; trying again", with_sources(&error));
                stop.pause(RETRY);
                if stop.is_told() {
                    return None;
                }
            }
            answer => return Some(answer),
        }
    }
}
