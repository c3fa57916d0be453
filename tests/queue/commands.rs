//! What each command says.

use crate::{
    bay::{Bay, LIMIT, attempts},
    farm::Ran,
    unruly,
};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::{
    fs, thread,
    time::{Duration, Instant},
};

pub(crate) fn a_request_is_executed_and_its_result_told(bay: &Bay) {
    let serve = bay.start(&["serve", "--name", "here", "--slots", "2"]);
    let waited = bay.run(&["submit", "noop", "{}", "--wait", "--json"]);
    let request = waited.succeeds().json();
    assert_eq!(
        (&request["status"], &request["result"], &request["errors"]),
        (&json!("completed"), &json!("success"), &json!([]))
    );
    assert_eq!(attempts(&request).len(), 1);
    assert_eq!(request["attempts"][0]["worker"], "here");
    assert_eq!(request["attempts"][0]["outcome"], "success");
    let failed = bay.run(&["submit", "noop", r#"{"result": false}"#, "--wait"]);
    assert_eq!((failed.code, failed.stdout.trim()), (Some(1), "failure"));
    // Invalid data is refused before it waits, and so is what is no JSON.
    bay.run(&["submit", "noop", r#"{"result": 7}"#])
        .fails(1, &["/result"]);
    bay.run(&["submit", "noop", "{"])
        .fails(1, &["no JSON document"]);
    let slept = bay.run(&["submit", "sleep", r#"{"seconds": 0.1}"#, "--wait"]);
    assert!(
        slept.succeeds().stdout.contains("sleeping for 0.1 s"),
        "{slept:?}"
    );
    let late = bay.run(&[
        "submit",
        "sleep",
        r#"{"seconds": 60}"#,
        "--timeout",
        "1",
        "--wait",
    ]);
    assert_eq!(late.code, Some(7), "{late:?}");
    assert!(late.stdout.contains("took longer than 1 s"), "{late:?}");
    let id = bay.submit(&["sleep", r#"{"seconds": 0.3}"#]).to_string();
    let logs = bay.run(&["logs", &id, "--follow"]);
    for said in ["sleep for 0.3 s", "sleeping for 0.3 s"] {
        assert!(logs.succeeds().stdout.contains(said), "{logs:?}");
    }
    let listed = bay.run(&["requests", "--status", "completed", "--json"]);
    assert!(
        listed.succeeds().json()["requests"]
            .as_array()
            .unwrap()
            .len()
            >= 4
    );
    bay.run(&["show", "999"]).fails(3, &["there is no request"]);
    serve.signal(Signal::TERM);
    assert_eq!(serve.ends(), Some(0));
    bay.farm.assert_nothing_is_left();
}

/// An abort reaches the processes of an attempt that runs.
pub(crate) fn a_running_request_is_aborted(bay: &Bay) {
    let _serve = bay.start(&["serve", "--slots", "1"]);
    let id = bay.submit(&["sleep", r#"{"seconds": 600}"#]);
    bay.runs(id, 1);
    bay.run(&["abort", &id.to_string()]).succeeds();
    let request = bay.completes(id);
    assert_eq!(request["result"], "aborted");
    // There is room again.
    bay.run(&["submit", "noop", "{}", "--wait"]).succeeds();
    let late = bay.run(&["abort", &id.to_string()]);
    assert_eq!(
        (late.code, late.stdout.contains("was completed before")),
        (Some(1), true),
        "{late:?}"
    );
}

pub(crate) fn what_waits_is_aborted_and_tried_again(bay: &Bay) {
    let ran = bay.run(&["submit", "noop", "{}", "--json"]);
    // Nobody is there, and that is said at once.
    assert!(ran.stderr.contains("no worker is known"), "{ran:?}");
    let id = ran.json()["id"].as_i64().unwrap();
    bay.run(&["abort", &id.to_string()]).succeeds();
    assert_eq!(bay.show(id)["result"], "aborted");
    bay.run(&["retry", &id.to_string()]).succeeds();
    assert_eq!(bay.show(id)["status"], "pending");
    bay.run(&["retry", &id.to_string()])
        .fails(1, &["is pending"]);
    let _serve = bay.start(&["serve"]);
    assert_eq!(bay.completes(id)["result"], "success");
}

pub(crate) fn artifacts_go_in_and_out(bay: &Bay) {
    let file = bay.farm.path("some.build");
    let text = "line\n".repeat(400_000);
    fs::write(&file, &text).unwrap();
    let import = ["artifact", "import", file.to_str().unwrap(), "--json"];
    let id = bay.run(&import).succeeds().json()["id"].to_string();
    let shown = bay
        .run(&["artifact", "show", &id, "--json"])
        .succeeds()
        .json();
    assert_eq!(shown["category"], "debian:package-build-log");
    let out = bay.farm.path("out");
    let export = ["artifact", "export", &id, out.to_str().unwrap()];
    bay.run(&export).succeeds();
    assert_eq!(fs::read_to_string(out.join("some.build")).unwrap(), text);
    let listed = bay.run(&["artifact", "list", "--json"]).succeeds().json();
    assert_eq!(listed["artifacts"][0]["attempt"], Value::Null);
    let made = bay.submit(&["noop", "{}"]);
    bay.run(&["artifact", "list", "--request", &made.to_string()])
        .succeeds();
    assert_eq!(bay.show(made)["artifacts"], json!([]));
    bay.run(&["artifact", "list", "--request", "999"])
        .fails(3, &["there is no request"]);
    // What is there already is not overwritten.
    bay.run(&export).fails(6, &["cannot write"]);
    bay.run(&["artifact", "remove", &id]).succeeds();
    bay.run(&["artifact", "remove", &id])
        .fails(3, &["there is no artifact"]);
    bay.run(&["artifact", "import", "/nonexistent"])
        .fails(3, &["/nonexistent"]);
}

/// What was completed as long ago as the settings say goes, with a scheduler alone and within `serve`.
pub(crate) fn what_is_old_is_removed(bay: &Bay) {
    let config = bay.farm.path("config.toml");
    for service in ["scheduler", "serve"] {
        let id = bay.submit(&["noop", "{}"]).to_string();
        bay.run(&["abort", &id]).succeeds();
        fs::write(&config, "[scheduler]\nkeep = \"1ms\"\n").unwrap();
        let settings = [("TASKBAY_CONFIG", config.to_str().unwrap())];
        let service = bay.start_with(&[service], &settings);
        let until = Instant::now() + LIMIT;
        while bay.run(&["show", &id]).code != Some(3) {
            assert!(Instant::now() < until, "{}", bay.logs());
            thread::sleep(Duration::from_millis(50));
        }
        // Told once all is done.
        bay.wait_until(|| bay.logs().contains("removed 1 requests"));
        service.signal(Signal::TERM);
        assert_eq!(service.ends(), Some(0));
    }
}

/// Each of two workers of one name would get what only the other can execute.
pub(crate) fn two_workers_of_one_name_are_warned(bay: &Bay) {
    let _first = bay.worker("same");
    let _second = bay.worker("same");
    let until = Instant::now() + LIMIT;
    while !bay
        .logs()
        .contains("another worker has the name `same` too")
    {
        assert!(Instant::now() < until, "{}", bay.logs());
        thread::sleep(Duration::from_millis(100));
    }
}

/// Lists, drain and static metadata decide who gets what.
pub(crate) fn workers_are_told_what_they_may(bay: &Bay) {
    bay.run(&["worker-set", "a", "--deny", "noop"]).succeeds();
    let _scheduler = bay.scheduler();
    let _a = bay.worker("a");
    let slept = bay.submit(&["sleep", r#"{"seconds": 0}"#]);
    assert_eq!(bay.completes(slept)["attempts"][0]["worker"], "a");
    let denied = bay.submit(&["noop", "{}"]);
    let explained = bay.run(&["explain", &denied.to_string(), "--json"]);
    let explained: Value = explained.succeeds().json();
    assert_eq!(explained["nearest"]["missing"][0]["code"], "denied");
    bay.run(&["worker-set", "a", "--deny", "", "--drain"])
        .succeeds();
    assert_eq!(bay.show(denied)["status"], "pending");
    let workers = bay.run(&["workers", "--json"]).succeeds().json();
    assert_eq!(workers["workers"][0]["state"], "draining");
    bay.run(&["worker-set", "a", "--drain=false"]).succeeds();
    assert_eq!(bay.completes(denied)["result"], "success");
    bay.run(&["worker-set", "a", "--set", "x"])
        .fails(2, &["has no `=`"]);
}

/// Neither what a task logs nor what it fails with reaches a terminal that would obey it, or makes up a line.
pub(crate) fn what_tasks_say_is_nothing_to_obey(bay: &Bay) {
    bay.farm.add_unruly("none");
    let name = unruly::name("none");
    let serve = bay.start(&["serve", "--slots", "1"]);
    let submit = ["submit", &name, r#"{"action": "escape"}"#];
    let waited = bay.run(&[&submit[..], &["--wait"]].concat());
    assert_eq!(waited.code, Some(1), "{waited:?}");
    let id = "1";
    let (logs, show) = (bay.run(&["logs", id]), bay.run(&["show", id]));
    for ran in [&waited, &logs, &show] {
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(said.contains(r"\u{1b}]0;title"), "{said}");
        assert!(said.contains(r"red\nERROR made up"), "{said}");
        let is_obeyed = |each: char| each.is_control() && each != '\n';
        assert!(!said.contains(is_obeyed), "{said:?}");
    }
    serve.signal(Signal::TERM);
    serve.ends();
    let said = bay.logs();
    assert!(said.contains(r"\u{1b}]0;title"), "{said}");
    assert!(!said.contains(['\u{1b}', '\u{9b}', '\u{7}']), "{said:?}");
}

/// `submit --wait` exits as `run` does.
pub(crate) fn a_panic_is_told_as_one(bay: &Bay) {
    bay.farm.add_unruly("none");
    let name = unruly::name("none");
    let _serve = bay.start(&["serve", "--slots", "1"]);
    let ran = bay.run(&[
        "submit",
        &name,
        r#"{"action": "panic"}"#,
        "--wait",
        "--json",
    ]);
    assert_eq!(ran.code, Some(5), "{ran:?}");
    let error = &ran.json()["errors"][0];
    assert_eq!(
        (&error["code"], &error["panicked"]),
        (&json!("execute-failed"), &json!(true))
    );
    let ran = bay.run(&["submit", &name, r#"{"action": "err"}"#, "--wait"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
}

/// A terminal that is closed has a service end as it ends when it is told to.
pub(crate) fn a_hangup_is_heard(bay: &Bay) {
    let serve = bay.start(&["serve", "--slots", "1"]);
    let id = bay.submit(&["sleep", r#"{"seconds": 2}"#]);
    bay.runs(id, 1);
    serve.signal(Signal::HUP);
    assert_eq!(serve.ends(), Some(0));
    assert_eq!(bay.show(id)["result"], "success");
}

/// Other settings than those that somebody named are not taken in their place.
pub(crate) fn a_configuration_that_is_not_there_is_told(bay: &Bay) {
    let mut command = bay.command(&["requests"]);
    command.env("TASKBAY_CONFIG", "/nonexistent/typo.toml");
    Ran::of(&mut command).fails(6, &["TASKBAY_CONFIG", "/nonexistent/typo.toml"]);
}

/// A worker that is gone is forgotten, but none that executes something.
pub(crate) fn a_worker_is_removed(bay: &Bay) {
    let _scheduler = bay.scheduler();
    let worker = bay.worker("a");
    let id = bay.submit(&["sleep", r#"{"seconds": 600}"#]);
    bay.runs(id, 1);
    let remove = ["worker-set", "a", "--remove", "--json"];
    bay.run(&remove)
        .fails(1, &["executes 1 request(s)", "--drain"]);
    bay.run(&["worker-set", "a", "--remove", "--drain"])
        .fails(2, &["cannot be used with"]);
    bay.run(&["abort", &id.to_string()]).succeeds();
    bay.completes(id);
    worker.signal(Signal::TERM);
    worker.ends();
    bay.run(&remove).succeeds();
    let workers = bay.run(&["workers", "--json"]).succeeds().json();
    assert_eq!(workers["workers"], json!([]));
    bay.run(&remove).fails(3, &["there is no worker `a`"]);
}
