//! The rows of the task contract about one task: its data, its execution, its log.

use crate::{farm::Farm, unruly};
use serde_json::json;
use taskbay_core::{Abort, Context};
use taskbay_loader::{ConfigureError, State};

/// A bad schema rejects the plugin as it is loaded, naming it; without a schema any JSON value is taken.
#[test]
fn task_data_schema() {
    let farm = Farm::with(&["noop"]);
    farm.add_unruly("schema-invalid");
    farm.add_unruly("schema-none");
    let scanned = farm.scan();
    let refused = scanned
        .catalog
        .entries
        .iter()
        .find(|entry| entry.path.ends_with("schema-invalid.so"));
    assert!(matches!(refused.unwrap().state, State::Rejected(_)));
    let none = scanned.registry.get(&unruly::name("schema-none")).unwrap();
    assert_eq!(none.schema(), None);
    // The type still says what it understands; the fault has its place.
    let Err(ConfigureError::Invalid(errors)) = none.configure(r#"{"level": "x"}"#) else {
        panic!("a level is a number");
    };
    assert_eq!(errors[0].pointer, "/level");
}

/// The schema first, then the plugin's own checks; all faults with pointers; defaults filled in.
#[test]
fn configure() {
    let farm = Farm::with(&["noop"]);
    farm.add_unruly("fine");
    let scanned = farm.scan();
    let plugin = scanned.registry.get(&unruly::name("fine")).unwrap();
    let pointers = |data| match plugin.configure(data) {
        Err(ConfigureError::Invalid(errors)) => errors
            .into_iter()
            .map(|error| error.pointer)
            .collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        pointers(r#"{"level": "x", "action": 7}"#),
        ["/action", "/level"]
    );
    assert_eq!(pointers(r#"{"level": -1}"#), ["/level", ""]);
    assert_eq!(pointers("{"), [""]);
    assert_eq!(pointers(r#"{"action": "fly"}"#), ["/action"]);
}

/// The configured value, with defaults; it exists only after `configure`.
#[test]
fn data() {
    let scanned = Farm::with(&["noop"]).scan();
    let noop = scanned.registry.get("noop").unwrap();
    assert_eq!(noop.configure("{}").unwrap().data(), r#"{"result":true}"#);
    assert_eq!(
        noop.configure(r#"{"result": false}"#).unwrap().data(),
        r#"{"result":false}"#
    );
}

/// Not started once aborted.
#[test]
fn execute_is_not_started_once_aborted() {
    let scanned = Farm::with(&["noop"]).scan();
    let task = scanned
        .registry
        .get("noop")
        .unwrap()
        .configure("{}")
        .unwrap();
    let abort = Abort::new();
    let context = Context::new("/", abort.clone());
    assert_eq!(task.execute(&context), Some(Ok(true)));
    abort.set();
    assert_eq!(task.execute(&context), None);
}

/// An error or caught panic is logged with the task's name and place; a dead child is `crashed`, with the signal.
#[test]
fn execute_logging_exceptions() {
    let farm = Farm::with(&[]);
    farm.add_unruly("fine");
    let run = |action: &str| {
        farm.run(&[
            "run",
            &unruly::name("fine"),
            &format!(r#"{{"action": "{action}"}}"#),
            "--json",
        ])
    };
    let erred = run("err");
    assert_eq!(
        erred.json()["errors"],
        json!([{"code": "execute-failed", "message": "the disk is full"}])
    );
    erred.fails(1, &["the disk is full", &unruly::name("fine")]);
    let panicked = run("panic");
    assert_eq!(panicked.json()["errors"][0]["code"], "execute-failed");
    panicked.fails(
        5,
        &[
            "panicked at tests/fixtures/unruly/src/action.rs:",
            ": execute panics",
            &unruly::name("fine"),
        ],
    );
    let crashed = run("segfault");
    assert_eq!(crashed.json()["errors"][0]["code"], "crashed");
    crashed.fails(5, &["SIGSEGV"]);
}

/// The `log` macros reach the host's log, with level, target, file and line, tagged with the task.
#[test]
fn logger() {
    let farm = Farm::with(&[]);
    farm.add_unruly("fine");
    let name = unruly::name("fine");
    let run = |arguments: &[&str], filter: Option<&str>| {
        let mut all = vec!["run", &name, r#"{"action": "log"}"#];
        all.extend(arguments);
        let mut command = farm.command(&all);
        command.envs(filter.map(|filter| ("RUST_LOG", filter)));
        crate::farm::Ran::of(&mut command).succeeds().stderr.clone()
    };
    let usual = run(&[], None);
    assert!(
        usual.contains("[ERROR taskbay_fixture_unruly::faults] said at error"),
        "{usual}"
    );
    assert!(
        usual.contains("[WARN  some::target] said at warn"),
        "{usual}"
    );
    assert!(
        usual.contains(&format!("said at info task={name}")),
        "{usual}"
    );
    assert!(!usual.contains("said at debug"), "{usual}");
    assert!(
        usual.contains("stdout: printed to stdout") && usual.contains("stderr: printed to stderr"),
        "{usual}"
    );
    let verbose = run(&["-vv"], None);
    let line = include_str!("../../fixtures/unruly/src/faults.rs")
        .lines()
        .position(|line| line.contains("said at trace"));
    let place = format!("tests/fixtures/unruly/src/faults.rs:{}", line.unwrap() + 1);
    assert!(verbose.contains(&place), "no {place} in {verbose}");
    assert!(verbose.contains("said at trace"));
    let filtered = run(&[], Some("off,some::target=warn"));
    assert!(
        filtered.contains("said at warn") && !filtered.contains("said at error"),
        "{filtered}"
    );
}
