//! What a task logs while a test executes it.

use std::{cell::RefCell, sync::Once};
use taskbay_plugin_api::log::{self, Level, LevelFilter, Log, Metadata, Record};

/// A log record that a task made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Its level.
    pub level: Level,
    /// Its target: the module that logged it, by default.
    pub target: String,
    /// What it says.
    pub message: String,
}

thread_local! {
    static LINES: RefCell<Option<Vec<LogLine>>> = const { RefCell::new(None) };
}

/// Has all records of this process come here. A plugin is told what is logged when it is loaded, so this comes first.
pub(crate) fn listen() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        // Fails where the test has set a logger of its own, which then is its wish.
        if log::set_logger(&Capture).is_ok() {
            log::set_max_level(LevelFilter::Trace);
        }
    });
}

/// Runs `action` and gives what was logged meanwhile on this thread. Tests run on a thread each, so they do not hear one
/// another.
pub(crate) fn captured<R>(action: impl FnOnce() -> R) -> (R, Vec<LogLine>) {
    listen();
    LINES.set(Some(Vec::new()));
    let result = action();
    (result, LINES.take().unwrap_or_default())
}

struct Capture;

impl Log for Capture {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        LINES.with_borrow_mut(|lines| {
            if let Some(lines) = lines {
                lines.push(LogLine {
                    level: record.level(),
                    target: record.target().to_owned(),
                    message: record.args().to_string(),
                });
            }
        });
    }

    fn flush(&self) {}
}
