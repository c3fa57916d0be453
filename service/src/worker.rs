//! A worker: it says what it offers, takes requests, executes them, and says how they ended.

use crate::{
    Stop,
    attempt::{self, Told},
    leases::{Leases, send_log},
    news::News,
    present::{Now, Present},
    running::{End, Running},
    stop::LOOK,
    store_server::StoreServer,
};
use std::{
    fmt, io,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};
use taskbay_core::{Abort, Metadata, Server};
use taskbay_engine::{Claim, Engine, EngineError, Report, Seen};
use taskbay_worker::{Failure, Hosts, Offer, WorkerAnalysis};

/// How often it asks for work although nothing happened: what an engine tells can be lost.
const REGULARLY: Duration = Duration::from_secs(30);
/// How often it says what it offers although nothing changed, and hears what an administrator says of it.
const REPORT: Duration = Duration::from_secs(20);
/// How long it waits before it asks an engine again that failed.
const RETRY: Duration = Duration::from_secs(1);

/// How a worker works.
#[derive(Clone, Debug)]
pub struct WorkerOptions {
    /// Its name.
    pub name: String,
    /// How many requests it executes at a time.
    pub slots: u32,
    /// How long a lease holds that is not renewed.
    pub lease: Duration,
    /// How long attempts may go on after it was told to end, before they are handed back.
    pub drain: Duration,
    /// How long processes have between TERM and KILL.
    pub grace: Duration,
    /// Whether task data may name files of this machine by their paths: whoever submits requests can read them then.
    pub has_local_files: bool,
}

/// Makes the plugin hosts of an attempt, which end with that latch.
pub type MakeHosts = Arc<dyn Fn(Abort) -> Hosts + Send + Sync>;

/// Hears what a worker offers, whenever that is found out, and what was refused.
pub trait OfferHeard {
    /// The worker was described, and the engine knows.
    fn offers(&mut self, offer: &Offer, analysis: &WorkerAnalysis);
}

/// A worker that takes requests from an engine.
#[derive(Clone)]
pub struct WorkerService {
    options: Arc<WorkerOptions>,
    now: Arc<Now>,
    leases: Arc<Leases>,
    news: Arc<News>,
    make_hosts: MakeHosts,
}

impl WorkerService {
    /// A worker of that engine. Each attempt has plugin hosts of its own.
    ///
    /// # Errors
    ///
    /// When its threads cannot be started.
    pub fn new(
        engine: Arc<dyn Engine>,
        make_hosts: MakeHosts,
        options: WorkerOptions,
    ) -> io::Result<Self> {
        Ok(Self {
            leases: Arc::new(Leases::new(engine, options.lease)?),
            options: Arc::new(options),
            now: Arc::default(),
            news: Arc::default(),
            make_hosts,
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
            named("claims").spawn_scoped(scope, || self.claim(stop))?;
            // Processes are started from the thread that this is called from, where that is the main thread.
            self.describe(&mut offer, stop, heard);
            io::Result::Ok(())
        })?;
        self.drain(stop);
        Ok(())
    }

    fn engine(&self) -> &Arc<dyn Engine> {
        self.leases.engine()
    }

