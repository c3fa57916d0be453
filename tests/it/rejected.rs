//! One bad file never hides a good one: each is a row with file, reason and remedy.

use crate::{
    farm::{Farm, built},
    unruly,
};
use serde_json::Value;
use std::{
    fs,
    os::unix::{fs::symlink, net::UnixListener},
    path::Path,
    process::Command,
};

/// Asserts that a file is refused for a reason with that part, without being loaded, next to a good one.
#[track_caller]
pub(crate) fn check(make: impl FnOnce(&Path), reason: &str) {
    refused(make, reason, false);
}

/// Asserts that a file is refused for a reason with that part once it is loaded, next to a good one.
#[track_caller]
fn check_loaded(fault: &str, reason: &str) {
    refused(|file| unruly::write(file, fault), reason, true);
}

#[track_caller]
fn refused(make: impl FnOnce(&Path), reason: &str, load: bool) {
    let farm = Farm::with(&["noop"]);
    make(&farm.plugins().join("bad.so"));
    if load {
        assert_eq!(
            farm.row("bad.so", false)["status"],
            "ok",
            "only loading can tell"
        );
    }
    assert_rejected(&farm.row("bad.so", load), reason);
    farm.assert_noop_runs();
}

#[track_caller]
pub(crate) fn assert_rejected(row: &Value, reason: &str) {
    assert_eq!(row["status"], "rejected", "{row:#}");
    assert!(
        row["reason"].as_str().unwrap().contains(reason),
        "no {reason:?} in {row:#}"
    );
    assert!(row["help"].as_str().unwrap().len() > 10, "{row:#}");
}

pub(crate) fn noop() -> Vec<u8> {
    fs::read(built().join("libtaskbay_task_noop.so")).unwrap()
}

/// The good plugin with one text in its note replaced by another.
fn noted(old: &'static str, new: &'static str) -> impl FnOnce(&Path) {
    move |file| {
        let mut bytes = unruly::bytes("fine");
        assert_eq!(unruly::replace(&mut bytes, old, new), 1, "{old}");
        fs::write(file, bytes).unwrap();
    }
}

#[test]
fn no_shared_library() {
    check(
        |file| fs::write(file, "#!/bin/sh\n").unwrap(),
        "it does not start with an ELF header",
    );
    check(
        |file| fs::write(file, "").unwrap(),
        "it does not start with an ELF header",
    );
    check(
        |file| fs::write(file, "\x7fELF").unwrap(),
        "it does not start with an ELF header",
    );
    check(
        |file| fs::write(file, [b"\x7fELF", &[0xff; 5000][..]].concat()).unwrap(),
        "it is a 32-bit ELF file",
    );
    check(
        |file| fs::copy("/bin/true", file).map(drop).unwrap(),
        "no Taskbay plugin",
    );
}

#[test]
fn truncated() {
    check(
        |file| fs::write(file, &noop()[..100_000]).unwrap(),
        "it is truncated: it has 100000 bytes",
    );
    check(
        |file| fs::write(file, &noop()[..70]).unwrap(),
        "it is truncated: it has 70 bytes",
    );
    check(
        |file| fs::write(file, &noop()[..30]).unwrap(),
        "it does not start with an ELF header",
    );
}

#[test]
fn wrong_machine() {
    let patched = |file: &Path| {
        let mut bytes = noop();
        bytes[18] ^= 0x55;
        fs::write(file, bytes).unwrap();
    };
    check(patched, "it was built for another machine");
}

#[test]
fn no_note() {
    let build = |file: &Path| {
        let mut cc = Command::new("cc");
        let source = file.with_extension("c");
        fs::write(&source, "int nothing(void) { return 0; }\n").unwrap();
        let done = cc.args(["-shared", "-o"]).arg(file).arg(&source).status();
        assert!(done.unwrap().success());
    };
    check(build, "it has no `Taskbay` note");
}

