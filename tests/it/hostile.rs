//! The hostile kit, whole: whatever is wrong with a file, the host lives, says so, and offers the good one beside it.

use crate::{
    farm::{Farm, Ran},
    unruly::{self, original},
};
use serde_json::Value;
use std::collections::HashMap;
use taskbay_fixture_hostile::{Specimen, Stage, kit};

/// The time that a plugin has to answer where some never do.
const LIMIT: &str = "5s";
/// The same for 50 MB.
const ALL_LIMIT: &str = "10s";
/// The time for those that do, on a busy machine.
const LONG_LIMIT: &str = "60s";

/// The time for one that is asked alone.
fn limit(specimen: &Specimen) -> &'static str {
    if specimen.hangs() { "3s" } else { LONG_LIMIT }
}

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

/// The command about one specimen ends with the exit code that the kit says, saying what it says, and the good plugin
/// is there.
fn refuses(farm: &Farm, specimen: &Specimen, arguments: &[&str]) {
    let mut command = farm.command(arguments);
    let ran = Ran::of(command.env("TASKBAY_TEST_PIDS", farm.path("pids")));
    assert_eq!(ran.code, Some(specimen.code), "{specimen:?}: {ran:?}");
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
    for specimen in &kit {
        let is_silent = specimen.told.is_empty();
        let hurts_nobody = matches!(specimen.stage, Stage::Never | Stage::Unlisted);
        assert_eq!(is_silent, hurts_nobody, "{specimen:?}");
    }
}

/// Everything at once: what can be told without running code is told, and all others are there.
#[test]
fn all_that_is_listed() {
    let (farm, mut specimens) = farm(|_| true);
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
    specimens.retain(|specimen| specimen.stage == Stage::Inspect);
    for specimen in &specimens {
        let file = farm.plugins().join(format!("{}.so", specimen.name));
        farm.run(&["inspect", file.to_str().unwrap()])
            .fails(specimen.code, &[specimen.told]);
    }
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

/// Those that cannot be loaded, each asked alone: whether it was refused or ran wild is told by the exit code.
#[test]
fn all_that_are_loaded_alone() {
    let (farm, specimens) = farm(|stage| stage == Stage::Load);
    for specimen in &specimens {
        let name = unruly::name(&specimen.name);
        let arguments = ["schema", &name, "--plugin-timeout", limit(specimen)];
        refuses(&farm, specimen, &arguments);
    }
}

/// One after the other, in the very process that lists them all, costs no other its keys.
#[test]
fn all_that_describe_the_worker() {
    let (farm, specimens) = farm(|stage| matches!(stage, Stage::Analyze | Stage::Never));
    let analyzed = farm.run(&["analyze", "--plugin-timeout", ALL_LIMIT]);
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
fn all_that_describe_the_worker_alone() {
    let (farm, specimens) = farm(|stage| matches!(stage, Stage::Analyze | Stage::Never));
    for specimen in &specimens {
        let name = unruly::name(&specimen.name);
        let arguments = ["analyze", &name, "--plugin-timeout", limit(specimen)];
        refuses(&farm, specimen, &arguments);
    }
}

#[test]
fn all_that_are_configured_or_judged() {
    let (farm, specimens) = farm(|stage| matches!(stage, Stage::Configure | Stage::Judge));
    for specimen in &specimens {
        let name = unruly::name(&specimen.name);
        let worker = format!(r#"{{"{name}:version": 1}}"#);
        let asked = if specimen.stage == Stage::Configure {
            vec!["validate", &name, "{}"]
        } else {
            vec!["can-run", &name, "{}", "--worker", &worker]
        };
        let limit = ["--plugin-timeout", limit(specimen)];
        refuses(&farm, specimen, &[&asked[..], &limit].concat());
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
        // What ends by itself has its time, and the others are not waited for longer than they need.
        let timeout = if specimen.code == 7 { "2" } else { "60" };
        let arguments = ["run", &name, &data, "--timeout", timeout, "--grace", "0"];
        refuses(&farm, specimen, &arguments);
    }
    farm.assert_nothing_is_left();
}
