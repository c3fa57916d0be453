//! What is installed: as Debian packages, and each part by itself.

use super::offering;
use crate::{
    api::LIMIT,
    farm::{Farm, Ran, built, root},
    packages::python_packages,
    site::{Site, until},
    unruly,
};
use serde_json::json;
use std::{process::Command, thread, time::Duration};

/// The command, a plugin, the module and the app as Debian packages: the settings name the app, and no more is needed.
#[test]
fn debian_packages_are_all_that_is_needed() {
    let Some(site) = Site::start_installed() else {
        return;
    };
    let id = site.server.submit("sleep", &json!({"seconds": 1}));
    let (_, listed) = site.get("/taskbay/1.0/tasks/");
    let file = "/usr/lib/taskbay/tasks/libtaskbay_task_sleep.so";
    assert_eq!(listed["tasks"][0]["file"], file, "{listed}");
    let can = site.worker("can", &offering(&["sleep"]));
    until(LIMIT, "it is given to nobody", || {
        site.request(id)["worker"].as_i64()
    });
    assert_eq!(can.takes(), Some(id));
    let places = "import taskbay, taskbay_debusine as app; print(taskbay.__file__, app.__file__)";
    let words = ["python3", "-c", places];
    let system = site.server.system;
    let found = system.command(site.server.folder(), &words).output();
    let found = found.unwrap();
    let found = String::from_utf8(found.stdout).unwrap();
    assert_eq!(found.matches("/usr/lib/python3/dist-packages/").count(), 2);
}

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
    let system = site.server.system;
    Ran::of(&mut system.command(site.server.folder(), &words)).succeeds();
}

/// The Python module's own tests.
#[test]
fn the_module_by_itself() {
    let Some(packages) = python_packages() else {
        return;
    };
    let farm = Farm::with(&["sleep"]);
    let fault = "can-run-crashes";
    farm.add_unruly(fault);
    // Who watches takes what has just been written for what is still written to.
    thread::sleep(Duration::from_secs(1));
    let mut tests = Command::new("python3");
    tests
        .arg(root().join("python/tests/test_taskbay.py"))
        .env("PYTHONPATH", packages)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("HOME", farm.path("home"))
        .env("TASKBAY_TEST_PROGRAM", built().join("taskbay"))
        .env("TASKBAY_TEST_PLUGINS", farm.plugins())
        .env("TASKBAY_TEST_CRASHING", unruly::name(fault));
    Ran::of(&mut tests).succeeds();
}
