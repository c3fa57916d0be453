//! Configured and executed in process, and as the plugin that it becomes.

use crate::Noop;
use serde_json::{Value, json};
use taskbay_plugin_api::Confinement;
use taskbay_test::{LoadedTask, WorkerMetadata, configure, faults};

/// Task data, what is kept of it, and what comes of it.
const CASES: [(&str, &str, bool); 7] = [
    ("{}", r#"{"result": true}"#, true),
    (r#"{"result": true}"#, r#"{"result": true}"#, true),
    (r#"{"result": false}"#, r#"{"result": false}"#, false),
    // As Debusine 0.16 says it.
    (r#"{"result": "success"}"#, r#"{"result": "success"}"#, true),
    (
        r#"{"result": "failure"}"#,
        r#"{"result": "failure"}"#,
        false,
    ),
    // As every task of Debusine takes it.
    (
        r#"{"result": true, "task_configuration": null}"#,
        r#"{"result": true}"#,
        true,
    ),
    // As every task does that can run in an environment.
    (
        r#"{"task_configuration": 3, "environment": "debian/match:codename=sid", "backend": "unshare", "build_architecture": "amd64"}"#,
        r#"{"result": true, "task_configuration": 3, "environment": "debian/match:codename=sid", "backend": "unshare", "build_architecture": "amd64"}"#,
        true,
    ),
];

#[test]
fn succeeds_or_fails_as_told() {
    for (data, _, expected) in CASES {
        let data: Value = data.parse().unwrap();
        let execution = configure::<Noop>(&data).unwrap().execute(Vec::new());
        assert_eq!(execution.result.unwrap(), expected, "{data}");
    }
}

#[test]
fn refuses_unknown_keys() {
    assert!(configure::<Noop>(&json!({"resutl": true})).is_err());
}

#[test]
fn an_error_is_one() {
    let task = configure::<Noop>(&json!({"result": "error"})).unwrap();
    let message = task.execute(Vec::new()).error();
    assert_eq!(message, "an error, as it was told");
}

/// What an attempt cannot end with, though Debusine has it.
#[test]
fn says_which_endings_there_are() {
    for ending in ["skipped", "temporary failure"] {
        assert_eq!(
            faults::<Noop>(&json!({"result": ending})),
            [format!(
                r#"/result: "{ending}" is not one of "success", "failure" or "error"; or "{ending}" is not of type "boolean""#
            )]
        );
    }
}

#[test]
fn is_the_same_as_a_plugin() {
    let plugin = LoadedTask::build(env!("CARGO_MANIFEST_DIR"), env!("CARGO_PKG_NAME"));
    assert_eq!(
        plugin
            .analyze(&WorkerMetadata::new().build())
            .value("noop:version"),
        Some(&json!(1))
    );
    assert!(plugin.configure(&json!({"resutl": true})).is_err());
    for (data, kept, expected) in CASES {
        let [data, kept]: [Value; 2] = [data, kept].map(|text| text.parse().unwrap());
        let task = plugin.configure(&data).unwrap();
        assert_eq!(task.confinement(), Confinement::Strict);
        assert_eq!(task.data(), kept);
        let worker =
            WorkerMetadata::offering::<Noop>().with("system:architectures", json!(["amd64"]));
        assert!(task.verdict(&worker.clone().build()).can_run());
        assert!(
            !task
                .verdict(&worker.without("noop:version").build())
                .can_run()
        );
        assert_eq!(task.execute(Vec::new()).result.unwrap(), expected, "{data}");
    }
}
