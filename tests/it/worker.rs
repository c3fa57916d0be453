//! A worker says what it offers, and says it again whenever its plugins change.

use crate::{farm::Farm, following::Following, unruly};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;

#[test]
fn what_it_offers_follows_the_plugins() {
    let farm = Farm::with(&["noop"]);
    let mut worker = Following::of(&mut farm.command(&["worker", "--name", "builder", "--json"]));
    let said = worker.next();
    assert_eq!(
        (&said["schema"], &said["name"]),
        (&"taskbay.worker/1".into(), &"builder".into())
    );
    let offered = |fault: &str| format!("{}:version", unruly::name(fault));
    assert_eq!(said["metadata"]["noop:version"], 1);
    assert!(said["metadata"]["system:cpu_count"].is_u64());
    assert_eq!(said["metadata"].get(offered("none")), None);

    let file = farm.add_unruly("none");
    let said = worker.next();
    assert_eq!(said["metadata"][offered("none")], 1, "{said}");

    // One that cannot describe the worker costs it no other task, and is asked no more.
    farm.add_unruly("analyze-crashes");
    let said = worker.next();
    let name = unruly::name("analyze-crashes");
    let health = said["metadata"][format!("{name}:health")].as_str().unwrap();
    assert!(health.contains("SIGSEGV"), "{said}");
    assert_eq!(said["metadata"]["noop:version"], 1, "{said}");

    fs::remove_file(file).unwrap();
    let said = worker.next();
    assert_eq!(said["metadata"].get(offered("none")), None, "{said}");
    assert_eq!(said["metadata"]["noop:version"], 1, "{said}");

    let pid = Pid::from_child(&worker.child);
    kill_process(pid, Signal::TERM).unwrap();
    assert_eq!(worker.child.wait().unwrap().code(), Some(0));
    farm.assert_nothing_is_left();
}
