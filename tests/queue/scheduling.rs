//! What a scheduler makes of plugins that come, and of bad plugins and requests; and what a worker makes of its claims.

use crate::{
    bay::{Bay, LIMIT, attempts},
    ledger::Ledger,
    unruly,
};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::{fs, process::Command, thread, time::Duration};
use taskbay_core::{Metadata, TaskName};
use taskbay_engine::{NewRequest, Report};

/// A worker offers it at once, and the scheduler of the same directory knows it by then, or soon.
pub(crate) fn a_task_that_comes_is_scheduled(bay: &Bay) {
    let plugins = bay.farm.plugins();
    let (away, file) = (plugins.join("sleep.away"), "libtaskbay_task_sleep.so");
    fs::rename(plugins.join(file), &away).unwrap();
    let _serve = bay.start(&["serve", "--name", "here"]);
    bay.run(&["submit", "noop", "{}", "--wait"]).succeeds();
    fs::rename(&away, plugins.join(file)).unwrap();
    let tasks = || bay.run(&["workers", "--json"]).succeeds().json()["workers"][0]["tasks"].clone();
    while tasks()["sleep"].is_null() {}
    for _ in 0..3 {
        let slept = bay.run(&["submit", "sleep", r#"{"seconds": 0}"#, "--wait"]);
        slept.succeeds();
    }
    // What nobody has is an error, and not waited for.
    let unknown = bay.run(&["submit", "nobody-has-this", "{}", "--wait"]);
    assert_eq!(unknown.code, Some(3), "{unknown:?}");
}

/// Data that crashes its plugin has that as its result; whatever else waits is executed meanwhile.
pub(crate) fn a_request_that_crashes_its_plugin_costs_no_other(bay: &Bay) {
    bay.farm.add_unruly("configure-crashes");
    let bad = bay.submit(&[&unruly::name("configure-crashes"), "{}"]);
    let good: Vec<_> = (0..5).map(|_| bay.submit(&["noop", "{}"])).collect();
    let _serve = bay.start(&["serve", "--slots", "1"]);
    for id in good {
        assert_eq!(bay.completes(id)["result"], "success");
    }
    let bad = bay.completes(bad);
    assert_eq!(
        (&bad["result"], &bad["errors"][0]["code"]),
        (&"error".into(), &"crashed".into())
    );
}

/// One pair of request and worker that makes a plugin panic keeps no other from its verdict; and what failed is asked again,
/// whichever plugin comes meanwhile.
pub(crate) fn a_verdict_that_fails_hides_no_other(bay: &Bay) {
    bay.farm.add_unruly("can-run-poisons");
    let task = unruly::name("can-run-poisons");
    let level = format!("{task}:level=100");
    bay.run(&["worker-set", "here", "--set", &level]).succeeds();
    let bad = bay.submit(&[&task, r#"{"level": 9}"#]);
    let good = bay.submit(&[&task, "{}"]);
    let _serve = bay.start(&["serve", "--name", "here", "--slots", "1"]);
    assert_eq!(bay.completes(good)["result"], "success");
    assert_eq!(bay.show(bad)["status"], "pending");
    let failures = || bay.logs().matches("cannot say who suits").count();
    bay.wait_until(|| failures() >= 2);
    let before = failures();
    bay.farm.add_unruly("none");
    bay.wait_until(|| failures() > before + 1);
}

/// However many bad requests wait before a good one, for however many kinds of workers: it is judged soon.
pub(crate) fn many_verdicts_that_fail_hide_no_other(bay: &Bay) {
    bay.farm.add_unruly("can-run-poisons");
    let task = unruly::name("can-run-poisons");
    let engine = bay.engine();
    let architectures: Vec<_> = (0..14).map(|number| format!("a{number}")).collect();
    for number in 0..20 {
        let mut metadata = Metadata::default();
        metadata.insert(&format!("{task}:version"), 1);
        metadata.insert(&format!("{task}:level"), 100 + number);
        metadata.insert("system:architectures", architectures.clone());
        let report = Report {
            name: format!("w{number}"),
            slots: 1,
            metadata,
            instance: 1,
        };
        engine.report(&report).unwrap();
    }
    for architecture in &architectures {
        let data = json!({"level": 9, "host_architecture": architecture}).to_string();
        let bad = NewRequest::new(TaskName::fold(&task).unwrap(), data);
        engine.submit(&bad).unwrap();
    }
    let good = bay.submit(&[&task, "{}"]);
    let _serve = bay.start(&["serve", "--name", "here", "--slots", "1"]);
    assert_eq!(bay.completes(good)["result"], "success");
}

/// One request that kills its plugin again and again, for however many kinds of workers, has the plugin asked about others
/// all the same.
pub(crate) fn a_verdict_that_kills_its_plugin_is_asked_for_once_in_a_while(bay: &Bay) {
    bay.farm.add_unruly("can-run-dies");
    let task = unruly::name("can-run-dies");
    let engine = bay.engine();
    for number in 0..5 {
        let mut metadata = Metadata::default();
        metadata.insert(&format!("{task}:version"), 1);
        metadata.insert(&format!("{task}:level"), 100 + number);
        let report = Report {
            name: format!("w{number}"),
            slots: 1,
            metadata,
            instance: 1,
        };
        engine.report(&report).unwrap();
    }
    let bad = bay.submit(&[&task, r#"{"level": 9}"#]);
    let _serve = bay.start(&["serve", "--name", "here", "--slots", "1"]);
    let failures = || bay.logs().matches("cannot say who suits").count();
    // The next time is in 16 s.
    bay.wait_until(|| failures() >= 5);
    let good = bay.submit(&[&task, "{}"]);
    assert_eq!(bay.completes(good)["result"], "success");
    assert_eq!(failures(), 5, "it waited for the bad one");
    assert_eq!(bay.show(bad)["status"], "pending");
}

/// A plugin whose file is refused may be repaired: its requests wait.
pub(crate) fn requests_wait_for_a_plugin_that_is_repaired(bay: &Bay) {
    let file = bay.farm.plugins().join("libtaskbay_task_sleep.so");
    let whole = fs::read(&file).unwrap();
    // What a debugger needs stands at the end.
    fs::write(&file, &whole[..whole.len() / 20]).unwrap();
    let _worker = bay.worker("here");
    // A worker elsewhere offers it.
    bay.run(&["worker-set", "here", "--set", "sleep:version=1"])
        .succeeds();
    let tasks = || bay.run(&["workers", "--json"]).succeeds().json()["workers"][0]["tasks"].clone();
    while tasks()["noop"].is_null() || tasks()["sleep"].is_null() {}
    let _scheduler = bay.scheduler();
    let id = bay.submit(&["sleep", r#"{"seconds": 0}"#]);
    bay.run(&["submit", "noop", "{}", "--wait"]).succeeds();
    let request = bay.show(id);
    assert_eq!(request["status"], "pending", "{request:#}");
    fs::write(bay.farm.path("whole"), &whole).unwrap();
    fs::rename(bay.farm.path("whole"), &file).unwrap();
    bay.run(&["worker-set", "here", "--unset", "sleep:version"])
        .succeeds();
    assert_eq!(bay.completes(id)["result"], "success");
}

/// As while its package is installed anew.
pub(crate) fn requests_wait_for_a_plugin_that_is_away(bay: &Bay) {
    let file = bay.farm.plugins().join("libtaskbay_task_sleep.so");
    let away = bay.farm.path("away");
    bay.run(&["worker-set", "here", "--deny", "sleep"])
        .succeeds();
    let _serve = bay.start(&["serve", "--name", "here", "--slots", "1"]);
    let id = bay.submit(&["sleep", r#"{"seconds": 0}"#]);
    let ledger = Ledger::at(bay);
    bay.wait_until(|| ledger.count("select count(signature_id) from requests") == 1);
    let tasks = || bay.run(&["workers", "--json"]).succeeds().json()["workers"][0]["tasks"].clone();
    bay.wait_until(|| !tasks()["sleep"].is_null());
    fs::rename(&file, &away).unwrap();
    bay.wait_until(|| tasks()["sleep"].is_null());
    // By then the scheduler has looked at it, too.
    bay.run(&["submit", "noop", "{}", "--wait"]).succeeds();
    let request = bay.show(id);
    assert_eq!(request["status"], "pending", "{request:#}");
    fs::rename(&away, &file).unwrap();
    bay.run(&["worker-set", "here", "--deny", ""]).succeeds();
    assert_eq!(bay.completes(id)["result"], "success");
}

/// An error of any size is recorded, once.
pub(crate) fn an_error_of_any_size_is_recorded(bay: &Bay) {
    bay.farm.add_unruly("none");
    let _serve = bay.start(&["serve", "--slots", "1"]);
    let id = bay.submit(&[&unruly::name("none"), r#"{"action": "err-at-length"}"#]);
    let request = bay.completes(id);
    assert_eq!(request["errors"][0]["code"], "execute-failed");
    assert_eq!(attempts(&request).len(), 1);
}

/// Whatever the worker logs itself, what an attempt says is kept to its end and in its order.
pub(crate) fn a_log_is_whole(bay: &Bay) {
    bay.farm.add_unruly("none");
    let _serve = bay.start_with(&["serve", "--slots", "2"], &[("RUST_LOG", "warn")]);
    let count = || bay.submit(&[&unruly::name("none"), r#"{"action": "count"}"#]);
    for id in [count(), count(), count()] {
        assert_eq!(bay.completes(id)["result"], "success");
        let log = bay.run(&["logs", &id.to_string(), "--json"]);
        let lines = log
            .succeeds()
            .stdout
            .lines()
            .map(str::to_owned)
            .collect::<Vec<_>>();
        let message = |line: &String| {
            let line: Value = serde_json::from_str(line).unwrap();
            line["message"].as_str().unwrap_or_default().to_owned()
        };
        let said = lines.iter().map(message);
        let said: Vec<_> = said.filter(|line| line.starts_with("line ")).collect();
        let wanted: Vec<_> = (1..=3000).map(|number| format!("line {number}")).collect();
        assert!(
            said == wanted,
            "{} lines, the last {:?}",
            said.len(),
            said.last()
        );
    }
    let slept = bay.run(&["submit", "sleep", r#"{"seconds": 0.1}"#, "--wait"]);
    assert!(
        slept.succeeds().stdout.contains("sleeping for 0.1 s"),
        "{slept:?}"
    );
}

/// The verdict that a claim was made with is what counts, also where the worker has not heard of it yet.
pub(crate) fn a_worker_hears_what_an_administrator_took_back(bay: &Bay) {
    bay.run(&["worker-set", "here", "--set", "noop:version=2"])
        .succeeds();
    let _serve = bay.start(&["serve", "--name", "here"]);
    bay.run(&["submit", "sleep", r#"{"seconds": 0}"#, "--wait"])
        .succeeds();
    bay.run(&["worker-set", "here", "--unset", "noop:version"])
        .succeeds();
    bay.run(&["submit", "noop", "{}", "--wait"]).succeeds();
}

/// A service told to end does, though there is much to do and a database that fails.
pub(crate) fn a_service_ends_whatever_there_is_to_do(bay: &Bay) {
    let engine = taskbay_engine::open(bay.url()).unwrap();
    let noop = TaskName::fold("noop").unwrap();
    for _ in 0..1000 {
        let request = NewRequest::new(noop.clone(), "{}");
        engine.submit(&request).unwrap();
    }
    let scheduler = bay.scheduler();
    // It has begun, however busy the machine is.
    bay.wait_until(|| engine.unsigned(1000, &[]).unwrap().len() < 1000);
    scheduler.signal(Signal::TERM);
    assert_eq!(scheduler.ends(), Some(0));
    if !bay.url().starts_with("postgres") {
        return;
    }
    let _scheduler = bay.scheduler();
    let worker = bay.start(&["worker", "--slots", "1", "--drain", "1s", "--grace", "1s"]);
    let sql = "
        create function taskbay.fail() returns trigger language plpgsql as $$ begin raise 'no'; end $$;
        create trigger fail before update on taskbay.requests for each row
        when (new.status = 'completed') execute function taskbay.fail();";
    let made = Command::new("psql").args([bay.url(), "-qc", sql]).status();
    assert!(made.unwrap().success());
    while !bay.logs().contains("is not told yet") {
        thread::sleep(LIMIT / 1000);
    }
    assert!(
        bay.logs().contains("is not told yet: the database"),
        "{}",
        bay.logs()
    );
    worker.signal(Signal::TERM);
    assert_eq!(worker.ends(), Some(0));
}
