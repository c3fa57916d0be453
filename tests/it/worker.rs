//! A worker says what it offers, and says it again whenever its plugins change.

use crate::{farm::Farm, following::Following, unruly};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::{fs, time::Duration};

/// What it says once it says that. A file that is young when the worker starts is looked at a moment later.
#[track_caller]
fn says(worker: &Following, is_said: impl Fn(&Value) -> bool) -> Value {
    let mut said = worker.next();
    while !is_said(&said["metadata"]) {
        said = worker.next();
    }
    said
}

#[test]
fn what_it_offers_follows_the_plugins() {
    let farm = Farm::with(&["noop"]);
    let mut worker = Following::of(&mut farm.command(&["worker", "--name", "builder", "--json"]));
    let said = says(&worker, |metadata| metadata["noop:version"] == 1);
    assert_eq!(
        (&said["schema"], &said["name"]),
        (&"taskbay.worker/1".into(), &"builder".into())
    );
    let offered = |fault: &str| format!("{}:version", unruly::name(fault));
    assert!(said["metadata"]["system:cpu_count"].is_u64());
    assert_eq!(said["metadata"].get(offered("none")), None);

    let file = farm.add_unruly("none");
    let has = |metadata: &Value, fault: &str| metadata.get(offered(fault)).is_some();
    says(&worker, |metadata| has(metadata, "none"));

    // One that cannot describe the worker costs it no other task, and is asked no more.
    farm.add_unruly("analyze-crashes");
    let health = format!("{}:health", unruly::name("analyze-crashes"));
    let said = says(&worker, |metadata| metadata.get(&health).is_some());
    let why = said["metadata"][&health].as_str().unwrap();
    assert!(why.contains("SIGSEGV"), "{said}");
    assert_eq!(said["metadata"]["noop:version"], 1, "{said}");

    fs::remove_file(file).unwrap();
    let said = says(&worker, |metadata| !has(metadata, "none"));
    assert_eq!(said["metadata"]["noop:version"], 1, "{said}");
    let why = said["metadata"][&health].as_str().unwrap();
    assert!(why.contains("it was set aside"), "{said}");

    let pid = Pid::from_child(&worker.child);
    kill_process(pid, Signal::TERM).unwrap();
    assert_eq!(worker.child.wait().unwrap().code(), Some(0));
    farm.assert_nothing_is_left();
}

/// The bytes of a plugin with that fault for the task of the good one.
fn bad_twin(fault: &str) -> Vec<u8> {
    let mut bytes = unruly::bytes(fault);
    unruly::replace(&mut bytes, &unruly::name(fault), &unruly::name("none"));
    bytes
}

/// What only loading tells of a file costs the next file of the task's name nothing, whichever was there first.
#[test]
fn a_file_that_cannot_be_loaded_hides_no_other() {
    let farm = Farm::with(&[]);
    let file = |name: &str| farm.plugins().join(name);
    fs::write(file("b.so"), bad_twin("describe-panics")).unwrap();
    fs::write(file("c.so"), unruly::bytes("none")).unwrap();
    let worker = Following::of(&mut farm.command(&["worker", "--json"]));
    let version = format!("{}:version", unruly::name("none"));
    says(&worker, |metadata| metadata[&version] == 1);

    let bad = farm.path("bad");
    for fault in ["schema-invalid", "constructor-crashes"] {
        fs::write(&bad, bad_twin(fault)).unwrap();
        fs::rename(&bad, file("a.so")).unwrap();
        let mut said = Some(worker.next());
        while let Some(line) = said {
            assert_eq!(line["metadata"][&version], 1, "{fault}: {line}");
            said = worker.next_within(Duration::from_secs(2));
        }
    }

    // Nor one that fails only when it is asked about the machine.
    fs::write(&bad, bad_twin("analyze-panics")).unwrap();
    fs::rename(&bad, file("a.so")).unwrap();
    let mut said = Some(worker.next());
    while let Some(line) = said {
        assert_eq!(line["metadata"][&version], 1, "{line}");
        said = worker.next_within(Duration::from_secs(2));
    }

    fs::remove_file(file("c.so")).unwrap();
    let health = format!("{}:health", unruly::name("none"));
    let said = says(&worker, |metadata| metadata.get(&version).is_none());
    assert!(said["metadata"][&health].is_string(), "{said}");
}

/// What was set aside is tried again once that is forgotten, also where another file has taken its place.
#[test]
fn what_was_set_aside_may_be_tried_again() {
    let farm = Farm::with(&[]);
    let file = |name: &str| farm.plugins().join(name);
    fs::write(file("a.so"), bad_twin("constructor-crashes")).unwrap();
    fs::write(file("b.so"), unruly::bytes("none")).unwrap();
    let name = unruly::name("none");
    let mut worker = Following::of(&mut farm.command(&["worker", "--json"]));
    says(&worker, |metadata| metadata[format!("{name}:version")] == 1);
    let clear = ["quarantine", "clear", &name];
    farm.run(&clear).succeeds();
    // Something happens, so that it looks.
    fs::write(file("c.so"), unruly::bytes("none-2")).unwrap();
    says(&worker, |metadata| {
        metadata
            .get(format!("{}:version", unruly::name("none-2")))
            .is_some()
    });
    worker.child.kill().unwrap();
    // It was tried, and set aside once more.
    let listed = farm.run(&["quarantine", "list", "--json"]);
    assert_eq!(
        listed.succeeds().json()["plugins"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

/// A file that is refused is told of when it comes, and no more when it is gone, though no task changed by it.
#[test]
fn files_that_are_refused_are_told_of() {
    let farm = Farm::with(&["noop"]);
    let worker = Following::of(&mut farm.command(&["worker", "--json"]));
    says(&worker, |metadata| metadata["noop:version"] == 1);
    let mut bytes = unruly::bytes("none");
    unruly::replace(&mut bytes, "\"api\":\"1.", "\"api\":\"9.");
    let file = farm.plugins().join("a.so");
    fs::write(&file, bytes).unwrap();
    let health = format!("{}:health", unruly::name("none"));
    let said = says(&worker, |metadata| metadata.get(&health).is_some());
    let why = said["metadata"][&health].as_str().unwrap();
    assert!(why.contains("9."), "{said}");
    fs::remove_file(&file).unwrap();
    says(&worker, |metadata| metadata.get(&health).is_none());
}