#[test]
fn note_that_does_not_fit() {
    check(
        noted(r#""api":"1."#, r#""api":"2."#),
        "it was built for plugin API 2.1.0, and this host speaks 1.1.0",
    );
    check(
        noted(r#""api":"1."#, r#""api":"0."#),
        "it was built for plugin API 0.1.0",
    );
    check(
        noted(r#""panic":"unwind""#, r#""panic":"abort!""#),
        "it was not built with panic = \"unwind\"",
    );
    check(
        noted(
            "fine---------------------\",\"v",
            "fine. -------------------\",\"v",
        ),
        "is no task name",
    );
    check(
        noted(r#"{"name":"fine"#, r#"["name":"fine"#),
        "the manifest is malformed",
    );
}

#[test]
fn note_and_module_disagree() {
    let lies = |file: &Path| {
        let mut bytes = unruly::bytes("fine");
        assert_eq!(
            // The manifest stands near the start.
            unruly::replace(&mut bytes[..4096], r#""version":1,"#, r#""version":2,"#),
            1
        );
        fs::write(file, bytes).unwrap();
    };
    refused(
        lies,
        "its manifest says `fine---------------------` version 2, and its code says",
        true,
    );
    let lies = |file: &Path| {
        let mut bytes = unruly::bytes("fine");
        assert_eq!(
            unruly::replace(&mut bytes, r#"{"name":"fine"#, r#"{"name":"wine"#),
            1
        );
        fs::write(file, bytes).unwrap();
    };
    refused(lies, "its manifest says `wine", true);
}

#[test]
fn no_root_module() {
    let hidden = |file: &Path| {
        let mut bytes = unruly::bytes("fine");
        let symbol = "_1as_0lib_1header_0root_bmodule_bloader";
        assert!(unruly::replace(&mut bytes, symbol, &symbol.replace("root", "toor")) >= 1);
        fs::write(file, bytes).unwrap();
    };
    refused(hidden, "no root module", true);
}

#[test]
fn not_a_plain_file() {
    check(|file| fs::create_dir(file).unwrap(), "it is a directory");
    check(|file| symlink("gone", file).unwrap(), "leads nowhere");
    check(|file| symlink("bad.so", file).unwrap(), "leads nowhere");
    let fifo = |file: &Path| assert!(Command::new("mkfifo").arg(file).status().unwrap().success());
    check(fifo, "it is a FIFO");
    check(
        |file| drop(UnixListener::bind(file).unwrap()),
        "it is a socket",
    );
}

#[test]
fn faults_that_only_loading_tells() {
    check_loaded(
        "describe-panics",
        "panicked at tests/fixtures/unruly/src/lib.rs:",
    );
    check_loaded("schema-invalid", "its schema is invalid at `/type`");
    check_loaded("schema-remote", "its schema is invalid");
    check_loaded("schema-exits", "ended itself with status 0");
    check_loaded("constructor-crashes", "was killed by SIGSEGV");
    check_loaded("constructor-aborts", "was killed by SIGABRT");
    check_loaded("constructor-exits", "ended itself with status 0");
    check_loaded("constructor-hangs", "it gave no answer within 3 s");
}

/// All of them at once, and the good one is still there.
#[test]
fn all_at_once() {
    let farm = Farm::with(&["noop"]);
    let faults = [
        "describe-panics",
        "schema-invalid",
        "constructor-crashes",
        "constructor-exits",
        "schema-exits",
    ];
    for fault in faults {
        farm.add_unruly(fault);
    }
    fs::create_dir(farm.plugins().join("x.so")).unwrap();
    let listed = farm.run(&["list", "--load", "--json"]).succeeds().json();
    let rows = listed["tasks"].as_array().unwrap();
    let ok: Vec<_> = rows
        .iter()
        .filter(|row| row["status"] == "ok")
        .map(|row| &row["name"])
        .collect();
    assert_eq!(ok, ["noop"]);
    assert_eq!(rows.len(), faults.len() + 2);
    farm.assert_noop_runs();
    farm.run(&["list", "--load", "--strict"]).fails(4, &[]);
}
