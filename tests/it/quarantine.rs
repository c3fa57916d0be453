//! Plugins that die or hang are set aside with the evidence, and are tried again when something changed.

use crate::{
    farm::{Farm, Ran},
    unruly,
};
use rustix::fs::{CWD, Mode, mkfifoat};
use serde_json::Value;
use std::{
    fs,
    os::unix::fs::symlink,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

/// The records, whoever writes them and is killed.
mod records;

/// Faults that plugins are set aside for.
const CONSTRUCTORS: [&str; 3] = [
    "constructor-crashes",
    "constructor-aborts",
    "constructor-exits",
];

/// What is set aside.
fn set_aside(farm: &Farm) -> Vec<Value> {
    let listed = farm.run(&["quarantine", "list", "--json"]);
    assert_eq!(listed.succeeds().json()["schema"], "taskbay.quarantine/1");
    listed.json()["plugins"].as_array().unwrap().clone()
}

fn status(farm: &Farm, fault: &str, load: bool) -> Value {
    farm.row(&format!("{fault}.so"), load)["status"].clone()
}

/// Asserts that a plugin with that fault is set aside, with the good one beside it untouched, and gives the evidence.
fn evidence(fault: &str) -> Value {
    let farm = Farm::with(&["noop"]);
    farm.add_unruly(fault);
    assert_eq!(status(&farm, fault, true), "rejected");
    assert_eq!(status(&farm, fault, false), "quarantined");
    farm.assert_noop_runs();
    let all = set_aside(&farm);
    assert_eq!(all.len(), 1, "{all:#?}");
    let name = unruly::name(fault);
    assert_eq!(all[0]["name"], name);
    farm.run(&["run", &name, "{}"])
        .fails(4, &["it was set aside at", "taskbay quarantine clear"]);
    all[0].clone()
}

#[test]
fn the_evidence_of_a_crash() {
    let evidence = evidence("constructor-crashes");
    assert_eq!(
        (&evidence["phase"], &evidence["signal"], &evidence["status"]),
        (&"load".into(), &"SIGSEGV".into(), &Value::Null)
    );
    assert_eq!(evidence["sha256"].as_str().unwrap().len(), 64);
    assert!(evidence["time"].as_str().unwrap().ends_with('Z'));
}

/// Status 0 without an answer is a failure like any other.
#[test]
fn the_evidence_of_an_early_end() {
    let evidence = evidence("constructor-exits");
    assert_eq!(
        (&evidence["signal"], &evidence["status"]),
        (&Value::Null, &0.into())
    );
}

#[test]
fn the_evidence_of_an_abort_holds_its_last_words() {
    let evidence = evidence("constructor-mutters");
    assert_eq!(evidence["signal"], "SIGABRT");
    assert_eq!(evidence["stderr"], Value::from(vec!["woe is me"]));
}

#[test]
fn the_evidence_of_a_hang() {
    let reason = evidence("constructor-hangs")["reason"].clone();
    assert_eq!(reason, "it gave no answer within 3 s");
}

#[test]
fn a_crash_as_it_describes_the_worker() {
    let farm = Farm::with(&["noop"]);
    farm.add_unruly("analyze-crashes");
    farm.run(&["analyze"]).succeeds();
    let all = set_aside(&farm);
    assert_eq!((all.len(), &all[0]["phase"]), (1, &"analyze".into()));
    let analyzed = farm.run(&["analyze"]);
    assert_eq!(analyzed.json()["noop:version"], 1);
    assert!(
        analyzed.stderr.contains("is not used: it was set aside"),
        "{analyzed:?}"
    );
}

/// What stands under the path by then is not read: it may be a pipe that nobody writes to.
#[test]
fn a_file_that_gives_way_to_a_pipe() {
    let farm = Farm::with(&["noop"]);
    let file = farm.add_unruly("constructor-hangs");
    let loading = farm
        .command(&["list", "--load", "--plugin-timeout", "2s"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let mut loading = loading.unwrap();
    let copies = farm.path("home/.cache/taskbay/plugins");
    while fs::read_dir(&copies).map_or(0, Iterator::count) == 0 {
        thread::sleep(Duration::from_millis(5));
    }
    // The copy may still be on its way to its name.
    thread::sleep(Duration::from_millis(500));
    fs::remove_file(&file).unwrap();
    mkfifoat(CWD, &file, Mode::RUSR).unwrap();
    let until = Instant::now() + Duration::from_mins(1);
    while loading.try_wait().unwrap().is_none() {
        if Instant::now() > until {
            loading.kill().unwrap();
            panic!("it still waits");
        }
        thread::sleep(Duration::from_millis(50));
    }
    let record = fs::read_dir(farm.path("home/.cache/taskbay/quarantine"));
    let record = record.unwrap().next().unwrap().unwrap().path();
    let record: Value = serde_json::from_slice(&fs::read(record).unwrap()).unwrap();
    assert_eq!(record["sha256"].as_str().unwrap().len(), 64);
}

/// What a request may be to blame for takes the task away from nobody.
#[test]
fn requests_set_nothing_aside() {
    let farm = Farm::with(&[]);
    for fault in ["configure-hangs", "none"] {
        farm.add_unruly(fault);
    }
    let hangs = unruly::name("configure-hangs");
    farm.run(&["validate", &hangs, "{}", "--plugin-timeout", "1"])
        .fails(5, &["no answer"]);
    let action = r#"{"action": "segfault"}"#;
    farm.run(&["run", &unruly::name("none"), action])
        .fails(5, &[]);
    assert_eq!(set_aside(&farm), Vec::<Value>::new());
}

#[test]
fn why_and_clear() {
    let farm = Farm::with(&[]);
    let file = farm.add_unruly("constructor-crashes");
    let name = unruly::name("constructor-crashes");
    farm.run(&["quarantine", "why", &name])
        .fails(3, &["is set aside", "taskbay quarantine list"]);
    assert_eq!(status(&farm, "constructor-crashes", true), "rejected");
    let why = farm.run(&["quarantine", "why", &name.to_uppercase()]);
    let told = why.succeeds().stdout.contains("signal:  SIGSEGV");
    assert!(
        told && why.stdout.contains(file.to_str().unwrap()),
        "{why:?}"
    );
    farm.run(&["quarantine", "clear", &name]).succeeds();
    assert_eq!(status(&farm, "constructor-crashes", false), "ok");
    farm.run(&["quarantine", "clear", &name]).fails(3, &[]);
}

#[test]
fn a_file_that_changes_is_tried_again() {
    let farm = Farm::with(&[]);
    let file = farm.add_unruly("constructor-crashes");
    assert_eq!(status(&farm, "constructor-crashes", true), "rejected");
    fs::write(&file, unruly::bytes("none")).unwrap();
    assert_eq!(status(&farm, "constructor-crashes", true), "ok");
    assert_eq!(set_aside(&farm), Vec::<Value>::new());
}

#[test]
fn a_library_that_comes_releases_who_lacked_it() {
    let farm = Farm::with(&["noop"]);
    let file = farm.add_unruly("none");
    let mut bytes = fs::read(&file).unwrap();
    assert!(unruly::replace(&mut bytes, "libgcc_s.so.1\0", "libgone_.so.1\0") > 0);
    fs::write(&file, bytes).unwrap();
    assert_eq!(status(&farm, "none", true), "rejected");
    let row = farm.row("none.so", false);
    assert_eq!(row["status"], "quarantined");
    assert!(
        row["help"].as_str().unwrap().contains("has libgone_.so.1"),
        "{row}"
    );
    let libraries = farm.path("libraries");
    fs::create_dir(&libraries).unwrap();
    let listed = |load: &[&str]| {
        let mut command = farm.command(&["list", "--json"]);
        command.args(load).env("LD_LIBRARY_PATH", &libraries);
        let rows = Ran::of(&mut command).json()["tasks"].clone();
        let rows = rows.as_array().unwrap();
        let row = rows.iter().find(|row| row["name"] == unruly::name("none"));
        row.unwrap()["status"].clone()
    };
    assert_eq!(listed(&[]), "quarantined");
    let real = ["/lib", "/usr/lib"]
        .map(|top| format!("{top}/{}-linux-gnu/libgcc_s.so.1", std::env::consts::ARCH))
        .into_iter()
        .find(|path| fs::exists(path).unwrap())
        .unwrap();
    symlink(real, libraries.join("libgone_.so.1")).unwrap();
    assert_eq!(listed(&[]), "ok");
    assert_eq!(listed(&["--load"]), "ok");
}
