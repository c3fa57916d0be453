//! Configured and executed in process, and as the plugin that it becomes.

use crate::Noop;
use serde_json::{Value, json};
use taskbay_plugin_api::Confinement;
use taskbay_test::{LoadedTask, WorkerMetadata, configure};

const CASES: [(&str, bool); 4] = [
    ("{}", true),
    (r#"{"result": true}"#, true),
    (r#"{"result": false}"#, false),
    // As every task of Debusine takes it.
    (r#"{"result": true, "task_configuration": null}"#, true),
];

#[test]
fn succeeds_or_fails_as_told() {
    for (data, expected) in CASES {
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
fn is_the_same_as_a_plugin() {
    let plugin = LoadedTask::build(env!("CARGO_MANIFEST_DIR"), env!("CARGO_PKG_NAME"));
    assert_eq!(
        plugin
            .analyze(&WorkerMetadata::new().build())
            .value("noop:version"),
        Some(&json!(1))
    );
    assert!(plugin.configure(&json!({"resutl": true})).is_err());
    for (data, expected) in CASES {
        let data: Value = data.parse().unwrap();
        let task = plugin.configure(&data).unwrap();
        assert_eq!(task.confinement(), Confinement::Strict);
        assert_eq!(task.data(), json!({"result": expected}));
        let worker = WorkerMetadata::offering::<Noop>();
        assert!(task.verdict(&worker.clone().build()).can_run());
        assert!(
            !task
                .verdict(&worker.without("noop:version").build())
                .can_run()
        );
        assert_eq!(task.execute(Vec::new()).result.unwrap(), expected, "{data}");
    }
}
