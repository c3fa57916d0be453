//! The Debian packages, installed with apt in a fresh root, used, and purged.
//!
//! Needs root, or unprivileged user namespaces, and a Debian mirror; where one is missing the test says so and is skipped.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
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
use std::{path::Path, process::Command};

/// Builds the packages of what the suite has built.
fn build_packages(into: &Path) {
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

#[test]
fn installed_used_and_purged() {
    if !has_cargo_deb() {
        eprintln!("skipped: cargo-deb is not installed; `make test` installs it");
        return;
    }
    let fresh = match FreshRoot::new() {
        Ok(fresh) => fresh,
        Err(why) => {
            eprintln!("skipped: there is no fresh Debian root to be had: {why}");
            return;
        }
    };
    build_packages(&fresh.packages());
    fresh.index_packages();
    let steps = fresh.run(include_str!("scenario.sh"));
    for step in [
        "exactly the installed task is listed, and runs",
        "a worker offers what is installed, and no longer what is removed",
        "purging leaves nothing",
    ] {
        assert!(steps.contains(&format!("step: {step}")), "{steps}");
    }
}
