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
use std::{fs, sync::Arc, time::Duration};
use taskbay_core::{Abort, NoServer, OutcomeResult, Server};
use taskbay_worker::{AttemptOptions, Failure, HostProgram, Hosts};

fn hosts(farm: &Farm) -> Hosts {
    let program = HostProgram {
        // `env` becomes the host, with private copies that are not this user's.
        program: "/usr/bin/env".into(),
        arguments: vec![
            format!("TASKBAY_CACHE_DIR={}", farm.path("cache").display()).into(),
            built().join("taskbay").into(),
            "plugin-host".into(),
        ],
        has_only_hosts: false,
    };
    Hosts::new(program, Duration::from_mins(1), Abort::new())
}

/// Each attempt has a host of its own: the one before was ended with its attempt.
#[test]
fn attempts_follow_one_another() {
    let farm = Farm::with(&["noop"]);
    let catalog = farm.catalog();
    let file = catalog.get("noop").unwrap();
    let mut hosts = hosts(&farm);
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

/// What was inspected is what is loaded, or nothing is.
#[test]
fn a_file_that_changed_since_it_was_inspected_is_not_loaded() {
    let farm = Farm::with(&["noop"]);
    let inspected = farm.catalog();
    let file = inspected.get("noop").unwrap();
    fs::write(file.path(), fs::read(file.path()).unwrap()).unwrap();
    let mut hosts = hosts(&farm);
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
    let mut hosts = hosts(&farm);
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
