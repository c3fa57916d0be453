//! What a plugin does to the process that it is loaded in costs no other plugin anything.

use crate::{
    farm::{Farm, Ran},
    unruly,
};
use serde_json::Value;
use std::fs;

/// What changes a whole process, and goes unnoticed there itself. Each comes before the good plugins in the search order.
const FAULTS: [&str; 14] = [
    "constructor-prints",
    "constructor-threads",
    "constructor-chdir",
    "constructor-umask",
    "constructor-limits",
    "constructor-forks",
    "constructor-signals",
    "constructor-sleeps",
    "constructor-stops-later",
    "constructor-few-files",
    "constructor-no-memory",
    "constructor-no-file-size",
    "constructor-environment",
    "constructor-daemon-babble",
];

/// Each of another kind. What one leaves behind must not be laid at the door of those that come after it.
const AT_ONCE: [&str; 6] = [
    "analyze-crashes",
    "analyze-hangs",
    "constructor-crashes",
    "constructor-environment",
    "constructor-few-files",
    "constructor-hangs",
];

const GOOD: [&str; 2] = ["blhc", "noop"];

fn good_keys(farm: &Farm) -> Vec<(String, Value)> {
    let analyzed = farm.run(&["analyze", "--plugin-timeout", "3s"]);
    let metadata = analyzed.succeeds().json();
    let is_good = |key: &str| GOOD.iter().any(|name| key.starts_with(&format!("{name}:")));
    let metadata = metadata.as_object().unwrap();
    metadata
        .iter()
        .filter(|(key, _)| is_good(key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

fn assert_good_are_listed(fault: &str, farm: &Farm) {
    let mut command = farm.command(&["list", "--load", "--json", "--plugin-timeout", "3s"]);
    let listed = Ran::of(&mut command);
    let rows = listed.succeeds().json()["tasks"].clone();
    for name in GOOD {
        let row = rows
            .as_array()
            .unwrap()
            .iter()
            .find(|row| row["name"] == name);
        assert_eq!(row.unwrap()["status"], "ok", "{fault}: {rows:#}");
    }
    let aside = farm.run(&["quarantine", "list", "--json"]).json();
    let aside = aside["plugins"].as_array().unwrap();
    let is_good = |row: &&Value| GOOD.iter().any(|name| row["name"] == *name);
    assert_eq!(aside.iter().find(is_good), None, "{fault}");
}

/// With nothing in the cache, so that copies must be made and layouts checked in the process that was changed.
#[test]
fn those_beside_a_plugin_that_changes_its_process() {
    let expected = good_keys(&Farm::with(&GOOD));
    assert!(expected.iter().any(|(key, _)| key == "blhc:available"));
    for fault in FAULTS {
        let farm = Farm::with(&GOOD);
        farm.add_unruly(fault);
        assert_good_are_listed(fault, &farm);
        let farm = Farm::with(&GOOD);
        farm.add_unruly(fault);
        assert_eq!(good_keys(&farm), expected, "{fault}");
        farm.assert_nothing_is_left();
    }
}

/// What the good ones say of task data, of this worker and when they are executed: exit codes, and what is printed.
fn good_answers(farm: &Farm) -> Vec<(Option<i32>, Value)> {
    fs::write(farm.here().join("x.build"), "gcc -c x.c\n").unwrap();
    let input = r#"{"input": {"artifact": "./x.build"}}"#;
    let commands: [&[&str]; 6] = [
        &["can-run", "noop", "{}"],
        &["can-run", "blhc", input],
        &["validate", "blhc", r#"{"input": 7}"#],
        &["run", "noop", "{}"],
        &["run", "noop", r#"{"result": false}"#],
        &["run", "blhc", input],
    ];
    let answers = commands.map(|command| {
        let options = ["--json", "--plugin-timeout", "3s"];
        let ran = farm.run(&[command, &options].concat());
        let mut told = ran.json();
        told.as_object_mut().unwrap().remove("duration_s");
        (ran.code, told)
    });
    answers.into()
}

/// In whichever order the first command meets them; the later ones know who was set aside.
#[test]
fn those_beside_several_bad_plugins_at_once() {
    let alone = Farm::with(&GOOD);
    let (keys, answers) = (good_keys(&alone), good_answers(&alone));
    let beside = || {
        let farm = Farm::with(&GOOD);
        for fault in AT_ONCE {
            farm.add_unruly(fault);
        }
        farm
    };
    let what = "several at once";
    let farm = beside();
    assert_eq!(good_keys(&farm), keys);
    assert_good_are_listed(what, &farm);
    assert_eq!(good_answers(&farm), answers);
    // Each that dies or hangs did so, beside the others.
    let aside = farm.run(&["quarantine", "list", "--json"]).json()["plugins"].clone();
    let aside = aside.as_array().unwrap();
    for fault in AT_ONCE {
        let name = unruly::name(fault);
        let is_there = aside.iter().any(|row| row["name"] == *name);
        let is_bad = fault.ends_with("-crashes") || fault.ends_with("-hangs");
        assert_eq!(is_there, is_bad, "{fault}: {aside:#?}");
    }
    let farm = beside();
    assert_good_are_listed(what, &farm);
    assert_eq!(good_keys(&farm), keys);
    let farm = beside();
    assert_eq!(good_answers(&farm), answers);
    assert_eq!(good_keys(&farm), keys);
    farm.assert_nothing_is_left();
}
