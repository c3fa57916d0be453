//! How large things may be. Whatever is longer is refused with a clear error; nothing is cut silently.

use crate::{EngineError, timestamp::millis};
use std::time::Duration;

/// The longest task data, metadata, artifact data or list of errors, in bytes of JSON.
pub const LONGEST_DOCUMENT: usize = 1 << 20;
/// The longest name of a worker, signature, category or file, and the longest reason of a release, in bytes.
pub const LONGEST_NAME: usize = 1024;
/// The longest log message, in bytes. Whoever logs more splits it.
pub const LONGEST_LOG_MESSAGE: usize = 64 << 10;
/// What one attempt may log in all, in bytes of messages. One line then says that the rest is dropped.
pub const LONGEST_LOG: usize = 16 << 20;
/// The most lines that one [`append_log`](crate::WorkerEngine::append_log) takes.
pub const MOST_LOG_LINES: usize = 10_000;
/// The most files of one artifact.
pub const MOST_FILES: usize = 10_000;
/// The longest lease. What takes longer renews it.
const LONGEST_LEASE: Duration = Duration::from_hours(24);

/// Refuses a text that is longer than allowed.
pub(crate) fn check(what: &'static str, text: &str, limit: usize) -> Result<(), EngineError> {
    if text.len() > limit {
        return Err(EngineError::TooLarge {
            what,
            size: text.len(),
            limit,
            unit: "bytes",
        });
    }
    Ok(())
}

/// The length in milliseconds, if it can be a lease's.
pub(crate) fn lease_length(length: Duration) -> Result<i64, EngineError> {
    if length < Duration::from_millis(1) || length > LONGEST_LEASE {
        return Err(EngineError::invalid(
            "length of a lease",
            "it is not between 1 ms and one day",
        ));
    }
    Ok(millis(length))
}

/// Refuses a document that is longer than allowed.
pub(crate) fn check_document(what: &'static str, text: &str) -> Result<(), EngineError> {
    check(what, text, LONGEST_DOCUMENT)
}

/// Refuses the name of a file in an artifact that would lead out of the folder into which somebody puts it.
pub(crate) fn check_file_name(name: &str) -> Result<(), EngineError> {
    check_name("file's name", name)?;
    if name.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err(EngineError::invalid(
            "file's name",
            format!("`{name}` is no relative path of plain parts"),
        ));
    }
    Ok(())
}

/// Refuses a name that is empty, too long, or that a terminal would obey.
pub(crate) fn check_name(what: &'static str, name: &str) -> Result<(), EngineError> {
    check(what, name, LONGEST_NAME)?;
    if name.is_empty() {
        return Err(EngineError::invalid(what, "it is empty"));
    }
    if name.contains(char::is_control) {
        return Err(EngineError::invalid(what, "it contains control characters"));
    }
    Ok(())
}
