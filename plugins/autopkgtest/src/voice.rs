//! Who says what is heard of a run.

use taskbay_debian::{Room, is_installing};

/// How every line of autopkgtest's own starts.
const OWN: &str = "autopkgtest ";
/// What it puts before the output of a test.
const START: &str = ": [-----------------------";
/// What it says once it has the source package, before it installs what tests need.
const TESTING: &str = "]: testing package ";
/// What it says before it builds, where tests ask for that.
const BUILD: &str = "]: build needed for ";

/// Tells what autopkgtest and its tools say from what packages say: in their builds, their tests, and as they are installed.
#[derive(Debug, Default)]
pub(crate) struct Voice {
    is_testing: bool,
    has_package: bool,
}

impl Voice {
    /// Has `room` hear the next line.
    pub(crate) fn tell(&mut self, room: &mut Room, line: &str) {
        let is_own = line.starts_with(OWN);
        self.is_testing |= is_own && line.contains(TESTING);
        // From then on, every line may be a package's: it can say that its test has ended, too.
        self.has_package |= is_own && (line.ends_with(START) || line.contains(BUILD))
            || self.is_testing && is_installing(line);
        if self.has_package {
            room.hear_package(line);
        } else {
            room.hear(line);
        }
    }
}
