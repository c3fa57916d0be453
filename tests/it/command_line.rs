//! Arguments and documents, good and bad, and the exit codes.

use crate::farm::{Farm, Ran};
use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt};

#[test]
fn bad_input_gets_a_clear_error() {
    let farm = Farm::with(&["noop"]);
    farm.run(&["validate", "lintian", "{}"])
        .fails(3, &["there is no task `lintian`"]);
    farm.run(&["validate", "nop", "{}"])
        .fails(3, &["did you mean `noop`?"]);
    farm.run(&["validate", " noop", "{}"])
        .fails(3, &["there is no task ` noop`"]);
    farm.run(&["validate", "no op", "{}"])
        .fails(3, &["there is no task `no op`"]);
    farm.run(&["validate", "noop", "{"])
        .fails(1, &["the task data is not valid JSON"]);
    farm.run(&["validate", "noop", "[]"])
        .fails(1, &["[] is not of type \"object\""]);
    farm.run(&["validate", "noop", "gone.json"])
        .fails(3, &["cannot read gone.json", "No such file"]);
    farm.run(&["can-run", "noop", "{}", "--worker", "[]"])
        .fails(1, &["must be a JSON object, not an array"]);
    farm.run(&["run", "noop", "{}", "--timeout", "soon"])
        .fails(2, &["write a time such as"]);
    farm.run(&["frobnicate"])
        .fails(2, &["unrecognized subcommand"]);
    farm.run(&["inspect", "./gone.so"])
        .fails(3, &["there is no file"]);
    let mut command = farm.command(&["validate", "noop"]);
    Ran::of(command.arg(OsStr::from_bytes(b"{\xff}")))
        .fails(1, &["it is not valid UTF-8 after 1 bytes"]);
    let mut command = farm.command(&["schema"]);
    Ran::of(command.arg(OsStr::from_bytes(b"\xff"))).fails(2, &["invalid UTF-8"]);
}

#[test]
fn a_large_document_is_no_trouble() {
    let farm = Farm::with(&["noop"]);
    let file = farm.here().join("large.json");
    fs::write(
        &file,
        format!(r#"{{"result": "{}"}}"#, "x".repeat(10_000_000)),
    )
    .unwrap();
    let ran = farm.run(&["validate", "noop", "large.json"]);
    ran.fails(1, &["is not of type \"boolean\""]);
    assert!(ran.stderr.len() < 2000);
}

#[test]
fn directories_that_are_missing_or_empty() {
    let farm = Farm::with(&[]);
    let ran = farm.run(&["list"]);
    ran.succeeds();
    assert!(ran.stderr.contains("there are no plugin files"), "{ran:?}");
    let ran = farm.run(&["--plugin-dir", "/nonexistent/tasks", "list", "--json"]);
    ran.succeeds();
    assert!(
        ran.stderr
            .contains("plugin directory /nonexistent/tasks cannot be read"),
        "{ran:?}"
    );
    farm.run(&["list", "--strict", "--plugin-dir", "/nonexistent/tasks"])
        .fails(4, &[]);
}

#[test]
fn no_plugin_code_runs_for_list_and_inspect() {
    let farm = Farm::with(&[]);
    let file = farm.add_unruly("constructor-exits");
    assert_eq!(farm.row("constructor-exits.so", false)["status"], "ok");
    let ran = farm.run(&["inspect", "--json", file.to_str().unwrap()]);
    ran.succeeds();
    assert_eq!(ran.json()["package"], "taskbay-fixture-unruly");
}

#[test]
fn json_shapes() {
    let farm = Farm::with(&["noop"]);
    let valid = farm.run(&["validate", "NOOP", "{}", "--json"]);
    assert_eq!(
        valid.json(),
        serde_json::json!({"valid": true, "data": {"result": true}})
    );
    let invalid = farm.run(&["validate", "noop", r#"{"result": 1}"#, "--json"]);
    assert_eq!(invalid.json()["errors"][0]["pointer"], "/result");
    let ran = farm.run(&["run", "noop", r#"{"result": false}"#, "--json"]);
    assert_eq!(
        (ran.code, &ran.json()["result"]),
        (Some(1), &"failure".into())
    );
    let unknown = farm.run(&["run", "nop", "{}", "--json"]);
    assert_eq!(
        (unknown.code, &unknown.json()["errors"][0]["code"]),
        (Some(3), &"setup-failed".into())
    );
    assert_eq!(
        farm.run(&["list", "--json"]).json()["schema"],
        "taskbay.list/1"
    );
    farm.run(&["run", "noop", "{}", "--in-process"]).succeeds();
}

#[test]
fn completions_and_manual_pages() {
    let farm = Farm::with(&[]);
    assert!(
        farm.run(&["completions", "bash"])
            .stdout
            .contains("complete")
    );
    farm.run(&["man", "pages"]).succeeds();
    assert!(farm.here().join("pages/taskbay-run.1").exists());
}
