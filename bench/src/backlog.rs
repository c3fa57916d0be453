//! Passes over a backlog and events in one, in memory: the requests are configured, the workers known.
//!
//! A pass that can do nothing is held against trying each request on each worker. What grows is held against a tenth as
//! much of everything, so that the ratio says how it grows: 10 is in proportion. Each pass is the first one of its scheduler.
//! An event is one sample, and each is another worker's or request's. Times are of the processor.

use crate::{
    fixture::Fixture,
    goal::Goal,
    measure::{busy, in_turn},
    report::Row,
};
use anyhow::{Context as _, Result, ensure};
use taskbay_core::{Configured, Metadata, Requirement, TaskName};
use taskbay_scheduler::{Conditional, Matchable, Pending, Request, Scheduler, SignatureId, Worker};

const ROUNDS: usize = 15;
/// Ten million requests take seconds to fill in.
const FEW_ROUNDS: usize = 2;
const EVENTS: usize = 300;
/// The goals, in nanoseconds.
const UNFIT_GOAL: f64 = 5e6;
const PASS_GOAL: f64 = 100e6;
const EVENT_GOAL: f64 = 100e3;

/// How many requests, and idle workers that they do not fit.
const UNFIT: (u32, u32) = (10_000, 20);
/// How many signatures, and kinds of workers, there are in a large backlog.
const SIGNATURES: u32 = 200;
pub(crate) const KINDS: u32 = 50;
/// No worker has the disk that each signature after this many demands.
const FITTING: u32 = 180;

/// A backlog.
struct Bay {
    scheduler: Scheduler,
    signatures: Vec<SignatureId>,
    workers: u32,
    requests: u32,
    /// How many events there were.
    events: u32,
}

pub(crate) fn measure(_: &Fixture) -> Result<Vec<Row>> {
    let pass = |workers, kinds| {
        let mut bay = Bay::new(workers, kinds)?;
        busy(|| Ok(bay.scheduler.pass(&mut Conditional)?))
    };
    let million = in_turn(ROUNDS, || pass(10_000, KINDS), || pass(1_000, KINDS))?;
    let own = in_turn(FEW_ROUNDS, || pass(10_000, 10_000), || pass(10_000, KINDS))?;
    let ten = in_turn(FEW_ROUNDS, || pass(100_000, KINDS), || pass(10_000, KINDS))?;
    let mut rows = vec![
        unfit()?,
        Row::new(
            "first pass, 1,000,000 requests of 200 signatures, 10,000 workers of 50 metadata",
            "a tenth of the requests and workers",
            million,
            Goal::Nanoseconds(PASS_GOAL),
        ),
        Row::new(
            "the same, each worker with metadata of its own",
            "50 metadata",
            own,
            Goal::None,
        ),
        Row::new(
            "the same of ten times the requests and workers",
            "1,000,000 requests, 10,000 workers",
            ten,
            Goal::None,
        ),
    ];
    let mut bays = (Bay::begun(10_000)?, Bay::begun(1_000)?);
    rows.extend(events(
        "1,000,000 requests",
        "100,000 requests",
        Goal::Nanoseconds(EVENT_GOAL),
        &mut bays,
    )?);
    bays.1 = Bay::begun(100_000)?;
    std::mem::swap(&mut bays.0, &mut bays.1);
    rows.extend(events(
        "10,000,000 requests",
        "1,000,000 requests",
        Goal::None,
        &mut bays,
    )?);
    Ok(rows)
}

/// A pass that can do nothing, over requests of which each demands another number of processors.
fn unfit() -> Result<Row> {
    let (requests, workers) = UNFIT;
    let demanding = |number| {
        task(vec![Requirement::at_least(
            "system:cpu_count",
            f64::from(1000 + number),
        )])
    };
    let tasks = (0..requests).map(demanding).collect::<Result<Vec<_>>>()?;
    let workers = (0..workers).map(metadata).collect::<Result<Vec<_>>>()?;
    let pass = || {
        let mut scheduler = Scheduler::default();
        for (number, metadata) in (0..).zip(&workers) {
            scheduler.set_worker(Worker::new(name(number), metadata.clone()));
        }
        for (number, task) in (0..).zip(&tasks) {
            let signature = scheduler.add_task(task.clone());
            scheduler.add(signature, [pending(number)]);
        }
        busy(|| Ok(scheduler.pass(&mut Conditional)?))
    };
    let try_all = || {
        busy(|| {
            let suits = |task: &Matchable, worker| task.conditions().verdict(worker).can_run();
            let found = tasks
                .iter()
                .filter(|task| workers.iter().any(|worker| suits(task, worker)));
            ensure!(found.count() == 0, "a request fits a worker");
            Ok(())
        })
    };
    Ok(Row::new(
        "first pass over 10,000 distinct requests that fit none of 20 idle workers",
        "each tried on each, with reasons",
        in_turn(ROUNDS, pass, try_all)?,
        Goal::Nanoseconds(UNFIT_GOAL),
    ))
}

type Event = fn(&mut Bay) -> Result<f64>;

