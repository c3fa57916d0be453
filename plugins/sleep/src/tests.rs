//! Configured and executed in process, and as the plugin that it becomes.

use crate::Sleep;
use serde_json::json;
use std::time::{Duration, Instant};
use taskbay_plugin_api::{Confinement, Task};
use taskbay_test::{LoadedTask, WorkerMetadata, configure};

#[test]
fn takes_as_long_as_told() {
    for (seconds, result) in [(0.0, true), (0.3, false)] {
        let data = json!({"seconds": seconds, "result": result});
        let task = configure::<Sleep>(&data).unwrap();
        let since = Instant::now();
        let execution = task.execute(Vec::new());
        assert_eq!(execution.result.as_ref().unwrap(), &result);
        assert!(since.elapsed() >= Duration::from_secs_f64(seconds));
        assert!(execution.has_logged("sleeping for"));
    }
}

#[test]
fn refuses_times_that_are_none() {
    for seconds in [json!(-1), json!("1"), json!(null), json!(1e9)] {
        let faults = configure::<Sleep>(&json!({"seconds": seconds})).unwrap_err();
        assert_eq!(faults[0].pointer, "/seconds");
    }
    assert!(configure::<Sleep>(&json!({})).is_err());
    assert!(configure::<Sleep>(&json!({"seconds": 1, "secnods": 1})).is_err());
}

#[test]
fn is_the_same_as_a_plugin() {
    let plugin = LoadedTask::build(env!("CARGO_MANIFEST_DIR"), env!("CARGO_PKG_NAME"));
    let task = plugin.configure(&json!({"seconds": 0})).unwrap();
    assert_eq!(task.data(), json!({"seconds": 0.0, "result": true}));
    assert_eq!(task.confinement(), Confinement::Strict);
    let worker = WorkerMetadata::offering::<Sleep>();
    assert!(task.verdict(&worker.build()).can_run());
    let execution = task.execute(Vec::new());
    assert!(execution.is_success());
    execution.assert_logged("sleeping for");
}

#[test]
fn says_what_it_does_in_a_line() {
    let task = configure::<Sleep>(&json!({"seconds": 0.5})).unwrap();
    assert_eq!(task.label().unwrap(), "sleep for 0.5 s");
}
