//! With the real lintian on real packages.

use super::execute;
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
};
use taskbay_plugin_api::Artifact;
use taskbay_test::{FIRST_UPLOAD, artifact, packages, text_file};
use tempfile::TempDir;

/// Builds a package without a copyright file, which is an error, and with an override of another one.
fn deb(store: &Path, name: &str, architecture: &str) -> PathBuf {
    let overrides = format!("usr/share/lintian/overrides/{name}");
    let overridden = format!("# The administrator\n# asked for it.\n{name}: file-in-usr-local\n");
    packages::deb(
        store,
        &format!("{name}_1.0_{architecture}.deb"),
        &[("usr/local/greeting", ""), (&overrides, &overridden)],
    )
}

/// Builds a source package without a copyright file, which is a warning.
fn source(store: &Path) -> Vec<PathBuf> {
    packages::source(store, "hello_1.0.dsc", &[])
}

/// The `analysis.json` of an artifact, which has a `lintian.txt` beside it.
fn analysis(artifact: &Artifact) -> Value {
    assert_eq!(artifact.category, "debian:lintian");
    let [analysis, output] = &artifact.files[..] else {
        panic!("{artifact:?}");
    };
    assert!(analysis.ends_with("analysis.json"), "{analysis:?}");
    assert!(output.ends_with("lintian.txt"), "{output:?}");
    serde_json::from_slice(&fs::read(analysis).unwrap()).unwrap()
}

fn find<'a>(analysis: &'a Value, tag: &str) -> &'a Value {
    let mut tags = analysis["tags"].as_array().unwrap().iter();
    tags.find(|found| found["tag"] == tag).unwrap()
}

fn has_tools() -> bool {
    taskbay_test::has_tools(&["lintian", "dpkg-deb", "dpkg-source"])
}

#[test]
fn makes_an_analysis_per_kind_of_package() {
    if !has_tools() {
        return;
    }
    let store = TempDir::new().unwrap();
    let artifacts = vec![
        artifact("debian:source-package", source(store.path())),
        artifact(
            "debian:binary-package",
            vec![deb(store.path(), "hello", "amd64")],
        ),
        artifact(
            "debian:binary-package",
            vec![deb(store.path(), "hello-data", "all")],
        ),
    ];
    let data = json!({
        "input": {"source_artifact": 1, "binary_artifacts": [2, 3]},
        "target_distribution": "debian:bookworm",
    });
    let run = execute(&data, artifacts);
    assert!(run.is_success());
    let uploads = run.server.uploads();
    let architectures: Vec<_> = uploads
        .iter()
        .map(|upload| &upload.data["architecture"])
        .collect();
    assert_eq!(architectures, ["source", "all", "amd64"]);
    // As a Debusine worker relates them.
    let mut relations = run.server.relations();
    relations.sort_unstable();
    let each = (FIRST_UPLOAD..).take(3);
    let all = each.flat_map(|upload| (1..=3).map(move |input| (upload, input)));
    assert_eq!(relations, all.collect::<Vec<_>>());

    let source = analysis(&uploads[0]);
    let summary = &source["summary"];
    assert_eq!(*summary, uploads[0].data["summary"]);
    assert_eq!(
        summary["package_filename"],
        json!({"hello": "hello_1.0.dsc"})
    );
    assert_eq!(summary["distribution"], "debian:bookworm");
    assert!(
        summary["lintian_version"]
            .as_str()
            .unwrap()
            .starts_with("2.")
    );
    let tag = find(&source, "no-debian-copyright-in-source");
    assert_eq!(tag["package"], "hello source");
    assert_eq!(tag["severity"], "warning");
    assert!(
        tag["explanation"]
            .as_str()
            .unwrap()
            .contains("Visibility: warning")
    );

    let binary = analysis(&uploads[2]);
    assert_eq!(find(&binary, "no-copyright-file")["severity"], "error");
    let overridden = find(&binary, "file-in-usr-local");
    assert_eq!(overridden["severity"], "overridden");
    assert_eq!(overridden["comment"], "The administrator asked for it.");
    assert_eq!(overridden["pointer"], "usr/local/greeting");
    let summary = &binary["summary"];
    assert_eq!(
        summary["overridden_tags_found"],
        json!(["file-in-usr-local"])
    );
    assert_eq!(summary["tags_count_by_severity"]["overridden"], 1);
}

#[test]
fn a_tag_of_the_severity_fails_the_task_with_its_analysis_kept() {
    if !has_tools() {
        return;
    }
    let store = TempDir::new().unwrap();
    let deb = deb(store.path(), "hello", "amd64");
    let judge = |tag: &str, severity: &str| {
        let data = json!({
            "input": {"binary_artifacts": [1]},
            "include_tags": [tag],
            "fail_on_severity": severity,
        });
        let run = execute(
            &data,
            vec![artifact("debian:binary-package", vec![deb.clone()])],
        );
        let uploads = run.server.uploads();
        assert_eq!(analysis(&uploads[0])["tags"].as_array().unwrap().len(), 1);
        run.result.unwrap()
    };
    assert!(!judge("no-copyright-file", "error"));
    assert!(judge("file-in-usr-local", "experimental"));
    assert!(!judge("file-in-usr-local", "overridden"));
}

#[test]
fn makes_only_the_analyses_asked_for() {
    if !has_tools() {
        return;
    }
    let store = TempDir::new().unwrap();
    let mut files = source(store.path());
    files.push(deb(store.path(), "hello-data", "all"));
    let data = json!({
        "input": {"source_artifact": 1, "binary_artifacts": [1]},
        "output": {"source_analysis": false},
        "exclude_tags": ["no-copyright-file"],
    });
    let run = execute(&data, vec![artifact("debian:upload", files)]);
    assert!(run.is_success());
    let upload = run.upload();
    assert_eq!(upload.data["architecture"], "all");
    let found = upload.data["summary"]["tags_found"].to_string();
    assert!(found.contains("no-changelog"), "{found}");
    assert!(!found.contains("no-copyright-file"), "{found}");
}

#[test]
fn what_lintian_cannot_read_is_an_error_and_no_success() {
    if !has_tools() {
        return;
    }
    let store = TempDir::new().unwrap();
    let bad = text_file(store.path(), "bad_1.0_amd64.deb", "no package");
    let good = deb(store.path(), "hello", "amd64");
    let artifacts = [good, bad].map(|deb| artifact("debian:binary-package", vec![deb]));
    // A good package beside it, with tags or without any, does not hide it.
    for (packages, tags) in [
        (json!([1, 2]), json!([])),
        (json!([1, 2]), json!(["extra-license-file"])),
        (json!([2]), json!([])),
    ] {
        let data = json!({"input": {"binary_artifacts": packages}, "include_tags": tags});
        let run = execute(&data, artifacts.to_vec());
        assert_eq!(
            run.error(),
            "lintian could not read `bad_1.0_amd64.deb`: the log has its message"
        );
        assert!(run.server.uploads().is_empty());
    }
}
