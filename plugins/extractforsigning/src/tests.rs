//! Configure and execute, in process, with real packages.

use crate::ExtractForSigning;
use serde_json::{Value, json};
use std::{fs, os::unix::fs::symlink, path::Path};
use taskbay_plugin_api::{Artifact, Task};
use taskbay_test::{
    Execution, WorkerMetadata, artifact, assert_unknown_keys_are_refused, configure, environment,
    faults, has_tools, names_in, packages, with_value,
};
use tempfile::TempDir;

fn data() -> Value {
    json!({"input": {"template_artifact": 1, "binary_artifacts": [2]}})
}

/// A template that names these files of the package `tiny`.
fn template(store: &Path, files: &[&str]) -> Artifact {
    let files: Vec<_> = files
        .iter()
        .map(|file| json!({"sig_type": "efi", "file": file}))
        .collect();
    let text = json!({"packages": {"tiny": {"trusted_certs": ["abc"], "files": files}}});
    let path = "usr/share/code-signing/tiny-template/files.json";
    let deb = packages::deb(
        store,
        "tiny-template_1.0_amd64.deb",
        &[(path, &text.to_string())],
    );
    artifact("debian:binary-package", vec![deb])
}

/// The package `tiny`, with a kernel and with links to it, to the outside and to a directory.
fn tiny(store: &Path) -> Artifact {
    let boot = store.join("tiny_1.0_amd64/boot");
    fs::create_dir_all(&boot).unwrap();
    symlink("vmlinuz", boot.join("latest")).unwrap();
    symlink("/etc/passwd", boot.join("outside")).unwrap();
    symlink("../../..", boot.join("up")).unwrap();
    symlink(".", boot.join("here")).unwrap();
    let deb = packages::deb(store, "tiny_1.0_amd64.deb", &[("boot/vmlinuz", "kernel")]);
    artifact("debian:binary-package", vec![deb])
}

fn extract(files: &[&str]) -> Option<Execution> {
    if !has_tools(&["dpkg-deb"]) {
        return None;
    }
    let store = TempDir::new().unwrap();
    let artifacts = vec![template(store.path(), files), tiny(store.path())];
    Some(
        configure::<ExtractForSigning>(&data())
            .unwrap()
            .execute(artifacts),
    )
}

#[test]
fn takes_out_what_the_template_names() {
    let Some(run) = extract(&["boot/vmlinuz", "boot/latest"]) else {
        return;
    };
    assert!(run.is_success());
    let input = run.upload();
    assert_eq!(input.category, "debusine:signing-input");
    let wanted = json!({"trusted_certs": ["abc"], "binary_package_name": "tiny"});
    assert_eq!(input.data, wanted);
    let wanted = ["tiny/boot/vmlinuz", "tiny/boot/latest"];
    assert_eq!(names_in(&input), wanted);
    for file in &input.files {
        assert_eq!(fs::read_to_string(file).unwrap(), "kernel");
    }
    assert_eq!(run.server.relations(), [(101, 1), (101, 2)]);
}

/// As sbuild of Debusine 0.16 gives it: one artifact, with packages that nothing is taken of.
#[test]
fn finds_the_package_among_others_of_an_upload() {
    if !has_tools(&["dpkg-deb"]) {
        return;
    }
    let store = TempDir::new().unwrap();
    let template = template(store.path(), &["boot/vmlinuz"]);
    let mut upload = tiny(store.path());
    upload.category = "debian:upload".to_owned();
    let other = packages::deb(store.path(), "other_1.0_amd64.deb", &[]);
    upload.files.insert(0, other);
    upload.files.extend(template.files.clone());
    let run = configure::<ExtractForSigning>(&data())
        .unwrap()
        .execute(vec![template, upload]);
    assert!(run.is_success());
    assert_eq!(run.upload().files.len(), 1);
}

#[test]
fn nothing_outside_of_the_package_is_taken() {
    for (file, why) in [
        ("boot/outside", "leads out of the package"),
        ("boot/up/etc/passwd", "is not there"),
        ("boot/up/tiny", "is not there"),
        ("boot/up", "leads out of the package"),
        ("boot/here", "is no regular file"),
        ("boot/missing", "is not there"),
        ("/etc/passwd", "could lead elsewhere"),
        ("../etc/passwd", "could lead elsewhere"),
        ("boot/../vmlinuz", "could lead elsewhere"),
        ("", "could lead elsewhere"),
    ] {
        let Some(run) = extract(&["boot/vmlinuz", file]) else {
            return;
        };
        let message = run.error();
        assert!(message.contains(why), "{file}: {message}");
        assert!(run.server.uploads().is_empty(), "{file}");
    }
}

#[test]
fn a_package_that_is_not_there_is_a_config_error() {
    if !has_tools(&["dpkg-deb"]) {
        return;
    }
    let store = TempDir::new().unwrap();
    let template = template(store.path(), &["boot/vmlinuz"]);
    let other = packages::deb(store.path(), "other_1.0_amd64.deb", &[]);
    let other = artifact("debian:binary-package", vec![other]);
    let run = configure::<ExtractForSigning>(&data())
        .unwrap()
        .execute(vec![template, other]);
    assert_eq!(
        run.config_fault(),
        "/input/binary_artifacts: has no package `tiny`, of which the template names files"
    );
}

#[test]
fn takes_backend_auto_alone_and_one_package_at_least() {
    let with = |pointer: &str, value: Value| {
        faults::<ExtractForSigning>(&with_value(data(), pointer, value))
    };
    let none: [&str; 0] = [];
    assert_eq!(with("/environment", json!(3)), none);
    assert_eq!(
        with("/backend", json!("unshare")),
        ["/backend: must be `auto`"]
    );
    assert_eq!(
        with("/input/binary_artifacts", json!([])),
        ["/input/binary_artifacts: names no package to take files out of"]
    );
    assert_unknown_keys_are_refused::<ExtractForSigning>(&data());
}

#[test]
fn needs_dpkg_deb_on_the_worker() {
    let worker = WorkerMetadata::offering::<ExtractForSigning>();
    let task = configure::<ExtractForSigning>(&data()).unwrap();
    assert_eq!(task.lacking(worker), ["extractforsigning:available"]);
}

#[test]
fn runs_in_a_real_environment() {
    let Some(environment) = environment() else {
        return;
    };
    let store = TempDir::new().unwrap();
    let run = |file: &str| {
        let store = TempDir::new_in(store.path()).unwrap();
        let artifacts = vec![
            template(store.path(), &[file]),
            tiny(store.path()),
            environment.clone(),
        ];
        let mut data = data();
        data["environment"] = json!(3);
        configure::<ExtractForSigning>(&data)
            .unwrap()
            .execute(artifacts)
    };
    let taken = run("boot/vmlinuz");
    assert!(taken.is_success());
    assert_eq!(taken.server.uploads().len(), 1);
    let message = run("boot/outside").error();
    assert!(message.contains("leads out of the package"), "{message}");
}

#[test]
fn says_what_it_does_in_a_line() {
    let task = configure::<ExtractForSigning>(
        &json!({"input": {"template_artifact": "./t.deb", "binary_artifacts": [1]}}),
    )
    .unwrap();
    assert_eq!(
        task.label().unwrap(),
        "extract what is to be signed by t.deb"
    );
}
