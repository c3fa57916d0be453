//! Who can execute what, and why not.

use crate::{bay::Bay, farm::Ran, unruly};
use serde_json::{Value, json};
use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
};

/// With the workers that fail each condition, the nearest, and what it lacks.
pub(crate) fn a_request_that_nobody_can_execute_is_explained(bay: &Bay) {
    bay.farm.add_unruly("none");
    let name = unruly::name("none");
    let _worker = bay.worker("near");
    bay.run(&["worker-set", "far", "--set", "x=1"]).succeeds();
    let is_there = |workers: &Value| !workers["workers"][1]["tasks"][&name].is_null();
    while !is_there(&bay.run(&["workers", "--json"]).succeeds().json()) {}
    let data = r#"{"level": 99}"#;
    let ran = bay.run(&["submit", &name, data, "--json"]);
    assert!(ran.stderr.contains("the nearest is near"), "{ran:?}");
    let id = ran.json()["id"].to_string();
    let said = bay.run(&["explain", &id, "--json"]).succeeds().json();
    assert_eq!(said["verdict"], "never");
    assert_eq!(said["nearest"]["worker"], "near");
    assert_eq!(
        said["nearest"]["missing"][0]["key"],
        format!("{name}:level")
    );
    assert_eq!(said["nearest"]["missing"][0]["wanted"], 99.0);
    let conditions = said["conditions"].as_array().unwrap();
    let row = conditions.iter().find(|row| row["code"] == "requirement");
    assert_eq!(row.unwrap()["failing"], json!(["near"]));
    let text = bay.run(&["explain", &id]);
    assert!(
        text.succeeds()
            .stdout
            .contains("can be executed by no worker"),
        "{text:?}"
    );
    // An admin's word makes it fit.
    bay.run(&["worker-set", "near", "--set", &format!("{name}:level=100")])
        .succeeds();
    let said = bay.run(&["explain", &id, "--json"]).succeeds().json();
    assert_eq!(said["verdict"], "runnable");
}

