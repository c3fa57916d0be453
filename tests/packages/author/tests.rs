//! Configured, judged and executed, with the real shellcheck.

use serde_json::json;
use taskbay_test::{LoadedTask, WorkerMetadata, configure};

type Subject = crate::ShellcheckTask;

#[test]
fn a_script_with_a_mistake_is_a_failure() {
    for (script, success) in [
        ("#!/bin/sh\necho hello\n", true),
        ("#!/bin/sh\necho $1\n", false),
    ] {
        let task = configure::<Subject>(&json!({"script": script})).unwrap();
        let execution = task.execute(Vec::new());
        assert_eq!(execution.is_success(), success, "{script}");
        assert_eq!(execution.server.uploads()[0].data, json!({"success": success}));
    }
}

#[test]
fn the_plugin_does_the_same() {
    let plugin = LoadedTask::build(env!("CARGO_MANIFEST_DIR"), env!("CARGO_PKG_NAME"));
    let worker = plugin.analyze(&WorkerMetadata::new().build());
    let data = json!({"script": "#!/bin/sh\necho $1\n", "severity": "error"});
    let task = plugin.configure(&data).unwrap();
    assert!(task.verdict(&worker).can_run());
    assert!(task.execute(Vec::new()).is_success());
}
