//! What `taskbay check` finds of what an execution leaves behind.

use super::{assert_test, check, test, tests};
use crate::farm::Farm;
use std::fs;

/// A task that succeeds may have left something behind.
#[test]
fn what_an_execution_leaves_behind_is_found() {
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
    fs::remove_file("/tmp/taskbay-fixture-unruly-scratch").unwrap();
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
