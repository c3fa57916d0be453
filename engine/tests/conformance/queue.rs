use crate::bay::{Bay, task};
use std::time::{Duration, Instant};
use taskbay_engine::NewRequest;

pub(crate) fn higher_priority_first_then_the_older(bay: &Bay) {
    let ids: Vec<_> = [0, 5, -3, 5, 0]
        .map(|priority| bay.fitting("w", priority))
        .into();
    let expected = [ids[1], ids[3], ids[0], ids[4], ids[2]];
    assert_eq!(bay.work_off("w"), expected);
}

/// Among several signatures too, and those in front fit nobody, fit another, or are not configured yet.
pub(crate) fn what_fits_nobody_blocks_nothing(bay: &Bay) {
    for n in 0..50 {
        bay.unfit(bay.submit(100), &format!("nobody{}", n % 5), "w");
    }
    bay.fit(bay.submit(90), "other", "other");
    bay.submit(80);
    let first = bay.fitting("w", 1);
    let second = bay.submit(2);
    bay.fit(second, "fits too", "w");
    assert_eq!(bay.work_off("w"), [second, first]);
    assert_eq!(bay.work_off("other").len(), 1);
}

/// Signatures stay long after their last request: what a worker could do of them costs its claims nothing, wherever they
/// stand between others.
pub(crate) fn what_nothing_waits_with_costs_nothing(bay: &Bay) {
    bay.unfit(bay.submit(0), "unfit, first", "w");
    let hash = bay.report("w");
    let time = || {
        let times = (0..9).map(|_| {
            let begun = Instant::now();
            assert_eq!(bay.claim("w"), None);
            begun.elapsed()
        });
        times.min().unwrap()
    };
    let before = time();
    let numbers = bay.pick(
        "with recursive n (n) as (select 1 union all select n + 1 from n where n < 50000) select n from n",
        "select n from generate_series(1, 50000) n",
    );
    bay.execute(&format!(
        "insert into signatures (key, task_name) select 'old' || n, 'noop' from ({numbers}) n"
    ));
    let fits = bay.pick("1", "true");
    bay.execute(&format!(
        "insert into verdicts (hash, signature_id, can_run, reasons)
        select '{hash}', id, {fits}, '[]' from signatures where key like 'old%'"
    ));
    bay.unfit(bay.submit(0), "unfit, last", "w");
    // A busy machine may disturb many of them, one after the other.
    let is_fast = |_| time() < before * 20;
    assert!((0..5).any(is_fast), "{before:?}, then {:?}", time());
    let id = bay.fitting("w", -1);
    assert_eq!(bay.work_off("w"), [id]);
}

pub(crate) fn only_what_a_verdict_permits(bay: &Bay) {
    bay.report("w");
    let id = bay.submit(0);
    assert_eq!(bay.claim("w"), None);
    bay.unfit(id, "s", "w");
    assert_eq!(bay.claim("w"), None);
    bay.fit(id, "s", "w");
    let claim = bay.claim("w").unwrap();
    assert_eq!((claim.lease.request, claim.lease.attempt), (id, 1));
    assert_eq!(claim.task_name, task("noop"));
    assert_eq!(bay.claim("w"), None);
}

pub(crate) fn what_is_held_back_waits(bay: &Bay) {
    let mut request = NewRequest::new(task("noop"), r#"{"a": 1}"#);
    request.timeout = Some(Duration::from_secs(7));
    let id = bay.engine.submit(&request).unwrap();
    bay.fit(id, "s", "w");
    let claim = bay.claim("w").unwrap();
    assert_eq!(claim.task_data, r#"{"a": 1}"#);
    assert_eq!(claim.timeout, request.timeout);
    bay.engine
        .release(&claim.lease, "not now", Duration::from_hours(1))
        .unwrap();
    assert_eq!(bay.claim("w"), None);
    assert!(bay.engine.sign(id, "s").unwrap().is_some());
    assert_eq!(bay.claim("w"), None);
    bay.execute("update requests set not_before = 0");
    assert_eq!(bay.claim("w").unwrap().lease.attempt, 2);
}
