//! How a plugin host ended that should not have.

use signal_hook::{consts::SIGTERM, low_level::signal_name};
use std::{fmt, os::unix::process::ExitStatusExt, process::ExitStatus};

/// How a host ended that should not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Death {
    /// The exit status.
    pub status: ExitStatus,
    /// The last lines that it wrote to standard error.
    pub stderr: Vec<String>,
}

impl Death {
    /// Whether it ended as a host does that is told to.
    pub(crate) fn was_told_to_end(&self) -> bool {
        self.status.signal() == Some(SIGTERM)
    }

    /// The signal that killed it, by name.
    pub fn signal(&self) -> Option<&'static str> {
        signal_name(self.status.signal()?)
    }
}

impl fmt::Display for Death {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.status.signal(), self.status.code()) {
            (Some(signal), _) => match signal_name(signal) {
                Some(name) => write!(f, "was killed by {name}")?,
                None => write!(f, "was killed by signal {signal}")?,
            },
            (None, Some(code)) => write!(f, "ended itself with status {code}")?,
            (None, None) => f.write_str("ended")?,
        }
        // Rust ends what it says of a panic with how to see more of it.
        let is_advice = |line: &&String| line.starts_with("note: ");
        match self.stderr.iter().rev().find(|line| !is_advice(line)) {
            Some(line) => write!(f, "; its last words: {line}"),
            None => Ok(()),
        }
    }
}
