//! What a pass over a backlog costs, against a matcher that tries each request on each worker, in the same run.
//!
//! Run it with `cargo run --release -p taskbay-scheduler --example backlog`. Times are of one run each, and a busy machine
//! gives others; what to look at is the ratio, and how it grows.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program that shows figures"
)]

use std::time::{Duration, Instant};
use taskbay_core::{Configured, Metadata, Requirement, TaskName};
use taskbay_scheduler::{Conditional, Matchable, Pending, Request, Scheduler, SignatureId, Worker};

/// A request that needs so many processors.
fn request(least: u32) -> Matchable {
    Matchable::new(Request {
        task: TaskName::fold("build").unwrap(),
        version: 1,
        file: "f".to_owned(),
        configured: Configured {
            data: format!(r#"{{"least": {least}}}"#),
            requirements: vec![Requirement::at_least("system:cpu_count", least.into())],
            own_code: None,
        },
    })
}

fn metadata(processors: u32) -> Metadata {
    let text = format!(r#"{{"build:version": 1, "system:cpu_count": {processors}}}"#);
    Metadata::parse(&text).unwrap()
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let begun = Instant::now();
    let done = work();
    (done, begun.elapsed())
}

/// A scheduler with so many requests of so many signatures, and so many idle workers of so many kinds.
fn filled(requests: u32, signatures: u32, workers: u32, kinds: u32, least: u32) -> Scheduler {
    let mut scheduler = Scheduler::default();
    for number in 0..workers {
        let name = format!("w{number}");
        scheduler.set_worker(Worker::new(name, metadata(number % kinds)));
    }
    let named: Vec<SignatureId> = (0..signatures)
        .map(|number| scheduler.add_task(request(least + number)))
        .collect();
    for (at, signature) in (0..).zip(&named) {
        let mine = (at..requests).step_by(named.len());
        let pending = mine.map(|number| Pending {
            priority: 0,
            created: number.into(),
            request: number.into(),
        });
        scheduler.add(*signature, pending);
    }
    scheduler
}

fn main() {
    // All distinct, and none fits: what the whole backlog costs where nothing can be done.
    let mut scheduler = filled(10_000, 10_000, 20, 20, 1000);
    let (assigned, pass) = timed(|| scheduler.pass(&mut Conditional).unwrap());
    assert!(assigned.is_empty());
    let workers: Vec<Metadata> = (0..20).map(metadata).collect();
    let tasks: Vec<Matchable> = (0..10_000).map(|number| request(1000 + number)).collect();
    let (fitting, naive) = timed(|| {
        let each = tasks.iter().map(|task| {
            let suits = |worker: &&Metadata| task.conditions().verdict(worker).can_run();
            workers.iter().filter(suits).count()
        });
        each.sum::<usize>()
    });
    assert_eq!(fitting, 0);
    let (again, second) = timed(|| scheduler.pass(&mut Conditional).unwrap());
    assert!(again.is_empty());
    println!("10,000 distinct requests that fit none of 20 idle workers:");
    println!("  each on each, with reasons   {naive:?}");
    println!(
        "  first pass                   {pass:?}, {:.2} x",
        ratio(pass, naive)
    );
    println!(
        "  next pass                    {second:?}, {:.2} x",
        ratio(second, naive)
    );

    for (requests, workers) in [(100_000, 1_000), (1_000_000, 10_000), (10_000_000, 100_000)] {
        let (mut scheduler, filling) = timed(|| filled(requests, 200, workers, 50, 0));
        let (assigned, pass) = timed(|| scheduler.pass(&mut Conditional).unwrap());
        scheduler.set_busy("w0", false);
        let (_, idle) = timed(|| scheduler.feed("w0", &mut Conditional).unwrap());
        let late = Pending {
            priority: 9,
            created: 0,
            request: u64::MAX,
        };
        let signature = scheduler.add_task(request(0));
        let (_, arrived) = timed(|| scheduler.place(signature, late, &mut Conditional).unwrap());
        println!("{requests} requests of 200 signatures, {workers} workers of 50 kinds:");
        println!(
            "  filling {filling:?}, first pass {pass:?} ({} assigned)",
            assigned.len()
        );
        println!("  a worker becomes idle {idle:?}, a request arrives {arrived:?}");
    }
}

fn ratio(measured: Duration, reference: Duration) -> f64 {
    measured.as_secs_f64() / reference.as_secs_f64()
}
