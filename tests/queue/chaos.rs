//! A run of faults that a seed chooses: kills, pauses and restarts of all that there is, aborts and retries, while requests
//! come in. However it goes, each request ends in exactly one recorded result.
//!
//! `make chaos SEED=…` has a long one; with a seed, the faults are the same and come in the same order, but what they hit
//! depends on the machine.

use crate::{
    bay::{Bay, Service},
    database::Database,
    ledger::Ledger,
};
use fastrand::Rng;
use rustix::process::Signal;
use std::{
    collections::HashSet,
    env,
    io::Write,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};
use taskbay_core::TaskName;
use taskbay_engine::{Engine, EngineError, NewRequest, RequestFilter, RequestId, Status};

/// The seed and the number of requests of the short run.
const SEED: u64 = 7;
const FEW: usize = 160;

const WORKERS: usize = 3;
const SCHEDULERS: usize = 2;

pub(crate) fn any_fault_leaves_each_request_one_result_in_a_file() {
    Chaos::new(Bay::sqlite(), None).run();
}

pub(crate) fn any_fault_leaves_each_request_one_result_in_a_server() {
    if let Some(database) = Database::start("") {
        let bay = Bay::at(database.url("postgres"));
        Chaos::new(bay, Some(database)).run();
    }
}

/// What is told or asked in the environment, as `make chaos` does.
fn asked<T: std::str::FromStr>(variable: &str) -> Option<T> {
    env::var(variable).ok()?.parse().ok()
}

struct Chaos {
    // Before the bay, whose folder they work in.
    services: Vec<Option<Service>>,
    bay: Bay,
    database: Option<Database>,
    ledger: Ledger,
    engine: Arc<dyn Engine>,
    rng: Rng,
    seed: u64,
    /// How many requests are still to be submitted.
    left: usize,
    /// Those that the engine said it took.
    taken: Vec<RequestId>,
    did: Vec<String>,
}

impl Chaos {
    fn new(bay: Bay, database: Option<Database>) -> Self {
        let seed = asked("TASKBAY_CHAOS_SEED").unwrap_or(SEED);
        Self {
            services: (0..WORKERS + SCHEDULERS).map(|_| None).collect(),
            ledger: Ledger::of(&bay),
            engine: bay.engine(),
            bay,
            database,
            rng: Rng::with_seed(seed),
            seed,
            left: asked("TASKBAY_CHAOS_REQUESTS").unwrap_or(FEW),
            taken: Vec::new(),
            did: Vec::new(),
        }
    }

    fn run(mut self) {
        let kind = if self.database.is_some() {
            "PostgreSQL"
        } else {
            "SQLite"
        };
        Self::say(&format!(
            "{kind}, seed {}, {} requests",
            self.seed, self.left
        ));
        let begun = Instant::now();
        for number in 0..self.services.len() {
            self.start(number);
        }
        while self.left > 0 {
            self.submit();
            self.disturb();
            thread::sleep(Duration::from_millis(self.rng.u64(100..500)));
        }
        self.end();
        let count = |sql| self.ledger.count(sql);
        let all = count("select count(*) from requests");
        self.ledger.is_balanced(all);
        let is_there = |id: &RequestId| self.engine.request(*id).is_ok();
        assert!(self.taken.iter().all(is_there), "a request is lost");
        let distinct: HashSet<_> = self.taken.iter().collect();
        assert_eq!(distinct.len(), self.taken.len());
        Self::say(&format!(
            "{kind}, seed {}: {} faults, {all} requests, {} attempts ({} lost), {} retries, each has one result; {} s",
            self.seed,
            self.did.len(),
            count("select count(*) from attempts"),
            count("select count(*) from attempts where outcome = 'lost'"),
            count("select count(*) from ledger where what = 'retried'"),
            begun.elapsed().as_secs(),
        ));
    }

    /// Past the harness, which shows nothing of a test that passes.
    fn say(text: &str) {
        let _ = writeln!(std::io::stderr(), "chaos: {text}");
    }

    fn start(&mut self, number: usize) {
        let name = format!("worker-{number}");
        let service = if number < WORKERS {
            self.bay.start(&[
                "worker", "--name", &name, "--slots", "3", "--lease", "2s", "--grace", "1s",
                "--drain", "2s",
            ])
        } else {
            self.bay.scheduler()
        };
        self.services[number] = Some(service);
    }

