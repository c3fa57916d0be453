//! The tasks that are shipped, on real input.

use crate::farm::{Farm, root};
use serde_json::Value;
use std::{fs, process::Command};
use taskbay_test::{has_tools, packages};
use tempfile::TempDir;

/// Makes a source package of that version, with a line of text in it.
fn source_package(farm: &Farm, version: &str, line: &str) -> String {
    let dsc = format!("tiny_{version}.dsc");
    packages::source(&farm.here(), &dsc, &[("greeting", line)]);
    format!("./{dsc}")
}

#[test]
fn lintian_on_a_source_package() {
    if !has_tools(&["lintian", "dpkg-source"]) {
        return;
    }
    let farm = Farm::with(&["lintian"]);
    let dsc = source_package(&farm, "1.0", "First.");
    let run = |severity: &str| {
        let data = format!(
            r#"{{"input": {{"source_artifact": "{dsc}"}}, "fail_on_severity": "{severity}"}}"#
        );
        farm.run(&["run", "lintian", &data, "--json"])
    };
    let ran = run("none");
    ran.succeeds();
    let json = ran.json();
    assert_eq!(json["artifacts"][0]["category"], "debian:lintian");
    let analysis = fs::read(farm.here().join("lintian-output/analysis.json")).unwrap();
    let analysis: Value = serde_json::from_slice(&analysis).unwrap();
    assert!(!analysis["tags"].as_array().unwrap().is_empty());
    assert!(
        analysis["summary"]["tags_count_by_severity"]["warning"]
            .as_u64()
            .unwrap()
            > 0,
        "{analysis:#}"
    );
    assert!(farm.here().join("lintian-output/lintian.txt").exists());
    let failed = run("warning");
    assert_eq!(
        (failed.code, &failed.json()["result"]),
        (Some(1), &"failure".into())
    );
    let missing = farm.run(&[
        "run",
        "lintian",
        r#"{"input": {"source_artifact": "./gone.dsc"}}"#,
    ]);
    missing.fails(1, &["gone.dsc"]);
}

