//! Configure and execute, in process, with the real blhc.

use crate::{Blhc, meaning};
use serde_json::{Value, json};
use std::fs;
use taskbay_debian::Meaning;
use taskbay_plugin_api::{Metadata, Task, is_available};
use taskbay_test::{
    Execution, FIRST_UPLOAD, WorkerMetadata, artifact, assert_unknown_keys_are_refused, configure,
    environment, has_tools, text_file,
};
use tempfile::TempDir;

const HEAD: &str = "dpkg-buildpackage: info: source package hello\n\
                    dpkg-buildpackage: info: source version 1.0-1\n\
                    dpkg-buildpackage: info: host architecture amd64\n";
const HARDENED: &str = "gcc -g -O2 -fstack-protector-strong -Wformat -Werror=format-security \
                        -Wdate-time -D_FORTIFY_SOURCE=2 -c -o hello.o hello.c\n\
                        gcc -g -O2 -Wl,-z,relro -o hello hello.o\n";
const BARE: &str = "gcc -g -O2 -c -o hello.o hello.c\n";

/// Executes with an artifact 1 of that category and with one file.
fn execute(data: &Value, category: &str, file: &str, text: &str) -> Execution {
    let store = TempDir::new().unwrap();
    let file = text_file(store.path(), file, text);
    let mut artifact = artifact(category, vec![file]);
    artifact.data = json!({"source": "hello", "version": "1.0-1", "filename": "x.build", "architecture": "amd64"});
    let artifacts = vec![artifact];
    configure::<Blhc>(data).unwrap().execute(artifacts)
}

/// Executes on a build log and gives the result and the report, or nothing where blhc is missing.
fn check_log(data: &Value, lines: &str) -> Option<(bool, String)> {
    if !has_tools(&["blhc"]) {
        return None;
    }
    let text = format!("{HEAD}{lines}");
    let run = execute(
        data,
        "debian:package-build-log",
        "hello_1.0-1_amd64.build",
        &text,
    );
    let (success, upload) = (run.is_success(), run.upload());
    assert_eq!(upload.category, "debian:blhc");
    let of = json!({"source": "hello", "version": "1.0-1", "architecture": "amd64"});
    assert_eq!(upload.data, of);
    assert_eq!(upload.files, [run.work.path().join("blhc.txt")]);
    assert_eq!(run.server.relations(), [(FIRST_UPLOAD, 1)]);
    Some((success, fs::read_to_string(&upload.files[0]).unwrap()))
}

#[test]
fn a_hardened_log_is_a_success() {
    if let Some(found) = check_log(&json!({"input": {"artifact": 1}}), HARDENED) {
        assert_eq!(found, (true, String::new()));
    }
}

#[test]
fn a_log_without_compiler_lines_is_a_success() {
    if let Some((success, report)) = check_log(&json!({"input": {"artifact": 1}}), "") {
        assert!(success);
        assert_eq!(report, "No compiler commands!\n");
    }
}

#[test]
fn missing_flags_are_a_failure_and_are_reported() {
    if let Some((success, report)) = check_log(&json!({"input": {"artifact": 1}}), BARE) {
        assert!(!success);
        assert!(
            report.contains("CPPFLAGS missing (-D_FORTIFY_SOURCE=2)"),
            "{report}"
        );
    }
}

#[test]
fn flags_reach_blhc() {
    let data = json!({
        "input": {"artifact": 1},
        "extra_flags": ["--bindnow", "--line-numbers", "--debian"],
    });
    if let Some((success, report)) = check_log(&data, HARDENED) {
        assert!(!success);
        assert!(
            report.starts_with("5:LDFLAGS missing (-Wl,-z,now)"),
            "{report}"
        );
    }
    let data = json!({"input": {"artifact": 1}, "extra_flags": ["--buildd"]});
    if let Some((success, report)) = check_log(&data, BARE) {
        assert!(success);
        assert!(report.contains("W-dpkg-buildflags-missing"), "{report}");
    }
}

