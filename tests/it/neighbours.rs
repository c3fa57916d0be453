//! What a plugin does to the process that it is loaded in costs no other plugin anything.

use crate::farm::{Farm, Ran};
use serde_json::Value;

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
