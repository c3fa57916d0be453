//! Orphans, in a program of its own: it adopts all that other tests would leave behind. One test only, for that reason.

use rustix::process::{Pid, getpid, set_child_subreaper};
use std::{
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};
use taskbay_worker::{
    Process,
    tree::{descendants, end_orphans, orphans_of_this_process},
};

const LIMIT: Duration = Duration::from_mins(1);

fn orphans(known: Pid, count: usize) -> Vec<Process> {
    let until = Instant::now() + LIMIT;
    loop {
        let found = orphans_of_this_process(|pid| pid == known);
        if found.len() == count {
            return found;
        }
        assert!(Instant::now() < until, "{found:?}");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn what_a_dead_host_leaves_is_found_ended_and_reaped() {
    set_child_subreaper(Some(getpid())).unwrap();
    let mut kept = Command::new("sh")
        .args(["-c", "sleep 600 & wait"])
        .spawn()
        .unwrap();
    let known = Pid::from_child(&kept);
    assert_eq!(orphans_of_this_process(|pid| pid == known), []);
    let until = Instant::now() + LIMIT;
    while descendants(known).is_empty() {
        assert!(Instant::now() < until);
    }

    let directory = tempfile::tempdir().unwrap();
    let begun = directory.path().join("begun");
    let script = format!(
        "(setsid sh -c 'trap \"\" TERM; touch {0}; sleep 600; sleep 600' &); (sleep 600 &); \
         while ! [ -e {0} ]; do sleep 0.01; done; kill -KILL $$",
        begun.display()
    );
    let mut host = Command::new("sh")
        .args(["-c", &script])
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    host.wait().unwrap();
    let found = orphans(known, 2);
    let ended = end_orphans(|pid| pid == known, Duration::from_millis(200));
    assert!(ended.asked >= 2 && ended.killed >= 1, "{ended:?}");
    assert_eq!(ended.survivors, []);
    // Reaped: not even a zombie holds the number.
    for process in found {
        assert_ne!(Process::find(process.pid), Some(process));
    }

    // What is known was left alone, with what is below it.
    assert!(kept.try_wait().unwrap().is_none());
    assert_eq!(descendants(known).len(), 1);
    end_orphans(|_| false, Duration::ZERO);
    assert_eq!(descendants(getpid()), []);
    assert!(kept.wait().is_err());
}
