//! Process trees, with real processes: each test has a root of its own, and ends all that it started.

#![expect(
    clippy::unwrap_used,
    reason = "Clippy does not see that all of this is test code"
)]

mod root;

use root::Root;
use rustix::process::{Pid, Signal, getpid, set_child_subreaper};
use std::{
    env, fs,
    os::unix::process::CommandExt,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};
use taskbay_worker::{
    Process, reap,
    tree::{Ended, descendants, end},
};

/// Many times what is needed.
const LIMIT: Duration = Duration::from_mins(1);
const GRACE: Duration = Duration::from_secs(30);

fn await_file(path: &Path) {
    let until = Instant::now() + LIMIT;
    while !path.exists() {
        assert!(Instant::now() < until, "{} was not made", path.display());
        thread::sleep(Duration::from_millis(10));
    }
}

fn assert_gone(processes: &[Process]) {
    for process in processes {
        assert!(!process.is_alive(), "{process:?}: {:?}", process.command());
    }
}

/// Not a test of its own: this program started again as a root.
#[test]
fn becomes_a_subreaping_shell() {
    let Ok(script) = env::var("SUBREAPER_SCRIPT") else {
        return;
    };
    set_child_subreaper(Some(getpid())).unwrap();
    panic!("{}", Command::new("sh").args(["-c", &script]).exec());
}

#[test]
fn a_new_session_does_not_leave_the_tree() {
    let root = Root::shell("setsid sleep 600 & sleep 600 & wait");
    let found = root.grown(2);
    root.await_command("sleep");
    assert!(found.iter().all(|process| process.pid != root.pid()));
    let ended = end(root.pid(), false, GRACE);
    assert!(ended.asked >= 2, "{ended:?}");
    assert_eq!((ended.killed, ended.survivors.len()), (0, 0));
    assert_gone(&found);
}

#[test]
fn the_root_ends_only_where_asked() {
    let mut root = Root::shell("trap '' TERM; sleep 600; while :; do read x </dev/null; done");
    root.await_command("sleep");
    let ended = end(root.pid(), false, Duration::from_millis(50));
    assert_eq!((ended.killed, ended.survivors.len()), (1, 0));
    assert!(root.0.try_wait().unwrap().is_none());
    assert_eq!(end(root.pid(), true, Duration::from_millis(50)).killed, 1);
    assert!(!Process::find(root.pid()).unwrap().is_alive());
}

#[test]
fn what_ignores_term_is_killed() {
    let root =
        Root::shell("(trap '' TERM; setsid sleep 600 & sleep 600; sleep 600) & exec sleep 600");
    let found = root.grown(3);
    let started = Instant::now();
    let ended = end(root.pid(), true, Duration::from_millis(300));
    assert!(started.elapsed() >= Duration::from_millis(300));
    assert!(started.elapsed() < LIMIT);
    assert_eq!(
        (ended.asked, ended.killed, ended.survivors.len()),
        (3, 4, 0)
    );
    assert_gone(&found);
}

#[test]
fn a_stopped_process_acts_on_term() {
    let root = Root::shell("kill -STOP $$");
    let until = Instant::now() + LIMIT;
    while !fs::read_to_string(format!("/proc/{}/stat", root.pid()))
        .unwrap()
        .contains(") T ")
    {
        assert!(Instant::now() < until);
    }
    let ended = end(root.pid(), true, GRACE);
    assert_eq!(
        ended,
        Ended {
            asked: 1,
            ..Ended::default()
        }
    );
}

#[test]
fn a_double_fork_does_not_leave_the_tree_of_a_subreaper() {
    let directory = tempfile::tempdir().unwrap();
    let begun = directory.path().join("begun");
    let root = Root::subreaper(&format!(
        "(setsid sh -c 'trap \"\" TERM; touch {}; sleep 600; sleep 600' &) ; sleep 600",
        begun.display()
    ));
    await_file(&begun);
    let found = root.grown(3);
    let ended = end(root.pid(), true, Duration::from_millis(200));
    assert!(ended.killed >= 1, "{ended:?}");
    assert_eq!(ended.survivors, []);
    assert_gone(&found);
}

