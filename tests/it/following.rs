//! A command that goes on saying what changes, a line of JSON each.

use serde_json::Value;
use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

/// Ten times what a change may take to be noticed, since other programs may keep the machine busy.
///
/// It is well below the half minute after which the directories are looked at although nothing was noticed. So whatever
/// is noticed in time was told by the system.
pub(crate) const LIMIT: Duration = Duration::from_secs(10);
/// A command that runs, and what it says. It is killed when it is dropped.
pub(crate) struct Following {
    pub(crate) child: Child,
    lines: Receiver<Value>,
}

impl Following {
    pub(crate) fn of(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in stdout.lines() {
                let line = serde_json::from_str(&line.unwrap()).unwrap();
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, lines }
    }

    /// The next line.
    #[track_caller]
    pub(crate) fn next(&self) -> Value {
        self.next_within(LIMIT).unwrap()
    }

    /// The next line, if it comes in time.
    pub(crate) fn next_within(&self, time: Duration) -> Option<Value> {
        self.lines.recv_timeout(time).ok()
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
