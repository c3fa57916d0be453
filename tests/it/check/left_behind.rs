//! What `taskbay check` finds of what an execution leaves behind.

use super::{assert_test, check, test, tests};
use crate::farm::{Farm, Ran};
use std::{fs, process::Command};
use taskbay_test::skip;

/// Removes what is at fixed places, also that of a run that failed: what is there does not come.
fn forget_scratch() {
    fs::remove_file("/tmp/taskbay-fixture-unruly-scratch").ok();
    fs::remove_dir_all("/tmp/taskbay-fixture-unruly-directory").ok();
}

/// A task that succeeds may have left something behind.
#[test]
fn what_an_execution_leaves_behind_is_found() {
    forget_scratch();
    let farm = Farm::with(&[]);
    farm.add_unruly("none");
    for (action, name, part) in [
        ("daemon", "execute-processes", "still run"),
        ("roam", "execute-state", "the umask was 0022, and is 0777"),
        ("roam", "execute-state", "the current directory was"),
        ("temporary-file", "execute-files", "$TMPDIR/left-behind"),
        ("home-file", "execute-files", "$HOME/left-behind"),
        ("cache-file", "execute-files", "$HOME/.cache/left-behind"),
        ("environment", "execute-state", "variables are others: PATH"),
        (
            "thread",
            "execute-state",
            "threads that it started still run: 1",
        ),
        (
            "scratch-file",
            "execute-files",
            "/tmp/taskbay-fixture-unruly-scratch",
        ),
        (
            "scratch-left",
            "execute-files",
            "/tmp/taskbay-fixture-unruly-scratch",
        ),
        (
            "scratch-directory",
            "execute-files",
            "/tmp/taskbay-fixture-unruly-directory",
        ),
        (
            "block-signals",
            "execute-state",
            "other signals are blocked: SIGUSR1",
        ),
        ("stray-upload", "execute-artifacts", "/etc/passwd"),
        ("log", "execute-log", "printed to std"),
    ] {
        let data = format!(r#"{{"action": "{action}"}}"#);
        let (code, file) = check(&farm, "none.so", &["--data", &data]);
        assert_eq!(code, Some(1), "{file:#}");
        assert_test(&file, "execute", "passed", "success");
        assert_test(&file, name, "failed", part);
        let failed = tests(&file)
            .iter()
            .filter(|test| test["status"] == "failed");
        assert_eq!(failed.count(), 1, "{file:#}");
        let help = test(&file, name)["help"].as_str().unwrap();
        assert!(action != "thread" || help.contains("join"), "{help}");
    }
    forget_scratch();
    assert_eq!(
        fs::read_dir(farm.path("home")).unwrap().count(),
        1,
        "the home of whoever checks has the private copies alone"
    );
    let data = r#"{"action": "litter"}"#;
    let (code, file) = check(&farm, "none.so", &["--data", data]);
    assert_eq!(code, Some(0), "its work directory is its own: {file:#}");
    farm.assert_nothing_is_left();
}

/// What others do in `/tmp` meanwhile is none of its business.
#[test]
fn the_scratch_files_of_others_are_not_its_own() {
    let farm = Farm::with(&["noop"]);
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let other = std::thread::spawn(move || {
        let file = "/tmp/taskbay-fixture-scratch-of-another";
        while stopped.try_recv().is_err() {
            fs::write(file, "").unwrap();
            fs::remove_file(file).unwrap();
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    });
    let (code, file) = check(&farm, "libtaskbay_task_noop.so", &[]);
    stop.send(()).unwrap();
    other.join().unwrap();
    assert_eq!(code, Some(0), "{file:#}");
}

/// A directory that is made but once cannot be told from another program's, so it is named and no fault.
#[test]
fn what_came_once_and_stays_is_named() {
    let farm = Farm::with(&[]);
    farm.add_unruly("none");
    let data = r#"{"action": "scratch-empty"}"#;
    let (code, file) = check(&farm, "none.so", &["--data", data]);
    fs::remove_dir("/tmp/taskbay-fixture-unruly-empty").unwrap();
    assert_eq!(code, Some(0), "{file:#}");
    let left = "left, /tmp/taskbay-fixture-unruly-empty";
    assert_test(&file, "execute-files", "passed", left);
}

/// Where directories cannot be watched, nobody knows what came to them.
#[test]
fn what_cannot_be_watched_is_skipped() {
    /// What the shell ends with where nothing can be watched less.
    const NO_NAMESPACE: i32 = 77;
    let farm = Farm::with(&[]);
    let file = farm.add_unruly("none");
    let command = farm.command(&["check", "--json"]);
    let data = r#"{"action": "scratch-file"}"#;
    let none = format!(
        "echo 0 >/proc/sys/user/max_inotify_instances || exit {NO_NAMESPACE}; exec \"$@\" --data '{data}'"
    );
    let mut apart = Command::new("unshare");
    apart
        .args(["--user", "--map-root-user", "sh", "-c", &none, "sh"])
        .arg(command.get_program())
        .args(command.get_args())
        .arg(file)
        .env("HOME", farm.path("home"));
    let ran = Ran::of(&mut apart);
    if ran.code == Some(NO_NAMESPACE) || ran.stdout.is_empty() {
        skip(format_args!("there is no user namespace: {}", ran.stderr));
        return;
    }
    let file = &ran.json()["files"][0];
    assert_test(file, "execute", "passed", "success");
    assert_test(file, "execute-files", "skipped", "cannot be watched");
}
