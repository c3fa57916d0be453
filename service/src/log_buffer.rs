//! What an attempt says, kept until the engine has it.

use log::Level;
use std::{
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};
use taskbay_engine::{LogLevel, NewLogLine, limits::LONGEST_LOG};
use taskbay_worker::AttemptLog;

/// The longest line, in bytes, that an engine takes.
const LONGEST: usize = 64 * 1024;
/// How many lines are kept while the engine takes none, and how many bytes they may have together.
const MOST: usize = 10_000;
const MOST_BYTES: usize = LONGEST_LOG;

/// What an attempt says, kept until the engine has it.
#[derive(Debug, Default)]
pub(crate) struct LogBuffer(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    lines: Vec<NewLogLine>,
    bytes: usize,
    dropped: usize,
}

impl LogBuffer {
    /// Takes out what there is.
    pub(crate) fn take(&self) -> Vec<NewLogLine> {
        let Kept {
            mut lines, dropped, ..
        } = mem::take(&mut *self.lock());
        if dropped > 0 {
            // In the place of the last, since an engine takes no more at once.
            lines.truncate(MOST - 1);
            lines.push(NewLogLine {
                level: LogLevel::Warn,
                message: format!("{dropped} lines were dropped here, as the engine took none"),
            });
        }
        lines
    }

    /// Puts back what the engine did not take.
    pub(crate) fn put_back(&self, mut lines: Vec<NewLogLine>) {
        let mut kept = self.lock();
        lines.append(&mut kept.lines);
        let mut bytes = 0;
        let fits = lines.iter().take(MOST).take_while(|line| {
            bytes += line.message.len();
            bytes <= MOST_BYTES
        });
        let fits = fits.count();
        kept.dropped += lines.len() - fits;
        lines.truncate(fits);
        kept.bytes = lines.iter().map(|line| line.message.len()).sum();
        kept.lines = lines;
    }

    fn push(&self, level: LogLevel, message: &str) {
        let mut kept = self.lock();
        if kept.lines.len() >= MOST || kept.bytes >= MOST_BYTES {
            kept.dropped += 1;
            return;
        }
        // An engine keeps none, and writes something longer in its place.
        let message = message.replace('\0', "\u{fffd}");
        let end = (0..=message.len().min(LONGEST))
            .rev()
            .find(|end| message.is_char_boundary(*end));
        let message = message[..end.unwrap_or_default()].to_owned();
        kept.bytes += message.len();
        kept.lines.push(NewLogLine { level, message });
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // No change is left half made, so what a panicking thread leaves is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AttemptLog for LogBuffer {
    fn logged(&self, level: Level, target: &str, message: &str) {
        let level = match level {
            Level::Error => LogLevel::Error,
            Level::Warn => LogLevel::Warn,
            Level::Info => LogLevel::Info,
            Level::Debug => LogLevel::Debug,
            Level::Trace => LogLevel::Trace,
        };
        self.push(level, &format!("{target}: {message}"));
    }

    fn printed(&self, _stream: &str, line: &str) {
        self.push(LogLevel::Output, line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_is_dropped_and_told() {
        let buffer = LogBuffer::default();
        for number in 0..MOST + 5 {
            buffer.printed("stdout", &number.to_string());
        }
        let lines = buffer.take();
        assert_eq!(lines.len(), MOST);
        assert_eq!(lines[0].message, "0");
        let last = &lines[MOST - 1].message;
        assert!(last.starts_with("5 lines were dropped"), "{last}");
        assert!(buffer.take().is_empty());
    }

    #[test]
    fn what_is_too_long_together_is_dropped_and_told() {
        let buffer = LogBuffer::default();
        for _ in 0..MOST_BYTES / LONGEST + 3 {
            buffer.printed("stdout", &"x".repeat(LONGEST));
        }
        let lines = buffer.take();
        let last = &lines.last().unwrap().message;
        assert!(last.starts_with("3 lines were dropped"), "{last}");
        buffer.printed("stdout", "there is room again");
        assert_eq!(buffer.take().len(), 1);
    }

    #[test]
    fn what_was_not_taken_comes_first_again() {
        let buffer = LogBuffer::default();
        buffer.logged(Level::Warn, "a::b", "first");
        let lines = buffer.take();
        buffer.printed("stdout", "second");
        buffer.put_back(lines);
        let messages: Vec<_> = buffer.take().into_iter().map(|line| line.message).collect();
        assert_eq!(messages, ["a::b: first", "second"]);
    }

    #[test]
    fn what_was_not_taken_is_no_more_than_what_is_kept() {
        let buffer = LogBuffer::default();
        let fill = || {
            for _ in 0..MOST_BYTES / LONGEST {
                buffer.printed("stdout", &"x".repeat(LONGEST));
            }
        };
        fill();
        let lines = buffer.take();
        fill();
        buffer.put_back(lines);
        let lines = buffer.take();
        let bytes: usize = lines.iter().map(|line| line.message.len()).sum();
        assert!(bytes <= MOST_BYTES + LONGEST, "{bytes}");
        let last = &lines.last().unwrap().message;
        assert!(last.starts_with("256 lines were dropped"), "{last}");
    }

    #[test]
    fn long_lines_are_cut_between_characters() {
        let buffer = LogBuffer::default();
        buffer.printed("stdout", &"ü".repeat(LONGEST));
        buffer.printed("stdout", &format!("x{}", "ü".repeat(LONGEST)));
        let lengths: Vec<_> = buffer
            .take()
            .iter()
            .map(|line| line.message.len())
            .collect();
        assert_eq!(lengths, [LONGEST, LONGEST - 1]);
        buffer.printed("stdout", &"\0".repeat(LONGEST));
        let line = &buffer.take()[0].message;
        assert!(
            line.len() <= LONGEST && !line.contains('\0'),
            "{}",
            line.len()
        );
    }
}
