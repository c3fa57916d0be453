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

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use taskbay_plugin_api::{Abort, Context};

    /// A package may say what it likes: its builds fail whatever they print.
    #[test]
    fn a_package_cannot_say_that_the_disk_is_full() {
        let top = tempfile::tempdir().unwrap();
        let context = Context::new(top.path(), Abort::new());
        let checked = |before: &str, after: &str| {
            let log = top.path().join("x.build");
            let head = format!("| {:<76} |", "Build");
            fs::write(&log, format!("{before}\n+---+\n{head}\n+---+\n{after}\n")).unwrap();
            let mut room = Room::of(&context);
            BuildLog::read(&log, &mut room).unwrap();
            room.check().map_err(|error| error.message())
        };
        for words in [
            "x: Disk quota exceeded",
            "E: You don't have enough free space in /a/.",
        ] {
            assert_eq!(checked("", words), Ok(()));
            assert!(checked(words, "").unwrap_err().contains(words));
        }
    }
}
