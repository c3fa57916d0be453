//! The hostile kit, whole: whatever is wrong with a file, the host lives, says so, and offers the good one beside it.

use crate::{
    farm::{Farm, Ran},
    unruly::{self, original},
};
use serde_json::Value;
use std::collections::HashMap;
use taskbay_fixture_hostile::{Specimen, Stage, kit};

/// The time that a plugin has to answer.
const LIMIT: &str = "3s";

/// A farm with a good plugin and the specimens of some stages.
fn farm(wanted: impl Fn(Stage) -> bool) -> (Farm, Vec<Specimen>) {
    let farm = Farm::with(&["noop"]);
    let mut specimens = kit();
    specimens.retain(|specimen| wanted(specimen.stage));
    for specimen in &specimens {
        specimen.write(original(), &farm.plugins()).unwrap();
    }
    (farm, specimens)
}

/// The rows of `list`, by file name without `.so`.
fn rows(farm: &Farm, more: &[&str]) -> HashMap<String, Value> {
    let mut command = farm.command(&["list", "--json", "--plugin-timeout", LIMIT]);
    let listed = Ran::of(command.args(more));
    let listed = listed.succeeds().json();
    let named = |row: &Value| {
        let file = row["file"].as_str().unwrap();
        let name = file.rsplit('/').next().unwrap();
        (name.trim_end_matches(".so").to_owned(), row.clone())
    };
    listed["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(named)
        .collect()
}

#[track_caller]
fn assert_refused(specimen: &Specimen, row: &Value) {
    assert_eq!(row["status"], "rejected", "{specimen:?}: {row}");
    let reason = row["reason"].as_str().unwrap();
    assert!(reason.contains(specimen.told), "{specimen:?}: {row}");
    assert!(row["help"].is_string(), "{specimen:?}: {row}");
}

/// The command about one specimen ends with that exit code, saying what the kit says, and the good plugin is there.
fn refuses(farm: &Farm, specimen: &Specimen, arguments: &[&str], codes: &[i32]) {
    let mut command = farm.command(arguments);
    command.args(["--plugin-timeout", LIMIT]);
    let ran = Ran::of(command.env("TASKBAY_TEST_PIDS", farm.path("pids")));
    assert!(
        ran.code.is_some_and(|code| codes.contains(&code)),
        "{specimen:?}: {ran:?}"
    );
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert!(said.contains(specimen.told), "{specimen:?}: {ran:?}");
    farm.run(&["run", "noop", "{}"]).succeeds();
}

#[test]
fn the_kit_is_large_enough_and_its_names_are_its_own() {
    let kit = kit();
    let names: std::collections::HashSet<_> = kit.iter().map(|each| &each.name).collect();
    assert_eq!(names.len(), kit.len());
    assert!(kit.len() >= 60, "{}", kit.len());
}

/// Everything at once: what can be told without running code is told, and all others are there.
#[test]
fn all_that_is_listed() {
    let (farm, specimens) = farm(|_| true);
    let rows = rows(&farm, &[]);
    for specimen in &specimens {
        let row = rows.get(&specimen.name);
        match specimen.stage {
            Stage::Unlisted => assert_eq!(row, None, "{specimen:?}"),
            Stage::Inspect => assert_refused(specimen, row.unwrap()),
            Stage::Shadowed => {
                let row = row.unwrap();
                assert_eq!(row["status"], "shadowed", "{specimen:?}: {row}");
                assert!(
                    row["reason"].as_str().unwrap().contains(specimen.told),
                    "{row}"
                );
            }
            _ => assert_eq!(row.unwrap()["status"], "ok", "{specimen:?}: {row:?}"),
        }
    }
    assert_eq!(rows["libtaskbay_task_noop"]["status"], "ok");
    farm.run(&["run", "noop", "{}"]).succeeds();
}

/// Everything at once, and every code that can be loaded is.
#[test]
fn all_that_is_loaded() {
    let (farm, specimens) = farm(|_| true);
    let rows = rows(&farm, &["--load"]);
    for specimen in &specimens {
        match (specimen.stage, rows.get(&specimen.name)) {
            (Stage::Load, Some(row)) => assert_refused(specimen, row),
            (Stage::Inspect | Stage::Shadowed | Stage::Unlisted, _) => {}
            (_, row) => assert_eq!(row.unwrap()["status"], "ok", "{specimen:?}: {row:?}"),
        }
    }
    assert_eq!(rows["libtaskbay_task_noop"]["status"], "ok");
    farm.assert_noop_runs();
}

/// One after the other, in the very process that lists them all, costs no other its keys.
#[test]
fn all_that_describe_the_worker() {
    let (farm, specimens) = farm(|stage| matches!(stage, Stage::Analyze | Stage::Never));
    let analyzed = farm.run(&["analyze", "--plugin-timeout", LIMIT]);
    let metadata = analyzed.succeeds().json();
    for specimen in &specimens {
        let name = unruly::name(&specimen.name);
        let health = metadata[format!("{name}:health")]
            .as_str()
            .unwrap_or_default();
        if specimen.stage == Stage::Analyze {
            assert!(health.contains(specimen.told), "{specimen:?}: {health}");
            assert_eq!(
                metadata[format!("{name}:version")],
                Value::Null,
                "{specimen:?}"
            );
        } else {
            assert_eq!(
                metadata[format!("{name}:version")],
                1,
                "{specimen:?}: {health}"
            );
        }
    }
    assert_eq!(metadata["noop:version"], 1);
    assert_ne!(
        metadata["system:cpu_count"], 1_000_000,
        "another's key was taken"
    );
    farm.assert_noop_runs();
}

#[test]
fn all_that_are_configured_or_judged() {
    let (farm, specimens) = farm(|stage| matches!(stage, Stage::Configure | Stage::Judge));
    for specimen in &specimens {
        let name = unruly::name(&specimen.name);
        let worker = format!(r#"{{"{name}:version": 1}}"#);
        if specimen.stage == Stage::Configure {
            refuses(&farm, specimen, &["validate", &name, "{}"], &[5]);
        } else {
            let arguments = ["can-run", &name, "{}", "--worker", &worker];
            refuses(&farm, specimen, &arguments, &[1, 5]);
        }
    }
}

#[test]
fn all_that_are_executed() {
    let (farm, specimens) = farm(|stage| matches!(stage, Stage::Execute(_) | Stage::Never));
    for specimen in &specimens {
        let name = unruly::name(&specimen.name);
        let Stage::Execute(action) = specimen.stage else {
            if specimen.name != "again-1" {
                farm.run(&["run", &name, "{}"]).succeeds();
            }
            continue;
        };
        let data = format!(r#"{{"action": "{action}"}}"#);
        let arguments = ["run", &name, &data, "--timeout", "2", "--grace", "0"];
        refuses(&farm, specimen, &arguments, &[1, 5, 7]);
    }
    farm.assert_nothing_is_left();
}
