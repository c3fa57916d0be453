//! What the log of a build says, read line by line: a build that loops writes more than any memory holds.

use crate::{uninstallable::Explanation, verdict::Verdict};
use std::path::Path;
use taskbay_debian::{Room, each_line, is_installing};
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

/// Tells what sbuild and its tools say from what packages say: that which is built, and those that it needs for that.
#[derive(Debug, Default)]
pub(crate) struct Voice {
    installs: bool,
    has_package: bool,
}

impl Voice {
    /// Has `room` hear the next line.
    pub(crate) fn tell(&mut self, room: &mut Room, line: &str) {
        self.installs |= is_head(line, "Install package build dependencies");
        // From then on, every line may be a package's: it can write heads, too.
        self.has_package |= is_head(line, "Build") || self.installs && is_installing(line);
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

    /// What of a log that says this becomes of a failed build.
    fn checked(log: &str) -> Result<(), String> {
        let top = tempfile::tempdir().unwrap();
        let file = top.path().join("x.build");
        fs::write(&file, log).unwrap();
        let mut room = Room::of(&Context::new(top.path(), Abort::new()));
        BuildLog::read(&file, &mut room).unwrap();
        room.check().map_err(|error| error.message())
    }

    fn head(section: &str) -> String {
        format!("+---+\n| {section:<76} |\n+---+\n")
    }

    /// A package may say what it likes: its builds fail whatever they print, and so do the packages that it needs.
    #[test]
    fn a_package_cannot_say_that_the_disk_is_full() {
        let (build, install) = (head("Build"), head("Install package build dependencies"));
        for words in [
            "x: Disk quota exceeded",
            "E: You don't have enough free space in /a/.",
        ] {
            for trusted in [
                format!("{words}\n{build}"),
                format!("Setting up base (1) ...\n{words}\n{install}"),
                // It is apt that says it, before anything is unpacked.
                format!("{install}Reading package lists...\n{words}\n"),
            ] {
                assert!(checked(&trusted).unwrap_err().contains(words), "{trusted}");
            }
            for said in [
                format!("{build}{words}\n"),
                format!("{install}Setting up x (1) ...\n{words}\n{build}"),
                format!("{install}Preparing to unpack .../x.deb ...\n{words}\n{build}"),
            ] {
                assert_eq!(checked(&said), Ok(()), "{said}");
            }
        }
    }
}
