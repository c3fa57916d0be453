//! At which level `taskbay check` names each fault of the hostile kit.

use super::{check, tests};
use crate::{farm::Farm, unruly::original};
use serde_json::Value;
use std::{sync::Mutex, thread};
use taskbay_fixture_hostile::{Specimen, Stage, kit};

/// How many specimens are checked at once: most of the time is waited.
const AT_ONCE: usize = 5;

/// Every specimen fails at the level that names its fault, and nothing is set aside or left.
#[test]
fn the_kit_fails_at_the_levels_that_name_its_faults() {
    let farm = Farm::with(&[]);
    let mut specimens = kit();
    for specimen in &specimens {
        specimen.write(original(), &farm.plugins()).unwrap();
    }
    // Those that take long are spread.
    specimens.reverse();
    let waiting = Mutex::new(specimens);
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let next = waiting.lock().unwrap().pop();
                    let Some(specimen) = next else { break };
                    assert_level(&farm, &specimen);
                }
            });
        }
    });
    let set_aside = farm.run(&["quarantine", "list", "--json"]);
    assert_eq!(
        set_aside.succeeds().json()["plugins"],
        Value::Array(Vec::new())
    );
    farm.assert_nothing_is_left();
}

fn assert_level(farm: &Farm, specimen: &Specimen) {
    let level = specimen.level();
    let answer = if specimen.hangs() { "3s" } else { "60s" };
    let mut arguments = vec!["--plugin-timeout", answer, "--grace", "1s"];
    let timeout = match level {
        Some(3) if specimen.code == 7 => "2s",
        _ => "60s",
    };
    // Higher levels find no more, and take their time.
    let asked = level.unwrap_or(3).max(1).to_string();
    arguments.extend(["--level", &asked, "--timeout", timeout]);
    let data;
    if let Stage::Execute(action) = specimen.stage {
        data = format!(r#"{{"action": "{action}"}}"#);
        arguments.extend(["--data", &data]);
    }
    let (code, file) = check(farm, &format!("{}.so", specimen.name), &arguments);
    let failed: Vec<_> = tests(&file)
        .iter()
        .filter(|test| test["status"] == "failed")
        .collect();
    let first = failed.first().and_then(|test| test["level"].as_u64());
    assert_eq!(first, level.map(u64::from), "{specimen:?}: {failed:#?}");
    assert_eq!(
        code,
        Some(i32::from(level.is_some())),
        "{specimen:?}: {file:#}"
    );
    let told = specimen.told_by_check();
    let is_told = |test: &&Value| test["message"].as_str().unwrap().contains(told);
    if level.is_some() {
        assert!(!told.is_empty(), "{specimen:?}");
        assert!(failed.iter().any(is_told), "{specimen:?}: {failed:#?}");
    }
}
