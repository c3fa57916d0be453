//! Plugin hosts as a library's user sees them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    dead_code,
    unused_imports,
    reason = "a test that cannot go on fails; of the farm only a part is used here"
)]

#[path = "../it/farm.rs"]
mod farm;
#[path = "../it/unruly.rs"]
mod unruly;

/// Hosts that are this process's only children.
mod only;

use farm::{Farm, built};
use log::{LevelFilter, Log, Metadata, Record};
use std::{
    fs,
    process::Command,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};
use taskbay_core::{Abort, NoServer, OutcomeResult, Server, TaskName};
use taskbay_loader::Quarantine;
use taskbay_worker::{
    AttemptLog, AttemptOptions, Failure, HostProgram, Hosts, Matcher, Surroundings,
};

fn program_of(farm: &Farm) -> HostProgram {
    HostProgram {
        program: built().join("taskbay"),
        arguments: vec!["plugin-host".into()],
        has_only_hosts: false,
        surroundings: Surroundings {
            cache: Some(farm.path("cache")),
            ..Surroundings::default()
        },
    }
}

fn hosts(program: HostProgram) -> Hosts {
    Hosts::new(program, Duration::from_mins(1), Abort::new())
}

/// Each attempt has a host of its own: the one before was ended with its attempt.
#[test]
fn attempts_follow_one_another() {
    let farm = Farm::with(&["noop"]);
    let catalog = farm.catalog();
    let file = catalog.get("noop").unwrap();
    let mut hosts = hosts(program_of(&farm));
    let server: Arc<dyn Server> = Arc::new(NoServer);
    let options = AttemptOptions {
        timeout: None,
        grace: Duration::from_secs(1),
        keep: false,
        log: None,
    };
    for _ in 0..3 {
        let configured = hosts.configure(file, "{}").unwrap();
        for _ in 0..2 {
            let report = hosts.execute(file, &configured, &server, &options).unwrap();
            assert_eq!(report.outcome.result, OutcomeResult::Success, "{report:?}");
        }
    }
}

/// A plugin that dies or hangs again and again is asked no more until it is time to ask that one, whichever others are due.
#[test]
fn each_task_is_asked_again_in_its_own_time() {
    let farm = Farm::with(&[]);
    farm.add_unruly("configure-crashes");
    let mut matcher = Matcher::new(hosts(program_of(&farm)), farm.catalog());
    let name = unruly::name("configure-crashes");
    let task = TaskName::fold(&name).unwrap();
    for crashes in 1..=3 {
        assert!(!matcher.has_given_up(&task));
        assert!(matcher.configure(&name, "{}").is_err());
        matcher.forget_failed(farm.catalog(), |other| other != name);
        assert_eq!(matcher.has_given_up(&task), crashes == 3);
    }
    matcher.forget_failed(farm.catalog(), |other| other == name);
    assert!(!matcher.has_given_up(&task));
}

#[derive(Debug, Default)]
struct Heard(Mutex<Vec<String>>);

impl AttemptLog for Heard {
    fn logged(&self, level: log::Level, target: &str, message: &str) {
        let line = format!("{level} {target} {message}");
        self.0.lock().unwrap().push(line);
    }

    fn printed(&self, stream: &str, line: &str) {
        self.0.lock().unwrap().push(format!("{stream}: {line}"));
    }
}

