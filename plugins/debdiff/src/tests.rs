//! Configure and execute, in process, with the real debdiff on real packages.

mod packages;

use crate::{Debdiff, is_success};
use packages::{changes, deb, source};
use serde_json::{Value, json};
use std::{fs, os::unix::process::ExitStatusExt, path::PathBuf, process::ExitStatus, sync::Arc};
use taskbay_plugin_api::{Abort, Artifact, Context, Metadata, Task, TaskError, is_available};
use taskbay_test::{FIRST_UPLOAD, FakeServer};
use tempfile::TempDir;

fn configure(data: Value) -> Result<Debdiff, serde_json::Error> {
    serde_json::from_value(data)
}

fn artifact(category: &str, files: Vec<PathBuf>) -> Artifact {
    Artifact::new(category, json!({}), files)
}

/// Executes where these artifacts are 1, 2, …
fn execute(
    data: Value,
    artifacts: Vec<Artifact>,
) -> (Result<bool, TaskError>, Arc<FakeServer>, TempDir) {
    let server = Arc::new(FakeServer::new(artifacts));
    let work = TempDir::new().unwrap();
    let context = Context::new(work.path(), Abort::new()).with_server(server.clone());
    let task = configure(data).unwrap();
    assert_eq!(task.check(), []);
    (task.execute(&context), server, work)
}

/// Executes to the end: whether it was a success, the data of the artifact, the report, and what it relates to.
fn compare(data: Value, artifacts: Vec<Artifact>) -> (bool, Value, String, Vec<u64>) {
    let (result, server, _work) = execute(data, artifacts);
    let success = result.unwrap();
    let [upload] = &server.uploads()[..] else {
        panic!("not one upload");
    };
    assert_eq!(upload.category, "debian:debdiff");
    let targets = server.relations().into_iter().map(|(from, to)| {
        assert_eq!(from, FIRST_UPLOAD);
        to
    });
    let report = fs::read_to_string(&upload.files[0]).unwrap();
    (success, upload.data.clone(), report, targets.collect())
}

fn tools_are_missing() -> bool {
    let missing = ["debdiff", "dpkg-deb", "dpkg-source"]
        .into_iter()
        .find(|tool| !is_available(tool));
    if let Some(tool) = missing {
        eprintln!("skipped: {tool} is not installed");
    }
    missing.is_some()
}

#[test]
fn compares_source_packages() {
    if tools_are_missing() {
        return;
    }
    let store = TempDir::new().unwrap();
    let artifacts = ["1.0", "1.1"]
        .map(|version| artifact("debian:source-package", source(store.path(), version)));
    let data = json!({"input": {"source_artifacts": [1, 2]}});
    let (success, data, report, targets) = compare(data, artifacts.into());
    assert!(success);
    assert_eq!(
        data,
        json!({"original": "hello_1.0.dsc", "new": "hello_1.1.dsc"})
    );
    assert!(report.contains("-1.0\n"), "{report}");
    assert!(report.contains("+1.1\n"), "{report}");
    assert_eq!(targets, [1, 2]);
}

#[test]
fn flags_reach_debdiff() {
    if tools_are_missing() || !is_available("diffstat") {
        return;
    }
    let store = TempDir::new().unwrap();
    let artifacts = ["1.0", "1.1"]
        .map(|version| artifact("debian:source-package", source(store.path(), version)));
    let data = json!({"input": {"source_artifacts": [1, 2]}, "extra_flags": ["--diffstat"]});
    let (success, _, report, _) = compare(data, artifacts.into());
    assert!(success);
    assert!(report.contains("2 files changed"), "{report}");
}

#[test]
fn a_package_equals_itself() {
    if tools_are_missing() {
        return;
    }
    let store = TempDir::new().unwrap();
    let deb = deb(store.path(), "hello", "1.0", &["usr/bin/hello"]);
    let artifacts = vec![artifact("debian:binary-package", vec![deb])];
    let data = json!({"input": {"binary_artifacts": [1, 1]}});
    let (success, data, report, targets) = compare(data, artifacts);
    assert!(success);
    assert_eq!(
        data,
        json!({"original": "hello_1.0_amd64.deb", "new": "hello_1.0_amd64.deb"})
    );
    assert!(report.contains("File lists identical"), "{report}");
    assert_eq!(targets, [1]);
}

#[test]
fn compares_groups_of_binary_packages() {
    if tools_are_missing() {
        return;
    }
    let store = TempDir::new().unwrap();
    let debs = [
        deb(
            store.path(),
            "hello",
            "1.0",
            &["usr/bin/hello", "usr/share/greeting"],
        ),
        deb(store.path(), "hello", "1.1", &["usr/bin/hello"]),
        deb(
            store.path(),
            "hello-data",
            "1.1",
            &["usr/share/greeting", "usr/share/farewell"],
        ),
    ];
    let artifacts = debs.map(|deb| artifact("debian:binary-package", vec![deb]));
    let data = json!({"input": {"binary_artifacts": [1, [2, 3]]}, "extra_flags": ["--show-moved"]});
    let (success, data, report, targets) = compare(data, artifacts.into());
    assert!(success);
    assert_eq!(
        data,
        json!({
            "original": "hello_1.0_amd64.deb",
            "new": "hello_1.1_amd64.deb hello-data_1.1_amd64.deb",
        })
    );
    assert!(report.contains("/usr/share/farewell"), "{report}");
    assert!(
        report.contains("Files moved from package hello to package hello-data"),
        "{report}"
    );
    assert_eq!(targets, [1, 2, 3]);
}

