use crate::bay::{Bay, LONG, success};
use std::{collections::HashSet, thread};
use taskbay_core::OutcomeResult;
use taskbay_engine::RequestFilter;

/// Each thread has a connection of its own, as a process has.
pub(crate) fn sixteen_threads_take_each_request_once(bay: &Bay) {
    let ids: HashSet<_> = (0..200).map(|n| bay.fitting("w", n % 3)).collect();
    let taken: Vec<_> = thread::scope(|scope| {
        let work = || {
            let engine = bay.reopened();
            let mut mine = Vec::new();
            while let Some(claim) = engine.claim("w", LONG).unwrap() {
                mine.push(claim.lease);
            }
            mine
        };
        let threads: Vec<_> = (0..16).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .flat_map(|each| each.join().unwrap())
            .collect()
    });
    assert!(taken.iter().all(|lease| lease.attempt == 1));
    assert_eq!(taken.len(), 200);
    assert_eq!(
        taken
            .iter()
            .map(|lease| lease.request)
            .collect::<HashSet<_>>(),
        ids
    );
}

/// One engine for all threads, as one process has.
pub(crate) fn sixteen_threads_see_each_completion_once(bay: &Bay) {
    for _ in 0..64 {
        bay.fitting("w", 0);
    }
    let done: usize = thread::scope(|scope| {
        let work = || {
            let mut done = 0;
            while let Some(claim) = bay.claim("w") {
                bay.engine.complete(&claim.lease, &success()).unwrap();
                done += 1;
            }
            done
        };
        let threads: Vec<_> = (0..16).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|each| each.join().unwrap()).sum()
    });
    assert_eq!(done, 64);
    let all = bay.engine.requests(&RequestFilter::default()).unwrap();
    assert!(
        all.iter()
            .all(|request| request.result == Some(OutcomeResult::Success))
    );
}
