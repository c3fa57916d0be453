//! What `taskbay check` finds wrong with the answers of a plugin that executes well.

use super::{assert_test, check, test, tests};
use crate::{
    farm::Farm,
    trusted::{as_plain_user, can_mount, can_plain_user_mount},
};
use serde_json::Value;

/// The plugin with that fault fails that one test, which says what is wrong and what to do.
#[track_caller]
fn assert_only_fault(fault: &str, name: &str, part: &str, help: &str) {
    let farm = Farm::with(&[]);
    farm.add_unruly(fault);
    let (code, file) = check(&farm, &format!("{fault}.so"), &["--level", "2"]);
    assert_eq!(code, Some(1), "{file:#}");
    assert_test(&file, name, "failed", part);
    let said = test(&file, name)["help"].as_str().unwrap();
    assert!(said.contains(help), "no {help:?} in {said:?}");
    let failed = |test: &&Value| test["status"] == "failed";
    assert_eq!(tests(&file).iter().filter(failed).count(), 1, "{file:#}");
    farm.assert_nothing_is_left();
}

/// It would be lost silently: what is given back is what is executed.
#[test]
fn a_field_that_is_not_given_back() {
    let (part, help) = ("`/level`", "skip_serializing");
    assert_only_fault("data-loses-level", "configure-keys", part, help);
}

#[test]
fn a_key_that_nobody_knows_and_that_is_not_refused() {
    let (part, help) = ("no such key", "deny_unknown_fields");
    assert_only_fault("data-takes-all", "configure-unknown", part, help);
}

/// Each worker would be told that it lacks that.
#[test]
fn a_requirement_that_no_analysis_meets() {
    let (part, help) = (":unsaid`", "Task::analyze_worker");
    assert_only_fault("requires-unsaid", "requirements", part, help);
}

/// Else every look at a worker would have it judged anew.
#[test]
fn an_analysis_that_differs_by_nanoseconds() {
    let (part, help) = (":looked-at`", "changes when the machine does");
    assert_only_fault("analyze-clock", "analyze-again", part, help);
}

/// Namespaces of its own make another machine of this one for a plugin host; without them this cannot be tried.
#[test]
fn a_verdict_that_depends_on_the_machine() {
    if !can_mount() {
        return;
    }
    let help = "by the given metadata and the task data alone";
    for fault in ["can-run-hostname", "can-run-machine"] {
        assert_only_fault(fault, "verdict-elsewhere", "on another machine", help);
    }
}

/// Whoever is not root here is in the namespace, and owns there what is loaded.
#[test]
fn a_plain_user_is_told_that_a_verdict_depends_on_the_machine() {
    if !can_plain_user_mount() {
        return;
    }
    let farm = Farm::with(&[]);
    let file = farm.add_unruly("can-run-machine");
    let ran = as_plain_user(&farm, &["check", file.to_str().unwrap(), "--level", "2"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stdout.contains("asked on another machine"), "{ran:?}");
}

#[test]
fn a_verdict_that_depends_on_the_clock() {
    let farm = Farm::with(&[]);
    farm.add_unruly("can-run-clock");
    let (code, file) = check(&farm, "can-run-clock.so", &["--level", "2"]);
    assert_eq!(code, Some(1), "{file:#}");
    // Whichever is asked as the second changes.
    let failed = |name: &&str| {
        let status = tests(&file).iter().find(|test| test["test"] == **name);
        status.is_some_and(|test| test["status"] == "failed")
    };
    assert!(["verdict", "verdict-facts"].iter().any(failed));
}

/// Whoever reads that `/level` is wrong with an example that has no level should not have to guess.
#[test]
fn an_example_without_a_field_whose_default_is_refused() {
    for fault in ["default-refused", "default-no-schema"] {
        let part = "example 1: /level, which is not given and has a default: ";
        assert_only_fault(fault, "configure", part, "another default");
    }
}

#[test]
fn a_panic_is_to_be_mended_where_it_was() {
    let (part, help) = ("panicked at ", "return an error");
    assert_only_fault("analyze-panics", "analyze", part, help);
    assert_only_fault("configure-panics", "configure", part, help);
}
