//! A root of processes.

use crate::LIMIT;
use rustix::process::Pid;
use std::{
    env,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};
use taskbay_worker::{
    Process,
    tree::{descendants, end},
};

/// A root of processes, ended with all of them when dropped.
pub(crate) struct Root(pub(crate) Child);

impl Root {
    /// A shell that executes `script`.
    pub(crate) fn shell(script: &str) -> Self {
        Self::start(Command::new("sh").args(["-c", script]))
    }

    /// A shell to which orphans below it are reparented.
    pub(crate) fn subreaper(script: &str) -> Self {
        let program = env::current_exe().unwrap();
        Self::start(
            Command::new(program)
                .args(["--exact", "becomes_a_subreaping_shell", "--nocapture"])
                .env("SUBREAPER_SCRIPT", script),
        )
    }

    fn start(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::null()).stdout(Stdio::null());
        Self(command.spawn().unwrap())
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.0)
    }

    /// The living descendants, once there are at least `count`, so that tests need not guess how long starting takes.
    pub(crate) fn grown(&self, count: usize) -> Vec<Process> {
        let until = Instant::now() + LIMIT;
        loop {
            let found = descendants(self.pid());
            if found.len() >= count {
                return found;
            }
            assert!(
                Instant::now() < until,
                "only {} of {count} started",
                found.len()
            );
            thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn await_command(&self, name: &str) -> Process {
        let until = Instant::now() + LIMIT;
        loop {
            let is_named = |process: &Process| process.command().as_deref() == Some(name);
            if let Some(found) = descendants(self.pid()).into_iter().find(is_named) {
                return found;
            }
            assert!(Instant::now() < until, "`{name}` did not start");
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        end(self.pid(), true, Duration::ZERO);
        self.0.wait().unwrap();
    }
}
