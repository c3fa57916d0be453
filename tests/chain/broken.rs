//! Workers that cannot do what they are asked: errors that say what to do about it, and no failures, which would be the
//! package's.

use crate::{chain::Chain, farm::Farm, small_disk::SmallDisk, tiny::Tiny};
use serde_json::{Value, json};
use std::{fs, path::Path};
use taskbay_test::{debian_mirror, environment, has_tools, is_full, native_architecture};

const IN_A_SYSTEM: [&str; 5] = ["mmdebstrap", "sbuild", "autopkgtest", "piuparts", "lintian"];
const TOOLS: [&str; 6] = [
    "newuidmap",
    "sbuild",
    "autopkgtest",
    "dpkg-source",
    "dpkg-buildpackage",
    "make",
];

/// A worker that has not what it said that it had.
#[test]
fn a_tool_that_is_gone_is_an_error() {
    if !has_tools(&["dpkg-source", "dpkg-buildpackage", "make"]) {
        return;
    }
    let empty = |farm: &Farm| {
        let nothing = farm.path("nothing");
        fs::create_dir(&nothing).unwrap();
        vec![("PATH", nothing.display().to_string())]
    };
    let chain = Chain::with_worker(&["lintian", "blhc", "debdiff"], empty);
    let tiny = Tiny::build(&chain.bay.farm.path("tiny"), "1.0", "Hello.\n");
    let source = chain.import(&tiny.file(".dsc")).id;
    let log = chain.bay.farm.path("tiny_1.0_all.build");
    fs::write(&log, "dpkg-buildpackage: info: source package tiny\n").unwrap();
    let log = chain.import(&log).id;
    let set = |task: &str| format!("{task}:available=true");
    let mut all = vec!["worker-set".to_owned(), "chain".to_owned()];
    for task in ["lintian", "blhc", "debdiff"] {
        all.extend(["--set".to_owned(), set(task)]);
    }
    let all: Vec<_> = all.iter().map(String::as_str).collect();
    chain.bay.run(&all).succeeds();
    for (task, input) in [
        ("lintian", json!({"source_artifact": source})),
        ("blhc", json!({"artifact": log})),
        ("debdiff", json!({"source_artifacts": [source, source]})),
    ] {
        let step = chain.request(task, &json!({"input": input})).is("error");
        let errors = step.errors();
        assert!(errors.contains(&format!("cannot run `{task}`")), "{errors}");
        assert!(errors.contains("install it on the worker"), "{errors}");
    }
}

/// A disk on which a system fits as a tarball and not unpacked.
#[test]
fn a_full_disk_is_an_error() {
    if !is_full() || !has_tools(&TOOLS) {
        return;
    }
    let (Some(system), Some(mirror)) = (environment(), debian_mirror()) else {
        return;
    };
    let size = system.files[0].metadata().unwrap().len() / (1 << 20) + 60;
    let mut disk = None;
    let small = |farm: &Farm| {
        let place = farm.path("small");
        fs::create_dir(&place).unwrap();
        disk = SmallDisk::on(&place, &format!("{size}m"));
        vec![("TMPDIR", place.display().to_string())]
    };
    let chain = Chain::with_worker(&IN_A_SYSTEM, small);
    if disk.is_none() {
        return;
    }
    for (task, data) in requests(&chain, &system.files[0], &mirror) {
        let step = chain.request(task, &data).is("error");
        let errors = step.errors();
        assert!(
            errors.contains("there was no room left"),
            "{task}: {errors}"
        );
        assert!(
            errors.contains("No space left on device"),
            "{task}: {errors}"
        );
        step.made_only(match task {
            "sbuild" => &["debian:package-build-log"],
            "autopkgtest" => &["debian:autopkgtest"],
            _ => &[],
        });
    }
}

/// A tarball that was cut short on its way.
#[test]
fn a_broken_system_is_an_error() {
    if !is_full() || !has_tools(&TOOLS) {
        return;
    }
    let Some(system) = environment() else {
        return;
    };
    let chain = Chain::of(&IN_A_SYSTEM);
    let broken = chain.bay.farm.path("broken.tar.xz");
    let whole = fs::read(&system.files[0]).unwrap();
    fs::write(&broken, &whole[..whole.len() / 8]).unwrap();
    for (task, data) in requests(&chain, &broken, "") {
        if task == "mmdebstrap" {
            continue;
        }
        let step = chain.request(task, &data).is("error");
        let errors = step.errors();
        assert!(errors.contains("environment"), "{task}: {errors}");
    }
}

/// What every task that makes or uses a system is asked.
fn requests(chain: &Chain, system: &Path, mirror: &str) -> Vec<(&'static str, Value)> {
    let tiny = Tiny::build(&chain.bay.farm.path("tiny"), "1.0", "Hello.\n");
    let source = chain.import(&tiny.file(".dsc")).id;
    let package = chain.import(&tiny.file("_all.deb")).id;
    let system = chain.import(system).id;
    let architecture = native_architecture();
    vec![
        (
            "mmdebstrap",
            json!({
                "bootstrap_options": {"architecture": architecture, "variant": "buildd"},
                "bootstrap_repositories": [{"mirror": mirror, "suite": "bookworm"}],
            }),
        ),
        (
            "sbuild",
            json!({
                "input": {"source_artifact": source}, "environment": system, "build_components": ["all"],
                "build_architecture": architecture,
            }),
        ),
        (
            "autopkgtest",
            json!({
                "input": {"source_artifact": source, "binary_artifacts": [package]},
                "environment": system, "build_architecture": architecture,
            }),
        ),
        (
            "piuparts",
            json!({
                "input": {"binary_artifacts": [package]}, "environment": system, "base_tgz": system,
                "build_architecture": architecture,
            }),
        ),
        (
            "lintian",
            json!({"input": {"source_artifact": source}, "environment": system}),
        ),
    ]
}
