//! `taskbay match`: requests and workers from files, matched by the plugins themselves.

use crate::{
    farm::{Farm, Ran},
    unruly,
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::{fs, io::Read, process::Stdio, thread, time::Duration};

fn write(farm: &Farm, name: &str, lines: &[Value]) -> String {
    let text: Vec<String> = lines.iter().map(Value::to_string).collect();
    let file = farm.path(name);
    fs::write(&file, text.join("\n")).unwrap();
    file.to_str().unwrap().to_owned()
}

fn match_lines(farm: &Farm, requests: &[Value], workers: &[Value]) -> Ran {
    let requests = write(farm, "requests", requests);
    let workers = write(farm, "workers", workers);
    let arguments = ["--requests", &requests, "--workers", &workers, "--json"];
    farm.run(&[&["match"], &arguments[..]].concat())
}

fn rows(ran: &Ran) -> Vec<Value> {
    let lines = ran.succeeds().stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn noop(id: u32, priority: i32, created_at: &str) -> Value {
    json!({"id": id, "task_name": "NoOp", "task_data": {}, "priority": priority, "created_at": created_at})
}

#[test]
fn requests_get_workers_by_priority_and_age_and_the_rest_is_explained() {
    let farm = Farm::with(&["noop", "lintian"]);
    let good = json!({"noop:version": 1});
    let workers = [
        json!({"name": "a", "metadata": good}),
        json!({"name": "b", "metadata": good}),
        json!({"name": "c", "metadata": good, "busy": true}),
        json!({"name": "d", "metadata": {"lintian:version": 1, "lintian:available": false}}),
    ];
    let lintian = json!({"input": {"source_artifact": 1}});
    let requests = [
        json!({"id": "tidy", "task_name": "lintian", "task_data": lintian, "priority": 99}),
        noop(1, 0, "2026-01-02T00:00:00Z"),
        noop(2, 0, "2026-01-01T00:00:00+00:00"),
        noop(3, 5, "2026-01-03T00:00:00Z"),
        json!({"id": 4, "task_name": "noop", "task_data": {"result": "maybe"}}),
        json!({"id": 5, "task_name": "nop", "task_data": {}}),
    ];
    let ran = match_lines(&farm, &requests, &workers);
    let rows = rows(&ran);
    let ids: Vec<_> = rows.iter().map(|row| row["id"].clone()).collect();
    assert_eq!(json!(ids), json!(["tidy", 1, 2, 3, 4, 5]));
    let fate = |at: usize| {
        (
            rows[at]["worker"].clone(),
            rows[at]["verdict"].as_str().unwrap(),
        )
    };
    assert_eq!(fate(0), (Value::Null, "never"));
    assert_eq!(fate(1), (Value::Null, "busy"));
    assert_eq!(fate(2), ("b".into(), "runnable"));
    assert_eq!(fate(3), ("a".into(), "runnable"));
    assert_eq!(
        (fate(4), fate(5)),
        ((Value::Null, "never"), (Value::Null, "never"))
    );
    // The nearest worker has the task, and no tool for it.
    assert_eq!(rows[0]["nearest"], "d");
    assert_eq!(rows[0]["reasons"][0]["key"], "lintian:available");
    assert_eq!(rows[1]["reasons"], json!([]));
    assert_eq!(rows[4]["reasons"][0]["code"], "invalid-data");
    assert!(
        rows[4]["reasons"][0]["message"]
            .as_str()
            .unwrap()
            .contains("/result")
    );
    assert_eq!(rows[5]["reasons"][0]["code"], "task-missing");
}

/// A task's own code decides, too; and a plugin that panics at it costs no other request its worker.
#[test]
fn own_code_decides_and_one_that_fails_costs_no_other() {
    let farm = Farm::with(&["noop"]);
    farm.add_unruly("none");
    farm.add_unruly("can-run-panics");
    let (fine, bad) = (unruly::name("none"), unruly::name("can-run-panics"));
    let metadata = |moon: &str| {
        json!({
            format!("{fine}:version"): 1, format!("{bad}:version"): 1, "noop:version": 1, "moon": moon,
        })
    };
    let workers = [
        json!({"name": "a", "metadata": metadata("full")}),
        json!({"name": "b", "metadata": metadata("new")}),
        json!({"name": "c", "metadata": metadata("new"), "deny": [fine]}),
    ];
    let request = |id: u32, task: &str| json!({"id": id, "task_name": task});
    let requests = [
        request(1, &bad),
        request(2, &fine),
        request(3, &fine),
        request(4, "noop"),
    ];
    let rows = rows(&match_lines(&farm, &requests, &workers));
    assert_eq!(rows[0]["verdict"], "never");
    assert_eq!(rows[0]["reasons"][0]["code"], "plugin-failed");
    assert_eq!(
        (&rows[1]["worker"], &rows[1]["verdict"]),
        (&json!("b"), &json!("runnable"))
    );
    assert_eq!(
        (&rows[2]["worker"], &rows[2]["verdict"]),
        (&Value::Null, &json!("busy"))
    );
    assert_eq!(rows[3]["worker"], "a");
    farm.assert_nothing_is_left();
}

/// What an admin says of a worker counts.
#[test]
fn static_metadata_and_lists_count() {
    let farm = Farm::with(&["noop"]);
    let fate = |worker: Value| {
        let request = noop(1, 0, "2026-01-01T00:00:00Z");
        let row = rows(&match_lines(&farm, &[request], &[worker])).remove(0);
        let code = row["reasons"][0]["code"].as_str().unwrap_or_default();
        (row["verdict"].as_str().unwrap().to_owned(), code.to_owned())
    };
    let fate = |worker| {
        let (verdict, code) = fate(worker);
        format!("{verdict} {code}")
    };
    let good = json!({"noop:version": 1});
    assert_eq!(fate(json!({"name": "a", "metadata": good})), "runnable ");
    let old = json!({"name": "a", "metadata": good, "static_metadata": {"noop:version": 7}});
    assert_eq!(fate(old), "never version-mismatch");
    let denied = json!({"name": "a", "metadata": good, "deny": ["noop"]});
    assert_eq!(fate(denied), "never denied");
    let allowed = json!({"name": "a", "metadata": good, "allow": ["noop"], "deny": ["noop"]});
    assert_eq!(fate(allowed), "runnable ");
    let other = json!({"name": "a", "metadata": good, "allow": ["lintian"]});
    assert_eq!(fate(other), "never denied");
}

#[test]
fn no_workers_and_wrong_files_are_told() {
    let farm = Farm::with(&["noop"]);
    let request = noop(1, 0, "2026-01-01T00:00:00Z");
    let alone = rows(&match_lines(&farm, std::slice::from_ref(&request), &[]));
    assert_eq!(
        (&alone[0]["verdict"], &alone[0]["reasons"]),
        (&json!("never"), &json!([]))
    );
    assert_eq!(rows(&match_lines(&farm, &[], &[])).len(), 0);
    farm.run(&["match", "--requests", "-", "--workers", "-"])
        .fails(2, &["cannot be both"]);
    let nowhere = farm.run(&["match", "--requests", "/nonexistent", "--workers", "[]"]);
    nowhere.fails(3, &["cannot read /nonexistent"]);
}

/// A line that is none costs no other request its worker, and no other worker its request.
#[test]
fn wrong_lines_cost_no_others() {
    let farm = Farm::with(&["noop"]);
    let request = noop(1, 0, "2026-01-01T00:00:00Z");
    let late = noop(2, 0, "tomorrow");
    let good = json!({"noop:version": 1});
    let workers = [
        json!({"name": "a", "metadata": 7}),
        json!({"name": "b", "metadata": good}),
        json!({"name": "b", "metadata": {}}),
    ];
    let huge = json!({"id": 4, "task_name": "noop", "priority": 3_000_000_000_u64});
    let ran = match_lines(&farm, &[late, json!({"id": 3}), huge, request], &workers);
    let rows = rows(&ran);
    for (at, part) in [
        "write a time in UTC",
        "missing field `task_name`",
        "invalid value",
    ]
    .iter()
    .enumerate()
    {
        let reason = &rows[at]["reasons"][0];
        assert_eq!(
            (&rows[at]["id"], &rows[at]["line"]),
            (&json!(at + 2), &json!(at + 1))
        );
        assert_eq!(reason["code"], "invalid-data");
        assert!(
            reason["message"].as_str().unwrap().contains(part),
            "{reason}"
        );
    }
    assert_eq!(rows[3]["worker"], "b");
    assert!(
        ran.stderr.contains("line 1 of the workers is left out"),
        "{ran:?}"
    );
    assert!(
        ran.stderr.contains("line 3 of the workers is left out"),
        "{ran:?}"
    );
}

/// A plugin that hangs again and again is asked no more, and one whose file is refused is no unknown task.
#[test]
fn plugins_that_fail_cost_others_little() {
    let farm = Farm::with(&["noop"]);
    farm.add_unruly("configure-hangs");
    let mut bytes = unruly::bytes("none");
    unruly::replace(&mut bytes, "\"api\":\"1.", "\"api\":\"9.");
    fs::write(farm.plugins().join("a.so"), bytes).unwrap();
    let hangs = unruly::name("configure-hangs");
    let mut requests: Vec<Value> = (0..30)
        .map(|id| json!({"id": id, "task_name": if id % 2 == 0 { &hangs } else { "noop" }}))
        .collect();
    requests.push(json!({"id": 99, "task_name": unruly::name("none")}));
    let requests = write(&farm, "requests", &requests);
    let workers = write(
        &farm,
        "workers",
        &[json!({"name": "a", "metadata": {"noop:version": 1}})],
    );
    let begun = std::time::Instant::now();
    let limit = ["--plugin-timeout", "2s", "--json"];
    let ran = farm.run(
        &[
            &["match", "--requests", &requests, "--workers", &workers],
            &limit[..],
        ]
        .concat(),
    );
    let rows = rows(&ran);
    // Fifteen times the limit, or twice as long, is what they would take.
    assert!(begun.elapsed().as_secs() < 29, "{:?}", begun.elapsed());
    assert!(
        rows[28]["reasons"][0]["message"]
            .as_str()
            .unwrap()
            .contains("it failed 3 times"),
        "{}",
        rows[28]
    );
    assert_eq!(rows[1]["worker"], "a");
    let refused = &rows[30]["reasons"][0];
    assert!(
        refused["message"].as_str().unwrap().contains("API 9."),
        "{refused}"
    );
}

/// Told to end as a plugin is asked, it decides nothing.
#[test]
fn an_interrupted_match_decides_nothing() {
    let farm = Farm::with(&["noop"]);
    farm.add_unruly("can-run-hangs");
    let name = unruly::name("can-run-hangs");
    let metadata = json!({"noop:version": 1, format!("{name}:version"): 1});
    let requests = write(
        &farm,
        "requests",
        &[
            json!({"id": 1, "task_name": name}),
            json!({"id": 2, "task_name": "noop"}),
        ],
    );
    let workers = write(
        &farm,
        "workers",
        &[json!({"name": "a", "metadata": metadata})],
    );
    let mut command = farm.command(&[
        "match",
        "--requests",
        &requests,
        "--workers",
        &workers,
        "--plugin-timeout",
        "5m",
    ]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    thread::sleep(Duration::from_secs(3));
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(7));
    let mut said = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert_eq!(said, "");
}
