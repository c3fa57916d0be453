use crate::bay::{Bay, LONG, noop, success, task};
use std::time::Duration;
use taskbay_core::{ErrorCode, Outcome, OutcomeResult};
use taskbay_engine::{Abort, EngineError, NewRequest, RequestFilter, Status};

pub(crate) fn a_pending_request_is_aborted_at_once(bay: &Bay) {
    let id = bay.fitting("w", 0);
    assert_eq!(bay.engine.abort(id).unwrap(), Abort::Completed);
    assert_eq!(bay.engine.abort(id).unwrap(), Abort::TooLate);
    let request = bay.engine.request(id).unwrap().request;
    assert_eq!(
        (request.status, request.result),
        (Status::Completed, Some(OutcomeResult::Aborted))
    );
    assert_eq!(bay.claim("w"), None);
    assert!(matches!(
        bay.engine.abort(id + 1),
        Err(EngineError::NotFound { .. })
    ));
}

pub(crate) fn a_running_request_is_told(bay: &Bay) {
    let id = bay.fitting("w", 0);
    let lease = bay.claim("w").unwrap().lease;
    assert_eq!(bay.engine.abort(id).unwrap(), Abort::Requested);
    assert!(bay.engine.renew(&lease, LONG).unwrap().abort_requested);
    bay.engine.complete(&lease, &Outcome::aborted()).unwrap();
    assert_eq!(bay.engine.abort(id).unwrap(), Abort::TooLate);
    let request = bay.engine.request(id).unwrap().request;
    assert_eq!(request.result, Some(OutcomeResult::Aborted));
}

/// Neither a lost nor a released request that shall be aborted is tried again.
pub(crate) fn an_abort_outlives_its_worker(bay: &Bay) {
    let lost = bay.fitting("w", 0);
    bay.claim_and_lose("w");
    bay.engine.abort(lost).unwrap();
    assert_eq!(bay.engine.expire().unwrap().aborted, 1);
    let released = bay.fitting("w", 0);
    let lease = bay.claim("w").unwrap().lease;
    bay.engine.abort(released).unwrap();
    bay.engine
        .release(&lease, "draining", Duration::ZERO)
        .unwrap();
    for id in [lost, released] {
        let request = bay.engine.request(id).unwrap().request;
        assert_eq!(
            (request.status, request.result),
            (Status::Completed, Some(OutcomeResult::Aborted))
        );
    }
}

pub(crate) fn a_retried_request_counts_anew(bay: &Bay) {
    let mut request = NewRequest::new(noop(), "{}");
    request.max_attempts = 1;
    let id = bay.engine.submit(&request).unwrap();
    bay.fit(id, "s", "w");
    assert!(matches!(
        bay.engine.retry(id),
        Err(EngineError::WrongState { .. })
    ));
    for n in 1..=2 {
        assert_eq!(bay.claim_and_lose("w").lease.attempt, n);
        assert_eq!(bay.engine.expire().unwrap().held, 1);
        bay.engine.retry(id).unwrap();
        let request = bay.engine.request(id).unwrap().request;
        assert_eq!((request.status, request.errors.len()), (Status::Pending, 0));
        // What the plugin demanded then counts no more: it may be another one by now.
        assert_eq!(request.signature, None);
        bay.fit(id, "s", "w");
    }
    let lease = bay.claim("w").unwrap().lease;
    assert_eq!(lease.attempt, 3);
    assert!(matches!(
        bay.engine.retry(id),
        Err(EngineError::WrongState { .. })
    ));
    bay.engine.complete(&lease, &success()).unwrap();
    bay.engine.retry(id).unwrap();
    assert_eq!(bay.engine.request(id).unwrap().request.result, None);
}

/// Nobody misses a request that somebody else just asked for in vain.
pub(crate) fn what_cannot_be_retried_stays_at_hand(bay: &Bay) {
    let id = bay.fitting("w", 0);
    for _ in 0..100 {
        bay.engine.retry(id).unwrap_err();
        let claim = bay.claim("w").unwrap();
        bay.engine
            .release(&claim.lease, "again", Duration::ZERO)
            .unwrap();
        assert!(bay.engine.sign(id, "fits").unwrap().is_some());
    }
}