/// The root is gone by itself, while a process below it stays: it was seen, and is still ended.
#[test]
fn what_was_seen_is_ended_after_the_root() {
    let directory = tempfile::tempdir().unwrap();
    let begun = directory.path().join("begun");
    let root = Root::shell(&format!(
        "(trap '' TERM; touch {}; exec setsid sleep 600) & sleep 601",
        begun.display()
    ));
    await_file(&begun);
    let found = root.grown(2);
    let ended = end(root.pid(), true, Duration::from_millis(500));
    assert_eq!((ended.killed, ended.survivors.len()), (1, 0));
    assert_gone(&found);
}

#[test]
fn the_root_is_asked_when_it_is_alone() {
    let directory = tempfile::tempdir().unwrap();
    let order = directory.path().join("order");
    let member = format!(
        "(trap 'sleep 0.2; echo member >> {0}; exit' TERM; touch {0}; while :; do sleep 0.1; done) &",
        order.display()
    );
    let root = Root::shell(&format!(
        "trap 'echo root >> {}; exit' TERM; {member} while :; do wait; done",
        order.display()
    ));
    await_file(&order);
    let ended = end(root.pid(), true, GRACE);
    assert_eq!((ended.killed, ended.survivors.len()), (0, 0));
    assert_eq!(fs::read_to_string(order).unwrap(), "member\nroot\n");
}

#[test]
fn a_command_name_hides_nothing() {
    let directory = tempfile::tempdir().unwrap();
    for name in [") (", "a) S 1 (b", "x y\nz"] {
        let program = directory.path().join(name);
        // By a process of its own: a child that another test starts just then would hold the file open for writing here,
        // and such a file cannot be executed.
        let copied = Command::new("cp").arg("/bin/sleep").arg(&program).status();
        assert!(copied.unwrap().success());
        let root = Root::shell(&format!("'{}' 600 & wait", program.display()));
        let process = root.await_command(name);
        assert_eq!(end(root.pid(), true, GRACE).survivors, []);
        assert_gone(&[process]);
    }
}

#[test]
fn new_processes_do_not_outrun_the_end() {
    let script =
        "trap '' TERM; i=0; while [ $i -lt 400 ]; do setsid sleep 600 & i=$((i+1)); done; wait";
    let root = Root::subreaper(script);
    root.grown(20);
    let ended = end(root.pid(), true, Duration::ZERO);
    assert_eq!(ended.survivors, []);
    assert_eq!(descendants(root.pid()), []);
}

/// Each process starts the next one in a new session and ends: none lives as long as it takes to look at all.
#[test]
fn a_relay_of_processes_is_caught_or_runs_out() {
    let directory = tempfile::tempdir().unwrap();
    let relay = directory.path().join("relay");
    let begun = directory.path().join("begun");
    let text = "trap '' TERM\n[ $1 -eq 0 ] || setsid sh \"$0\" $(($1 - 1)) &\n";
    fs::write(&relay, text).unwrap();
    let script = format!(
        "sh {0} 3000 & touch {1}; while :; do wait; done",
        relay.display(),
        begun.display()
    );
    let root = Root::subreaper(&script);
    await_file(&begun);
    let ended = end(root.pid(), true, Duration::from_millis(100));
    assert_eq!(ended.survivors, []);
    for _ in 0..20 {
        assert!(!is_running(&relay));
        thread::sleep(Duration::from_millis(10));
    }
}

fn is_running(script: &Path) -> bool {
    let needle = script.to_str().unwrap();
    fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(needle)
            && entry.file_name() != *getpid().to_string()
    })
}

#[test]
fn an_ended_process_is_reaped_once_and_a_foreign_one_never() {
    let mut child = Command::new("true").spawn().unwrap();
    let process = Process::find(Pid::from_child(&child)).unwrap();
    let until = Instant::now() + LIMIT;
    while process.is_alive() {
        assert!(Instant::now() < until);
    }
    assert!(reap(&process));
    assert!(!reap(&process));
    assert!(child.wait().is_err());
    let root = Root::shell("sleep 600 & wait");
    let grandchild = root.grown(1)[0];
    assert!(grandchild.signal(Signal::KILL));
    assert!(!reap(&grandchild));
}

#[test]
fn a_root_that_is_no_process_has_no_tree() {
    let none = Pid::from_raw(i32::MAX).unwrap();
    assert_eq!(descendants(none), []);
    assert_eq!(end(none, true, LIMIT), Ended::default());
}
