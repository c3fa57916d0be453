//! A command that goes on saying what changes, a line of JSON each.

use crate::farm::Farm;
use serde_json::Value;
use std::{
    io::{BufRead, BufReader},
    process::{Child, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

/// Ten times what a change may take to be noticed.
const LIMIT: Duration = Duration::from_secs(10);

/// A command that runs, and what it says. It is killed when it is dropped.
pub(crate) struct Following {
    pub(crate) child: Child,
    lines: Receiver<Value>,
}

impl Following {
    pub(crate) fn start(farm: &Farm, arguments: &[&str]) -> Self {
        let mut child = farm
            .command(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
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
        self.lines.recv_timeout(LIMIT).unwrap()
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
