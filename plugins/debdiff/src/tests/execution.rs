//! With the real debdiff on real packages.

use super::execute;
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
};
use taskbay_plugin_api::Artifact;
use taskbay_test::{FIRST_UPLOAD, artifact, packages, text_file};
use tempfile::TempDir;

/// Builds the package `name` of that version, with an empty file under each path.
fn deb(store: &Path, name: &str, version: &str, files: &[&str]) -> PathBuf {
    let files: Vec<_> = files.iter().map(|file| (*file, "")).collect();
    packages::deb(store, &format!("{name}_{version}_amd64.deb"), &files)
}

/// The source package `hello` of that version, which stands in a file of it, too.
fn source(store: &Path, version: &str) -> Artifact {
    let dsc = format!("hello_{version}.dsc");
    let files = packages::source(store, &dsc, &[("greeting", version)]);
    artifact("debian:source-package", files)
}

/// Writes the `.changes` file of that version, which names these files.
fn changes(store: &Path, version: &str, files: &[PathBuf]) -> PathBuf {
    let mut text = format!("Format: 1.8\nSource: hello\nVersion: {version}\nFiles:\n");
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap();
        text.extend([
            " d41d8cd98f00b204e9800998ecf8427e 0 misc optional ",
            name,
            "\n",
        ]);
    }
    text_file(store, &format!("hello_{version}_amd64.changes"), &text)
}

/// Executes to the end: whether it was a success, the data of the artifact, the report, and what it relates to.
fn compare(data: &Value, artifacts: Vec<Artifact>) -> (bool, Value, String, Vec<u64>) {
    let run = execute(data, artifacts);
    let (success, upload) = (run.is_success(), run.upload());
    assert_eq!(upload.category, "debian:debdiff");
    let targets = run.server.relations().into_iter().map(|(from, to)| {
        assert_eq!(from, FIRST_UPLOAD);
        to
    });
    let report = fs::read_to_string(&upload.files[0]).unwrap();
    (success, upload.data, report, targets.collect())
}

fn has_tools() -> bool {
    taskbay_test::has_tools(&["debdiff", "dpkg-deb", "dpkg-source"])
}

#[test]
fn compares_source_packages() {
    if !has_tools() {
        return;
    }
    let store = TempDir::new().unwrap();
    let artifacts = ["1.0", "1.1"].map(|version| {
        let mut source = source(store.path(), version);
        source.data = json!({"name": "hello", "version": version});
        source
    });
    let data = json!({"input": {"source_artifacts": [1, 2]}});
    let (success, data, report, targets) = compare(&data, artifacts.into());
    assert!(success);
    assert_eq!(
        data,
        json!({
            "original": "hello_1.0.dsc", "new": "hello_1.1.dsc", "label": "debdiff hello: 1.0 \u{2192} 1.1 (source)",
        })
    );
    assert!(report.contains("-1.0\n"), "{report}");
    assert!(report.contains("+1.1\n"), "{report}");
    assert_eq!(targets, [1, 2]);
}

#[test]
fn flags_reach_debdiff() {
    if !has_tools() || !taskbay_test::has_tools(&["diffstat"]) {
        return;
    }
    let store = TempDir::new().unwrap();
    let artifacts = ["1.0", "1.1"].map(|version| source(store.path(), version));
    let data = json!({"input": {"source_artifacts": [1, 2]}, "extra_flags": ["--diffstat"]});
    let (success, _, report, _) = compare(&data, artifacts.into());
    assert!(success);
    assert!(report.contains("2 files changed"), "{report}");
}

#[test]
fn a_package_equals_itself() {
    if !has_tools() {
        return;
    }
    let store = TempDir::new().unwrap();
    let deb = deb(store.path(), "hello", "1.0", &["usr/bin/hello"]);
    let artifacts = vec![artifact("debian:binary-package", vec![deb])];
    let data = json!({"input": {"binary_artifacts": [1, 1]}});
    let (success, data, report, targets) = compare(&data, artifacts);
    assert!(success);
    assert_eq!(
        data,
        json!({"original": "hello_1.0_amd64.deb", "new": "hello_1.0_amd64.deb", "label": null})
    );
    assert!(report.contains("File lists identical"), "{report}");
    assert_eq!(targets, [1]);
}

#[test]
fn compares_groups_of_binary_packages() {
    if !has_tools() {
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
    let (success, data, report, targets) = compare(&data, artifacts.into());
    assert!(success);
    assert_eq!(
        data,
        json!({
            "original": "hello_1.0_amd64.deb",
            "new": "hello_1.1_amd64.deb hello-data_1.1_amd64.deb",
            "label": null,
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
    if !has_tools() {
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
    let (success, data, report, _) = compare(&data, artifacts);
    assert!(success);
    assert_eq!(
        data,
        json!({"original": "hello_1.0_amd64.changes", "new": "hello_1.1_amd64.changes", "label": null})
    );
    assert!(report.contains("/usr/bin/hallo"), "{report}");
}

#[test]
fn what_debdiff_cannot_read_is_an_error() {
    if !has_tools() {
        return;
    }
    let store = TempDir::new().unwrap();
    let deb = text_file(store.path(), "hello_1.0_amd64.deb", "no package");
    let artifacts = vec![artifact("debian:binary-package", vec![deb])];
    let run = execute(&json!({"input": {"binary_artifacts": [1, 1]}}), artifacts);
    let message = run.error();
    assert!(message.contains("debdiff could not compare"), "{message}");
    assert!(run.server.uploads().is_empty());
}
