use crate::bay::{Bay, LONG, noop, success};
use std::time::Duration;
use taskbay_core::{ArtifactId, ErrorCode, Outcome, OutcomeResult};
use taskbay_engine::{
    AttemptOutcome, EngineError, Lease, LogLevel, NewArtifact, NewLogLine, NewRequest, Status,
};

/// Everything that names the lease is refused.
fn assert_stale(bay: &Bay, lease: &Lease) {
    let line = NewLogLine {
        level: LogLevel::Info,
        message: "late".to_owned(),
    };
    let artifact = NewArtifact {
        category: "test".to_owned(),
        data: serde_json::Value::Null,
        files: Vec::new(),
        made_by: Some(*lease),
    };
    let refused: [Result<(), EngineError>; 5] = [
        bay.engine.renew(lease, LONG).map(drop),
        bay.engine.append_log(lease, &[line]),
        bay.engine.complete(lease, &success()),
        bay.engine.release(lease, "late", Duration::ZERO),
        bay.engine.create_artifact(artifact).map(|_: ArtifactId| ()),
    ];
    for each in refused {
        let error = each.unwrap_err();
        assert!(matches!(error, EngineError::Stale { .. }), "{error:?}");
        assert!(error.help().is_some());
    }
}

pub(crate) fn an_expired_lease_is_refused(bay: &Bay) {
    let id = bay.fitting("w", 0);
    let claim = bay.claim_and_lose("w");
    assert_stale(bay, &claim.lease);
    // A call that is refused may hold its locks a moment longer than its answer takes, and what is locked is skipped.
    let mut expired = bay.engine.expire().unwrap();
    for _ in 0..500 {
        if expired.pending > 0 {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
        expired = bay.engine.expire().unwrap();
    }
    assert_eq!(expired.pending, 1);
    assert_eq!(bay.engine.expire().unwrap().pending, 0);
    assert_stale(bay, &claim.lease);
    let details = bay.engine.request(id).unwrap();
    assert_eq!(details.request.status, Status::Pending);
    assert!(details.request.not_before > details.request.created_at);
    assert_eq!(details.tries[0].outcome, Some(AttemptOutcome::Lost));
    assert_eq!(
        bay.claim("w"),
        None,
        "the request is held back for a second"
    );
}

pub(crate) fn a_resumed_worker_is_refused(bay: &Bay) {
    let id = bay.fitting("paused", 0);
    let hash = bay.report("successor");
    bay.verdict("fits", &hash, taskbay_core::Verdict::default());
    let paused = bay.claim_and_lose("paused");
    bay.expire();
    assert!(bay.engine.sign(id, "fits").unwrap().is_some());
    let successor = bay.claim("successor").unwrap();
    assert_eq!(successor.lease.attempt, 2);
    assert_stale(bay, &paused.lease);
    bay.engine
        .complete(&successor.lease, &Outcome::of(Ok(false)))
        .unwrap();
    assert_stale(bay, &paused.lease);
    let request = bay.engine.request(id).unwrap().request;
    assert_eq!(request.result, Some(OutcomeResult::Failure));
}

pub(crate) fn a_successor_of_the_same_name_is_another(bay: &Bay) {
    let id = bay.fitting("w", 0);
    let paused = bay.claim_and_lose("w");
    bay.expire();
    assert!(bay.engine.sign(id, "fits").unwrap().is_some());
    let successor = bay.claim("w").unwrap();
    assert!(successor.lease.fence > paused.lease.fence);
    assert_stale(bay, &paused.lease);
    let renewal = bay.engine.renew(&successor.lease, LONG).unwrap();
    assert!(!renewal.abort_requested);
    bay.engine.complete(&successor.lease, &success()).unwrap();
}

pub(crate) fn a_renewed_lease_holds(bay: &Bay) {
    bay.fitting("w", 0);
    let claim = bay
        .engine
        .claim("w", Duration::from_secs(5))
        .unwrap()
        .unwrap();
    let renewal = bay.engine.renew(&claim.lease, LONG).unwrap();
    assert!(renewal.lease_until.0 > claim.lease_until.0 + 500_000);
    assert_eq!(bay.engine.expire().unwrap().pending, 0);
    bay.engine.complete(&claim.lease, &success()).unwrap();
    assert!(bay.engine.claim("w", Duration::ZERO).is_err());
}

pub(crate) fn attempts_are_limited_and_leave_evidence(bay: &Bay) {
    let mut request = NewRequest::new(noop(), "{}");
    request.max_attempts = 2;
    let id = bay.engine.submit(&request).unwrap();
    bay.fit(id, "s", "w");
    bay.claim_and_lose("w");
    bay.expire();
    assert!(bay.engine.sign(id, "s").unwrap().is_some());
    bay.claim_and_lose("w");
    assert_eq!(bay.engine.expire().unwrap().held, 1);
    let details = bay.engine.request(id).unwrap();
    assert_eq!(details.request.status, Status::Held);
    assert_eq!(details.request.result, None);
    let errors = &details.request.errors;
    assert_eq!(errors.len(), 2);
    assert_eq!(errors[1].code, ErrorCode::Crashed);
    assert!(
        errors[1]
            .message
            .starts_with("attempt 2 on worker `w` was lost: "),
        "{errors:?}"
    );
    assert_eq!(bay.claim("w"), None);
}

pub(crate) fn what_was_completed_stays(bay: &Bay) {
    let id = bay.fitting("w", 0);
    let lease = bay.claim("w").unwrap().lease;
    let outcome = Outcome::error(ErrorCode::ExecuteFailed, "disk full");
    bay.engine.complete(&lease, &outcome).unwrap();
    // Said again, since the answer was lost; but nothing else.
    bay.engine.complete(&lease, &outcome).unwrap();
    assert_stale(bay, &lease);
    let details = bay.engine.request(id).unwrap();
    assert_eq!(details.request.status, Status::Completed);
    assert_eq!(details.request.errors, outcome.errors);
    assert!(details.request.completed_at.is_some());
    assert_eq!(details.tries.len(), 1);
    assert_eq!(details.tries[0].outcome, Some(AttemptOutcome::Error));
}

/// Not counted as lost, however often.
pub(crate) fn a_released_request_waits_again(bay: &Bay) {
    let id = bay.fitting("w", 0);
    for n in 1..=5 {
        let claim = bay.claim("w").unwrap();
        assert_eq!(claim.lease.attempt, n);
        // Said again, since the answer was lost.
        for _ in 0..2 {
            bay.engine
                .release(&claim.lease, "draining", Duration::ZERO)
                .unwrap();
        }
        assert!(bay.engine.complete(&claim.lease, &success()).is_err());
        assert!(bay.engine.sign(id, "fits").unwrap().is_some());
    }
    let details = bay.engine.request(id).unwrap();
    assert_eq!(details.request.status, Status::Pending);
    assert_eq!(details.tries[4].outcome, Some(AttemptOutcome::Released));
    assert_eq!(details.tries[4].reason.as_deref(), Some("draining"));
}

pub(crate) fn a_wrong_fence_is_refused(bay: &Bay) {
    bay.fitting("w", 0);
    let lease = bay.claim("w").unwrap().lease;
    assert_stale(
        bay,
        &Lease {
            fence: lease.fence + 1,
            ..lease
        },
    );
    assert_stale(
        bay,
        &Lease {
            attempt: lease.attempt + 1,
            ..lease
        },
    );
    assert_stale(
        bay,
        &Lease {
            request: lease.request + 1,
            ..lease
        },
    );
    bay.engine.complete(&lease, &success()).unwrap();
}

/// Whoever may do a worker's work must not speak for another: neither the clock nor one's own fences tell of others.
pub(crate) fn a_fence_is_not_to_be_guessed(bay: &Bay) {
    for _ in 0..2 {
        bay.fitting("w", 0);
    }
    let claims = [(); 2].map(|()| bay.claim("w").unwrap());
    let far = |a: i64, b: i64| a.abs_diff(b) > 86_400_000;
    assert!(far(claims[0].lease.fence, claims[1].lease.fence));
    for claim in claims {
        let now = claim.lease_until.0;
        assert!(far(claim.lease.fence, now) && far(claim.lease.fence, 0));
    }
}

/// As it looks after the database's clock was set back by an hour: what a dead worker had is lost all the same in time, and
/// what waits waits for no hour.
pub(crate) fn a_clock_that_was_set_back_holds_nothing(bay: &Bay) {
    let id = bay.fitting("w", 0);
    let length = Duration::from_millis(100);
    bay.engine.claim("w", length).unwrap().unwrap();
    let waiting = bay.fitting("w", 0);
    bay.execute("update attempts set lease_until = lease_until + 3600000");
    bay.execute(&format!(
        "update requests set not_before = created_at + 3600000 where id = {waiting}"
    ));
    let scheduler = bay.reopened();
    assert_eq!(scheduler.expire().unwrap().pending, 0);
    std::thread::sleep(length * 2);
    assert_eq!(scheduler.expire().unwrap().pending, 1);
    let request = bay.engine.request(id).unwrap().request;
    assert_eq!(request.status, Status::Pending);
    let far = "select count(*) from requests where not_before > created_at + 1000000";
    assert_eq!(bay.number(far), 0);
}

/// Whoever could not put right what a jump of the clock did does so with the next look.
pub(crate) fn a_jump_is_put_right_in_the_end(bay: &Bay) {
    bay.fitting("w", 0);
    bay.claim("w").unwrap();
    bay.execute("update attempts set lease_until = lease_until + 3600000");
    bay.execute(bay.pick(
        "create trigger broken before update on attempts begin select raise(abort, 'broken'); end",
        "alter table attempts add constraint broken check (lease_until < 0) not valid",
    ));
    let scheduler = bay.reopened();
    scheduler.expire().unwrap_err();
    bay.execute(bay.pick(
        "drop trigger broken",
        "alter table attempts drop constraint broken",
    ));
    scheduler.expire().unwrap();
    let far = "select count(*) from attempts where lease_until > started_at + 2 * lease_ms";
    assert_eq!(bay.number(far), 0);
}