/// Whoever wants to gets what an attempt logs and prints, and nothing of others.
#[test]
fn an_attempt_is_heard() {
    let farm = Farm::with(&[]);
    farm.add_unruly("fine");
    let catalog = farm.catalog();
    let file = catalog.get(&unruly::name("fine")).unwrap();
    let mut program = program_of(&farm);
    program.surroundings.level = Some(LevelFilter::Trace);
    let mut hosts = hosts(program);
    let configured = hosts.configure(file, r#"{"action": "log"}"#).unwrap();
    let server: Arc<dyn Server> = Arc::new(NoServer);
    let heard = Arc::new(Heard::default());
    let options = AttemptOptions {
        timeout: None,
        grace: Duration::from_secs(1),
        keep: false,
        log: Some(Arc::clone(&heard) as _),
    };
    hosts.execute(file, &configured, &server, &options).unwrap();
    let heard = heard.0.lock().unwrap().join("\n");
    for line in [
        "ERROR taskbay_fixture_unruly::faults said at error",
        "WARN some::target said at warn",
        "TRACE taskbay_fixture_unruly::faults said at trace",
        "stdout: printed to stdout",
        "stderr: printed to stderr",
    ] {
        assert!(heard.contains(line), "no {line:?} in {heard}");
    }
}

/// A plugin has its time for itself: a slow disk cannot use it up, since the copy is there before the host is asked.
#[test]
fn the_private_copy_is_made_outside_of_the_plugins_time() {
    let farm = Farm::with(&["noop"]);
    let catalog = farm.catalog();
    let file = catalog.get("noop").unwrap();
    let program = HostProgram {
        program: "true".into(),
        arguments: Vec::new(),
        ..program_of(&farm)
    };
    let described = hosts(program).describe(file);
    assert!(
        matches!(described, Err(Failure::NoHost(_))),
        "{described:?}"
    );
    let copies = fs::read_dir(farm.path("cache").join("plugins")).unwrap();
    assert_eq!(copies.count(), 1);
}

/// What was inspected is what is loaded, or nothing is.
#[test]
fn a_file_that_changed_since_it_was_inspected_is_not_loaded() {
    let farm = Farm::with(&["noop"]);
    let inspected = farm.catalog();
    let file = inspected.get("noop").unwrap();
    fs::write(file.path(), fs::read(file.path()).unwrap()).unwrap();
    let mut hosts = hosts(program_of(&farm));
    let failure = hosts.configure(file, "{}").unwrap_err();
    assert!(
        failure
            .to_string()
            .contains("it changed while it was being loaded"),
        "{failure}"
    );
    let inspected = farm.catalog();
    hosts
        .configure(inspected.get("noop").unwrap(), "{}")
        .unwrap();
}

/// One host has two generations of a task, and answers of each with its own code.
#[test]
fn a_host_has_two_generations_of_a_task() {
    let farm = Farm::with(&[]);
    let file = farm.add_unruly("none");
    let name = unruly::name("none");
    let before = farm.catalog();
    let old = before.get(&name).unwrap();
    let mut hosts = hosts(program_of(&farm));
    assert!(hosts.describe(old).unwrap().schema.is_some());
    fs::write(&file, unruly::original().plugin("none", "schema-none")).unwrap();
    let after = farm.catalog();
    let new = after.get(&name).unwrap();
    let data = r#"{"level": "high"}"#;
    for _ in 0..2 {
        assert!(hosts.describe(new).unwrap().schema.is_none());
        assert!(hosts.describe(old).unwrap().schema.is_some());
        let refusal = |failure: Failure| match failure {
            Failure::Invalid(faults) => faults[0].pointer.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(refusal(hosts.configure(old, data).unwrap_err()), "/level");
        assert_eq!(refusal(hosts.configure(new, data).unwrap_err()), "/level");
    }
}

/// What a request does to its plugin costs no other request its answer.
#[test]
fn a_request_that_poisons_its_plugin_costs_no_other() {
    let farm = Farm::with(&[]);
    farm.add_unruly("can-run-poisons");
    let name = unruly::name("can-run-poisons");
    let catalog = farm.catalog();
    let file = catalog.get(&name).unwrap();
    let mut hosts = hosts(program_of(&farm));
    let mut worker = taskbay_core::Metadata::default();
    worker.insert(&format!("{name}:version"), 1);
    worker.insert(&format!("{name}:level"), 10);
    let bad = hosts.configure(file, r#"{"level": 9}"#).unwrap();
    for _ in 0..2 {
        let good = hosts.configure(file, r#"{"level": 8}"#).unwrap();
        let verdict = hosts.can_run(file, &bad, &worker).unwrap();
        assert!(verdict.has_failed(), "{verdict:?}");
        let verdict = hosts.can_run(file, &good, &worker).unwrap();
        assert!(verdict.can_run(), "{verdict:?}");
        hosts.can_run(file, &bad, &worker).unwrap();
    }
}

/// No plugin's code has run in it, so none is to blame.
#[test]
fn a_host_that_cannot_start_is_no_plugins_fault() {
    let farm = Farm::with(&["noop"]);
    let catalog = farm.catalog();
    let quarantine = Quarantine::in_directory(farm.path("quarantine"));
    for program in ["false", "true"] {
        let program = HostProgram {
            program: program.into(),
            ..program_of(&farm)
        };
        let mut hosts = hosts(program).with_quarantine(quarantine.clone());
        let failure = hosts.describe(catalog.get("noop").unwrap()).unwrap_err();
        assert!(matches!(failure, Failure::NoHost(_)), "{failure:?}");
    }
    assert_eq!(quarantine.all().unwrap(), []);
}
