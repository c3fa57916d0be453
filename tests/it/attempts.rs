//! Executions: results, crashes, time limits, aborts, and no process left behind.

use crate::{
    farm::{Farm, Ran, called_by},
    unruly,
};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use std::{
    fs,
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Ten times what is needed on a busy machine.
const LIMIT: Duration = Duration::from_mins(1);

fn farm() -> Farm {
    let farm = Farm::with(&[]);
    farm.add_unruly("fine");
    farm
}

fn command(farm: &Farm, action: &str, more: &[&str]) -> Command {
    let name = unruly::name("fine");
    let data = format!(r#"{{"action": "{action}"}}"#);
    let mut arguments = vec!["run", &name, &data, "--json"];
    arguments.extend(more);
    let mut command = farm.command(&arguments);
    command.env("TASKBAY_TEST_PIDS", pids(farm));
    command
}

fn pids(farm: &Farm) -> PathBuf {
    farm.path("pids")
}

/// The processes that the plugin started and that are hard to end.
fn started(farm: &Farm) -> Vec<Pid> {
    let text = fs::read_to_string(pids(farm)).unwrap_or_default();
    text.lines()
        .filter_map(|line| Pid::from_raw(line.parse().ok()?))
        .collect()
}

pub(crate) fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < LIMIT, "waited in vain: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

fn assert_all_gone(farm: &Farm) {
    let pids = started(farm);
    assert_eq!(pids.len(), 3, "{pids:?}");
    wait_until("no process is left", || {
        pids.iter().all(|pid| test_kill_process(*pid).is_err())
    });
}

/// No work directory is left under the temporary directory, which is the farm's.
fn assert_no_work_directory(farm: &Farm) {
    let left: Vec<_> = fs::read_dir(farm.path(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("taskbay-"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[track_caller]
fn check(action: &str, code: i32, result: &str, error: Option<(&str, &str)>) {
    let farm = farm();
    let ran = Ran::of(&mut command(&farm, action, &[]));
    assert_eq!(ran.code, Some(code), "{ran:#?}");
    let json = ran.json();
    assert_eq!(json["result"], result);
    match error {
        None => assert!(json["errors"].as_array().unwrap().is_empty(), "{json:#}"),
        Some((code, message)) => {
            assert_eq!(json["errors"][0]["code"], code);
            assert!(
                json["errors"][0]["message"]
                    .as_str()
                    .unwrap()
                    .contains(message),
                "{json:#}"
            );
        }
    }
    assert_no_work_directory(&farm);
}

#[test]
fn results() {
    check("succeed", 0, "success", None);
    check("fail", 1, "failure", None);
    check(
        "err",
        1,
        "error",
        Some(("execute-failed", "the disk is full")),
    );
    check(
        "config-err",
        1,
        "error",
        Some(("configure-failed", "/action: it is not")),
    );
    check(
        "panic",
        5,
        "error",
        Some(("execute-failed", "execute panics")),
    );
    check(
        "panic-twice",
        5,
        "error",
        Some(("execute-failed", "with something that is no text")),
    );
}

/// A crash names the signal, and is never success or failure.
#[test]
fn crashes() {
    check("segfault", 5, "error", Some(("crashed", "SIGSEGV")));
    check("abort", 5, "error", Some(("crashed", "SIGABRT")));
    check("overflow", 5, "error", Some(("crashed", "SIGABRT")));
    check(
        "exit",
        5,
        "error",
        Some(("crashed", "ended itself with status 0")),
    );
}

#[test]
fn a_crash_leaves_no_process_behind() {
    let farm = farm();
    let ran = Ran::of(&mut command(&farm, "fork-and-segfault", &[]));
    assert_eq!(ran.json()["errors"][0]["code"], "crashed", "{ran:#?}");
    assert_all_gone(&farm);
    assert_no_work_directory(&farm);
}

#[test]
fn a_time_limit_ends_everything() {
    let farm = farm();
    let ran = Ran::of(&mut command(
        &farm,
        "fork",
        &["--timeout", "2s", "--grace", "500ms"],
    ));
    assert_eq!(
        (ran.code, &ran.json()["errors"][0]["code"]),
        (Some(7), &"timed-out".into()),
        "{ran:#?}"
    );
    assert_all_gone(&farm);
    // The time that a plugin has for other answers does not come on top.
    let limits = ["--timeout", "1s", "--grace", "0s", "--plugin-timeout", "5m"];
    let began = Instant::now();
    let ran = Ran::of(&mut command(&farm, "hang", &limits));
    assert_eq!(ran.json()["errors"][0]["code"], "timed-out", "{ran:#?}");
    assert!(began.elapsed() < LIMIT / 2, "{:?}", began.elapsed());
    assert_no_work_directory(&farm);
}

fn in_the_background(farm: &Farm, action: &str) -> Child {
    let mut command = command(farm, action, &["--grace", "500ms"]);
    command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// SIGINT and SIGTERM abort: every descendant ends, also one that left the session or ignores TERM.
#[test]
fn signals_abort() {
    for signal in [Signal::INT, Signal::TERM] {
        let farm = farm();
        let child = in_the_background(&farm, "fork");
        wait_until("the plugin has forked", || started(&farm).len() == 3);
        kill_process(Pid::from_child(&child), signal).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(7), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stdout).contains(r#""result":"aborted""#));
        assert_all_gone(&farm);
        assert_no_work_directory(&farm);
    }
}

/// What was found out when somebody interrupts is no worker's metadata.
#[test]
fn an_interrupted_analysis_is_none() {
    let farm = Farm::with(&[]);
    farm.add_unruly("analyze-hangs");
    let child = farm
        .command(&["analyze", "--plugin-timeout", "5m"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let parent = Pid::from_child(&child);
    wait_until("a plugin host runs", || {
        taskbay_worker::tree::descendants(parent).len() == 1
    });
    kill_process(parent, Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(7), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
}

/// The latch reaches the task itself.
#[test]
fn a_task_sees_the_abort() {
    let farm = farm();
    let ran = Ran::of(&mut command(&farm, "wait-for-abort", &["--timeout", "1s"]));
    assert_eq!(ran.code, Some(7));
    assert!(ran.stderr.contains("saw the abort"), "{ran:#?}");
}

/// A host dies with its parent, with all that runs in it.
#[test]
fn a_killed_parent_leaves_no_process_behind() {
    let farm = farm();
    let mut child = in_the_background(&farm, "fork");
    wait_until("the plugin has forked", || started(&farm).len() == 3);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_all_gone(&farm);
}

#[test]
fn a_work_directory_per_attempt() {
    let farm = farm();
    let ran = Ran::of(&mut command(&farm, "litter", &[]));
    ran.succeeds();
    assert!(ran.stderr.contains("relative is there: true"), "{ran:#?}");
    assert_no_work_directory(&farm);
    let kept = Ran::of(&mut command(&farm, "litter", &["--keep"]));
    let line = kept
        .stderr
        .lines()
        .find_map(|line| line.strip_prefix("the work directory is "));
    assert!(PathBuf::from(line.unwrap()).join("deep/er/file").exists());
}

#[test]
fn a_local_run_has_no_collections() {
    let ran = Ran::of(&mut command(&farm(), "find", &[]));
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    let outcome = ran.json();
    let message = outcome["errors"][0]["message"].as_str().unwrap();
    assert!(
        message.contains("a local run has no collections"),
        "{message}"
    );
    assert!(message.contains("found@debian:environments"), "{message}");
}

#[test]
fn an_artifact_may_have_more_files_than_a_process_may_have_open() {
    let farm = farm();
    let script = "ulimit -Sn 1024; exec \"$@\"";
    let run = command(&farm, "many-files", &[]);
    let ran = Ran::of(&mut called_by("sh", &["-c", script, "sh"], &run));
    let made = &ran.succeeds().json()["artifacts"][0]["files"];
    assert_eq!(made.as_array().unwrap().len(), 1500);
}
