//! Workers and schedulers that die, are paused, or are told to end: every request has one result.

use crate::bay::{Bay, attempts};
use rustix::process::Signal;
use std::{thread, time::Duration};

const LONG: &str = r#"{"seconds": 600}"#;

/// Its lease runs out, and another takes the request over.
pub(crate) fn a_killed_worker_is_replaced(bay: &Bay) {
    let _scheduler = bay.scheduler();
    let first = bay.worker("first");
    let id = bay.submit(&["sleep", r#"{"seconds": 2}"#]);
    bay.runs(id, 1);
    first.signal(Signal::KILL);
    let _second = bay.worker("second");
    let request = bay.completes(id);
    assert_eq!(request["result"], "success", "{request:#}");
    let attempts = attempts(&request);
    assert_eq!(attempts.len(), 2, "{request:#}");
    assert_eq!(
        (&attempts[0]["worker"], &attempts[0]["outcome"]),
        (&"first".into(), &"lost".into())
    );
    assert_eq!(attempts[1]["worker"], "second");
}

/// A request that costs each of its workers its life is held, with the evidence, once its attempts are used up.
pub(crate) fn a_request_that_outlives_no_worker_is_held(bay: &Bay) {
    let _scheduler = bay.scheduler();
    let id = bay.submit(&["sleep", LONG, "--attempts", "2"]);
    for attempt in 1..=2 {
        let worker = bay.worker("victim");
        bay.runs(id, attempt);
        worker.signal(Signal::KILL);
        worker.ends();
    }
    let request = bay.wait(id, |request| request["status"] == "held");
    assert_eq!(attempts(&request).len(), 2);
    assert!(
        !request["errors"].as_array().unwrap().is_empty(),
        "{request:#}"
    );
    let _worker = bay.worker("next");
    thread::sleep(Duration::from_secs(2));
    assert_eq!(bay.show(id)["status"], "held");
}

pub(crate) fn a_paused_worker_is_refused(bay: &Bay) {
    paused(bay, "second");
}

pub(crate) fn a_paused_worker_is_refused_with_a_successor_of_its_name(bay: &Bay) {
    paused(bay, "first");
}

/// A worker that was paused past its lease has no say any more, whoever has the request by then.
fn paused(bay: &Bay, successor: &str) {
    let _scheduler = bay.scheduler();
    let first = bay.worker("first");
    let id = bay.submit(&["sleep", r#"{"seconds": 8}"#]);
    bay.runs(id, 1);
    first.signal(Signal::STOP);
    let _second = bay.worker(successor);
    bay.runs(id, 2);
    first.signal(Signal::CONT);
    let request = bay.completes(id);
    assert_eq!(request["result"], "success", "{request:#}");
    let attempts = attempts(&request);
    assert_eq!(attempts.len(), 2, "{request:#}");
    assert_eq!(attempts[0]["outcome"], "lost");
    assert_eq!(
        (&attempts[1]["worker"], &attempts[1]["outcome"]),
        (&successor.into(), &"success".into())
    );
    // It works on.
    bay.run(&["submit", "noop", "{}", "--wait"]).succeeds();
    first.signal(Signal::TERM);
    assert_eq!(first.ends(), Some(0));
}

/// Told to end once, it finishes what it has; twice, it hands that back.
pub(crate) fn a_worker_that_ends_finishes_or_hands_back(bay: &Bay) {
    let scheduler = bay.scheduler();
    let worker = bay.worker("first");
    let id = bay.submit(&["sleep", r#"{"seconds": 3}"#]);
    bay.runs(id, 1);
    worker.signal(Signal::TERM);
    assert_eq!(worker.ends(), Some(0));
    let request = bay.show(id);
    assert_eq!(request["result"], "success", "{request:#}");

    let worker = bay.worker("second");
    let id = bay.submit(&["sleep", LONG]);
    bay.runs(id, 1);
    worker.signal(Signal::TERM);
    thread::sleep(Duration::from_millis(500));
    assert_eq!(bay.show(id)["status"], "running");
    worker.signal(Signal::TERM);
    assert_eq!(worker.ends(), Some(0));
    let request = bay.show(id);
    assert_eq!(request["status"], "pending", "{request:#}");
    assert_eq!(request["attempts"][0]["outcome"], "released", "{request:#}");
    drop(scheduler);
    bay.farm.assert_nothing_is_left();
}

/// A lease that is long is not renewed for long: the abort is heard all the same.
pub(crate) fn what_still_runs_as_a_worker_ends_is_aborted(bay: &Bay) {
    let _scheduler = bay.scheduler();
    let worker = bay.start(&["worker", "--lease", "1h", "--drain", "1h", "--grace", "1s"]);
    let id = bay.submit(&["sleep", LONG]);
    bay.runs(id, 1);
    worker.signal(Signal::TERM);
    thread::sleep(Duration::from_secs(1));
    bay.run(&["abort", &id.to_string()]).succeeds();
    assert_eq!(bay.completes(id)["result"], "aborted");
    assert_eq!(worker.ends(), Some(0));
}

/// What it had begun, another goes on with; and two at once do nothing twice.
pub(crate) fn a_killed_scheduler_is_replaced(bay: &Bay) {
    let ids: Vec<_> = (0..20).map(|_| bay.submit(&["noop", "{}"])).collect();
    let _worker = bay.worker("worker");
    let first = bay.scheduler();
    thread::sleep(Duration::from_millis(300));
    first.signal(Signal::KILL);
    let _second = bay.scheduler();
    let _third = bay.scheduler();
    for id in ids {
        let request = bay.completes(id);
        assert_eq!(request["result"], "success", "{request:#}");
        assert_eq!(attempts(&request).len(), 1, "{request:#}");
    }
}
