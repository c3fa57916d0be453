//! Up to which level `taskbay check` says that a plugin has passed.

use super::{assert_test, check, test};
use crate::{
    farm::{Farm, Ran},
    trusted::can_be_asked_elsewhere,
};
use serde_json::Value;
use std::{fs, os::unix::fs::PermissionsExt};

/// What cannot be tried here is skipped, and says how it can be.
#[test]
fn what_cannot_be_tried_is_skipped() {
    let farm = Farm::with(&["debdiff"]);
    farm.add_unruly("none");
    let (code, file) = check(&farm, "libtaskbay_task_debdiff.so", &[]);
    assert_eq!(code, Some(0), "{file:#}");
    let execute = test(&file, "execute");
    assert_eq!(execute["status"], "skipped", "{file:#}");
    let (code, file) = check(
        &farm,
        "none.so",
        &["--data", r#"{"host_architecture": "pdp11"}"#],
    );
    assert_eq!(code, Some(0), "{file:#}");
    assert_test(&file, "execute", "skipped", "pdp11");
    let (code, file) = check(&farm, "none.so", &["--data", r#"{"level": "high"}"#]);
    assert_eq!(code, Some(1), "{file:#}");
    assert_test(&file, "configure", "failed", "the data given: /level");
    let not_tried = test(&file, "execute");
    assert_eq!(
        not_tried["message"],
        "not tried, since `configure` did not pass"
    );
}

/// A level counts where nothing of it was left out.
#[test]
fn what_is_skipped_is_not_proven() {
    if !can_be_asked_elsewhere() {
        return;
    }
    let farm = Farm::with(&["noop"]);
    farm.add_unruly("none");
    let pdp11 = ["--data", r#"{"host_architecture": "pdp11"}"#];
    let (code, file) = check(&farm, "none.so", &pdp11);
    assert_eq!(code, Some(0), "{file:#}");
    assert_eq!(
        [
            &file["passed"],
            &file["level"],
            &file["proven"],
            &file["skipped"]
        ],
        [&true.into(), &3.into(), &2.into(), &Value::from(6)],
        "{file:#}"
    );
    let help = test(&file, "execute")["help"].as_str().unwrap();
    assert!(help.contains("taskbay analyze"), "{help}");

    let (code, file) = check(&farm, "none.so", &[&pdp11[..], &["--strict"]].concat());
    assert_eq!(code, Some(1), "{file:#}");
    assert_eq!(file["passed"], true, "no test failed: {file:#}");
    let (code, file) = check(&farm, "none.so", &["--strict"]);
    assert_eq!(code, Some(0), "{file:#}");
    assert_eq!([&file["proven"], &file["skipped"]], [3, 0], "{file:#}");

    let (_, file) = check(&farm, "none.so", &["--data", r#"{"level": -1}"#]);
    assert_eq!(
        [&file["passed"], &file["proven"]],
        [&false.into(), &Value::from(1)]
    );
    fs::write(farm.plugins().join("text.so"), "no plugin").unwrap();
    let (_, file) = check(&farm, "text.so", &[]);
    assert_eq!(file["proven"], Value::Null, "{file:#}");
}

/// Who asks for a level of which nothing could be executed is told by the exit code; who asks for none, by a note.
#[test]
fn a_level_that_was_asked_for_is_not_passed_where_nothing_was_executed() {
    let farm = Farm::with(&[]);
    farm.add_unruly("none");
    let file = farm.plugins().join("none.so");
    let pdp11 = r#"{"host_architecture": "pdp11"}"#;
    let arguments = ["check", file.to_str().unwrap(), "--data", pdp11];
    let told = "none.so was not executed: this machine does not suit: ";
    let ran = farm.run(&arguments);
    ran.fails(0, &["warning: ", told]);
    for level in ["3", "4"] {
        let asked = farm.run(&[&arguments[..], &["--level", level]].concat());
        asked.fails(1, &[told]);
        assert!(asked.stdout.contains("\npassed up to level "), "{asked:?}");
    }
    let below = farm.run(&[&arguments[..], &["--level", "2"]].concat());
    assert_eq!((below.code, &*below.stderr), (Some(0), ""));
}

/// The last line is the whole truth for who reads no other.
#[test]
fn the_summary_says_what_is_proven_and_what_was_skipped() {
    if !can_be_asked_elsewhere() {
        return;
    }
    let farm = Farm::with(&["noop"]);
    farm.add_unruly("none");
    let last_line = |file: &str, more: &[&str]| {
        let file = farm.plugins().join(file);
        let mut command = farm.command(&["check"]);
        let ran = Ran::of(command.arg(file).args(more));
        ran.stdout.lines().last().unwrap().to_owned()
    };
    let pdp11 = r#"{"host_architecture": "pdp11"}"#;
    let line = last_line("none.so", &["--data", pdp11]);
    let wanted =
        "passed up to level 2 of 3: 25 passed, 6 skipped: `execute`: this machine does not suit: ";
    assert!(line.starts_with(wanted), "{line}");
    let line = last_line("none.so", &["--data", r#"{"level": -1}"#]);
    assert!(
        line.starts_with("failed at level 2, and passed up to level 1: 1 failed, "),
        "{line}"
    );
    let line = last_line("none.so", &["--reproduce", "7"]);
    assert_eq!(line, "passed with the task data of seed 7: 11 passed");
    let file = farm.plugins().join("none.so");
    let strict = [
        "check",
        file.to_str().unwrap(),
        "--strict",
        "--only-failed",
        "--data",
        pdp11,
    ];
    let strict = farm.run(&strict);
    assert_eq!(
        strict.stdout.lines().count(),
        4,
        "name, test, help, summary: {strict:?}"
    );
    assert!(
        strict.stdout.contains("  3  skipped  execute "),
        "{strict:?}"
    );
    let line = last_line("libtaskbay_task_noop.so", &[]);
    assert_eq!(line, "passed up to level 3: 31 passed");
}

/// Where this user can make no namespaces, for which a stand-in for `unshare` serves, nobody knows whether a verdict depends
/// on the machine.
#[test]
fn what_was_not_asked_on_another_machine_is_not_proven() {
    let farm = Farm::with(&["noop"]);
    let bin = farm.path("bin");
    fs::create_dir(&bin).unwrap();
    let program = bin.join("unshare");
    fs::write(&program, "#!/bin/sh\nexit 1\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let file = farm.plugins().join("libtaskbay_task_noop.so");
    let check = |more: &[&str]| {
        let mut command = farm.command(&["check", "--json"]);
        let path = format!("{}:/usr/bin:/bin", bin.display());
        let ran = Ran::of(command.arg(&file).args(more).env("PATH", path));
        (ran.code, ran.json()["files"][0].clone())
    };
    let (code, file) = check(&["--level", "3"]);
    assert_eq!(code, Some(0), "{file:#}");
    assert_test(&file, "verdict-facts", "passed", "a second later");
    assert_test(&file, "verdict-elsewhere", "skipped", "another machine");
    assert_test(&file, "execute", "passed", "success");
    assert_eq!([&file["proven"], &file["skipped"]], [1, 1], "{file:#}");
    assert_eq!(check(&["--level", "2", "--strict"]).0, Some(1));
}
