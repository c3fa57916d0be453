//! The Debian packages, installed with apt in a fresh root, used, and purged.
//!
//! Needs root, mmdebstrap, cargo-deb and a Debian mirror; where one is missing the test says so and is skipped.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    dead_code,
    unused_imports,
    reason = "a test that cannot go on fails, and one that is skipped says so; of the farm only a part is used here"
)]

#[path = "../it/farm.rs"]
mod farm;
#[path = "../it/unruly.rs"]
mod unruly;

/// A fresh Debian root.
mod fresh_root;

use farm::{built, root};
use fresh_root::FreshRoot;
use std::{
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, PoisonError},
};
use taskbay_test::{packages, skip_not_installed};

/// Builds the packages of what the suite has built.
fn build_packages(into: &Path) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let profile = built().file_name().unwrap();
    let done = Command::new(root().join("scripts/packages"))
        .arg("--built")
        .arg(profile)
        .arg(into)
        .env("CARGO_TARGET_DIR", built().parent().unwrap())
        .output()
        .unwrap();
    assert!(done.status.success(), "{done:?}");
}

fn has_cargo_deb() -> bool {
    let asked = Command::new("cargo").args(["deb", "--version"]).output();
    asked.is_ok_and(|asked| asked.status.success())
}

/// A fresh root in which apt finds the packages; where there can be none, that is said.
fn fresh_root() -> Option<FreshRoot> {
    if !has_cargo_deb() {
        skip_not_installed("cargo-deb is not installed; `make test` installs it");
        return None;
    }
    let fresh = FreshRoot::new()?;
    // One of ours that was built before gives way, and those of others stay.
    let stranger = packages::deb(&fresh.packages(), "stranger_1_all.deb", &[]);
    let old = packages::deb(&fresh.packages(), "taskbay-task-noop_0.0.1_all.deb", &[]);
    build_packages(&fresh.packages());
    assert!(stranger.is_file() && !old.exists());
    fresh.index_packages();
    Some(fresh)
}

#[track_caller]
fn assert_steps(said: &str, steps: &[&str]) {
    for step in steps {
        assert!(said.contains(&format!("step: {step}")), "{step}: {said}");
    }
}

#[test]
fn installed_used_and_purged() {
    let Some(fresh) = fresh_root() else { return };
    let said = fresh.run(include_str!("scenario.sh"));
    assert_steps(
        &said,
        &[
            "exactly the installed task is listed, and runs",
            "a worker offers what is installed, and no longer what is removed",
            "installing anew keeps the settings and the user",
            "purging leaves nothing",
            "a user that was there before is used, and stays",
            "every task's package can be installed with what it needs",
        ],
    );
}

/// From nothing but the packages, Rust, and what cargo has fetched for the suite.
#[test]
fn a_new_task_is_written_and_installed() {
    let Some(mut fresh) = fresh_root() else {
        return;
    };
    let toolchain = Command::new("rustc").args(["--print", "sysroot"]).output();
    let toolchain = String::from_utf8(toolchain.unwrap().stdout).unwrap();
    fresh.bind(Path::new(toolchain.trim()), "rust/toolchain");
    let home = env::var_os("HOME").map(|home| Path::new(&home).join(".cargo"));
    let cargo = env::var_os("CARGO_HOME").map(PathBuf::from).or(home);
    fresh.bind(&cargo.unwrap(), "rust/cargo");
    fresh.bind(&root().join("tests/packages/author"), "author");
    let cargo_deb = fresh.path().join("usr/local/bin/cargo-deb");
    fs::copy(find("cargo-deb"), cargo_deb).unwrap();
    let said = fresh.run(include_str!("author.sh"));
    assert_steps(
        &said,
        &[
            "a task is written, and its tests pass",
            "it passes: passed up to level ",
            "it is installed and runs",
        ],
    );
    // How long it took is seen also where all is well.
    io::stderr().write_all(said.as_bytes()).ok();
}

/// A program on the search path.
fn find(program: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap();
    let mut files = env::split_paths(&path).map(|directory| directory.join(program));
    files.find(|file| file.is_file()).unwrap()
}
