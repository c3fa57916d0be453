//! Configured, judged and executed: in process, and as the plugin that it becomes.

use serde_json::json;
use taskbay_test::{LoadedTask, WorkerMetadata, configure};

type Subject = crate::@TYPE@;

#[test]
fn counts_lines() {
    let task = configure::<Subject>(&json!({"text": "one\ntwo\n"})).unwrap();
    let execution = task.execute(Vec::new());
    assert!(execution.is_success());
    execution.assert_logged("the text has 2 lines");
    assert_eq!(execution.server.uploads()[0].data, json!({"lines": 2}));
}

#[test]
fn too_many_lines_are_a_failure() {
    let task = configure::<Subject>(&json!({"text": "one\ntwo\n", "most_lines": 1})).unwrap();
    assert!(!task.execute(Vec::new()).is_success());
}

#[test]
fn every_fault_in_the_data_is_told() {
    let faults = configure::<Subject>(&json!({"text": "", "most_lines": 0})).unwrap_err();
    assert_eq!(faults[0].pointer, "/most_lines");
    assert!(configure::<Subject>(&json!({})).is_err());
}

#[test]
fn needs_its_tool_on_the_worker() {
    let task = configure::<Subject>(&json!({"text": ""})).unwrap();
    let worker = WorkerMetadata::offering::<Subject>();
    let with = |value| worker.clone().with(crate::AVAILABLE, value).build();
    assert!(task.verdict(&with(true)).can_run());
    assert!(!task.verdict(&with(false)).can_run());
}

#[test]
fn the_plugin_does_the_same() {
    let plugin = LoadedTask::build(env!("CARGO_MANIFEST_DIR"), env!("CARGO_PKG_NAME"));
    let worker = plugin.analyze(&WorkerMetadata::new().build());
    let task = plugin.configure(&json!({"text": "one\n"})).unwrap();
    assert!(task.verdict(&worker).can_run());
    assert!(task.execute(Vec::new()).is_success());
}
