//! With dpkg's real tools on real packages.

use super::execute;
use serde_json::{Value, json};
use std::{fs, path::Path};
use taskbay_plugin_api::Artifact;
use taskbay_test::{Execution, artifact, environment, has_tools, names_in, packages};
use tempfile::TempDir;

const CHANGELOG: &str = "tiny (1.2) unstable; urgency=high\n\n  * Third.\n\n\
    \x20-- A Person <a@example.org>  Wed, 03 Jan 2024 00:00:00 +0000\n\n\
    tiny (1.1) unstable; urgency=low\n\n  * Second.\n\n\
    \x20-- A Person <a@example.org>  Tue, 02 Jan 2024 00:00:00 +0000\n\n\
    tiny (1.0) unstable; urgency=low\n\n  * First.\n\n\
    \x20-- A Person <a@example.org>  Mon, 01 Jan 2024 00:00:00 +0000\n";

fn source(store: &Path) -> Option<Artifact> {
    if !has_tools(&["dpkg-source", "dpkg-genchanges"]) {
        return None;
    }
    let files = packages::source(store, "tiny_1.2.dsc", &[("debian/changelog", CHANGELOG)]);
    Some(artifact("debian:source-package", files))
}

/// The fields of the one upload, which is checked for what is the same in all.
fn fields(run: &Execution) -> Value {
    assert!(run.is_success());
    let upload = run.upload();
    assert_eq!(upload.category, "debian:upload");
    assert_eq!(upload.data["type"], "dpkg");
    assert_eq!(
        names_in(&upload),
        ["tiny_1.2_source.changes", "tiny_1.2.dsc", "tiny_1.2.tar.xz"]
    );
    // It extends the source package, and relates to it.
    assert_eq!(run.server.relations(), [(101, 1), (101, 1)]);
    let fields = upload.data["changes_fields"].clone();
    assert_eq!(fields["Architecture"], "source");
    assert_eq!(fields["Version"], "1.2");
    fields
}

fn tells(fields: &Value, entry: &str) -> bool {
    fields["Changes"].as_str().unwrap().contains(entry)
}

#[test]
fn makes_an_upload_of_the_newest_version() {
    let store = TempDir::new().unwrap();
    let Some(source) = source(store.path()) else {
        return;
    };
    let fields = fields(&execute(&json!({}), vec![source]));
    assert_eq!(fields["Distribution"], "unstable");
    assert!(tells(&fields, "* Third."), "{fields}");
    assert!(!tells(&fields, "* Second."), "{fields}");
}

#[test]
fn tells_the_changes_since_a_version_and_the_distribution() {
    let store = TempDir::new().unwrap();
    let Some(source) = source(store.path()) else {
        return;
    };
    let keys = json!({"since_version": "1.0", "target_distribution": "bookworm-backports"});
    let fields = fields(&execute(&keys, vec![source]));
    assert_eq!(fields["Distribution"], "bookworm-backports");
    assert!(tells(&fields, "* Second."), "{fields}");
    assert!(!tells(&fields, "* First."), "{fields}");
}

#[test]
fn includes_the_original_archive_of_a_later_revision() {
    let store = TempDir::new().unwrap();
    if !has_tools(&["dpkg-source", "dpkg-genchanges"]) {
        return;
    }
    // With an older revision below it, dpkg would leave the archive out.
    let changelog = CHANGELOG.replace("1.2", "1.2-2").replace("1.1", "1.2-1");
    let original = store.path().join("tiny_1.2.orig.tar.gz");
    let tree = store.path().join("tiny-1.2");
    fs::create_dir(&tree).unwrap();
    fs::write(tree.join("greeting"), "hello").unwrap();
    let mut pack = std::process::Command::new("tar");
    pack.arg("-czf").arg(&original).arg("tiny-1.2");
    assert!(pack.current_dir(store.path()).status().unwrap().success());
    let files = [
        ("debian/changelog", &*changelog),
        ("debian/source/format", "3.0 (quilt)\n"),
    ];
    packages::source(store.path(), "tiny_1.2.dsc", &files);
    let files = [
        "tiny_1.2-2.dsc",
        "tiny_1.2.orig.tar.gz",
        "tiny_1.2-2.debian.tar.xz",
    ];
    let files = files.map(|name| store.path().join(name));
    let source = artifact("debian:source-package", files.into());
    let run = execute(&json!({}), vec![source]);
    assert!(run.is_success());
    let upload = run.upload();
    assert!(upload.files[0].ends_with("tiny_1.2-2_source.changes"));
    assert!(
        upload
            .files
            .iter()
            .any(|file| file.ends_with("tiny_1.2.orig.tar.gz"))
    );
}

#[test]
fn a_source_package_that_is_broken_is_a_failure() {
    let store = TempDir::new().unwrap();
    let Some(source) = source(store.path()) else {
        return;
    };
    fs::write(&source.files[1], "no archive").unwrap();
    let run = execute(&json!({}), vec![source]);
    assert!(!run.is_success());
    run.assert_logged("the source package makes no upload: dpkg-source ended with");
    assert!(run.server.uploads().is_empty());
}

#[test]
fn a_source_package_under_another_name_is_a_failure() {
    let store = TempDir::new().unwrap();
    let Some(source) = source(store.path()) else {
        return;
    };
    // The file that the upload would name is not there under its name.
    let other = store.path().join("other.dsc");
    fs::rename(&source.files[0], &other).unwrap();
    let source = artifact(
        "debian:source-package",
        vec![other, source.files[1].clone()],
    );
    let run = execute(&json!({}), vec![source]);
    assert!(!run.is_success());
    run.assert_logged("dpkg-genchanges ended with");
}

#[test]
fn runs_in_a_real_environment() {
    let Some(environment) = environment() else {
        return;
    };
    let store = TempDir::new().unwrap();
    let Some(source) = source(store.path()) else {
        return;
    };
    let keys = json!({"environment": 2, "since_version": "1.1", "target_distribution": "sid"});
    let run = execute(&keys, vec![source, environment]);
    let fields = fields(&run);
    assert_eq!(fields["Distribution"], "sid");
    assert!(tells(&fields, "* Third."), "{fields}");
    let here = run.work.path().join("unpacked");
    assert!(!here.exists(), "it was unpacked inside");
}
