//! Who can execute what, and why not.

use crate::{bay::Bay, unruly};
use serde_json::json;

/// With the workers that fail each condition, the nearest, and what it lacks.
pub(crate) fn a_request_that_nobody_can_execute_is_explained(bay: &Bay) {
    bay.farm.add_unruly("none");
    let name = unruly::name("none");
    let _worker = bay.worker("near");
    bay.run(&["worker-set", "far", "--set", "x=1"]).succeeds();
    let is_there = |workers: &serde_json::Value| !workers["workers"][1]["tasks"][&name].is_null();
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
