//! What the log of a build says, read line by line: a build that loops writes more than any memory holds.

use crate::{uninstallable::Explanation, verdict::Verdict};
use std::path::Path;
use taskbay_debian::{Room, each_line};
use taskbay_plugin_api::TaskError;

/// What is kept of a log.
#[derive(Debug, Default)]
pub(crate) struct BuildLog {
    /// What became of the build.
    pub(crate) verdict: Verdict,
    /// Why build dependencies could not be installed.
    pub(crate) explanation: Explanation,
    voice: Voice,
}

impl BuildLog {
    /// Reads one, and has `room` hear it.
    pub(crate) fn read(file: &Path, room: &mut Room) -> Result<Self, TaskError> {
        let mut log = Self::default();
        each_line(file, |line| {
            log.verdict.hear(line);
            log.explanation.hear(line);
            log.voice.tell(room, line);
        })?;
        Ok(log)
    }
}

/// Tells what sbuild and its tools say from what a package says that is built.
#[derive(Debug, Default)]
pub(crate) struct Voice {
    has_package: bool,
}

impl Voice {
    /// Has `room` hear the next line.
    pub(crate) fn tell(&mut self, room: &mut Room, line: &str) {
        // From then on, every line may be the package's: it can write heads, too.
        self.has_package |= is_head(line, "Build");
        if self.has_package {
            room.hear_package(line);
        } else {
            room.hear(line);
        }
    }
}

/// Whether it is the head of that section, as `| Build    |`.
fn is_head(line: &str, section: &str) -> bool {
    let inside = line
        .strip_prefix('|')
        .and_then(|rest| rest.strip_suffix('|'));
    inside.is_some_and(|inside| inside.trim() == section)
}