pub(crate) fn a_refused_request_says_why(bay: &Bay) {
    let id = bay.submit(0);
    let errors = Outcome::error(ErrorCode::ConfigureFailed, "/a: bad").errors;
    assert!(bay.engine.refuse(id, &errors).unwrap());
    assert!(!bay.engine.refuse(id, &errors).unwrap());
    assert_eq!(bay.engine.sign(id, "s").unwrap(), None);
    let request = bay.engine.request(id).unwrap().request;
    assert_eq!(
        (request.status, request.result),
        (Status::Completed, Some(OutcomeResult::Error))
    );
    assert_eq!(request.errors, errors);
}

/// As workers get them, whatever their signatures are.
pub(crate) fn what_waits_is_listed_as_it_comes(bay: &Bay) {
    let [low, old, new, high, gone] = [-1, 0, 0, 5, 9].map(|priority| bay.submit(priority));
    for (id, key) in [(low, "a"), (high, "b"), (old, "b")] {
        assert!(bay.engine.sign(id, key).unwrap().is_some());
    }
    bay.engine.abort(gone).unwrap();
    assert_eq!(bay.engine.queue(9).unwrap(), [high, old, new, low]);
    assert_eq!(bay.engine.queue(2).unwrap(), [high, old]);
}

pub(crate) fn requests_are_listed(bay: &Bay) {
    let first = bay.submit(0);
    let second = bay
        .engine
        .submit(&NewRequest::new(task("other"), "[]"))
        .unwrap();
    let third = bay.submit(0);
    bay.engine.abort(third).unwrap();
    let ids = |filter: RequestFilter| {
        let found = bay.engine.requests(&filter).unwrap();
        found.iter().map(|request| request.id).collect::<Vec<_>>()
    };
    let all = RequestFilter::default;
    let with_data = bay.engine.requests_with_data(&[third, 99, second]).unwrap();
    let details = |id| bay.engine.request(id).unwrap();
    let expected = [third, second].map(|id| (details(id).request, details(id).task_data));
    assert_eq!(with_data, expected);
    let now = bay.engine.now().unwrap();
    let age = now.since(details(first).request.created_at);
    assert!(age < Duration::from_hours(1), "{age:?}");
    assert_eq!(ids(all()), [third, second, first]);
    assert_eq!(ids(RequestFilter { limit: 1, ..all() }), [third]);
    assert_eq!(
        ids(RequestFilter {
            before: Some(third),
            ..all()
        }),
        [second, first]
    );
    assert_eq!(
        ids(RequestFilter {
            status: Some(Status::Completed),
            ..all()
        }),
        [third]
    );
    assert_eq!(
        ids(RequestFilter {
            task_name: Some(task("other")),
            ..all()
        }),
        [second]
    );
}

pub(crate) fn what_is_too_large_is_refused(bay: &Bay) {
    let large = format!("\"{}\"", "x".repeat(1 << 20));
    let error = bay
        .engine
        .submit(&NewRequest::new(noop(), large))
        .unwrap_err();
    assert!(matches!(error, EngineError::TooLarge { .. }), "{error:?}");
    assert!(
        error
            .to_string()
            .ends_with("bytes, and at most 1048576 are taken"),
        "{error}"
    );
    let error = bay
        .engine
        .submit(&NewRequest::new(noop(), "{"))
        .unwrap_err();
    assert!(matches!(error, EngineError::Invalid { .. }), "{error:?}");
    let id = bay.fitting("w", 0);
    let lease = bay.claim("w").unwrap().lease;
    let outcome = Outcome::error(ErrorCode::Crashed, "x".repeat(1 << 20));
    let error = bay.engine.complete(&lease, &outcome).unwrap_err();
    assert!(matches!(error, EngineError::TooLarge { .. }), "{error:?}");
    assert_eq!(
        bay.engine.request(id).unwrap().request.status,
        Status::Running
    );
    assert_eq!(
        bay.engine
            .requests(&RequestFilter::default())
            .unwrap()
            .len(),
        1
    );
}

pub(crate) fn data_is_kept_as_it_was_written(bay: &Bay) {
    let text = "{ \"b\": 1.0, \"a\":\"\\u0000 ü\", \"b\": 1e400 }";
    let id = bay.engine.submit(&NewRequest::new(noop(), text)).unwrap();
    assert_eq!(bay.engine.request(id).unwrap().task_data, text);
    let json = serde_json::to_value(bay.engine.request(id).unwrap()).unwrap();
    assert_eq!(json["status"], "pending");
    assert!(json["created_at"].as_str().unwrap().ends_with('Z'));
}
