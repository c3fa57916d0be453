//! What no plugin did costs none anything, and nobody else either.

use crate::farm::{Farm, Ran};
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
