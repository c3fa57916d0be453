//! Arguments and documents, good and bad, and the exit codes.

use crate::{
    farm::{Farm, Ran},
    unruly,
};
use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
};

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
        .fails(1, &["the argument is not valid JSON"]);
    fs::write(farm.here().join("bad.json"), "a: 1").unwrap();
    farm.run(&["validate", "noop", "bad.json"])
        .fails(1, &["bad.json is not valid JSON: expected value at line 1"]);
    farm.run(&["can-run", "noop", "{}", "--worker", "bad.json"])
        .fails(1, &["bad.json is not valid JSON"]);
    farm.run(&["validate", "noop", "[]"])
        .fails(1, &["[] is not of type \"object\""]);
    farm.run(&["validate", "noop", "gone.json"])
        .fails(3, &["cannot read gone.json", "No such file"]);
    farm.run(&["can-run", "noop", "{}", "--worker", "[]"])
        .fails(1, &["must be a JSON object, not an array"]);
    let deep = format!(r#"{{"a:b": {}1{}}}"#, "[".repeat(100), "]".repeat(100));
    farm.run(&["can-run", "noop", "{}", "--worker", &deep])
        .fails(1, &["`a:b`", "more deeply than 64 levels"]);
    farm.run(&["run", "noop", "{}", "--timeout", "soon"])
        .fails(2, &["write a time such as"]);
    for time in ["1e19", "500000000000 years"] {
        farm.run(&["run", "noop", "{}", "--timeout", time])
            .fails(2, &["longer than a hundred years"]);
        farm.run(&["validate", "noop", "{}", "--plugin-timeout", time])
            .fails(2, &["longer than a hundred years"]);
    }
    farm.run(&["run", "noop", "{}", "--in-process", "--timeout", "1"])
        .fails(2, &["leave --in-process or --timeout out"]);
    for command in ["validate", "run"] {
        farm.run(&[command, "", "{}"])
            .fails(3, &["there is no task ``"]);
    }
    farm.run(&["run", "nop", "{}", "--json"])
        .fails(3, &["did you mean `noop`?"]);
    farm.run(&["frobnicate"])
        .fails(2, &["unrecognized subcommand"]);
    farm.run(&["inspect", "./gone.so"])
        .fails(3, &["there is no file"]);
    let mut command = farm.command(&["validate", "noop"]);
    Ran::of(command.arg(OsStr::from_bytes(b"{\xff}")))
        .fails(1, &["the argument is not valid UTF-8 after 1 bytes"]);
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
fn a_document_that_is_too_large_is_no_fault_of_the_plugin() {
    let farm = Farm::with(&["noop"]);
    let file = farm.here().join("large.json");
    fs::write(
        &file,
        format!(r#"{{"result": "{}"}}"#, "x".repeat(68 << 20)),
    )
    .unwrap();
    farm.run(&["validate", "noop", "large.json"])
        .fails(1, &["the plugin was not asked", "make the task data"]);
}

/// Paths need not be UTF-8: neither a plugin's, nor its directory's, nor the temporary directory's.
#[test]
fn paths_that_are_no_text() {
    let farm = Farm::with(&["noop"]);
    let odd = farm.path("").join(OsStr::from_bytes(b"d\xff"));
    fs::create_dir(&odd).unwrap();
    let plugin = farm.plugins().join("libtaskbay_task_noop.so");
    fs::copy(plugin, odd.join(OsStr::from_bytes(b"\xfe.so"))).unwrap();
    let mut command = farm.command(&["run", "noop", "{}", "--timeout", "1m"]);
    command.env("TASKBAY_PLUGIN_PATH", &odd).env("TMPDIR", &odd);
    Ran::of(&mut command).succeeds();
}

/// What stands before the command is not lost to what stands after it, and a directory that is named twice counts once.
#[test]
fn plugin_directories_add_up() {
    let farm = Farm::with(&["noop"]);
    let other = farm.path("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("bad.so"), "bad").unwrap();
    let (first, second) = (
        farm.plugins().display().to_string(),
        other.display().to_string(),
    );
    let mut command = farm.command(&["--plugin-dir", &first, "list", "--plugin-dir", &second]);
    command.args(["--plugin-dir", &second, "--json"]);
    command.env_remove("TASKBAY_PLUGIN_PATH");
    let listed = Ran::of(&mut command).json();
    let rows = listed["tasks"].as_array().unwrap();
    let status: Vec<_> = rows
        .iter()
        .map(|row| row["status"].as_str().unwrap())
        .collect();
    assert_eq!(status, ["ok", "rejected"]);
}

#[test]
fn the_cache_directory_may_be_relative() {
    let farm = Farm::with(&["noop"]);
    let mut command = farm.command(&["list", "--load"]);
    Ran::of(command.env("TASKBAY_CACHE_DIR", "copies")).succeeds();
    let copies = farm.here().join("copies/plugins");
    assert!(fs::read_dir(copies).unwrap().count() > 0);
}

/// A task whose only file is refused is refused, and not unknown.
#[test]
fn a_refused_task_is_known() {
    let farm = Farm::with(&[]);
    let fault = "constructor-crashes";
    let file = farm.add_unruly(fault);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    let row = farm.row("constructor-crashes.so", false);
    assert_eq!(
        row["name"],
        serde_json::Value::Null,
        "an untrusted file is not read: {row}"
    );
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let row = farm.row("constructor-crashes.so", true);
    assert_eq!(row["name"], unruly::name(fault), "{row}");
    assert_eq!(
        (&row["version"], &row["status"]),
        (&1.into(), &"rejected".into())
    );
    let mut bytes = fs::read(&file).unwrap();
    unruly::replace(&mut bytes, "\"api\":\"1.", "\"api\":\"2.");
    fs::write(&file, bytes).unwrap();
    farm.run(&["run", &unruly::name(fault), "{}"])
        .fails(4, &["plugin rejected", "help:"]);
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
        serde_json::json!({"valid": true, "data": {"result": true}, "label": "noop", "confinement": "strict"})
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
    let help = farm.run(&["--help"]);
    let commands = help.stdout.split_once("\nCommands:\n").unwrap().1;
    let commands = commands.split("\n\n").next().unwrap().lines();
    // What goes on in the next line is further in.
    let lines = commands.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names: Vec<_> = lines
        .map(|line| line.split_whitespace().next().unwrap())
        .collect();
    assert!(names.len() > 20, "{names:?}");
    for name in names.iter().filter(|name| **name != "help") {
        let page = farm.here().join(format!("pages/taskbay-{name}.1"));
        assert!(page.exists(), "{}", page.display());
    }
}

/// What is nested as deeply as a reader of JSON follows crosses all that lies between plugin and command.
#[test]
fn documents_that_are_nested() {
    let farm = Farm::with(&[]);
    farm.add_unruly("schema-nested");
    let name = unruly::name("schema-nested");
    let schema = farm.run(&["schema", &name]);
    let depth = schema.succeeds().stdout.matches("\"not\"").count();
    assert_eq!(depth, 120);
    farm.add_unruly("none");
    let name = unruly::name("none");
    let nested = format!("{}1{}", "[".repeat(64), "]".repeat(64));
    let worker = format!(r#"{{"{name}:version": 1, "{name}:level": {nested}}}"#);
    let ran = farm.run(&[
        "can-run",
        &name,
        r#"{"level": 1}"#,
        "--worker",
        &worker,
        "--json",
    ]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let found = &ran.json()["reasons"][0]["found"];
    assert_eq!(found.to_string(), nested);
}

/// The commonest slip: the file that the task shall work on, where its task data belongs.
#[test]
fn a_file_that_is_no_task_data_is_told_apart_from_wrong_json() {
    let farm = Farm::with(&["noop"]);
    fs::write(farm.here().join("hello.dsc"), "Format: 3.0 (native)\n").unwrap();
    fs::write(farm.here().join("hello.deb"), b"!<arch>\n\xff\xfe").unwrap();
    for file in ["./hello.dsc", "./hello.deb"] {
        for command in ["run", "validate", "can-run"] {
            let ran = farm.run(&[command, "noop", file]);
            let told = format!("{file} stands where the task data belongs");
            ran.fails(1, &[&told, "`taskbay schema NAME`"]);
        }
    }
    fs::write(farm.here().join("data.json"), r#"{"result": true,}"#).unwrap();
    let wrong = farm.run(&["run", "noop", "./data.json"]);
    wrong.fails(1, &["data.json is not valid JSON"]);
    assert!(!wrong.stderr.contains("stands where"), "{wrong:?}");
}