    /// Says what this machine offers, at first and whenever that changes.
    fn describe(&self, offer: &mut Offer, stop: &Stop, heard: &mut dyn OfferHeard) {
        let mut reported = Metadata::default();
        let mut due: Option<Instant> = None;
        while !stop.is_told() {
            match offer.wait(LOOK) {
                Ok(Some(analysis)) => {
                    reported = analysis.metadata.clone();
                    self.report(offer, &reported, stop);
                    due = Some(Instant::now() + REPORT);
                    heard.offers(offer, &analysis);
                    self.news.comes();
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
                self.report(offer, &reported, stop);
                due = Some(Instant::now() + REPORT);
            }
        }
    }

    /// Tells the engine what this worker offers, and keeps what it says of it.
    fn report(&self, offer: &Offer, metadata: &Metadata, stop: &Stop) {
        let report = Report {
            name: self.options.name.clone(),
            slots: self.options.slots,
            metadata: metadata.clone(),
        };
        let told = retried(stop, || self.engine().report(&report));
        let standing = match told {
            Some(Ok(standing)) => standing,
            Some(Err(error)) => {
                log::error!("what this worker offers is not known to the engine: {error}");
                return;
            }
            None => return,
        };
        self.now.set(Present {
            files: offer.files(),
            metadata: standing.effective,
        });
    }

    /// Hears that something happened in the engine.
    fn listen(&self, stop: &Stop) {
        let mut seen = Seen::default();
        while !stop.is_told() || self.leases.count() > 0 {
            match self.engine().wait(&mut seen, LOOK * 5) {
                Ok(true) => {
                    self.leases.nudge();
                    self.news.comes();
                }
                Ok(false) => {}
                Err(error) => {
                    log::warn!("the engine is not heard: {error}");
                    thread::sleep(RETRY);
                }
            }
            if stop.is_told() {
                return;
            }
        }
    }

    /// Takes requests while there is room.
    fn claim(&self, stop: &Stop) {
        let slots = self.options.slots as usize;
        while !stop.is_told() {
            if !self.leases.wait_until_fewer_than(slots, LOOK) {
                continue;
            }
            let seen = self.news.count();
            if seen == 0 || self.now.get().metadata.is_empty() {
                self.news.wait_for_more_than(seen, LOOK);
                continue;
            }
            let asked = Instant::now();
            match self
                .engine()
                .claim(&self.options.name, self.leases.length())
            {
                Ok(Some(claim)) => self.begin(claim),
                Ok(None) => {
                    let until = asked + REGULARLY;
                    while !stop.is_told() && self.news.count() == seen && Instant::now() < until {
                        self.news.wait_for_more_than(seen, LOOK);
                    }
                }
                Err(error) => {
                    log::warn!("no request is taken: {error}");
                    stop.pause(RETRY);
                }
            }
        }
    }

    fn begin(&self, claim: Claim) {
        log::info!("{} begins: `{}`", claim.lease, claim.task_name);
        let running = Arc::new(Running::new(claim.lease));
        self.leases.add(Arc::clone(&running));
        let guard = Done {
            service: self.clone(),
            running: Arc::clone(&running),
        };
        let begun = thread::Builder::new()
            .name(format!("request {}", claim.lease.request))
            .spawn(move || guard.service.execute(&claim, &guard.running));
        if let Err(error) = begun {
            log::error!("{} cannot begin: {error}", running.lease);
        }
    }

    fn execute(&self, claim: &Claim, running: &Arc<Running>) {
        let mut hosts = (self.make_hosts)(running.abort.clone());
        let server: Arc<dyn Server> = Arc::new(StoreServer::new(
            Arc::clone(self.engine()),
            claim.lease,
            self.options.has_local_files,
        ));
        let present = self.now.get();
        let told = attempt::make(
            claim,
            running,
            &present,
            &mut hosts,
            &server,
            self.options.grace,
        );
        self.tell(running, &told);
    }

    /// Tells the engine how an attempt ended: as long as it takes, since nobody else knows.
    fn tell(&self, running: &Running, told: &Told) {
        let lease = &running.lease;
        loop {
            send_log(&**self.engine(), running);
            let answer = match told {
                Told::Completed(outcome) => self.engine().complete(lease, outcome),
                Told::Released { reason, after } => self.engine().release(lease, reason, *after),
                Told::Nothing => return,
            };
            match answer {
                Ok(()) => {
                    log::info!("{lease} ends: {told}");
                    return;
                }
                Err(EngineError::Stale { reason }) => {
                    log::warn!("{lease} ends, and its result is refused: {reason}");
                    return;
                }
                Err(error @ (EngineError::Unavailable { .. } | EngineError::Database { .. })) => {
                    log::warn!("how {lease} ended is not told yet: {error}");
                    thread::sleep(RETRY);
                }
                Err(error) => {
                    log::error!("how {lease} ended cannot be told: {error}");
                    return;
                }
            }
        }
    }

    /// Waits until what runs is done; hands back what is not in time.
    fn drain(&self, stop: &Stop) {
        let until = Instant::now() + self.options.drain;
        let mut is_ended = false;
        while !self.leases.wait_until_fewer_than(1, LOOK) {
            if !is_ended && (stop.is_urgent() || Instant::now() >= until) {
                is_ended = true;
                self.leases.end_all(End::HandedBack);
            }
        }
    }
}

impl fmt::Debug for WorkerService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerService")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// Ends an attempt for its worker, however its thread ends.
struct Done {
    service: WorkerService,
    running: Arc<Running>,
}

impl Drop for Done {
    fn drop(&mut self) {
        self.service.leases.remove(&self.running);
        // There is room now.
        self.service.news.comes();
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
                log::warn!("{error}; trying again");
                stop.pause(RETRY);
                if stop.is_told() {
                    return None;
                }
            }
            answer => return Some(answer),
        }
    }
}
