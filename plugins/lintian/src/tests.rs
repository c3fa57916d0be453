//! Configure and execute, in process.

mod execution;

use crate::Lintian;
use serde_json::{Value, json};
use taskbay_plugin_api::{Artifact, Metadata, Task, is_available};
use taskbay_test::{
    Execution, WorkerMetadata, artifact, assert_unknown_keys_are_refused, configure, empty_file,
    faults,
};
use tempfile::TempDir;

/// Executes where these artifacts are 1, 2, …
fn execute(data: &Value, artifacts: Vec<Artifact>) -> Execution {
    configure::<Lintian>(data).unwrap().execute(artifacts)
}

#[test]
fn needs_an_input() {
    let faults = |input: Value| faults::<Lintian>(&json!({"input": input}));
    let none: [&str; 0] = [];
    let wanted = ["/input: needs `source_artifact` or `binary_artifacts`, or both"];
    assert_eq!(faults(json!({})), wanted);
    assert_eq!(
        faults(json!({"source_artifact": null, "binary_artifacts": []})),
        wanted
    );
    assert_eq!(faults(json!({"source_artifact": 1})), none);
    assert_eq!(faults(json!({"binary_artifacts": ["./a.deb"]})), none);
}

#[test]
fn defaults_are_filled_in() {
    let data = json!({"input": {"source_artifact": 1}, "output": {"binary_any_analysis": false}});
    assert_eq!(
        configure::<Lintian>(&data).unwrap().data(),
        json!({
            "input": {"source_artifact": 1, "binary_artifacts": []},
            "output": {
                "source_analysis": true,
                "binary_all_analysis": true,
                "binary_any_analysis": false,
            },
            "target_distribution": "debian:unstable",
            "include_tags": [],
            "exclude_tags": [],
            "fail_on_severity": "none",
            "environment": null,
            "backend": "auto",
            "build_architecture": null,
            "task_configuration": null,
        })
    );
}

#[test]
fn refuses_what_debusine_refuses() {
    for data in [
        json!({}),
        json!({"input": {"source_artifact": [1]}}),
        json!({"input": {"sources": 1}}),
        json!({"input": {"source_artifact": 1}, "output": {"udeb_analysis": true}}),
        json!({"input": {"source_artifact": 1}, "fail_on_severity": "classification"}),
        json!({"input": {"source_artifact": 1}, "fail_on_severity": null}),
        json!({"input": {"source_artifact": 1}, "backend": "docker"}),
    ] {
        assert!(configure::<Lintian>(&data).is_err(), "{data}");
    }
    assert_unknown_keys_are_refused::<Lintian>(&json!({"input": {"source_artifact": 1}}));
}

#[test]
fn an_input_of_the_wrong_kind_is_a_config_error() {
    let store = TempDir::new().unwrap();
    let file = |name| empty_file(store.path(), name);
    let artifacts = vec![
        artifact("debian:package-build-log", vec![file("hello.build")]),
        artifact("debian:source-package", vec![file("hello_1.0.tar.xz")]),
        artifact(
            "debian:upload",
            vec![file("hello_1.0.dsc"), file("hello_1.0_source.changes")],
        ),
    ];
    let fault = |input: Value| execute(&json!({"input": input}), artifacts.clone()).config_fault();
    assert_eq!(
        fault(json!({"source_artifact": 2})),
        "/input/source_artifact: the artifact has no `.dsc` file"
    );
    assert_eq!(
        fault(json!({"source_artifact": 1})),
        "/input/source_artifact: `1` is an artifact of category `debian:package-build-log`, and must be one of these: \
         debian:source-package, debian:upload"
    );
    assert_eq!(
        fault(json!({"source_artifact": 3, "binary_artifacts": [3]})),
        "/input/binary_artifacts/0: the artifact has no `.deb` or `.udeb` file"
    );
}

#[test]
fn needs_lintian_on_the_worker() {
    let task = configure::<Lintian>(&json!({"input": {"source_artifact": 1}})).unwrap();
    let worker = WorkerMetadata::offering::<Lintian>();
    assert_eq!(task.lacking(worker), ["lintian:available"]);
    let found = Lintian::analyze_worker(&Metadata::default()).unwrap();
    assert_eq!(
        found.value("lintian:available"),
        Some(&json!(is_available("lintian")))
    );
}

#[test]
fn says_what_it_does_in_a_line() {
    let task = configure::<Lintian>(
        &json!({"input": {"source_artifact": "./a.dsc", "binary_artifacts": [1, 2]}}),
    )
    .unwrap();
    assert_eq!(task.label().unwrap(), "check a.dsc and 2 more for mistakes");
}
