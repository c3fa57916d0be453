use super::*;
use std::{ops::Range, sync::Arc, time::Duration};

fn pair(signature: u32, worker: u32) -> MissingVerdict {
    MissingVerdict {
        signature: signature.to_string(),
        task_name: TaskName::fold("task").unwrap(),
        example: 0,
        priority: 0,
        metadata_hash: worker.to_string(),
        metadata: Arc::default(),
    }
}

/// Of none of the workers that others are of.
fn of_other_task(signature: u32) -> MissingVerdict {
    MissingVerdict {
        task_name: TaskName::fold("other").unwrap(),
        ..pair(100 + signature, signature)
    }
}

/// However many requests it has: each is another one.
#[test]
fn what_fails_at_everything_keeps_no_other_task_waiting() {
    let (mut failed, now) = (Failed::default(), Instant::now());
    for signature in 0..2 {
        failed.add(&pair(signature, signature), now);
    }
    assert_eq!(failed.rank(&pair(9, 9)), 0, "it may be the requests");
    failed.add(&pair(2, 2), now);
    assert!(failed.rank(&pair(9, 9)) > failed.rank(&of_other_task(8)));
    // Those that were bad come last all the same.
    assert!(failed.rank(&pair(2, 2)) > failed.rank(&pair(9, 9)));
    // It answers.
    failed.has_answered(&pair(9, 9));
    assert_eq!(failed.rank(&pair(8, 8)), 0);
    // So does one that is asked about requests alone.
    (0..3).for_each(|_| failed.add(&of_other_task(1), now));
    assert!(failed.rank(&of_other_task(2)) > 0);
    failed.has_configured(&of_other_task(1).task_name);
    assert_eq!(failed.rank(&of_other_task(2)), 0);
}

/// And what is bad is limited all the same.
#[test]
fn good_answers_have_nothing_bad_forgotten() {
    let (mut failed, now) = (Failed::default(), Instant::now());
    failed.add(&pair(1, 0), now);
    let most = u32::try_from(MOST).unwrap();
    for signature in 2..most + 2 {
        failed.has_answered(&pair(signature, signature));
    }
    assert!(failed.rank(&pair(1, 0)) > 0);
    for signature in 2..2 * most {
        failed.add(&pair(signature, 0), now);
        assert!(failed.signatures.len() <= MOST && failed.metadata.len() <= MOST);
    }
}

/// How many failures it takes until a good pair is asked about, of 9 requests and 21 workers.
fn failures(is_bad: impl Fn(u32, u32) -> bool) -> u32 {
    let mut failed = Failed::default();
    let mut missing: Vec<_> = (0..9)
        .flat_map(|signature| (0..21).map(move |worker| (signature, worker)))
        .collect();
    for count in 0.. {
        missing.sort_by_key(|(signature, worker)| failed.rank(&pair(*signature, *worker)));
        let (signature, worker) = missing.remove(0);
        if !is_bad(signature, worker) {
            return count;
        }
        failed.add(&pair(signature, worker), Instant::now());
    }
    unreachable!("there is a good one");
}

/// However many pairs bad requests and bad workers make.
#[test]
fn the_good_come_before_what_was_bad() {
    assert_eq!(failures(|signature, _| signature < 8), 8);
    assert_eq!(failures(|_, worker| worker < 20), 20);
    let of_188 = failures(|signature, worker| signature < 8 || worker < 20);
    assert!(of_188 < 70, "{of_188}");
}

/// How many failures it takes in each of some windows until all was asked about that may be: good and bad requests,
/// with a new one each time, and workers, of which one may be bad.
fn windows(good: Range<u32>, bad: Range<u32>, workers: Range<u32>, bad_worker: u32) -> Vec<u32> {
    let (mut failed, mut now) = (Failed::default(), Instant::now());
    for signature in good.clone() {
        failed.has_answered(&pair(signature, 0));
    }
    let window = |new: u32| {
        let mut is_waiting = false;
        let all = good.clone().chain(bad.clone()).chain([new]);
        let mut missing: Vec<_> = all
            .flat_map(|signature| workers.clone().map(move |worker| (signature, worker)))
            .collect();
        let mut failures = 0;
        while !missing.is_empty() {
            missing.sort_by_key(|(signature, worker)| failed.rank(&pair(*signature, *worker)));
            let (signature, worker) = missing.remove(0);
            let pair = pair(signature, worker);
            let is_bad = bad.contains(&signature) || worker == bad_worker;
            let is_asked = failed.is_asked(&pair, is_waiting, now);
            if is_asked && is_bad {
                failed.add(&pair, now);
                failures += 1;
                is_waiting = true;
            } else if is_asked {
                failed.has_answered(&pair);
            }
            // What is new and good is asked about at once.
            assert!(is_asked || is_bad, "{pair:?}");
        }
        now += Duration::from_mins(6);
        failures
    };
    (1000..1009).map(window).collect()
}

/// So a task is given up by none of them again and again.
#[test]
fn what_is_known_to_be_bad_fails_once_until_it_is_time_again() {
    for failures in [
        windows(0..0, 1..4, 0..1, 9),
        windows(0..4, 4..4, 0..3, 2),
        windows(0..1, 1..4, 0..4, 3),
    ] {
        assert!(
            failures[1..].iter().all(|count| *count == 1),
            "{failures:?}"
        );
    }
}

/// A bad request is asked about once in a while, for however many workers; and so is a bad worker.
#[test]
fn what_is_to_blame_is_left_alone() {
    let (mut failed, begun) = (Failed::default(), Instant::now());
    let after = |seconds| begun + Duration::from_secs(seconds);
    failed.has_answered(&pair(1, 0));
    failed.add(&pair(2, 0), begun);
    let is_asked = |failed: &Failed, signature, worker, now| {
        failed.is_asked(&pair(signature, worker), false, now)
    };
    assert!(!is_asked(&failed, 2, 9, begun) && is_asked(&failed, 1, 0, begun));
    assert!(is_asked(&failed, 2, 9, after(1)));
    failed.add(&pair(2, 1), after(1));
    assert!(!is_asked(&failed, 2, 9, after(2)) && is_asked(&failed, 2, 9, after(3)));
    // The worker is bad.
    failed.add(&pair(1, 30), begun);
    assert!(is_asked(&failed, 1, 0, begun) && !is_asked(&failed, 1, 30, begun));
    assert!(is_asked(&failed, 1, 30, after(1)));
    // It may be the requests.
    assert!(is_asked(&failed, 8, 30, begun));
    // Neither is for all others.
    failed.has_answered(&pair(4, 5));
    failed.has_answered(&pair(5, 4));
    failed.add(&pair(4, 4), begun);
    assert!(!is_asked(&failed, 4, 9, begun) && is_asked(&failed, 5, 4, begun));
}
