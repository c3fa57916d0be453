//! Who says what is heard of a run.

use taskbay_debian::Room;

/// What autopkgtest puts before the output of a test.
const START: &str = ": [-----------------------";

/// Tells what autopkgtest and its tools say from what tests say.
#[derive(Debug, Default)]
pub(crate) struct Voice {
    has_test: bool,
}

impl Voice {
    /// Has `room` hear the next line.
    pub(crate) fn tell(&mut self, room: &mut Room, line: &str) {
        // From then on, every line may be a test's: it can say that it has ended, too.
        self.has_test |= line.starts_with("autopkgtest ") && line.ends_with(START);
        if self.has_test {
            room.hear_package(line);
        } else {
            room.hear(line);
        }
    }
}
