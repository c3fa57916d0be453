//! Very many signatures that wait, and what is looked at all the same.

use super::{super::pile::Lane, *};
use taskbay_core::{Reason, Verdict};
use taskbay_engine::{NewVerdict, PendingSignature};

/// Has so many signatures wait, for so many kinds of workers, that there is no room for more of what is new.
fn crowd(engine: &dyn Engine) {
    for number in 0..300 {
        let id = submit(engine, "task");
        let signed = engine.sign(id, &format!("signature {number}"));
        assert!(signed.unwrap().is_some());
    }
    (0..20).for_each(|number| report(engine, &format!("worker {number}")));
}

/// Looks until there is no room for more.
fn fill(scheduling: &mut Scheduling) {
    while scheduling.to_judge.has_room(Lane::News) {
        scheduling.look_for_missing().unwrap();
    }
}

/// The requests of the next two pairs to be judged.
fn next(scheduling: &mut Scheduling) -> Vec<i64> {
    scheduling.to_judge.sort(&scheduling.failed);
    let pairs = (0..2).map_while(|_| scheduling.to_judge.take(&scheduling.failed));
    pairs.map(|pair| pair.example).collect()
}

/// However many were signed before.
#[test]
fn what_is_urgent_is_judged_at_once() {
    let place = Place::new();
    let engine = place.engine();
    crowd(&*engine);
    let mut scheduling = place.scheduling(&*engine);
    fill(&mut scheduling);
    let mut sign = |priority| {
        let (id, key) = (submit(&*engine, "task"), format!("of priority {priority}"));
        let number = engine.sign(id, &key).unwrap().unwrap();
        scheduling.signed.add(PendingSignature {
            number,
            key,
            task_name: TaskName::fold("task").unwrap(),
            example: id,
            priority,
        });
        id
    };
    let [_, urgent] = [0, 9].map(&mut sign);
    scheduling.look_for_missing().unwrap();
    assert!(!scheduling.signed.is_empty(), "there is no room for all");
    assert!(next(&mut scheduling).contains(&urgent));
}

/// Verdicts on what came before may be missing again, whatever comes meanwhile.
#[test]
fn what_is_new_keeps_nothing_else_from_being_looked_at() {
    let place = Place::new();
    let engine = place.engine();
    let old = submit(&*engine, "old");
    assert!(engine.sign(old, "old").unwrap().is_some());
    crowd(&*engine);
    let pending = engine.pending_signatures(0, 1).unwrap();
    let missing = engine.missing_verdicts(&pending).unwrap().pairs;
    let failed = missing.into_iter().map(|pair| NewVerdict {
        signature: pair.signature,
        metadata_hash: pair.metadata_hash,
        verdict: Verdict {
            reasons: vec![Reason::new(ReasonCode::PluginFailed, "it hangs")],
        },
    });
    engine.record_verdicts(&failed.collect::<Vec<_>>()).unwrap();
    let mut scheduling = place.scheduling(&*engine);
    fill(&mut scheduling);
    let task = TaskName::fold("old").unwrap();
    assert_eq!(engine.forget_failed_verdicts(&task).unwrap(), 20);
    scheduling.circle.again();
    // A walk that goes on is ended first.
    for _ in 0..9 {
        scheduling.look_for_missing().unwrap();
    }
    assert!(next(&mut scheduling).contains(&old));
}
