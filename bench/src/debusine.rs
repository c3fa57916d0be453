//! Debusine's task layer in a Python process of its own, where it is at hand.

use anyhow::{Context as _, Result};
use std::{
    env,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// The environment variable that names a Python which can import `debusine`; `python3` by default.
pub(crate) const PYTHON_VARIABLE: &str = "TASKBAY_BENCH_PYTHON";

/// A Python process that times Debusine.
pub(crate) struct Debusine {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Debusine {
    /// Starts the process, where there is a Python with Debusine.
    pub(crate) fn start() -> Option<Self> {
        let python = env::var_os(PYTHON_VARIABLE).unwrap_or_else(|| "python3".into());
        let mut child = Command::new(python)
            .args(["-c", include_str!("debusine.py")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut debusine = Self {
            questions: child.stdin.take()?,
            answers: BufReader::new(child.stdout.take()?),
            child,
        };
        (debusine.line().ok()? == "ready").then_some(debusine)
    }

    /// How long it takes to look a task up, configure it with JSON text, and judge a worker, in nanoseconds.
    pub(crate) fn judge(&mut self, name: &str, data: &str) -> Result<f64> {
        writeln!(self.questions, "[\"{name}\", {data}]")?;
        self.line()?.parse().context("Debusine failed")
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        Ok(line.trim().to_owned())
    }
}

impl Drop for Debusine {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
