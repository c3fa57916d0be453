//! What `taskbay check` says of good plugins, and at which level it names each fault of the hostile kit.

mod answers;
mod bound;
mod kit;
mod left_behind;
mod proven;

use crate::{
    farm::{Farm, Ran},
    trusted::can_be_asked_elsewhere,
    unruly::original,
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::{fs, os::unix::fs::PermissionsExt, process::Stdio, thread, time::Duration};

/// Checks a file of the farm, and gives the exit code and what is said of the file.
fn check(farm: &Farm, file: &str, more: &[&str]) -> (Option<i32>, Value) {
    let file = farm.plugins().join(file);
    let mut command = farm.command(&["check", "--json"]);
    command.args(more).arg(file);
    let ran = Ran::of(command.env("TASKBAY_TEST_PIDS", farm.path("pids")));
    let report = ran.json();
    assert_eq!(report["schema"], "taskbay.check/1", "{ran:?}");
    (ran.code, report["files"][0].clone())
}

fn tests(file: &Value) -> &Vec<Value> {
    file["tests"].as_array().unwrap()
}

#[track_caller]
fn test<'a>(file: &'a Value, name: &str) -> &'a Value {
    let found = tests(file).iter().find(|test| test["test"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {file:#}"))
}

/// The file's test of that name ended so, and says so.
#[track_caller]
fn assert_test(file: &Value, name: &str, status: &str, part: &str) {
    let test = test(file, name);
    assert_eq!(test["status"], status, "{file:#}");
    let message = test["message"].as_str().unwrap_or_default();
    assert!(message.contains(part), "no {part:?} in {test}");
    assert_eq!(test["help"].is_string(), status != "passed", "{test}");
}

#[test]
fn a_good_plugin_passes_every_level() {
    let is_asked_elsewhere = can_be_asked_elsewhere();
    let farm = Farm::with(&["noop"]);
    let name = "libtaskbay_task_noop.so";
    let (code, file) = check(&farm, name, &["--level", "4"]);
    assert_eq!(code, Some(0), "{file:#}");
    assert_eq!(
        (&file["passed"], &file["name"], &file["version"]),
        (&true.into(), &"noop".into(), &1.into())
    );
    let sha256 = taskbay_loader::sha256(&farm.plugins().join(name)).unwrap();
    assert_eq!(file["sha256"], sha256);
    assert!(file["seed"].is_u64(), "{file:#}");
    for each in tests(&file) {
        assert!(each["message"].is_string(), "nothing is said: {each}");
        // It ends before anybody could abort it, or kill its process, and most likely does so.
        let is_short = ["abort", "kill"].contains(&each["test"].as_str().unwrap());
        let is_elsewhere = each["test"] == "verdict-elsewhere" && !is_asked_elsewhere;
        let is_skipped = (is_short || is_elsewhere) && each["status"] == "skipped";
        assert!(is_skipped || each["status"] == "passed", "{each}");
    }
    let levels = tests(&file)
        .iter()
        .map(|test| test["level"].as_u64().unwrap());
    let mut levels: Vec<_> = levels.collect();
    levels.dedup();
    assert_eq!(levels, [0, 1, 2, 3, 4]);
    let (code, file) = check(&farm, name, &["--level", "1"]);
    assert_eq!((code, &file["seed"]), (Some(0), &Value::Null));
    assert!(
        tests(&file)
            .iter()
            .all(|test| test["level"].as_u64() < Some(2))
    );
}

#[test]
fn an_abort_is_timed_and_a_killed_task_is_executed_again() {
    let farm = Farm::with(&[]);
    farm.add_unruly("none");
    let arguments = ["--level", "4", "--data", r#"{"action": "nap"}"#];
    let (code, file) = check(&farm, "none.so", &arguments);
    assert_eq!(code, Some(0), "{file:#}");
    assert_test(&file, "abort", "passed", "s after the abort");
    assert_test(
        &file,
        "kill",
        "passed",
        "executed again after its process was killed",
    );
}

/// What is not ended with the task when it is told to end.
#[test]
fn a_process_that_outlives_the_abort_is_a_fault() {
    let farm = Farm::with(&[]);
    farm.add_unruly("none");
    let data = r#"{"action": "shrug"}"#;
    let arguments = ["--level", "4", "--grace", "3s", "--data", data];
    let (code, file) = check(&farm, "none.so", &arguments);
    assert_eq!(code, Some(1), "{file:#}");
    assert_test(&file, "execute-processes", "passed", "have ended");
    assert_test(&file, "abort", "failed", "still run when it has answered: ");
    let help = test(&file, "abort")["help"].as_str().unwrap();
    assert!(help.contains("start commands with `run`"), "{help}");
    farm.assert_nothing_is_left();
}

/// However much grace it has: it would have ended as soon without the abort.
#[test]
fn a_task_that_goes_on_to_its_end_ignores_the_abort() {
    let farm = Farm::with(&[]);
    farm.add_unruly("none");
    let data = r#"{"action": "dawdle"}"#;
    let arguments = ["--level", "4", "--grace", "20s", "--data", data];
    let (code, file) = check(&farm, "none.so", &arguments);
    assert_eq!(code, Some(1), "{file:#}");
    assert_test(&file, "abort", "failed", "it went on to its end");
}

/// A busy machine gets three tries, and a plugin that is slow in all of them is.
#[test]
fn the_best_of_three_looks_at_the_worker_counts() {
    let farm = Farm::with(&[]);
    farm.add_unruly("analyze-slow");
    farm.add_unruly("analyze-slow-once");
    let (code, file) = check(&farm, "analyze-slow-once.so", &["--level", "2"]);
    assert_eq!(code, Some(0), "{file:#}");
    assert_test(&file, "analyze", "passed", "s; before that 2.");
    let (code, file) = check(&farm, "analyze-slow.so", &["--level", "2"]);
    assert_eq!(code, Some(1), "{file:#}");
    assert_test(&file, "analyze", "failed", "it took 2.");
    let message = test(&file, "analyze")["message"].as_str().unwrap();
    assert_eq!(message.matches(" s, ").count(), 3, "three times: {message}");
}

/// Where everybody may put libraries, the plugin's own are not to be looked for.
#[test]
fn a_run_path_that_others_write_to_is_a_fault() {
    let farm = Farm::with(&[]);
    let specimens = taskbay_fixture_hostile::kit();
    let open = specimens.iter().find(|each| each.name == "run-path-open");
    let open = open.unwrap().write(original(), &farm.plugins()).unwrap();
    let (code, file) = check(&farm, &open, &["--level", "0"]);
    assert_eq!(code, Some(1), "{file:#}");
    assert_test(
        &file,
        "run-path",
        "failed",
        "into `/tmp`, which is in its run path",
    );
    assert_test(&file, "libraries", "passed", "are there");
    let (code, file) = check(&farm, &open, &["--level", "0", "--allow-insecure"]);
    assert_eq!(code, Some(0), "{file:#}");
    assert_test(&file, "run-path", "passed", "/tmp");
}

/// A file too large to be copied for every worker is neither loaded nor hashed.
#[test]
fn a_plugin_has_a_largest_size() {
    let farm = Farm::with(&["noop"]);
    let name = "libtaskbay_task_noop.so";
    let file = fs::File::options()
        .write(true)
        .open(farm.plugins().join(name))
        .unwrap();
    file.set_len(65 << 20).unwrap();
    let (code, file) = check(&farm, name, &[]);
    assert_eq!((code, &file["sha256"]), (Some(1), &Value::Null), "{file:#}");
    assert_test(&file, "size", "failed", "67108864 are the most");
    let load = &test(&file, "load")["message"];
    assert_eq!(load, "not tried, since `size` did not pass");
}

/// Made-up data that a plugin dies of comes with a seed, and the seed alone finds it again.
#[test]
fn made_up_data_is_made_up_again() {
    let farm = Farm::with(&[]);
    farm.add_unruly("configure-crashes");
    let seed = (0..100).map(|seed| seed.to_string()).find(|seed| {
        let arguments = ["--reproduce", seed.as_str()];
        check(&farm, "configure-crashes.so", &arguments).0 == Some(1)
    });
    let seed = seed.unwrap();
    let (_, file) = check(&farm, "configure-crashes.so", &["--reproduce", &seed]);
    assert_eq!(file["seed"].to_string(), seed);
    assert_test(
        &file,
        "fuzz",
        "failed",
        &format!("SIGSEGV, with seed {seed}: "),
    );
    let help = test(&file, "fuzz")["help"].as_str().unwrap();
    assert!(help.contains(&format!("--reproduce {seed}")), "{help}");
    let (_, again) = check(&farm, "configure-crashes.so", &["--reproduce", &seed]);
    assert_eq!(
        test(&again, "fuzz")["message"],
        test(&file, "fuzz")["message"]
    );
}

#[test]
fn the_exit_codes_are_those_of_every_command() {
    let farm = Farm::with(&["noop"]);
    let noop = farm.plugins().join("libtaskbay_task_noop.so");
    let noop = noop.to_str().unwrap();
    farm.run(&["check", "./gone.so"])
        .fails(3, &["there is no file ./gone.so", "help:"]);
    farm.run(&["check"]).fails(2, &["<FILE>"]);
    farm.run(&["check", noop, "--level", "5"])
        .fails(2, &["5 is not in 0..=4"]);
    farm.run(&["check", noop, "--in-process"])
        .fails(2, &["unexpected argument '--in-process'"]);
    farm.run(&["--in-process", "check", noop])
        .fails(2, &["`--in-process` has no effect on `taskbay check`"]);
    fs::write(farm.path("x.so"), "no plugin").unwrap();
    let text = farm.path("x.so");
    let both = farm.run(&["check", noop, text.to_str().unwrap(), "--only-failed"]);
    assert_eq!(both.code, Some(1), "{both:?}");
    let lines: Vec<_> = both.stdout.lines().collect();
    assert_eq!(lines[0], format!("{noop}: noop 1"));
    assert!(lines[1].starts_with("passed up to level "), "{both:?}");
    assert!(lines[3].starts_with("  0  FAILED   file "), "{both:?}");
    assert!(lines[4].starts_with("     help:  "), "{both:?}");
    assert_eq!(both.stderr, "");
}

/// What is no plugin file at all has one finding, and no list of what was not tried.
#[test]
fn what_is_no_plugin_is_told_in_a_few_lines() {
    let farm = Farm::with(&["noop"]);
    fs::write(farm.path("x.so"), "no plugin").unwrap();
    for (path, told, help) in [
        (
            farm.plugins(),
            "it is a directory",
            "name the plugin files in it",
        ),
        (farm.path("x.so"), "it is no shared library", ""),
    ] {
        let ran = farm.run(&["check", path.to_str().unwrap()]);
        assert_eq!((ran.code, &*ran.stderr), (Some(1), ""), "{ran:?}");
        let lines: Vec<_> = ran.stdout.lines().collect();
        let last = "failed at level 0: 1 failed, 30 skipped";
        assert_eq!((lines.len(), lines[4]), (5, last), "{ran:?}");
        assert!(lines[1].starts_with("  0  FAILED   file "), "{ran:?}");
        assert!(
            lines[1].contains(told) && lines[2].contains(help),
            "{ran:?}"
        );
        let rest = "     30 tests were not made, since `file` did not pass";
        assert_eq!(lines[3], rest);
    }
}

/// Whom a file must belong to is the same as for every command.
#[test]
fn what_others_may_replace_is_checked_only_where_that_is_said() {
    let farm = Farm::with(&["noop"]);
    let name = "libtaskbay_task_noop.so";
    let permissions = fs::Permissions::from_mode(0o666);
    fs::set_permissions(farm.plugins().join(name), permissions).unwrap();
    let (code, file) = check(&farm, name, &[]);
    assert_eq!(code, Some(1), "{file:#}");
    assert_test(&file, "file", "failed", "writable by everybody");
    let (code, file) = check(&farm, name, &["--allow-insecure"]);
    assert_eq!(code, Some(0), "{file:#}");
}

/// Who is told to stop stops, and blames no plugin.
#[test]
fn an_interrupted_check_is_no_finding() {
    let farm = Farm::with(&[]);
    let file = farm.add_unruly("constructor-hangs");
    let mut command = farm.command(&["check", "--plugin-timeout", "60s"]);
    let command = command
        .arg(file)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    thread::sleep(Duration::from_secs(1));
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(7), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    farm.assert_nothing_is_left();
}
