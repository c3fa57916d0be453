//! Configure and execute, in process.

mod execution;

use crate::Debdiff;
use serde_json::{Value, json};
use taskbay_plugin_api::{Artifact, Metadata, Task, is_available};
use taskbay_test::{
    Execution, WorkerMetadata, artifact, assert_unknown_keys_are_refused, configure, empty_file,
    faults,
};
use tempfile::TempDir;

/// Executes where these artifacts are 1, 2, …
fn execute(data: &Value, artifacts: Vec<Artifact>) -> Execution {
    configure::<Debdiff>(data).unwrap().execute(artifacts)
}

#[test]
fn takes_two_artifacts_of_one_kind() {
    let faults = |input: Value| faults::<Debdiff>(&json!({"input": input}));
    let none: [&str; 0] = [];
    assert_eq!(faults(json!({"source_artifacts": [1, "./b.dsc"]})), none);
    assert_eq!(
        faults(json!({"binary_artifacts": [[1, 2], 3], "source_artifacts": null})),
        none
    );
    assert_eq!(
        faults(json!({})),
        ["/input: needs `source_artifacts` or `binary_artifacts`"]
    );
    assert_eq!(
        faults(json!({"source_artifacts": [1, 2], "binary_artifacts": [3, 4]})),
        ["/input: give `source_artifacts` or `binary_artifacts`, not both"]
    );
    assert_eq!(
        faults(json!({"source_artifacts": [1]})),
        ["/input/source_artifacts: needs two entries, the original and the new one, and has 1"]
    );
    assert_eq!(
        faults(json!({"binary_artifacts": [1, [], 3]})),
        [
            "/input/binary_artifacts: needs two entries, the original and the new one, and has 3",
            "/input/binary_artifacts/1: names no artifact",
        ]
    );
}

#[test]
fn two_architectures_are_one_too_many() {
    let data = json!({
        "input": {"source_artifacts": [1, 2]}, "host_architecture": "i386", "build_architecture": "amd64",
    });
    let faults = faults::<Debdiff>(&data).join("; ");
    let wanted = "/host_architecture: is the old name";
    assert!(faults.starts_with(wanted), "{faults}");
}

#[test]
fn defaults_are_filled_in() {
    let input = json!({"source_artifacts": null, "binary_artifacts": [[1, "./b.deb"], 3]});
    let task = configure::<Debdiff>(&json!({"input": input})).unwrap();
    assert_eq!(
        task.data(),
        json!({
            "input": input,
            "extra_flags": [],
            "environment": null,
            "backend": "auto",
            "host_architecture": null,
            "build_architecture": null,
            "task_configuration": null,
        })
    );
}

#[test]
fn refuses_what_debusine_refuses() {
    for data in [
        json!({}),
        json!({"input": {"source_artifacts": 1}}),
        json!({"input": {"artifacts": [1, 2]}}),
        json!({"input": {}, "extra_flags": ["--exclude"]}),
        json!({"input": {}, "backend": "docker"}),
    ] {
        assert!(configure::<Debdiff>(&data).is_err(), "{data}");
    }
    assert_unknown_keys_are_refused::<Debdiff>(&json!({"input": {"source_artifacts": [1, 2]}}));
}

#[test]
fn an_input_of_the_wrong_kind_is_a_config_error() {
    let store = TempDir::new().unwrap();
    let file = |name| empty_file(store.path(), name);
    let artifacts = vec![
        artifact("debian:package-build-log", vec![file("hello.build")]),
        artifact("debian:source-package", vec![file("hello_1.0.dsc")]),
        artifact("debian:upload", vec![file("hello_1.0_source.changes")]),
        artifact("debian:binary-package", vec![]),
        artifact("debian:binary-package", vec![file("hello_1.0_amd64.deb")]),
    ];
    let fault = |input: Value| execute(&json!({"input": input}), artifacts.clone()).config_fault();
    assert_eq!(
        fault(json!({"source_artifacts": [2, 1]})),
        "/input/source_artifacts/1: `1` is an artifact of category `debian:package-build-log`, and must be one of these: \
         debian:source-package, debian:upload"
    );
    assert!(
        fault(json!({"binary_artifacts": [2, 5]}))
            .starts_with("/input/binary_artifacts/0: `2` is an artifact")
    );
    assert_eq!(
        fault(json!({"source_artifacts": [2, 3]})),
        "/input/source_artifacts/1: needs exactly one `.dsc` file, or exactly one `.changes` file, as the other side"
    );
    assert_eq!(
        fault(json!({"binary_artifacts": [4, 5]})),
        "/input/binary_artifacts/0: needs `.deb` or `.udeb` files, or exactly one `.changes` file, as the other side"
    );
    assert!(
        fault(json!({"binary_artifacts": [5, [4]]}))
            .starts_with("/input/binary_artifacts/1: needs")
    );
}

#[test]
fn needs_debdiff_and_the_tools_of_its_options_on_the_worker() {
    let lacking = |data: &Value| {
        let worker = WorkerMetadata::offering::<Debdiff>();
        configure::<Debdiff>(data).unwrap().lacking(worker)
    };
    let mut data = json!({"input": {"source_artifacts": [1, 2]}});
    assert_eq!(lacking(&data), ["debdiff:available"]);
    data["extra_flags"] = json!([
        "--diffstat",
        "--dirs",
        "--wdiff-source-control",
        "--diffstat"
    ]);
    assert_eq!(
        lacking(&data),
        ["debdiff:available", "debdiff:diffstat", "debdiff:wdiff"]
    );
    let found = Debdiff::analyze_worker(&Metadata::default()).unwrap();
    for (key, tool) in [
        ("debdiff:available", "debdiff"),
        ("debdiff:diffstat", "diffstat"),
        ("debdiff:wdiff", "wdiff"),
    ] {
        assert_eq!(found.value(key), Some(&json!(is_available(tool))));
    }
}

#[test]
fn says_what_it_does_in_a_line() {
    let task =
        configure::<Debdiff>(&json!({"input": {"binary_artifacts": [7, ["./a.deb", "./b.deb"]]}}))
            .unwrap();
    assert_eq!(
        task.label().unwrap(),
        "compare artifact 7 with a.deb and 1 more"
    );
}
