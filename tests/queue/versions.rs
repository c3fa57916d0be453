//! Plugins that are replaced in mid-queue, and workers that have another version than the scheduler.

use crate::{
    bay::{Bay, attempts},
    ledger::Ledger,
    unruly,
};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
};
use taskbay_core::{Metadata, TaskName};
use taskbay_engine::{NewRequest, Report};

const PLUGIN: &str = "task";

/// Notes each signature that is taken from a request.
const UNSIGNED_IN_SQLITE: &str = "
    create table taken (request_id integer not null);
    create trigger taken after update on requests when old.signature_id is not null and new.signature_id is null
        begin insert into taken values (new.id); end;";
const UNSIGNED_IN_POSTGRES: &str = "
    set search_path = taskbay;
    create table taken (request_id bigint not null);
    create function note_taken() returns trigger language plpgsql as $$ begin
        insert into taskbay.taken values (new.id);
        return null;
    end $$;
    create trigger taken after update on requests for each row
        when (old.signature_id is not null and new.signature_id is null) execute function note_taken();";

/// A plugin of the task `task` with that version: 1 or 7.
fn plugin(version: u32) -> Vec<u8> {
    let original = unruly::original();
    if version == 1 {
        return original.plugin(PLUGIN, "none");
    }
    original.of_version_seven(PLUGIN)
}

/// Puts a plugin into a directory, as package managers do.
fn install(directory: &Path, version: u32) {
    let file = directory.join(format!("{PLUGIN}.so"));
    let fresh = file.with_extension("fresh");
    fs::write(&fresh, plugin(version)).unwrap();
    fs::rename(&fresh, file).unwrap();
}

/// The versions of the task that the workers report, by worker.
fn reported(bay: &Bay, task: &str) -> Vec<Value> {
    let workers = bay.run(&["workers", "--json"]).succeeds().json();
    let rows = workers["workers"].as_array().unwrap().iter();
    rows.map(|row| row["tasks"][task].clone()).collect()
}

/// What runs is finished by the old plugin, what waits is signed anew and executed by the new one.
pub(crate) fn a_plugin_is_replaced_in_mid_queue(bay: &Bay) {
    let task = unruly::name(PLUGIN);
    install(&bay.farm.plugins(), 1);
    let meeting = bay.farm.here();
    let _scheduler = bay.scheduler();
    let _worker = bay.start_with(
        &[
            "worker", "--name", "worker", "--slots", "1", "--lease", "3s",
        ],
        &[("TASKBAY_TEST_MEETING", meeting.to_str().unwrap())],
    );
    let data = r#"{"action": "meet"}"#;
    let running = bay.submit(&[&task, data]);
    bay.runs(running, 1);
    let waiting: Vec<_> = (0..20).map(|_| bay.submit(&[&task, data])).collect();
    let last = waiting[19];
    let engine = bay.engine();
    let signature = || engine.request(last).unwrap().request.signature;
    bay.wait_until(|| signature().is_some());
    let before = signature();
    install(&bay.farm.plugins(), 7);
    bay.wait_until(|| reported(bay, &task) == [json!(7)]);
    bay.wait_until(|| signature().is_some() && signature() != before);
    assert_eq!(bay.show(last)["status"], "pending");
    fs::write(meeting.join("go"), "").unwrap();
    for (id, fault) in [(running, "none")]
        .into_iter()
        .chain(waiting.iter().map(|id| (*id, "version-7")))
    {
        let request = bay.completes(id);
        assert_eq!(request["result"], "success", "{request:#}");
        assert_eq!(attempts(&request).len(), 1, "{request:#}");
        let log = bay.run(&["logs", &id.to_string()]);
        let said = format!("went on as `{fault}`");
        assert!(log.succeeds().stdout.contains(&said), "{log:?}");
    }
}

/// A scheduler that comes after the change finds what another made of the old plugin.
pub(crate) fn a_plugin_is_replaced_while_no_scheduler_runs(bay: &Bay) {
    let task = unruly::name(PLUGIN);
    install(&bay.farm.plugins(), 1);
    let first = bay.scheduler();
    let id = bay.submit(&[&task, "{}"]);
    let engine = bay.engine();
    let signature = || engine.request(id).unwrap().request.signature;
    bay.wait_until(|| signature().is_some());
    let before = signature();
    first.signal(Signal::TERM);
    assert_eq!(first.ends(), Some(0));
    install(&bay.farm.plugins(), 7);
    let _second = bay.scheduler();
    bay.wait_until(|| signature().is_some() && signature() != before);
    let _worker = bay.worker("worker");
    assert_eq!(bay.completes(id)["result"], "success");
}