#[test]
fn debdiff_between_two_versions() {
    if !has_tools(&["debdiff", "dpkg-source"]) {
        return;
    }
    let farm = Farm::with(&["debdiff"]);
    let (old, new) = (
        source_package(&farm, "1.0", "First."),
        source_package(&farm, "1.1", "Second."),
    );
    let data = format!(r#"{{"input": {{"source_artifacts": ["{old}", "{new}"]}}}}"#);
    farm.run(&["run", "debdiff", &data]).succeeds();
    let text = fs::read_to_string(farm.here().join("debdiff-output/debdiff.txt")).unwrap();
    assert!(text.contains("+Second."), "{text}");
}

#[test]
fn blhc_on_a_build_log() {
    if !has_tools(&["blhc"]) {
        return;
    }
    let farm = Farm::with(&["blhc"]);
    fs::write(
        farm.here().join("x.build"),
        "dpkg-buildpackage: info: source package x\ngcc -c x.c\n",
    )
    .unwrap();
    let ran = farm.run(&[
        "run",
        "blhc",
        r#"{"input": {"artifact": "./x.build"}}"#,
        "--json",
    ]);
    assert_eq!(
        (ran.code, &ran.json()["result"]),
        (Some(1), &"failure".into()),
        "{ran:#?}"
    );
    assert!(
        fs::read_to_string(farm.here().join("blhc-output/blhc.txt"))
            .unwrap()
            .contains("CFLAGS missing")
    );
}

/// The demonstration fetches a source package from there.
#[test]
fn the_mirror_is_debians_own() {
    let apt = TempDir::new().unwrap();
    let lists = apt.path().join("sources.list.d");
    fs::create_dir(&lists).unwrap();
    let mirror = || {
        let script = root().join("test/src/debian-mirror");
        let found = Command::new(script).arg(apt.path()).output().unwrap();
        assert!(found.status.success(), "{found:?}");
        String::from_utf8(found.stdout).unwrap().trim().to_owned()
    };
    assert_eq!(mirror(), "");
    let write = |name: &str, text: &str| fs::write(apt.path().join(name), text).unwrap();
    write(
        "sources.list.d/a.sources",
        "Types: deb\nURIs: https://third.example/node\nSuites: nodistro\nComponents: main\n",
    );
    write(
        "sources.list.d/a.list",
        "deb https://third.example/docker bookworm stable\n",
    );
    assert_eq!(mirror(), "");
    write(
        "sources.list.d/z.list",
        "# deb http://comment.example/debian bookworm main\n\
         deb http://other.example/debian bookworm contrib main\n",
    );
    assert_eq!(mirror(), "http://other.example/debian");
    write(
        "sources.list",
        "deb cdrom:[Debian 12]/ bookworm main\n\
         deb http://list.example/debian-security bookworm-security main\n\
         deb [arch=amd64 signed-by=/a.gpg] http://list.example/debian bookworm main\n",
    );
    assert_eq!(mirror(), "http://list.example/debian");
    write(
        "sources.list.d/debian.sources",
        "Types: deb\nURIs: http://off.example/debian\nSuites: sid\nComponents: main\nEnabled: no\n\n\
         Types: deb\nURIs: http://own.example/debian-security\nSuites: trixie-security\nComponents: main\n\n\
         Types: deb\n# a comment\nURIs:\n http://own.example/debian\n http://second.example\n\
         Suites: trixie-updates\n trixie\nComponents: main\n",
    );
    assert_eq!(mirror(), "http://own.example/debian");
}

#[test]
fn mergeuploads_on_files() {
    let farm = Farm::with(&["mergeuploads"]);
    let empty = "d41d8cd98f00b204e9800998ecf8427e";
    for (version, part) in [("1.0", "a"), ("1.0", "b"), ("1.1", "c")] {
        fs::write(farm.here().join(format!("{part}.deb")), "").unwrap();
        let text = format!(
            "Format: 1.8\nSource: tiny\nVersion: {version}\nFiles:\n {empty} 0 misc optional {part}.deb\n"
        );
        fs::write(farm.here().join(format!("{part}.changes")), text).unwrap();
    }
    let data = |other: &str| {
        format!(r#"{{"input": {{"uploads": ["./a.changes", "./{other}.changes"]}}}}"#)
    };
    farm.run(&["run", "mergeuploads", &data("b")]).succeeds();
    for name in ["a.deb", "b.deb", "tiny_1.0_multi.changes"] {
        let file = farm.here().join("mergeuploads-output").join(name);
        assert!(file.exists(), "{name}");
    }
    let refused = farm.run(&["run", "mergeuploads", &data("c")]);
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stdout.contains("/input/uploads/1: has the Version"),
        "{}",
        refused.stdout
    );
}

#[test]
fn an_upload_that_a_task_made_is_merged_by_another() {
    if !has_tools(&["dpkg-source", "dpkg-genchanges"]) {
        return;
    }
    let farm = Farm::with(&["mergeuploads", "makesourcepackageupload"]);
    let dsc = source_package(&farm, "1.0", "First.");
    let data =
        format!(r#"{{"input": {{"source_artifact": "{dsc}"}}, "target_distribution": "sid"}}"#);
    farm.run(&["run", "makesourcepackageupload", &data])
        .succeeds();
    let made = "makesourcepackageupload-output/tiny_1.0_source.changes";
    let data = format!(r#"{{"input": {{"uploads": ["./{made}"]}}}}"#);
    farm.run(&["run", "mergeuploads", &data]).succeeds();
    let merged = farm
        .here()
        .join("mergeuploads-output/tiny_1.0_multi.changes");
    let text = fs::read_to_string(merged).unwrap();
    assert!(text.contains("\nDistribution: sid\n"), "{text}");
}
