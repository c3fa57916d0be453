//! What no plugin did costs none anything, and nobody else either.

use crate::{
    farm::{Farm, Ran},
    unruly,
};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::Value;
use std::{
    fs,
    process::{Child, Stdio},
    thread,
    time::Duration,
};

fn pids(text: &str) -> impl Iterator<Item = Pid> {
    let words = text.split_ascii_whitespace();
    words.filter_map(|word| Pid::from_raw(word.parse().ok()?))
}

/// The plugin host of a command, once it runs.
fn host_of(command: &Child) -> Pid {
    let pid = command.id();
    loop {
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
        if let Some(host) = pids(&children.unwrap()).next() {
            return host;
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// As a service manager ends a service: each of its processes is told, in any order.
#[test]
fn a_command_that_is_ended_with_its_host_blames_nobody() {
    for (round, host_first) in [(0, true), (20, true), (60, true), (60, false)] {
        let farm = Farm::with(&[]);
        farm.add_unruly("constructor-sleeps");
        let mut command = farm.command(&["list", "--load"]);
        let mut command = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let host = host_of(&command);
        thread::sleep(Duration::from_millis(round));
        let mut told = [host, Pid::from_child(&command)];
        if !host_first {
            told.reverse();
        }
        for pid in told {
            let _ = kill_process(pid, Signal::TERM);
        }
        assert_eq!(command.wait().unwrap().code(), Some(7), "{round}");
        let aside = farm.run(&["quarantine", "list", "--json"]).json();
        assert_eq!(aside["plugins"], Value::Array(Vec::new()), "{round}");
    }
}

/// Its children from before are what a shell started that became it by `exec`.
#[test]
fn children_from_before_are_left_alone() {
    let farm = Farm::with(&["noop"]);
    farm.add_unruly("analyze-crashes");
    let taskbay = farm.command(&[]).get_program().to_owned();
    let mut shell = farm.command(&[]);
    let script = "sleep 60 >/dev/null 2>&1 & echo $! >pid; exec \"$0\" analyze";
    let mut shell_command = std::process::Command::new("sh");
    shell_command.args(["-c", script]).arg(taskbay);
    for (name, value) in shell.get_envs() {
        shell_command.env(name, value.unwrap());
    }
    shell_command.current_dir(shell.current_dir(farm.here()).get_current_dir().unwrap());
    Ran::of(shell_command.stdin(Stdio::null())).succeeds();
    let text = fs::read_to_string(farm.here().join("pid")).unwrap();
    let sleep = pids(&text).next().unwrap();
    test_kill_process(sleep).unwrap();
    kill_process(sleep, Signal::KILL).unwrap();
}

/// A file that does not load leaves its task's name to the next one, whatever is asked.
#[test]
fn a_bad_file_hides_no_good_one_of_its_name() {
    let farm = Farm::with(&[]);
    let name = unruly::name("none");
    for (file, fault) in [("a.so", "describe-panics"), ("b.so", "none")] {
        let bytes = unruly::original().plugin("none", fault);
        fs::write(farm.plugins().join(file), bytes).unwrap();
    }
    farm.run(&["run", &name, "{}"]).succeeds();
    farm.run(&["validate", &name, "{}"]).succeeds();
    farm.run(&["schema", &name]).succeeds();
    farm.run(&["can-run", &name, "{}"]).succeeds();
    let analyzed = farm.run(&["analyze"]);
    assert_eq!(analyzed.succeeds().json()[format!("{name}:version")], 1);
    assert!(analyzed.stderr.contains("a.so is not used"), "{analyzed:?}");
}

/// Also when it is asked no more.
#[test]
fn what_was_set_aside_keeps_its_reason() {
    let farm = Farm::with(&["noop"]);
    farm.add_unruly("analyze-crashes");
    let health = format!("{}:health", unruly::name("analyze-crashes"));
    for _ in 0..2 {
        let metadata = farm.run(&["analyze"]).json();
        let why = metadata[&health].as_str().unwrap_or_default();
        assert!(why.contains("SIGSEGV"), "{metadata}");
    }
}
