//! One bad file never hides a good one: each is a row with file, reason and remedy.

use crate::{
    farm::{Farm, Ran, built},
    unruly,
};
use rustix::process::geteuid;
use serde_json::Value;
use std::{
    fs,
    os::unix::{
        fs::{PermissionsExt, symlink},
        net::UnixListener,
    },
    path::Path,
    process::Command,
};

/// Asserts that a file is refused for a reason with that part, without being loaded, next to a good one.
#[track_caller]
fn check(make: impl FnOnce(&Path), reason: &str) {
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
fn assert_rejected(row: &Value, reason: &str) {
    assert_eq!(row["status"], "rejected", "{row:#}");
    assert!(
        row["reason"].as_str().unwrap().contains(reason),
        "no {reason:?} in {row:#}"
    );
    assert!(row["help"].as_str().unwrap().len() > 10, "{row:#}");
}

fn noop() -> Vec<u8> {
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
        "it was built for plugin API 2.0.0, and this host speaks 1.0.0",
    );
    check(
        noted(r#""api":"1."#, r#""api":"0."#),
        "it was built for plugin API 0.0.0",
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
            unruly::replace(&mut bytes, r#""version":1,"#, r#""version":2,"#),
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
fn writable_by_others() {
    let open = |mode| {
        move |file: &Path| {
            fs::write(file, noop()).unwrap();
            fs::set_permissions(file, fs::Permissions::from_mode(mode)).unwrap();
        }
    };
    check(open(0o666), "is writable by everybody");
    check(open(0o664), "is writable by its group");
    let farm = Farm::with(&["noop"]);
    fs::set_permissions(farm.plugins(), fs::Permissions::from_mode(0o777)).unwrap();
    assert_rejected(
        &farm.row("libtaskbay_task_noop.so", false),
        "plugins is writable by everybody",
    );
    farm.run(&["run", "noop", "{}"])
        .fails(3, &["1 are not used"]);
    farm.run(&["run", "noop", "{}", "--allow-insecure"])
        .succeeds();
}

/// Whoever may replace a link decides what is loaded, as much as whoever may replace its target.
#[test]
fn a_link_where_others_may_write() {
    let farm = Farm::with(&["noop"]);
    let open = farm.path("open");
    fs::create_dir(&open).unwrap();
    let link = open.join("link.so");
    symlink(farm.plugins().join("libtaskbay_task_noop.so"), &link).unwrap();
    let list = |farm: &Farm| {
        let mut command = farm.command(&["list", "--json"]);
        Ran::of(command.env("TASKBAY_PLUGIN_PATH", &open)).json()["tasks"][0].clone()
    };
    assert_eq!(list(&farm)["status"], "ok");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
    assert_rejected(&list(&farm), "open is writable by everybody");
    farm.run(&["inspect", link.to_str().unwrap()])
        .fails(4, &["open is writable by everybody"]);
}

#[test]
fn owned_by_another() {
    if !geteuid().is_root() {
        eprintln!("skipped: only root can give files away");
        return;
    }
    let given = |file: &Path| {
        fs::write(file, noop()).unwrap();
        std::os::unix::fs::chown(file, Some(65534), None).unwrap();
    };
    check(given, "belongs to user 65534");
}

/// As a plain user: root reads everything.
#[test]
fn unreadable() {
    let farm = Farm::with(&["noop"]);
    let bad = farm.plugins().join("bad.so");
    fs::write(&bad, noop()).unwrap();
    fs::set_permissions(&bad, fs::Permissions::from_mode(0o000)).unwrap();
    let list = |farm: &Farm| {
        let mut list = farm.command(&["list", "--json"]);
        if !geteuid().is_root() {
            return Ran::of(&mut list);
        }
        // The binary lies where only root may look, so a copy is run.
        let program = farm.path("taskbay");
        fs::copy(built().join("taskbay"), &program).unwrap();
        let mut plain = Command::new("setpriv");
        plain
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .arg(program)
            .args(list.get_args());
        plain
            .env("TASKBAY_PLUGIN_PATH", farm.plugins())
            .env("HOME", "/nonexistent")
            .current_dir("/");
        Ran::of(&mut plain)
    };
    let listed = list(&farm).succeeds().json();
    let rows = listed["tasks"].as_array().unwrap();
    assert_rejected(&rows[0], "it cannot be read: Permission denied");
    assert_eq!(rows[1]["status"], "ok", "{listed:#}");

    fs::set_permissions(farm.plugins(), fs::Permissions::from_mode(0o700)).unwrap();
    if geteuid().is_root() {
        let ran = list(&farm);
        ran.succeeds();
        assert_eq!(ran.json()["findings"].as_array().unwrap().len(), 1);
        assert!(ran.stderr.contains("plugin directory"), "{ran:?}");
    }
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