fn events(of: &str, against: &str, goal: Goal, bays: &mut (Bay, Bay)) -> Result<Vec<Row>> {
    let (ours, reference) = bays;
    let events: [(&str, Event); 4] = [
        ("a worker becomes idle", Bay::idle),
        ("a worker becomes idle that nothing fits", Bay::idle_in_vain),
        ("a request arrives, and waits", Bay::waits),
        ("a request arrives, and is placed", Bay::placed),
    ];
    let rows = events.into_iter().map(|(what, event)| {
        let pair = in_turn(EVENTS, || event(ours), || event(reference))?;
        Ok(Row::new(
            format!("{what}, among {of}"),
            format!("among {against}"),
            pair,
            goal,
        ))
    });
    rows.collect()
}

impl Bay {
    /// A hundred requests wait for each worker.
    fn new(workers: u32, kinds: u32) -> Result<Self> {
        let requests = workers * 100;
        let (mut scheduler, signatures) = fleet(workers, SIGNATURES, kinds)?;
        for (number, signature) in (0..).zip(&signatures) {
            let mine = (number..requests).step_by(SIGNATURES as usize);
            scheduler.add(*signature, mine.map(pending));
        }
        Ok(Self {
            scheduler,
            signatures,
            workers,
            requests,
            events: 0,
        })
    }

    /// The same after the first pass: all workers are busy but for one, which can do nothing.
    fn begun(workers: u32) -> Result<Self> {
        let mut bay = Self::new(workers, KINDS)?;
        let assigned = bay.scheduler.pass(&mut Conditional)?;
        ensure!(
            assigned.len() == workers as usize,
            "not all workers have something to do"
        );
        let mut useless = Worker::new("useless", Metadata::default());
        useless.is_busy = true;
        bay.scheduler.set_worker(useless);
        Ok(bay)
    }

    /// Another one of so many, each time.
    fn next(&mut self, of: u32) -> u32 {
        self.events += 7919;
        self.events % of
    }

    fn idle(&mut self) -> Result<f64> {
        let worker = name(self.next(self.workers));
        self.fed(&worker, true)
    }

    fn idle_in_vain(&mut self) -> Result<f64> {
        self.fed("useless", false)
    }

    fn fed(&mut self, worker: &str, expected: bool) -> Result<f64> {
        let scheduler = &mut self.scheduler;
        let mut given = None;
        let took = busy(|| {
            scheduler.set_busy(worker, false);
            given = scheduler.feed(worker, &mut Conditional)?;
            Ok(())
        })?;
        scheduler.set_busy(worker, true);
        ensure!(
            given.is_some() == expected,
            "the idle worker gets {given:?}"
        );
        Ok(took)
    }

    fn waits(&mut self) -> Result<f64> {
        self.arrives(false)
    }

    fn placed(&mut self) -> Result<f64> {
        let worker = name(self.next(self.workers / KINDS) * KINDS + KINDS - 1);
        self.scheduler.set_busy(&worker, false);
        self.arrives(true)
    }

    fn arrives(&mut self, expected: bool) -> Result<f64> {
        let at = self.next(FITTING) as usize;
        let signature = *self
            .signatures
            .get(at)
            .context("there is no such signature")?;
        self.requests += 1;
        let request = pending(self.requests);
        let mut given = None;
        let took = busy(|| {
            given = self.scheduler.place(signature, request, &mut Conditional)?;
            Ok(())
        })?;
        ensure!(given.is_some() == expected, "the request gets {given:?}");
        Ok(took)
    }
}

/// A scheduler with so many idle workers, that knows so many signatures.
pub(crate) fn fleet(
    workers: u32,
    signatures: u32,
    kinds: u32,
) -> Result<(Scheduler, Vec<SignatureId>)> {
    let mut scheduler = Scheduler::default();
    for number in 0..workers {
        scheduler.set_worker(Worker::new(name(number), metadata(number % kinds)?));
    }
    let known = (0..signatures).map(|number| {
        Ok(scheduler.add_task(task(vec![
            Requirement::at_least("system:cpu_count", (number % KINDS).into()),
            Requirement::equals("system:disk", number / FITTING * number),
        ])?))
    });
    let known = known.collect::<Result<_>>()?;
    Ok((scheduler, known))
}

fn name(number: u32) -> String {
    format!("w{number}")
}

fn pending(number: u32) -> Pending {
    Pending {
        priority: 0,
        created: number.into(),
        request: number.into(),
    }
}

fn task(requirements: Vec<Requirement>) -> Result<Matchable> {
    Ok(Matchable::new(Request {
        task: TaskName::fold("build")?,
        version: 1,
        file: "f".to_owned(),
        configured: Configured {
            data: "{}".to_owned(),
            requirements,
            ..Configured::default()
        },
    }))
}

/// Of a worker with so many processors: of kinds beyond the 50th, those of another one.
fn metadata(kind: u32) -> Result<Metadata> {
    let text = format!(
        r#"{{"build:version": 1, "system:worker_type": "external", "system:cpu_count": {}, "system:disk": 0, "kind": {kind}}}"#,
        kind % KINDS
    );
    Ok(Metadata::parse(&text)?)
}
