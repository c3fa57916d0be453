//! Real builds, in a real environment.

use super::*;
use std::fs;
use taskbay_plugin_api::Artifact;
use taskbay_test::{Execution, environment, execute, has_tools, native_architecture, packages};

/// A source package with these further fields, whose `rules` are these.
fn source(directory: &Path, fields: &str, rules: &str) -> Artifact {
    let rules = format!("#!/usr/bin/make -f\n{rules}");
    let control = format!(
        "Source: tiny\nMaintainer: A Person <a@example.org>\nStandards-Version: 4.6.2\n{fields}\nPackage: tiny\n\
         Architecture: any\nDescription: greets\n Prints a greeting.\n"
    );
    let files = [("debian/rules", &*rules), ("debian/control", &control)];
    let files = packages::source(directory, "tiny_1.0.dsc", &files);
    taskbay_debian::artifact_of_file(&files[0]).unwrap()
}

/// Enough of `rules` for a package, without debhelper, which would have to be fetched.
const RULES: &str = "clean build build-arch build-indep:\n\nbinary-indep:\n\nbinary binary-arch:\n\
    \tmkdir -p debian/tiny/DEBIAN\n\techo 'tiny 1.0' >debian/tiny/greeting\n\tdpkg-gencontrol -Pdebian/tiny\n\
    \tdpkg-deb --root-owner-group --build debian/tiny ..\n";

fn build(rules: &str) -> Option<Execution> {
    build_with("", rules)
}

fn build_with(fields: &str, rules: &str) -> Option<Execution> {
    // As a local file, which says nothing of what is in it.
    let environment = Artifact::new("file", json!({}), environment()?.files);
    if !has_tools(&["sbuild", "dpkg-source"]) {
        return None;
    }
    let top = tempfile::tempdir().unwrap();
    let mut data = minimal();
    data["build_architecture"] = native_architecture().into();
    let source = source(top.path(), fields, rules);
    Some(execute(&task(&data), vec![source, environment]))
}

fn categories(execution: &Execution) -> Vec<String> {
    let uploads = execution.server.uploads();
    uploads.into_iter().map(|upload| upload.category).collect()
}

#[test]
fn builds_a_package_and_gives_all_that_came_of_it() {
    let Some(execution) = build(RULES) else {
        return;
    };
    assert!(execution.is_success());
    assert_eq!(
        categories(&execution),
        [
            "debian:package-build-log",
            "debian:binary-package",
            "debian:binary-packages",
            "debian:upload",
            "debusine:signing-input"
        ]
    );
    let [log, package, together, upload, _] = &execution.server.uploads()[..] else {
        panic!("not five");
    };
    assert_eq!(
        (&log.data["source"], &log.data["version"]),
        (&json!("tiny"), &json!("1.0"))
    );
    assert_eq!(log.data["architecture"], native_architecture());
    assert_eq!(package.data["deb_fields"]["Package"], "tiny");
    assert_eq!(together.data["packages"], json!(["tiny"]));
    assert_eq!(upload.data["changes_fields"]["Distribution"], "bookworm");
    // As a Debusine worker relates them.
    let relations = execution.server.relations();
    for relation in [
        (101, 1),
        (105, 104),
        (102, 1),
        (101, 102),
        (101, 104),
        (104, 102),
        (103, 1),
        (101, 103),
        (104, 103),
    ] {
        assert!(
            relations.contains(&relation),
            "{relation:?} of {relations:?}"
        );
    }
    let tmp = fs::read_dir(execution.work.path().join("tmp")).unwrap();
    assert_eq!(
        tmp.count(),
        1,
        "what sbuild unpacked is gone, and its configuration is left"
    );
}

#[test]
fn a_package_that_does_not_build_is_a_failure_with_its_log() {
    let Some(execution) = build("%:\n\techo this is broken; false\n") else {
        return;
    };
    assert!(!execution.is_success());
    assert_eq!(categories(&execution), ["debian:package-build-log"]);
    let log = fs::read_to_string(&execution.server.uploads()[0].files[0]).unwrap();
    assert!(log.contains("this is broken"), "{log}");
}

/// Files named as logs, which `.changes` lists and sbuild therefore copies.
#[test]
fn a_package_does_not_write_its_own_log() {
    let rules = format!(
        "{RULES}\tfor log in tiny_1.0_{} zzz; do \\\n\
         \t\tyes 'Status: successful' | head -c 1000000 >../$$log.build; \\\n\
         \t\tdpkg-distaddfile $$log.build devel optional; \\\n\tdone\n",
        native_architecture()
    );
    let Some(execution) = build(&rules) else {
        return;
    };
    let log = fs::read_to_string(&execution.server.uploads()[0].files[0]).unwrap();
    assert!(log.contains("| Summary"), "{log}");
    assert!(!log.contains("Status: successful\nStatus: successful"));
}

#[test]
fn a_build_dependency_that_is_nowhere_is_explained() {
    let Some(execution) = build_with("Build-Depends: taskbay-no-such-package\n", RULES) else {
        return;
    };
    assert!(!execution.is_success());
    assert_eq!(categories(&execution), ["debian:package-build-log"]);
    let why = &execution.server.uploads()[0].data["bd_uninstallable"];
    let missing = &why["report"][0]["reasons"][0]["missing"]["pkg"];
    let missing = missing["unsat-dependency"].as_str().unwrap_or_default();
    assert!(missing.starts_with("taskbay-no-such-package"), "{why:#}");
}

#[test]
fn a_broken_environment_is_an_error() {
    if !has_tools(&["sbuild", "newuidmap", "dpkg-source"]) {
        return;
    }
    let top = tempfile::tempdir().unwrap();
    // An upload says the name and the version elsewhere than a source package does.
    let files = source(top.path(), "", RULES).files;
    let source = Artifact::new("debian:upload", json!({"type": "dpkg"}), files);
    let broken = top.path().join("system.tar.xz");
    fs::write(&broken, "no tarball").unwrap();
    let environment = Artifact::new("debian:system-tarball", json!({}), vec![broken]);
    let mut data = minimal();
    data["build_architecture"] = native_architecture().into();
    let execution = execute(&task(&data), vec![source, environment]);
    let [log] = &execution.server.uploads()[..] else {
        panic!("not one");
    };
    assert_eq!([&log.data["source"], &log.data["version"]], ["tiny", "1.0"]);
    let message = execution.result.unwrap_err().message();
    assert!(message.contains("failed at `create-session`"), "{message}");
}
