//! Real uploads, made with dpkg's tools, and read by others.

use super::merge;
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use taskbay_debian::{ControlFile, artifact_of_file};
use taskbay_test::{Execution, has_tools, native_architecture, packages};
use tempfile::TempDir;

const CONTROL: &str = "Source: tiny\nMaintainer: A Person <a@example.org>\nStandards-Version: 4.6.2\n\n\
    Package: tiny\nArchitecture: any\nDescription: greets\n Prints a greeting.\n\n\
    Package: tiny-data\nArchitecture: all\nDescription: greetings\n What is printed.\n";
/// Enough for both packages, without debhelper.
const RULES: &str = "#!/usr/bin/make -f\nclean build build-arch build-indep:\n\n\
    binary: binary-arch binary-indep\nbinary-arch: tiny.deb\nbinary-indep: tiny-data.deb\n\n%.deb:\n\
    \tmkdir -p debian/$*/DEBIAN\n\tdpkg-gencontrol -p$* -Pdebian/$*\n\
    \tdpkg-deb --root-owner-group --build debian/$* ..\n";

/// The `.changes` files of a source package, of what is for all architectures, and of what is for this one.
fn changes(store: &Path) -> Option<Vec<PathBuf>> {
    if !has_tools(&["dpkg-buildpackage", "dpkg-source", "make", "mergechanges"]) {
        return None;
    }
    let files = [("debian/rules", RULES), ("debian/control", CONTROL)];
    packages::source(store, "tiny_1.0.dsc", &files);
    let native = native_architecture();
    let builds = [("source", "source"), ("all", "all"), ("any", &*native)];
    let changes = builds.map(|(build, suffix)| {
        let built = Command::new("dpkg-buildpackage")
            .args([
                "--unsigned-source",
                "--unsigned-changes",
                "--no-check-builddeps",
            ])
            .arg(format!("--build={build}"))
            .current_dir(store.join("tiny-1.0"))
            .output()
            .unwrap();
        assert!(built.status.success(), "{built:?}");
        store.join(format!("tiny_1.0_{suffix}.changes"))
    });
    Some(changes.into())
}

fn merge_files(changes: &[PathBuf]) -> Execution {
    let artifacts = changes.iter().map(|file| artifact_of_file(file).unwrap());
    merge(artifacts.collect())
}

/// All fields, each without the blanks around it.
fn fields(changes: &Path) -> Value {
    let mut fields = ControlFile::read(changes).unwrap().fields();
    for value in fields.as_object_mut().unwrap().values_mut() {
        if let Some(text) = value.as_str() {
            *value = text.trim().into();
        }
    }
    fields
}

#[test]
fn merges_as_mergechanges_does() {
    let store = TempDir::new().unwrap();
    let Some(changes) = changes(store.path()) else {
        return;
    };
    let run = merge_files(&changes);
    assert!(run.is_success());
    let upload = run.upload();
    assert_eq!(upload.category, "debian:upload");
    assert_eq!(upload.data["type"], "dpkg");
    let merged = &upload.files[0];
    assert!(merged.ends_with("tiny_1.0_multi.changes"));
    // Three of the source with its `.buildinfo`, two packages and two `.buildinfo`.
    assert_eq!(upload.files.len(), 8, "{:?}", upload.files);

    let output = Command::new("mergechanges").args(&changes).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{output:?}");
    let theirs = store.path().join("theirs.changes");
    fs::write(&theirs, output.stdout).unwrap();
    assert_eq!(fields(merged), fields(&theirs));

    let mut relations = run.server.relations();
    relations.sort_unstable();
    relations.dedup();
    assert_eq!(relations, [(101, 1), (101, 2), (101, 3)]);
}

#[test]
fn what_is_merged_can_be_read_by_devscripts_and_merged_again() {
    let store = TempDir::new().unwrap();
    let Some(changes) = changes(store.path()) else {
        return;
    };
    if !has_tools(&["dcmd", "debdiff"]) {
        return;
    }
    let run = merge_files(&changes);
    assert!(run.is_success());
    let merged = &run.upload().files[0];
    let listed = Command::new("dcmd").arg("ls").arg(merged).output().unwrap();
    assert!(listed.status.success(), "{listed:?}");
    assert_eq!(String::from_utf8_lossy(&listed.stdout).lines().count(), 8);
    let compared = Command::new("debdiff")
        .arg("--no-conf")
        .args([merged, merged])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&compared.stdout);
    assert!(said.contains("File lists identical"), "{compared:?}");

    let again = merge_files(&[merged.clone(), changes[0].clone()]);
    assert!(again.is_success());
    let again = again.upload();
    assert_eq!(fields(&again.files[0]), fields(merged));
}
