//! Configure and execute, in process.

mod execution;

use crate::MakeSourcePackageUpload;
use serde_json::{Value, json};
use taskbay_plugin_api::{Artifact, Metadata, Task, is_available};
use taskbay_test::{
    Execution, WorkerMetadata, artifact, assert_unknown_keys_are_refused, configure, empty_file,
    text_file, with_keys,
};
use tempfile::TempDir;

/// Executes with the source package 1, and these keys besides.
fn execute(keys: &Value, artifacts: Vec<Artifact>) -> Execution {
    configure::<MakeSourcePackageUpload>(&with(keys))
        .unwrap()
        .execute(artifacts)
}

fn with(keys: &Value) -> Value {
    with_keys(json!({"input": {"source_artifact": 1}}), keys)
}

#[test]
fn refuses_what_would_be_another_option_or_line() {
    let faults = |keys: Value| {
        let faults = configure::<MakeSourcePackageUpload>(&with(&keys))
            .err()
            .unwrap_or_default();
        let faults = faults.iter().map(|fault| fault.pointer.clone());
        faults.collect::<Vec<_>>()
    };
    let none: [&str; 0] = [];
    for version in ["", "-1", "1.0 ", "1.0\n", "a1", "1/2"] {
        let keys = json!({"since_version": version});
        assert_eq!(faults(keys), ["/since_version"], "{version:?}");
    }
    for distribution in ["", "sid\nVersion: 2", "a b"] {
        let keys = json!({"target_distribution": distribution});
        assert_eq!(faults(keys), ["/target_distribution"], "{distribution:?}");
    }
    for keys in [
        json!({}),
        json!({"since_version": null, "target_distribution": null, "environment": null}),
        json!({"since_version": "1:2.10~rc1+b1-3", "target_distribution": "bookworm-backports"}),
    ] {
        assert_eq!(faults(keys.clone()), none, "{keys}");
    }
    for keys in [
        json!({"input": {}}),
        json!({"input": {"source_artifact": [1]}}),
        json!({"backend": "docker"}),
    ] {
        assert_ne!(faults(keys.clone()), none, "{keys}");
    }
    assert_unknown_keys_are_refused::<MakeSourcePackageUpload>(&with(&json!({})));
}

#[test]
fn needs_dpkgs_tools_on_the_worker() {
    let worker = WorkerMetadata::offering::<MakeSourcePackageUpload>();
    let task = configure::<MakeSourcePackageUpload>(&with(&json!({}))).unwrap();
    assert_eq!(task.lacking(worker), ["makesourcepackageupload:available"]);
    let found = MakeSourcePackageUpload::analyze_worker(&Metadata::default()).unwrap();
    assert_eq!(
        found.value("makesourcepackageupload:available"),
        Some(&json!(
            is_available("dpkg-source") && is_available("dpkg-genchanges")
        ))
    );
}

#[test]
fn an_input_of_the_wrong_kind_is_a_config_error() {
    let store = TempDir::new().unwrap();
    let file = empty_file(store.path(), "hello_1.0_amd64.deb");
    let fault = |category: &str| {
        let artifacts = vec![artifact(category, vec![file.clone()])];
        execute(&json!({}), artifacts).config_fault()
    };
    assert!(
        fault("debian:binary-package").starts_with("/input/source_artifact: `1` is an artifact of")
    );
    assert_eq!(
        fault("debian:upload"),
        "/input/source_artifact: the artifact has no `.dsc` file"
    );
}

#[test]
fn a_name_that_leads_elsewhere_is_an_error() {
    let store = TempDir::new().unwrap();
    let text = "Source: ../../x\nVersion: 1\n";
    let dsc = text_file(store.path(), "x.dsc", text);
    let run = execute(
        &json!({}),
        vec![artifact("debian:source-package", vec![dsc])],
    );
    let message = run.error();
    assert!(message.contains("can name a file"), "{message}");
}

#[test]
fn says_what_it_does_in_a_line() {
    let task = configure::<MakeSourcePackageUpload>(
        &json!({"input": {"source_artifact": 1}, "target_distribution": "sid"}),
    )
    .unwrap();
    assert_eq!(task.label().unwrap(), "make an upload of artifact 1 to sid");
}
