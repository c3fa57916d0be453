//! The tasks that are shipped, on real input.

use crate::farm::Farm;
use serde_json::Value;
use std::{fs, path::Path};
use taskbay_test::packages;

/// Whether the tool is there; says so where not.
fn has(tool: &str) -> bool {
    let found = Path::new("/usr/bin").join(tool).exists();
    if !found {
        eprintln!("skipped: {tool} is not installed");
    }
    found
}

/// Makes a source package of that version, with a line of text in it.
fn source_package(farm: &Farm, version: &str, line: &str) -> String {
    let dsc = format!("tiny_{version}.dsc");
    packages::source(&farm.here(), &dsc, &[("greeting", line)]);
    format!("./{dsc}")
}

#[test]
fn lintian_on_a_source_package() {
    if !has("lintian") {
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
    if !has("debdiff") {
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
    if !has("blhc") {
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
