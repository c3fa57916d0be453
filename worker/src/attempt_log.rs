//! What an attempt says while it runs.

use log::Level;
use std::fmt::Debug;

/// Takes what an attempt logs and prints, as it comes. It is called by whoever waits for the attempt, so it must not take
/// long.
pub trait AttemptLog: Debug + Send + Sync {
    /// The task, or its host, has logged a record.
    fn logged(&self, level: Level, target: &str, message: &str);

    /// The task, or a command that it called, has printed a line, without its end, to `stdout` or `stderr`.
    fn printed(&self, stream: &str, line: &str);
}
