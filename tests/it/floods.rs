//! A plugin that says more than anybody can read keeps nobody from looking at the time.

use crate::{farm::Farm, unruly};
use std::{
    io::Read,
    process::{ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Ten times what any of these needs, whose own limits are a second or two.
const LIMIT: Duration = Duration::from_secs(30);

/// Runs a command whose standard error is read slowly.
fn read_slowly(farm: &Farm, arguments: &[&str]) -> ExitStatus {
    let mut child = farm
        .command(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = child.stderr.take().unwrap();
    thread::spawn(move || {
        let mut chunk = [0; 2048];
        while stderr.read(&mut chunk).is_ok_and(|read| read > 0) {
            thread::sleep(Duration::from_millis(10));
        }
    });
    let until = Instant::now() + LIMIT;
    while Instant::now() < until {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    panic!("{arguments:?} was still running after {LIMIT:?}");
}

fn execution(action: &str) {
    let farm = Farm::with(&["noop"]);
    farm.add_unruly("none");
    let data = format!(r#"{{"action": "{action}"}}"#);
    let name = unruly::name("none");
    let arguments = ["run", &name, &data, "--timeout", "1", "--grace", "0"];
    assert_eq!(read_slowly(&farm, &arguments).code(), Some(7));
    farm.assert_noop_runs();
}

#[test]
fn an_execution_that_prints_without_end_is_timed_out() {
    execution("flood");
}

#[test]
fn an_execution_that_logs_without_end_is_timed_out() {
    execution("log-flood");
}

#[test]
fn a_constructor_that_prints_without_end_is_given_up() {
    let farm = Farm::with(&["noop"]);
    farm.add_unruly("constructor-floods");
    let name = unruly::name("constructor-floods");
    let arguments = ["schema", &name, "--plugin-timeout", "1", "-vv"];
    assert_eq!(read_slowly(&farm, &arguments).code(), Some(5));
    farm.assert_noop_runs();
}
