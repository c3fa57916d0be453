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

use farm::{Farm, built};
use log::{LevelFilter, Log, Metadata, Record};
use std::{
    fs,
    process::Command,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};
use taskbay_core::{Abort, NoServer, OutcomeResult, Server};
use taskbay_loader::Quarantine;
use taskbay_worker::{AttemptOptions, Failure, HostProgram, Hosts, Surroundings};

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
    };
    for _ in 0..3 {
        let data = hosts.configure(file, "{}").unwrap().data;
        for _ in 0..2 {
            let report = hosts.execute(file, &data, &server, &options).unwrap();
            assert_eq!(report.outcome.result, OutcomeResult::Success, "{report:?}");
        }
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

/// Held by tests of hosts that are this process's only children: each of these ends what another's left behind.
static ONLY: Mutex<()> = Mutex::new(());

/// The program of hosts that are this process's only children.
fn only_child(farm: &Farm) -> HostProgram {
    // What the farm itself starts has ended by now, and is not started again.
    unruly::original();
    HostProgram {
        has_only_hosts: true,
        ..program_of(farm)
    }
}

/// Takes its time, so that whoever logs is behind with what it reads.
struct SlowLog;

impl Log for SlowLog {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        if record.args().to_string() == "this takes a while" {
            thread::sleep(Duration::from_millis(500));
        }
    }

    fn flush(&self) {}
}

/// It has ended before anybody reads what it wrote, so that killing its tree comes too late.
#[test]
fn a_host_that_babbles_and_ends_leaves_nothing_behind() {
    let _alone = ONLY.lock().unwrap();
    log::set_logger(&SlowLog).unwrap();
    log::set_max_level(LevelFilter::Info);
    let farm = Farm::with(&["noop"]);
    let mut program = only_child(&farm);
    let record = r#"{"log":{"level":3,"target":"t","file":null,"line":null,"task":null,"message":"this takes a while"}}"#;
    let script = format!(
        "setsid sleep 1000 >/dev/null 2>&1 & printf '\\{:o}\\0\\0\\0%s\\377\\377\\377\\377' '{record}' >&0",
        record.len()
    );
    let home = format!("HOME={}", farm.path("home").display());
    program.program = "env".into();
    program.arguments = vec![home.into(), "sh".into(), "-c".into(), script.into()];
    let mut hosts = hosts(program);
    let catalog = farm.catalog();
    let failure = hosts.describe(catalog.get("noop").unwrap()).unwrap_err();
    let said = failure.to_string();
    assert!(said.contains("what no plugin host says"), "{failure:?}");
    farm.assert_nothing_is_left();
}

/// What one host leaves behind is ended, and the hosts of others are not.
#[test]
fn the_end_of_a_host_spares_those_of_others() {
    let _alone = ONLY.lock().unwrap();
    let farm = Farm::with(&["noop"]);
    farm.add_unruly("constructor-crashes");
    let catalog = farm.catalog();
    let mut good = hosts(only_child(&farm));
    let noop = catalog.get("noop").unwrap();
    good.describe(noop).unwrap();
    let mut bad = hosts(only_child(&farm));
    let name = unruly::name("constructor-crashes");
    let failure = bad.describe(catalog.get(&name).unwrap()).unwrap_err();
    assert!(matches!(failure, Failure::Died(_)), "{failure:?}");
    good.configure(noop, "{}").unwrap();
}

/// Orphans that take their time to end hold up nobody who starts a host.
#[test]
fn a_host_starts_while_the_orphans_of_another_are_ended() {
    let _alone = ONLY.lock().unwrap();
    let farm = Farm::with(&["noop"]);
    let catalog = farm.catalog();
    let noop = catalog.get("noop").unwrap();
    let mut slow = hosts(only_child(&farm));
    let data = slow.configure(noop, "{}").unwrap().data;
    // Its parent ends, and this process adopts it, as a subreaper.
    let orphan = "trap '' TERM; touch ready; while :; do sleep 1; done";
    let script = format!("sh -c '{}' &", orphan.replace('\'', "'\\''"));
    let mut parent = Command::new("sh");
    parent.args(["-c", &script]).current_dir(farm.path(""));
    assert!(parent.status().unwrap().success());
    while !farm.path("ready").exists() {
        thread::sleep(Duration::from_millis(10));
    }
    let attempt = thread::spawn(move || {
        let server: Arc<dyn Server> = Arc::new(NoServer);
        let options = AttemptOptions {
            timeout: None,
            grace: Duration::from_secs(10),
            keep: false,
        };
        let catalog = farm.catalog();
        let noop = catalog.get("noop").unwrap();
        slow.execute(noop, &data, &server, &options).unwrap();
        farm
    });
    thread::sleep(Duration::from_secs(1));
    let farm = Farm::with(&["noop"]);
    let mut quick = hosts(only_child(&farm));
    quick.describe(noop).unwrap();
    assert!(!attempt.is_finished(), "the orphan has ended early");
    attempt.join().unwrap().assert_nothing_is_left();
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
