//! A panic, crash or hang in any entry costs only the plugin that it is in.

use crate::{farm::Farm, unruly};

#[track_caller]
fn check(fault: &str, arguments: &[&str], code: i32, part: &str) {
    let farm = Farm::with(&["noop"]);
    farm.add_unruly(fault);
    let name = unruly::name(fault);
    let arguments: Vec<_> = arguments
        .iter()
        .map(|each| if *each == "NAME" { &name } else { *each })
        .collect();
    farm.run(&arguments).fails(code, &[part]);
    farm.assert_noop_runs();
}

#[test]
fn entries_that_panic() {
    check("describe-panics", &["schema", "NAME"], 5, "plugin rejected");
    check("analyze-panics", &["analyze", "NAME"], 5, "analyze panics");
    check(
        "configure-panics",
        &["validate", "NAME", "{}"],
        5,
        "check panics",
    );
    check(
        "requirements-panic",
        &["validate", "NAME", "{}"],
        5,
        "panicked at",
    );
    let worker = format!(r#"{{"{}:version": 1}}"#, unruly::name("can-run-panics"));
    let farm = Farm::with(&[]);
    farm.add_unruly("can-run-panics");
    let ran = farm.run(&[
        "can-run",
        &unruly::name("can-run-panics"),
        "{}",
        "--worker",
        &worker,
        "--json",
    ]);
    assert_eq!(
        (ran.code, &ran.json()["reasons"][0]["code"]),
        (Some(5), &"plugin-failed".into()),
        "{ran:?}"
    );
    let ran = farm.run(&["run", &unruly::name("can-run-panics"), "{}", "--json"]);
    assert_eq!(
        (ran.code, &ran.json()["errors"][0]["code"]),
        (Some(5), &"unsuitable".into()),
        "{ran:?}"
    );
}

/// What a drop panics with has no way to the caller, and costs nothing.
#[test]
fn a_drop_that_panics() {
    let farm = Farm::with(&["noop"]);
    farm.add_unruly("drop-panics");
    farm.run(&["run", &unruly::name("drop-panics"), "{}"])
        .succeeds();
    farm.assert_noop_runs();
}

#[test]
fn entries_that_crash_or_hang() {
    check("analyze-crashes", &["analyze", "NAME"], 5, "SIGSEGV");
    check(
        "configure-hangs",
        &["validate", "NAME", "{}", "--plugin-timeout", "2s"],
        5,
        "no answer within 2 s",
    );
    check(
        "analyze-errs",
        &["analyze", "NAME"],
        1,
        "the machine is on fire",
    );
    check("analyze-crashes", &["can-run", "NAME", "{}"], 5, "SIGSEGV");
    check(
        "analyze-panics",
        &["run", "NAME", "{}"],
        5,
        "analyze panics",
    );
}

/// The data is valid, so a machine that cannot be looked at is no failure to configure.
#[test]
fn a_failing_look_at_the_machine_is_no_failure_to_configure() {
    let farm = Farm::with(&[]);
    farm.add_unruly("analyze-errs");
    let ran = farm.run(&["run", &unruly::name("analyze-errs"), "{}", "--json"]);
    assert_eq!(
        (ran.code, &ran.json()["errors"][0]["code"]),
        (Some(1), &"execute-failed".into()),
        "{ran:?}"
    );
}

/// Before the attempt began, too, a plugin that brings its process down has crashed, and was not set up wrongly.
#[test]
fn the_result_of_a_run_that_cannot_begin() {
    for (fault, code) in [
        ("constructor-crashes", "crashed"),
        ("constructor-babbles", "crashed"),
        ("constructor-hangs", "crashed"),
        ("describe-panics", "crashed"),
        ("configure-panics", "configure-failed"),
    ] {
        let farm = Farm::with(&[]);
        farm.add_unruly(fault);
        let name = unruly::name(fault);
        let ran = farm.run(&["run", &name, "{}", "--json", "--plugin-timeout", "2s"]);
        assert_eq!(
            (ran.code, &ran.json()["errors"][0]["code"]),
            (Some(5), &code.into()),
            "{ran:?}"
        );
    }
}