    /// Some requests more: short ones, failing ones, and some that last about as long as a lease.
    fn submit(&mut self) {
        let batch = self.rng.usize(1..=16).min(self.left);
        for _ in 0..batch {
            let (task, data) = match self.rng.u32(0..20) {
                0..=1 => ("sleep", r#"{"seconds": 3}"#),
                2..=6 => ("sleep", r#"{"seconds": 1}"#),
                7..=9 => ("noop", r#"{"result": false}"#),
                _ => ("noop", "{}"),
            };
            let mut request = NewRequest::new(TaskName::fold(task).unwrap(), data);
            request.priority = self.rng.i32(0..3);
            // Where the answer gets lost it may be there all the same, which harms nobody.
            if let Some(id) = passing(self.engine.submit(&request)) {
                self.taken.push(id);
            }
            self.left -= 1;
        }
    }

    /// Does one thing that must not matter.
    fn disturb(&mut self) {
        let number = self.rng.usize(0..self.services.len());
        let what = match self.rng.u32(0..14) {
            0..=3 => self.kill(number),
            4..=7 => self.pause(number),
            8 => self.end_and_start(number),
            9..=10 => self.abort(),
            11..=12 => self.retry(),
            _ => self.hurt_database(),
        };
        self.did.push(what);
    }

    fn kill(&mut self, number: usize) -> String {
        self.services[number] = None;
        if self.rng.bool() {
            thread::sleep(Duration::from_millis(self.rng.u64(0..1500)));
        }
        self.start(number);
        format!("kill {number}")
    }

    /// Longer than a lease, or shorter.
    fn pause(&mut self, number: usize) -> String {
        let is_long = self.rng.bool();
        let time = Duration::from_millis(if is_long {
            3500
        } else {
            self.rng.u64(100..1000)
        });
        let service = self.services[number].as_ref().unwrap();
        service.signal(Signal::STOP);
        thread::sleep(time);
        service.signal(Signal::CONT);
        format!("pause {number} for {time:?}")
    }

    fn end_and_start(&mut self, number: usize) -> String {
        let service = self.services[number].take().unwrap();
        service.signal(Signal::TERM);
        assert_eq!(service.ends(), Some(0), "{}", self.bay.logs());
        self.start(number);
        format!("end {number}")
    }

    fn abort(&mut self) -> String {
        if let Some(id) = self.any() {
            passing(self.engine.abort(id));
        }
        "abort".to_owned()
    }

    fn retry(&mut self) -> String {
        if let Some(id) = self.any() {
            passing(self.engine.retry(id));
        }
        "retry".to_owned()
    }

    fn any(&mut self) -> Option<RequestId> {
        let some = !self.taken.is_empty();
        some.then(|| self.taken[self.rng.usize(0..self.taken.len())])
    }

    fn hurt_database(&mut self) -> String {
        let crash = self.rng.bool();
        let wait = Duration::from_millis(self.rng.u64(0..1500));
        let Some(database) = &mut self.database else {
            return "nothing".to_owned();
        };
        if crash {
            database.crash();
        } else {
            database.kill();
        }
        thread::sleep(wait);
        database.restart();
        format!(
            "kill the database ({})",
            if crash {
                "all of it"
            } else {
                "its first process"
            }
        )
    }

    /// Lets what is left be done: what is held since it lost its workers too often is tried again.
    fn end(&mut self) {
        let mut before = 0;
        let mut until = Instant::now() + crate::bay::LIMIT;
        loop {
            let held = RequestFilter {
                status: Some(Status::Held),
                ..RequestFilter::default()
            };
            for request in passing(self.engine.requests(&held)).unwrap_or_default() {
                passing(self.engine.retry(request.id));
            }
            let left = self
                .ledger
                .count("select count(*) from requests where status <> 'completed'");
            if left == 0 {
                return;
            }
            if left != before {
                (before, until) = (left, Instant::now() + crate::bay::LIMIT);
            }
            assert!(
                Instant::now() < until,
                "{left} requests are not completed; seed {}, {:?}\n{}",
                self.seed,
                self.did,
                self.bay.logs()
            );
            thread::sleep(Duration::from_millis(100));
        }
    }
}

/// What the engine answered, unless the database was away, or the request in another state than it takes.
fn passing<T>(answer: Result<T, EngineError>) -> Option<T> {
    match answer {
        Ok(answer) => Some(answer),
        Err(
            EngineError::Unavailable { .. }
            | EngineError::Database { .. }
            | EngineError::WrongState { .. },
        ) => None,
        Err(error) => panic!("{error:?}"),
    }
}
