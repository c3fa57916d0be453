use crate::bay::{Bay, task};
use std::time::Duration;
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
    bay.execute("update requests set not_before = 0");
    assert_eq!(bay.claim("w").unwrap().lease.attempt, 2);
}