/// Requests go only to workers that have the scheduler's version, and the others are named.
pub(crate) fn versions_may_differ_in_a_fleet(bay: &Bay) {
    let task = unruly::name(PLUGIN);
    install(&bay.farm.plugins(), 1);
    let newer: PathBuf = bay.farm.path("newer");
    fs::create_dir(&newer).unwrap();
    install(&newer, 7);
    let _scheduler = bay.scheduler();
    let with_newer = |name: &str| {
        bay.start_with(
            &["worker", "--name", name, "--slots", "1", "--lease", "3s"],
            &[("TASKBAY_PLUGIN_PATH", newer.to_str().unwrap())],
        )
    };
    let _newer = [with_newer("newer-1"), with_newer("newer-2")];
    bay.wait_until(|| reported(bay, &task) == [json!(7), json!(7)]);
    let ran = bay.run(&["submit", &task, "{}", "--json"]);
    assert!(
        ran.stderr.contains("no known worker can execute this"),
        "{ran:?}"
    );
    let id = ran.json()["id"].as_i64().unwrap();
    let explained = bay.run(&["explain", &id.to_string(), "--json"]);
    let explained = explained.succeeds().json();
    assert_eq!(explained["verdict"], "never", "{explained:#}");
    assert_eq!(
        explained["nearest"]["missing"][0]["code"],
        "version-mismatch"
    );
    assert_eq!(explained["nearest"]["missing"][0]["found"], 7);
    let _older = bay.worker("older");
    let more: Vec<_> = (0..10).map(|_| bay.submit(&[&task, "{}"])).collect();
    for id in more.into_iter().chain([id]) {
        let request = bay.completes(id);
        assert_eq!(request["result"], "success", "{request:#}");
        let attempts = attempts(&request);
        assert_eq!(
            (attempts.len(), &attempts[0]["worker"]),
            (1, &json!("older"))
        );
    }
    let explained = bay.run(&["explain", &id.to_string(), "--json"]);
    let skew = &explained.succeeds().json()["skew"];
    let versions = json!([
        {"version": 1, "workers": ["older"]},
        {"version": 7, "workers": ["newer-1", "newer-2"]},
    ]);
    assert_eq!(skew, &versions);
    let skew = bay.run(&["workers", "--skew", "--json"]).succeeds().json();
    let rows = skew["tasks"].as_array().unwrap();
    let row = rows
        .iter()
        .find(|row| row["task"] == task.as_str())
        .unwrap();
    assert_eq!(
        row["versions"],
        json!({"1": ["older"], "7": ["newer-1", "newer-2"]})
    );
    assert_eq!(row["is_skewed"], true);
}

/// Two schedulers with different builds of a plugin leave each other's requests alone, however often workers change.
pub(crate) fn schedulers_with_different_builds_settle(bay: &Bay) {
    let task = unruly::name(PLUGIN);
    install(&bay.farm.plugins(), 1);
    let newer = bay.farm.path("newer");
    fs::create_dir(&newer).unwrap();
    install(&newer, 7);
    let newer = [("TASKBAY_PLUGIN_PATH", newer.to_str().unwrap())];
    let engine = bay.engine();
    let _schedulers = [bay.scheduler(), bay.start_with(&["scheduler"], &newer)];
    let request = NewRequest::new(TaskName::fold(&task).unwrap(), "{}");
    let ledger = Ledger::at(bay);
    let signatures = || {
        engine.submit(&request).unwrap();
        ledger.count("select count(distinct signature_id) from requests")
    };
    // Both have signed some.
    bay.wait_until(|| signatures() == 2);
    ledger.execute(if ledger.is_file() {
        UNSIGNED_IN_SQLITE
    } else {
        UNSIGNED_IN_POSTGRES
    });
    let is_settled = || {
        engine.unsigned(1, &[]).unwrap().is_empty()
            && engine
                .missing_verdicts(&engine.pending_signatures(0, 99).unwrap())
                .unwrap()
                .pairs
                .is_empty()
    };
    for change in 0..20 {
        for (name, version) in [("older", 1), ("newer", 7)] {
            let mut metadata = Metadata::default();
            metadata.insert(&format!("{task}:version"), version);
            metadata.insert("test:change", change);
            let report = Report {
                name: name.to_owned(),
                slots: 1,
                metadata,
                instance: 1,
            };
            engine.report(&report).unwrap();
        }
        bay.wait_until(is_settled);
    }
    assert_eq!(ledger.count("select count(*) from taken"), 0);
    // The second of them to begin may have signed anew, before that, all that the first had.
    bay.wait_until(|| signatures() == 2);
    let _older = bay.wide_worker("older");
    let arguments = [
        "worker", "--name", "newer", "--slots", "4", "--lease", "3s", "--grace", "1s",
    ];
    let _newer = bay.start_with(&arguments, &newer);
    let left = "select count(*) from requests where result is null or result <> 'success'";
    bay.wait_until(|| ledger.count(left) == 0);
    for worker in ["older", "newer"] {
        let sql = format!("select count(*) from attempts where worker = '{worker}'");
        assert!(ledger.count(&sql) > 0, "{worker} got nothing");
    }
}