#[test]
fn compares_uploads_by_their_changes_files() {
    if tools_are_missing() {
        return;
    }
    let store = TempDir::new().unwrap();
    let upload = |version: &str, files: &[&str]| {
        let mut files = vec![deb(store.path(), "hello", version, files)];
        files.push(changes(store.path(), version, &files));
        artifact("debian:upload", files)
    };
    let artifacts = vec![
        upload("1.0", &["usr/bin/hello"]),
        upload("1.1", &["usr/bin/hallo"]),
    ];
    let data = json!({"input": {"binary_artifacts": [1, 2]}});
    let (success, data, report, _) = compare(data, artifacts);
    assert!(success);
    assert_eq!(
        data,
        json!({"original": "hello_1.0_amd64.changes", "new": "hello_1.1_amd64.changes"})
    );
    assert!(report.contains("/usr/bin/hallo"), "{report}");
}

#[test]
fn what_debdiff_cannot_read_is_a_failure() {
    if tools_are_missing() {
        return;
    }
    let store = TempDir::new().unwrap();
    let deb = store.path().join("hello_1.0_amd64.deb");
    fs::write(&deb, "no package").unwrap();
    let artifacts = vec![artifact("debian:binary-package", vec![deb])];
    let (result, ..) = execute(json!({"input": {"binary_artifacts": [1, 1]}}), artifacts);
    assert!(!result.unwrap());
}

#[test]
fn a_signal_is_an_error() {
    assert!(is_success(ExitStatus::from_raw(0)).unwrap());
    assert!(is_success(ExitStatus::from_raw(1 << 8)).unwrap());
    assert!(!is_success(ExitStatus::from_raw(255 << 8)).unwrap());
    let error = is_success(ExitStatus::from_raw(15)).unwrap_err();
    assert!(error.message().contains("SIGTERM"), "{}", error.message());
}

#[test]
fn an_input_of_the_wrong_kind_is_a_config_error() {
    let store = TempDir::new().unwrap();
    let file = |name: &str| {
        let file = store.path().join(name);
        fs::write(&file, "").unwrap();
        file
    };
    let artifacts = vec![
        artifact("debian:package-build-log", vec![file("hello.build")]),
        artifact("debian:source-package", vec![file("hello_1.0.dsc")]),
        artifact("debian:upload", vec![file("hello_1.0_source.changes")]),
        artifact("debian:binary-package", vec![]),
        artifact("debian:binary-package", vec![file("hello_1.0_amd64.deb")]),
    ];
    let fault = |input: Value| match execute(json!({"input": input}), artifacts.clone()).0 {
        Err(TaskError::Config(error)) => error.to_string(),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        fault(json!({"source_artifacts": [2, 1]})),
        "/input/source_artifacts/1: `1` is an artifact of category `debian:package-build-log`, and only these can be \
         compared here: debian:source-package, debian:upload"
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
fn takes_two_artifacts_of_one_kind() {
    let faults = |input: Value| -> Vec<String> {
        let task = configure(json!({"input": input})).unwrap();
        task.check().iter().map(ToString::to_string).collect()
    };
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
fn defaults_are_filled_in() {
    let input = json!({"source_artifacts": null, "binary_artifacts": [[1, "./b.deb"], 3]});
    let task = configure(json!({"input": input})).unwrap();
    assert_eq!(
        serde_json::to_value(task).unwrap(),
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
        assert!(configure(data.clone()).is_err(), "{data}");
    }
}

#[test]
fn needs_debdiff_on_the_worker_or_else_an_executor() {
    let keys = |data: Value| -> Vec<String> {
        let requirements = configure(data).unwrap().requirements();
        requirements
            .iter()
            .map(|requirement| requirement.key().as_str().to_owned())
            .collect()
    };
    let mut data = json!({"input": {"source_artifacts": [1, 2]}});
    assert_eq!(keys(data.clone()), ["debdiff:available"]);
    data["environment"] = json!("debian/match:codename=sid");
    assert_eq!(keys(data.clone()), ["executor:unshare:available"]);
    let (result, server, _work) = execute(data, Vec::new());
    let message = result.unwrap_err().message();
    assert!(message.contains("leave `environment` out"), "{message}");
    assert!(server.uploads().is_empty());
    let found = Debdiff::analyze_worker(&Metadata::default()).unwrap();
    assert_eq!(
        found.value("debdiff:available"),
        Some(&json!(is_available("debdiff")))
    );
}
