//! Each row of the task contract that crosses crates, by its name. The rows that a single crate keeps have their tests
//! there: `name`, `prefix_with_task_name`, `can_run_on`, `task_config_error`, `abort_aborted`, `execute`,
//! `configure_server_access`.

use crate::{
    farm::{Farm, built},
    unruly,
};
use serde_json::json;
use std::{fs, sync::Arc};
use taskbay_core::{Metadata, ReasonCode};
use taskbay_loader::Status;

/// The rows about one task, from its data to its end.
mod task;

/// A plugin in a directory is a task; nothing else is needed.
#[test]
fn subclass_registers_itself() {
    let farm = Farm::with(&["noop", "lintian"]);
    assert_eq!(
        farm.scan().registry.names().collect::<Vec<_>>(),
        ["lintian", "noop"]
    );
}

/// Of two plugins whose names are equal but for case, the first in search order stays.
#[test]
fn unique_class_name() {
    let farm = Farm::with(&["noop"]);
    let mut twin = fs::read(built().join("libtaskbay_task_noop.so")).unwrap();
    let later = farm.plugins().join("z.so");
    fs::write(&later, &twin).unwrap();
    let scanned = farm.scan();
    assert_eq!(
        scanned.registry.get("noop").unwrap().path(),
        farm.plugins().join("libtaskbay_task_noop.so")
    );
    let row = scanned.catalog.entries[1].row();
    assert_eq!(
        (row.status, row.name.as_deref()),
        (Status::Shadowed, Some("noop"))
    );
    assert!(row.reason.unwrap().contains("libtaskbay_task_noop.so"));

    assert_eq!(
        unruly::replace(&mut twin, r#"{"name":"noop""#, r#"{"name":"NoOp""#),
        1
    );
    fs::write(&later, &twin).unwrap();
    assert_eq!(farm.row("z.so", false)["status"], "shadowed");
    farm.run(&["list"]).succeeds();
    farm.run(&["list", "--strict"]).fails(4, &[]);

    // The same file twice is no error, under whichever name.
    fs::remove_file(&later).unwrap();
    fs::hard_link(farm.plugins().join("libtaskbay_task_noop.so"), &later).unwrap();
    std::os::unix::fs::symlink("z.so", farm.plugins().join("zz.so")).unwrap();
    farm.run(&["list", "--strict"]).succeeds();
}

/// Where the first of two twins cannot be loaded, the second takes its place.
#[test]
fn a_twin_that_is_refused_does_not_shadow() {
    let farm = Farm::with(&["noop"]);
    let mut bad = unruly::bytes("describe-panics");
    unruly::replace(
        &mut bad,
        &unruly::name("describe-panics"),
        &unruly::name("twin"),
    );
    fs::write(farm.plugins().join("a.so"), bad).unwrap();
    let mut good = unruly::bytes("fine");
    unruly::replace(&mut good, &unruly::name("fine"), &unruly::name("twin"));
    fs::write(farm.plugins().join("b.so"), &good).unwrap();
    fs::write(farm.plugins().join("c.so"), &good).unwrap();
    assert_eq!(farm.row("b.so", false)["status"], "shadowed");
    assert_eq!(farm.row("a.so", true)["status"], "rejected");
    assert_eq!(farm.row("b.so", true)["status"], "ok");
    let third = farm.row("c.so", true);
    assert_eq!(third["status"], "shadowed");
    assert!(
        third["reason"].as_str().unwrap().ends_with("/b.so"),
        "{third}"
    );
}

/// Case-insensitive, no trimming; the error quotes the name in lower case and suggests a near one.
#[test]
fn class_from_name() {
    let scanned = Farm::with(&["noop", "lintian"]).scan();
    for name in ["noop", "NOOP", "NoOp"] {
        assert_eq!(scanned.registry.get(name).unwrap().name().as_str(), "noop");
    }
    for name in [" noop", "noop ", "", "no-op"] {
        assert!(scanned.registry.get(name).is_err(), "{name:?}");
    }
    let unknown = scanned.registry.get("Lintina").unwrap_err();
    assert_eq!(unknown.to_string(), "there is no task `lintina`");
    assert_eq!(unknown.help(), "did you mean `lintian`?");
}

/// Never an error.
#[test]
fn is_valid_task_name() {
    let registry = Farm::with(&["noop"]).scan().registry;
    assert!(registry.contains("Noop"));
    for name in ["", " noop", "\0", "ünïcode", &"n".repeat(100_000)] {
        assert!(!registry.contains(name));
    }
}

/// Sorted.
#[test]
fn task_names() {
    let registry = Farm::with(&["noop", "debdiff", "blhc", "lintian"])
        .scan()
        .registry;
    assert_eq!(
        registry.names().collect::<Vec<_>>(),
        ["blhc", "debdiff", "lintian", "noop"]
    );
}

/// Required: without a version a worker would be judged fit.
#[test]
fn task_version() {
    let scanned = Farm::with(&["noop"]).scan();
    let noop = scanned.registry.get("noop").unwrap();
    assert_eq!(noop.version(), 1);
    let task = noop.configure("{}").unwrap();
    let verdict = task.verdict(&noop.worker(Arc::new(Metadata::default())));
    assert_eq!(verdict.reasons[0].code, ReasonCode::TaskMissing);
}

/// The host adds the version; keys of others are dropped and reported; others' keys may be read.
#[test]
fn analyze_worker() {
    let farm = Farm::with(&["noop"]);
    farm.add_unruly("analyze-lies");
    let scanned = farm.scan();
    let name = unruly::name("analyze-lies");
    let liar = scanned.registry.get(&name).unwrap();
    let known = Metadata::parse(r#"{"executor:unshare:available": true}"#).unwrap();
    let mut analysis = liar.analyze(&known).unwrap();
    analysis.dropped.sort_unstable();
    assert_eq!(
        analysis.dropped,
        [
            format!("{name}:version"),
            "noop:version".into(),
            "system:cpu_count".into()
        ]
    );
    let metadata = serde_json::to_value(&analysis.metadata).unwrap();
    assert_eq!(
        metadata,
        json!({format!("{name}:version"): 1, format!("{name}:level"): 5, format!("{name}:unshare"): true})
    );
    let ran = farm.run(&["analyze"]);
    ran.succeeds();
    assert_eq!(ran.json()["noop:version"], 1);
    assert!(
        ran.stderr.contains("its key `noop:version` is dropped"),
        "{}",
        ran.stderr
    );
}

/// One that fails yields `<name>:health`, and costs nobody else their keys; the host adds what is the system's.
#[test]
fn analyze_worker_all_tasks() {
    let farm = Farm::with(&["noop"]);
    for fault in [
        "analyze-panics",
        "analyze-errs",
        "analyze-crashes",
        "analyze-hangs",
    ] {
        farm.add_unruly(fault);
    }
    let ran = farm.run(&["analyze", "--plugin-timeout", "3s"]);
    ran.succeeds();
    let metadata = ran.json();
    let health = |fault| {
        metadata[format!("{}:health", unruly::name(fault))]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert!(health("analyze-panics").contains("analyze panics"));
    assert_eq!(health("analyze-errs"), "the machine is on fire");
    assert!(health("analyze-crashes").contains("SIGSEGV"));
    assert_eq!(health("analyze-hangs"), "it gave no answer within 3 s");
    assert!(
        metadata
            .get(format!("{}:version", unruly::name("analyze-errs")))
            .is_none()
    );
    assert_eq!(metadata["noop:version"], 1);
    for key in [
        "system:cpu_count",
        "system:total_physical_memory",
        "system:host_architecture",
    ] {
        assert!(!metadata[key].is_null(), "{key}");
    }
    assert_eq!(metadata["system:worker_type"], "external");
    let host = &metadata["system:host_architecture"];
    assert!(
        metadata["system:architectures"]
            .as_array()
            .unwrap()
            .contains(host)
    );
    for backend in ["unshare", "incus-lxc", "incus-vm", "qemu"] {
        assert!(metadata[format!("executor:{backend}:available")].is_boolean());
    }
}