pub(crate) fn what_a_worker_could_execute_is_told(bay: &Bay) {
    let _worker = bay.worker("here");
    let tasks = || bay.run(&["workers", "--json"]).succeeds().json()["workers"][0]["tasks"].clone();
    while tasks()["noop"].is_null() {}
    let yes = bay.submit(&["noop", "{}"]);
    bay.run(&["worker-set", "here", "--deny", "sleep"])
        .succeeds();
    let no = bay.submit(&["sleep", r#"{"seconds": 1}"#]);
    let said = bay
        .run(&["explain", "--worker", "here", "--json"])
        .succeeds()
        .json();
    let rows = said["requests"].as_array().unwrap();
    let can = |id: i64| rows.iter().find(|row| row["id"] == id).unwrap()["can_run"].clone();
    assert_eq!((can(yes), can(no)), (json!(true), json!(false)));
    // Whoever drains can do all that, and gets nothing of it.
    bay.run(&["worker-set", "here", "--drain"]).succeeds();
    let ran = bay.run(&["explain", "--worker", "here"]);
    let said = &ran.succeeds().stdout;
    assert!(said.contains("gets no requests: it is draining"), "{said}");
    assert!(!said.contains("yes"), "{said}");
    let said = bay.run(&["explain", &yes.to_string(), "--json"]);
    let said = said.succeeds().json();
    assert_eq!(
        (&said["verdict"], &said["nearest"]["worker"]),
        (&json!("never"), &json!("here"))
    );
    assert_eq!(said["nearest"]["missing"][0]["code"], "unavailable");
    let warned = bay.run(&["submit", "noop", "{}"]);
    assert!(
        warned.succeeds().stderr.contains("it is draining"),
        "{warned:?}"
    );
    let skew = bay.run(&["workers", "--skew", "--json"]).succeeds().json();
    let noop = skew["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["task"] == "noop");
    assert_eq!(noop.unwrap()["versions"], json!({"1": ["here"]}));
}

/// What was left out is told, and what is there comes in the order of the queue.
pub(crate) fn a_worker_is_told_of_so_many_requests(bay: &Bay) {
    bay.run(&["worker-set", "here", "--set", "x=1"]).succeeds();
    let [first, _, third] =
        ["0", "0", "5"].map(|priority| bay.submit(&["noop", "{}", "--priority", priority]));
    let explain = |more: &[&str]| {
        let arguments = [&["explain", "--worker", "here"], more].concat();
        bay.run(&arguments)
    };
    let ids = |said: &Value| {
        let rows = said["requests"].as_array().unwrap();
        rows.iter().map(|row| row["id"].clone()).collect::<Vec<_>>()
    };
    let said = explain(&["--limit", "2", "--json"]).succeeds().json();
    assert_eq!(
        (ids(&said), &said["truncated"]),
        (vec![third.into(), first.into()], &json!(true))
    );
    let text = explain(&["--limit", "2"]).succeeds().stdout.clone();
    assert!(
        text.contains("only the first 2 requests of the queue"),
        "{text}"
    );
    let said = explain(&["--limit", "3", "--json"]).succeeds().json();
    assert_eq!((ids(&said).len(), &said["truncated"]), (3, &json!(false)));
    let text = explain(&[]).succeeds().stdout.clone();
    assert!(!text.contains("only the first"), "{text}");
    // It would mean nothing.
    bay.run(&["explain", "1", "--limit", "2"])
        .fails(2, &["--limit"]);
}

/// A machine that lacks the plugin, or has a bad one, gives the word of a scheduler, and none where there is none.
pub(crate) fn what_cannot_be_judged_here_is_explained_by_what_is_recorded(bay: &Bay) {
    let elsewhere = bay.farm.path("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let explain = |arguments: &[&str]| {
        let mut command = bay.command(&[&["explain"], arguments].concat());
        Ran::of(command.env("TASKBAY_PLUGIN_PATH", &elsewhere))
    };
    let told = |id: &str| explain(&[id, "--json"]).succeeds().json();
    let first = bay.submit(&["sleep", r#"{"seconds": 600}"#]);
    let id = &first.to_string();
    explain(&[id]).fails(6, &["cannot be said here", "`sleep`", "no scheduler"]);
    bay.run(&["worker-set", "near", "--drain"]).succeeds();
    let _scheduler = bay.scheduler();
    let _worker = bay.worker("near");
    let is_judged = |said: &Value| said["nearest"]["missing"][0]["code"] == "unavailable";
    let asked = || explain(&[id, "--json"]);
    bay.wait_until(|| asked().code == Some(0) && is_judged(&asked().json()));
    let said = told(id);
    assert_eq!(
        (&said["verdict"], &said["source"]),
        (&json!("never"), &json!("recorded"))
    );
    assert_eq!(said["nearest"]["worker"], "near");
    bay.run(&["worker-set", "near", "--drain=false"]).succeeds();
    bay.runs(first, 1);
    let second = bay.submit(&["sleep", r#"{"seconds": 1}"#]).to_string();
    bay.wait_until(|| explain(&[&second]).code == Some(0));
    assert_eq!(told(&second)["verdict"], "busy");
    let text = explain(&[&second]).succeeds().stdout.clone();
    assert!(text.contains("what schedulers have recorded"), "{text}");
    // A plugin that is refused here says nothing of other machines, either.
    let file = "libtaskbay_task_sleep.so";
    fs::copy(bay.farm.plugins().join(file), elsewhere.join(file)).unwrap();
    fs::set_permissions(elsewhere.join(file), Permissions::from_mode(0o666)).unwrap();
    assert_eq!(told(&second)["verdict"], "busy");
    let said = explain(&["--worker", "near", "--json"]).succeeds().json();
    assert_eq!(
        (
            &said["requests"][0]["can_run"],
            &said["requests"][0]["source"]
        ),
        (&json!(true), &json!("recorded"))
    );
    let here = bay.run(&["explain", &second, "--json"]).succeeds().json();
    assert_eq!(
        (&here["verdict"], &here["source"]),
        (&json!("busy"), &json!("judged"))
    );
}

/// That the plugin fails, and how, is told where it is, and where others have recorded it.
pub(crate) fn a_plugin_that_fails_is_explained(bay: &Bay) {
    bay.farm.add_unruly("can-run-crashes");
    let task = unruly::name("can-run-crashes");
    let level = format!("{task}:level=100");
    bay.run(&["worker-set", "near", "--set", &level]).succeeds();
    let id = bay.submit(&[&task, "{}"]).to_string();
    let _serve = bay.start(&["serve", "--name", "near", "--slots", "1"]);
    let elsewhere = || {
        let mut command = bay.command(&["explain", &id]);
        Ran::of(command.env("TASKBAY_PLUGIN_PATH", bay.farm.path("none")))
    };
    bay.wait_until(|| elsewhere().stderr.contains("plugin failed"));
    elsewhere().fails(6, &["a scheduler's plugin failed", "`near`", "SIGSEGV"]);
    let said = bay.run(&["explain", &id, "--json"]).succeeds().json();
    assert_eq!(
        (&said["verdict"], &said["source"]),
        (&json!("never"), &json!("judged"))
    );
    let lacks = &said["nearest"]["missing"][0];
    assert_eq!(lacks["code"], "plugin-failed");
    assert!(lacks["message"].to_string().contains("SIGSEGV"), "{lacks}");
    let why = || {
        let said = bay.run(&["explain", "--worker", "near", "--json"]);
        said.succeeds().json()["requests"][0]["reasons"][0]["message"].to_string()
    };
    // Once the worker has said what it is, it is judged anew.
    bay.wait_until(|| !why().contains("no scheduler has judged"));
    let why = why();
    assert_eq!(why.matches("SIGSEGV").count(), 2, "{why}");
}

/// It is judged by nobody, and no worker is told to be unfit for it.
pub(crate) fn what_nobody_has_judged_is_told_of_a_worker(bay: &Bay) {
    let _worker = bay.worker("near");
    let workers = || bay.run(&["workers", "--json"]).succeeds().json();
    bay.wait_until(|| !workers()["workers"][0]["tasks"]["noop"].is_null());
    let id = bay.submit(&["noop", "{}"]);
    let mut command = bay.command(&["explain", "--worker", "near", "--json"]);
    let ran = Ran::of(command.env("TASKBAY_PLUGIN_PATH", bay.farm.path("none")));
    let row = &ran.succeeds().json()["requests"][0];
    assert_eq!(row["id"], id);
    assert_eq!(row["can_run"], Value::Null);
    assert!(
        row["reasons"][0]["message"]
            .to_string()
            .contains("no scheduler")
    );
}
