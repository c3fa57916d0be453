//! What is installed, by itself.

use crate::{
    farm::{Farm, built, root},
    site::{Site, packages},
    unruly,
};
use std::{process::Command, thread, time::Duration};

/// The app's own tests, in the server's system and with its database.
#[test]
fn the_app_by_itself() {
    let Some(site) = Site::start(&["noop", "sleep"], "") else {
        return;
    };
    let fault = "can-run-crashes";
    site.drop_file("crashes.so", &unruly::bytes(fault));
    let copied = Command::new("cp")
        .arg("-a")
        .arg(root().join("debusine-app/tests"))
        .arg(site.path("tests"))
        .status();
    assert!(copied.unwrap().success());
    let crashing = format!("TASKBAY_TEST_CRASHING={}", unruly::name(fault));
    let words = [
        "env",
        &crashing,
        "python3",
        "-m",
        "unittest",
        "discover",
        "/srv/tests",
    ];
    let ran = site
        .server
        .system
        .command(site.server.folder(), &words)
        .output()
        .unwrap();
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
}

/// The Python module's own tests.
#[test]
fn the_module_by_itself() {
    let Some(packages) = packages() else { return };
    let farm = Farm::with(&["sleep"]);
    let fault = "can-run-crashes";
    farm.add_unruly(fault);
    // Who watches takes what has just been written for what is still written to.
    thread::sleep(Duration::from_secs(1));
    let ran = Command::new("python3")
        .arg(root().join("python/tests/test_taskbay.py"))
        .env("PYTHONPATH", packages)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("HOME", farm.path("home"))
        .env("TASKBAY_TEST_PROGRAM", built().join("taskbay"))
        .env("TASKBAY_TEST_PLUGINS", farm.plugins())
        .env("TASKBAY_TEST_CRASHING", unruly::name(fault))
        .output()
        .unwrap();
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
}
