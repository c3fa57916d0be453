//! What of the host a plugin sees: its log, the abort latch, the server.

use crate::{
    abi::{HostRef, LogRecord},
    convert::Attempt,
};
use abi_stable::std_types::{RResult, RStr};
use log::{Level, LevelFilter, Log, Metadata, Record};
use std::{
    fmt::Write,
    sync::{Arc, OnceLock},
};
use taskbay_core::{Abort, Context, Server, ServerCall, ServerError, ServerReply};

/// The host that loaded this plugin. A plugin is loaded once per process, so there is one.
static HOST: OnceLock<HostRef> = OnceLock::new();

/// Sends this binary's log records to the host. Each plugin has its own `log`, which nobody else hears.
struct Bridge {
    host: HostRef,
    task: &'static str,
}

/// Connects this binary to its host.
pub(crate) fn install(host: HostRef, task: &'static str, level: u8) {
    if HOST.set(host).is_err() {
        return;
    }
    // Fails only when the plugin has set a logger of its own, which then is its wish.
    let _ = log::set_boxed_logger(Box::new(Bridge { host, task }));
    set_level(level);
}

/// Lets records of up to that level cross; of those above it not even the arguments are evaluated.
pub(crate) fn set_level(level: u8) {
    let filters = LevelFilter::iter();
    log::set_max_level(
        filters
            .filter(|filter| (*filter as usize) <= usize::from(level))
            .last()
            .unwrap_or(LevelFilter::Off),
    );
}

/// The context of an attempt, which asks the host through its functions.
pub(crate) fn context(attempt: Attempt) -> Context {
    let number = attempt.number;
    let Some(host) = HOST.get().copied() else {
        return Context::new(attempt.work_directory, Abort::new());
    };
    let abort = Abort::watching(move || host.is_aborted()(number));
    Context::new(attempt.work_directory, abort).with_server(Arc::new(HostServer { host, number }))
}

/// A level as the number that crosses: 1 is error, 5 is trace.
pub fn level_number(level: Level) -> u8 {
    level as u8
}

/// The level of a number that crossed; a number that is none counts as trace.
pub fn level_from_number(number: u8) -> Level {
    Level::iter()
        .find(|level| *level as u8 == number)
        .unwrap_or(Level::Trace)
}

impl Log for Bridge {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let target = RStr::from_str(metadata.target());
        self.host.log_enabled()(level_number(metadata.level()), target)
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let mut message = String::new();
        // A message whose `Display` fails is sent as far as it came.
        let _ = write!(message, "{}", record.args());
        self.host.log()(&LogRecord {
            level: level_number(record.level()),
            line: record.line().unwrap_or(0),
            target: RStr::from_str(record.target()),
            file: RStr::from_str(record.file().unwrap_or("")),
            task: RStr::from_str(self.task),
            message: RStr::from_str(&message),
        });
    }

    fn flush(&self) {}
}

/// The host's server, asked across the boundary.
struct HostServer {
    host: HostRef,
    number: u64,
}

impl Server for HostServer {
    fn call(&self, call: ServerCall) -> Result<ServerReply, ServerError> {
        let call = serde_json::to_string(&call).map_err(|error| ServerError(error.to_string()))?;
        match self.host.call()(self.number, RStr::from_str(&call)) {
            RResult::ROk(reply) => {
                serde_json::from_str(&reply).map_err(|error| ServerError(error.to_string()))
            }
            RResult::RErr(message) => Err(ServerError(message.into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_cross_as_numbers_and_back() {
        for level in Level::iter() {
            assert_eq!(level_from_number(level_number(level)), level);
        }
        assert_eq!(level_from_number(200), Level::Trace);
    }
}
