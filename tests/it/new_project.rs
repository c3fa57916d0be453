//! A new task's project builds, passes its tests, and is a plugin.

use crate::{
    farm::{Farm, Ran, built, root},
    unruly,
};
use serde_json::Value;
use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

/// Runs cargo in a project, with what the suite has built at hand and without the network.
fn cargo(project: &Path, arguments: &[&str]) -> String {
    cargo_with(project, arguments, &[])
}

fn cargo_with(project: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let ran = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(project)
        .env("CARGO_TARGET_DIR", target())
        .env("CARGO_NET_OFFLINE", "true")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    let errors = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{arguments:?}: {said}{errors}");
    said + &errors
}

/// Where projects are built.
fn target() -> PathBuf {
    built().parent().unwrap().join("new")
}

/// Against the source as the package taskbay-dev has it.
#[test]
fn builds_passes_its_tests_and_runs() {
    let farm = Farm::with(&[]);
    let dev = farm.path("dev");
    let filled = Command::new(root().join("scripts/dev-source"))
        .arg(&dev)
        .status();
    assert!(filled.unwrap().success());
    let arguments = [
        "new",
        "my-own_task",
        "--json",
        "--api-path",
        dev.to_str().unwrap(),
    ];
    let made = farm.run(&arguments);
    let made = made.succeeds().json();
    assert_eq!(made["directory"], "taskbay-task-my-own_task");
    let project = farm.here().join("taskbay-task-my-own_task");
    for file in made["files"].as_array().unwrap() {
        assert!(project.join(file.as_str().unwrap()).is_file(), "{file}");
    }
    assert_pages_are_where_it_says(&project, &dev.join("test"));
    cargo(&project, &["fmt", "--check"]);
    let tested = cargo(&project, &["test"]);
    assert!(tested.contains("5 passed"), "{tested}");
    assert_has_an_environment(&farm, &project, &dev);
    let plugin = target().join("debug/libtaskbay_task_my_own_task.so");
    let checked = farm.run(&["check", plugin.to_str().unwrap(), "--level", "4"]);
    let checked = checked.succeeds();
    assert!(
        checked.stdout.contains("passed up to level "),
        "{checked:?}"
    );
    let copy = farm.plugins().join("it.so");
    fs::write(&copy, fs::read(&plugin).unwrap()).unwrap();
    assert_eq!(farm.row("it.so", true)["status"], "ok");
    let ran = farm.run(&["run", "my-own_task", r#"{"text": "one\ntwo\n"}"#, "--json"]);
    let ran = ran.succeeds().json();
    assert_eq!(ran["artifacts"][0]["data"]["lines"], 2, "{ran}");
    assert_reads_numbers_as_they_were_written(&farm, &project, &plugin);
}

/// The environment of a project's tests, made by a stand-in for mmdebstrap, is the project's: where the interface was
/// installed, nothing is written.
fn assert_has_an_environment(farm: &Farm, project: &Path, dev: &Path) {
    let bin = farm.path("bin");
    fs::create_dir(&bin).unwrap();
    for (name, script) in [
        (
            "mmdebstrap",
            "for file; do case $file in /*.tar.xz) : >\"$file\";; esac; done",
        ),
        ("newuidmap", ""),
    ] {
        let program = bin.join(name);
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let file = project.join("src/tests.rs");
    let tests = fs::read_to_string(&file).unwrap();
    let more =
        "#[test]\nfn environment() {\n    println!(\"{:?}\", taskbay_test::environment());\n}\n";
    fs::write(&file, format!("{tests}\n{more}")).unwrap();
    let path = format!("{}:{}", bin.display(), env::var("PATH").unwrap());
    let variables = [("PATH", &*path), ("TASKBAY_TEST_FULL", "1")];
    let arguments = ["test", "environment", "--", "--nocapture"];
    let said = cargo_with(project, &arguments, &variables);
    let made = target().join("environments");
    let has_mirror = taskbay_test::debian_mirror().is_some();
    let tarball = made.join("system.tar.xz");
    let expected = if has_mirror {
        tarball.to_str().unwrap()
    } else {
        "no Debian mirror answers"
    };
    assert!(said.contains(expected), "{said}");
    assert!(!dev.join("target").exists() && made.is_dir(), "{said}");
    fs::remove_dir_all(made).unwrap();
    fs::write(&file, tests).unwrap();
}

/// `cargo doc -p taskbay-test` makes cargo panic in a project that needs it for tests alone, so the page says otherwise.
fn assert_pages_are_where_it_says(project: &Path, test: &Path) {
    let page = fs::read_to_string(project.join("README.md")).unwrap();
    let manifest = format!("{}/Cargo.toml", test.display());
    let quoted = format!(r#"--manifest-path "{}"/Cargo.toml"#, test.display());
    assert!(page.contains(&quoted), "{page}");
    let arguments = [
        "metadata",
        "--no-deps",
        "--format-version=1",
        "--manifest-path",
    ];
    let said = cargo(project, &[&arguments[..], &[&manifest]].concat());
    assert!(said.contains(r#""name":"taskbay-test""#), "{said}");
}

/// Numbers that a reader in a hurry takes for their neighbours.
const FRACTIONS: [&str; 4] = [
    "276.2642775434148063e12",
    "142.1315486239998157e20",
    "0.1000000000000000055511151231257827",
    "-9007199254740993.1e-300",
];

/// What reads them in a plugin are crates that were built for it alone: what other crates of this workspace ask for has
/// no part in that.
fn assert_reads_numbers_as_they_were_written(farm: &Farm, project: &Path, plugin: &Path) {
    let file = project.join("src/lib.rs");
    let source = fs::read_to_string(&file).unwrap();
    let field = "#[serde(default)] levels: Vec<f64>, text: String,";
    let changed = source.replacen("text: String,", field, 1);
    assert_ne!(changed, source);
    // In the same build, since it takes long.
    let forgotten = "    fn can_run_on(&self, _: &Metadata) -> Result<(), taskbay_plugin_api::Refusal> { Ok(()) }\n";
    let changed = changed.replacen(
        "    // The work,",
        &format!("{forgotten}    // The work,"),
        1,
    );
    assert!(changed.contains(forgotten));
    fs::write(&file, changed).unwrap();
    cargo(project, &["build"]);
    assert_own_code_that_nobody_asks_is_found(farm, plugin);
    fs::write(farm.plugins().join("it.so"), fs::read(plugin).unwrap()).unwrap();
    let data = format!(r#"{{"text": "", "levels": [{}]}}"#, FRACTIONS.join(", "));
    let configured = farm.run(&["validate", "my-own_task", &data]);
    // The standard library reads each as the number that is nearest.
    let levels = FRACTIONS.map(|text| Value::from(text.parse::<f64>().unwrap()).to_string());
    let expected = format!(r#""levels":[{}]"#, levels.join(","));
    assert!(
        configured.succeeds().stdout.contains(&expected),
        "no {expected} in {configured:?}"
    );
}

/// It always says yes here: that it is there at all is seen.
fn assert_own_code_that_nobody_asks_is_found(farm: &Farm, plugin: &Path) {
    let checked = farm.run(&["check", plugin.to_str().unwrap(), "--level", "2", "--json"]);
    assert_eq!(checked.code, Some(1), "{checked:?}");
    let file = checked.json()["files"][0].clone();
    let failed = file["tests"].as_array().unwrap().iter();
    let failed: Vec<_> = failed.filter(|test| test["status"] == "failed").collect();
    assert_eq!(failed.len(), 1, "{file:#}");
    assert_eq!(failed[0]["test"], "verdict-code");
    let help = failed[0]["help"].as_str().unwrap();
    assert!(help.contains("HAS_CAN_RUN_ON: bool = true"), "{help}");
}

#[test]
fn refuses_what_is_no_new_task() {
    let farm = Farm::with(&[]);
    let api = root().to_str().unwrap();
    let new = |name: &str| farm.run(&["new", name, "--api-path", api]);
    let rule = "ASCII lower case letters, digits, `_` or `-`";
    new("").fails(2, &[rule]);
    new("my task").fails(2, &["`my task`", rule]);
    new("../x").fails(2, &[rule]);
    new("Mine").fails(2, &[rule, "call it `mine`"]);
    // Of a copy of the farm's own, and of packages that are not installed here.
    farm.add_unruly("none");
    let taken = unruly::name("none");
    new(&taken).fails(2, &["none.so has that name"]);
    let alike = taken.replacen('-', "_", 1);
    new(&alike).fails(
        2,
        &[
            &format!("`{taken}`"),
            "none.so",
            &format!("taskbay-task-{taken} too"),
        ],
    );
    for task in fs::read_dir(root().join("plugins")).unwrap() {
        let task = task.unwrap().file_name().into_string().unwrap();
        new(&task).fails(
            2,
            &[&format!(
                "taskbay-task-{task} is a package of Taskbay's own"
            )],
        );
    }
    let nowhere = farm.run(&["new", "mine", "--api-path", "nowhere"]);
    nowhere.fails(6, &["nowhere has no source", "taskbay-dev", "--api-path"]);
    let there = farm.here().join("taskbay-task-mine");
    fs::create_dir(&there).unwrap();
    fs::write(there.join("precious"), "").unwrap();
    new("mine").fails(2, &["taskbay-task-mine exists already", "--directory"]);
    assert_eq!(fs::read_dir(&there).unwrap().count(), 1);
    let left: Vec<_> = fs::read_dir(farm.here()).unwrap().flatten().collect();
    assert_eq!(left.len(), 1, "{left:?}");
    fs::remove_file(there.join("precious")).unwrap();
    let mut within = farm.command(&["new", "mine", "--api-path", api, "--directory", "."]);
    let within = Ran::of(within.current_dir(&there));
    let last_line = within.succeeds().stdout.lines().last();
    assert_eq!(last_line, Some("next: cargo test"));
    assert!(there.join("src/lib.rs").is_file());
    // Where nothing else says it, the package's place is told.
    let refused = farm.run(&["new", "mine", "--directory", "other", "--json"]);
    if refused.code != Some(0) {
        refused.fails(6, &["/usr/share/taskbay/dev"]);
        assert_eq!(refused.json()["error"]["code"], Value::from(6));
    }
}