#[test]
fn defaults_are_filled_in() {
    let task = configure::<Blhc>(&json!({"input": {"artifact": "./hello.build"}})).unwrap();
    assert_eq!(
        task.data(),
        json!({
            "input": {"artifact": "./hello.build"},
            "extra_flags": [],
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
        json!({"input": {}}),
        json!({"input": {"artifact": 1, "artifacts": [1]}}),
        json!({"input": {"artifact": 1}, "extra_flags": ["--ignore-flag"]}),
        json!({"input": {"artifact": 1}, "backend": "docker"}),
    ] {
        assert!(configure::<Blhc>(&data).is_err(), "{data}");
    }
    assert_unknown_keys_are_refused::<Blhc>(&json!({"input": {"artifact": 1}}));
    let schema = Blhc::schema().unwrap().to_string();
    assert!(schema.contains("--line-numbers") && !schema.contains("--ignore-flag"));
}

#[test]
fn needs_blhc_on_the_worker() {
    let task = configure::<Blhc>(&json!({"input": {"artifact": 1}})).unwrap();
    let worker = WorkerMetadata::offering::<Blhc>;
    let none: [&str; 0] = [];
    assert_eq!(task.lacking(worker().with("blhc:available", true)), none);
    let verdict = task.verdict(&worker().with("blhc:available", false).build());
    assert_eq!(
        verdict.reasons[0].message,
        "`blhc:available` is false, wanted: true: blhc is not installed on the worker"
    );
    let found = Blhc::analyze_worker(&Metadata::default()).unwrap();
    assert_eq!(
        found.value("blhc:available"),
        Some(&json!(is_available("blhc")))
    );
}

#[test]
fn is_installed_and_runs_in_a_real_environment() {
    let Some(environment) = environment() else {
        return;
    };
    let store = TempDir::new().unwrap();
    let log = text_file(store.path(), "x.build", &format!("{HEAD}{BARE}"));
    let artifacts = vec![artifact("debian:package-build-log", vec![log]), environment];
    let data = json!({"input": {"artifact": 1}, "environment": 2});
    let run = configure::<Blhc>(&data).unwrap().execute(artifacts);
    assert!(!run.is_success());
    run.assert_logged("Setting up blhc");
    assert_eq!(run.upload().category, "debian:blhc");
    let left = run.work.path().join("environment");
    assert!(!left.exists(), "the environment is gone");
}

#[test]
fn an_input_of_the_wrong_kind_is_a_config_error() {
    let fault = |category: &str, file: &str| {
        let data = json!({"input": {"artifact": 1}});
        execute(&data, category, file, HEAD).config_fault()
    };
    assert_eq!(
        fault("debian:upload", "x.build"),
        "/input/artifact: `1` is an artifact of category `debian:upload`, and must be one of these: debian:package-build-log"
    );
    assert_eq!(
        fault("debian:package-build-log", "x.txt"),
        "/input/artifact: the artifact has no `.build` file"
    );
}

#[test]
fn a_missing_artifact_is_an_error() {
    let data = json!({"input": {"artifact": 2}});
    let run = execute(&data, "debian:package-build-log", "x.build", HEAD);
    assert_eq!(run.error(), "no artifact 2");
}

#[test]
fn a_number_of_an_error_is_no_finding() {
    for code in [0, 1] {
        assert_eq!(meaning(code), Meaning::Success);
    }
    for code in [8, 4 | 32, 32 | 1] {
        assert!(matches!(meaning(code), Meaning::Failure(_)), "{code}");
    }
    // Its arguments were wrong, or it died.
    for code in [2, 10, 13, 64, 255] {
        assert!(matches!(meaning(code), Meaning::Error(_)), "{code}");
    }
}

#[test]
fn says_what_it_does_in_a_line() {
    let task = configure::<Blhc>(&json!({"input": {"artifact": "./logs/hello.build"}})).unwrap();
    assert_eq!(task.label().unwrap(), "check the hardening in hello.build");
}
