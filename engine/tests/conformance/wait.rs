use crate::bay::{Bay, noop};
use std::{
    thread,
    time::{Duration, Instant},
};
use taskbay_engine::{NewRequest, Seen};

const LONG: Duration = Duration::from_secs(30);

/// Waits until nothing comes any more.
fn settle(bay: &Bay, seen: &mut Seen) {
    assert!(
        bay.engine.wait(seen, LONG).unwrap(),
        "the first wait returns at once"
    );
    while bay.engine.wait(seen, Duration::from_millis(700)).unwrap() {}
}

pub(crate) fn another_connection_is_noticed(bay: &Bay) {
    let mut seen = Seen::default();
    settle(bay, &mut seen);
    let other = bay.reopened();
    let begun = Instant::now();
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(200));
            other.submit(&NewRequest::new(noop(), "{}")).unwrap();
        });
        assert!(bay.engine.wait(&mut seen, LONG).unwrap());
    });
    assert!(begun.elapsed() < LONG / 2);
    // What came between looking and waiting is noticed too.
    other.submit(&NewRequest::new(noop(), "{}")).unwrap();
    thread::sleep(Duration::from_millis(500));
    assert!(bay.engine.wait(&mut seen, Duration::ZERO).unwrap());
}

pub(crate) fn waiting_ends_in_time(bay: &Bay) {
    let mut seen = Seen::default();
    settle(bay, &mut seen);
    let begun = Instant::now();
    assert!(
        !bay.engine
            .wait(&mut seen, Duration::from_millis(300))
            .unwrap()
    );
    assert!(begun.elapsed() >= Duration::from_millis(300));
}

/// A scheduler that has nothing to say wakes nobody, itself neither.
pub(crate) fn nothing_is_nothing_to_notice(bay: &Bay) {
    let mut seen = Seen::default();
    settle(bay, &mut seen);
    assert_eq!(bay.engine.record_verdicts(&[]).unwrap(), 0);
    let soon = Duration::from_millis(500);
    assert!(!bay.engine.wait(&mut seen, soon).unwrap());
}

pub(crate) fn each_watcher_sees_for_itself(bay: &Bay) {
    let mut seen = [Seen::default(); 2];
    for each in &mut seen {
        settle(bay, each);
    }
    bay.submit(0);
    for each in &mut seen {
        assert!(bay.engine.wait(each, LONG).unwrap());
    }
}
