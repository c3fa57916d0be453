//! What this process offers to the plugins in it: its log, and the abort latch and server of each attempt.

use abi_stable::{
    prefix_type::WithMetadata,
    staticref,
    std_types::{RResult, RStr, RString},
};
use log::{Metadata, Record};
use std::{
    collections::BTreeMap,
    panic::catch_unwind,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
use taskbay_core::{Context, ServerCall, ServerError};
use taskbay_plugin_api::host::{HostContext, HostRef, LogRecord, level_from_number};

/// The attempts that run in this process, by the number that their plugins know.
static ATTEMPTS: Mutex<BTreeMap<u64, Context>> = Mutex::new(BTreeMap::new());
static NEXT: AtomicU64 = AtomicU64::new(1);

struct Functions;

impl Functions {
    staticref! {
        const VALUE: WithMetadata<HostContext> = WithMetadata::new(HostContext {
            log_enabled,
            log,
            is_aborted,
            call,
        })
    }
}

/// The functions for plugins.
pub(crate) fn functions() -> HostRef {
    HostRef(Functions::VALUE.as_prefix())
}

/// An attempt that plugins can ask about, until dropped.
pub(crate) struct Registered(u64);

impl Registered {
    pub(crate) fn new(context: Context) -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        attempts().insert(number, context);
        Self(number)
    }

    pub(crate) fn number(&self) -> u64 {
        self.0
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        attempts().remove(&self.0);
    }
}

fn attempts() -> std::sync::MutexGuard<'static, BTreeMap<u64, Context>> {
    ATTEMPTS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn context(number: u64) -> Option<Context> {
    attempts().get(&number).cloned()
}

extern "C" fn log_enabled(level: u8, target: RStr<'_>) -> bool {
    catch_unwind(|| {
        let metadata = Metadata::builder()
            .level(level_from_number(level))
            .target(target.as_str())
            .build();
        log::logger().enabled(&metadata)
    })
    .unwrap_or(false)
}

extern "C" fn log(record: &LogRecord<'_>) {
    // A logger that panics costs this one record.
    let _ = catch_unwind(|| {
        let task = [("task", record.task.as_str())];
        log::logger().log(
            &Record::builder()
                .level(level_from_number(record.level))
                .target(record.target.as_str())
                .file(Some(record.file.as_str()))
                .line(Some(record.line))
                .key_values(&task)
                .args(format_args!("{}", record.message))
                .build(),
        );
    });
}

extern "C" fn is_aborted(number: u64) -> bool {
    // An attempt that is no more has nothing to go on for.
    context(number).is_none_or(|context| context.abort().is_set())
}

extern "C" fn call(number: u64, call: RStr<'_>) -> RResult<RString, RString> {
    let answer = catch_unwind(|| {
        let call: ServerCall =
            serde_json::from_str(call.as_str()).map_err(|error| error.to_string())?;
        let context = context(number).ok_or("the attempt has ended")?;
        let reply = context
            .server()
            .call(call)
            .map_err(|ServerError(message)| message)?;
        serde_json::to_string(&reply).map_err(|error| error.to_string())
    })
    .unwrap_or_else(|_| Err("the server's code panicked".to_owned()));
    answer.map(Into::into).map_err(Into::into).into()
}
