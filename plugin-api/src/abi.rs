//! The types that cross between host and plugin. Nothing else does.
//!
//! They only grow, by these rules, or a plugin of an older 1.x would no longer load:
//! 1. a new field of a prefix type goes below all others, and `last_prefix_field` never moves;
//! 2. a new trait method goes below all others and has a default body;
//! 3. every other `repr(C)` type never changes.
#![expect(
    unsafe_code,
    missing_docs,
    missing_debug_implementations,
    unused_qualifications,
    clippy::pedantic,
    reason = "abi_stable's derives expand to these; nothing here writes them by hand"
)]
#![allow(
    non_local_definitions,
    unreachable_pub,
    unnameable_types,
    reason = "abi_stable's derives expand to these, depending on the compiler"
)]

use abi_stable::{
    StableAbi,
    library::RootModule,
    package_version_strings, sabi_trait,
    sabi_types::VersionStrings,
    std_types::{RBox, ROption, RResult, RStr, RString, RVec},
};

/// What every entry of a plugin answers: a value, or a [`Fault`](crate::fault::Fault) as JSON text.
pub type Reply<T> = RResult<T, RString>;

/// A configured task, in its plugin.
pub type ConfiguredTaskBox = ConfiguredTask_TO<'static, RBox<()>>;

/// Worker metadata, parsed in the plugin that shall judge it.
pub type ParsedWorkerBox = ParsedWorker_TO<'static, RBox<()>>;

/// A plugin's root module.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = TaskModuleRef)))]
#[sabi(missing_field(option))]
pub struct TaskModule {
    /// Called first, once: the host's functions, and the log level as a number.
    pub install: extern "C" fn(HostRef, u8),
    /// Called when the host's log level has changed.
    pub set_log_level: extern "C" fn(u8),
    /// A [`Description`](crate::convert::Description) as JSON text.
    pub describe: extern "C" fn() -> Reply<RString>,
    /// From metadata that is known to metadata that is added, both as JSON text.
    pub analyze_worker: extern "C" fn(RStr<'_>) -> Reply<RString>,
    /// From task data as JSON text to a configured task.
    pub configure: extern "C" fn(RStr<'_>) -> Reply<ConfiguredTaskBox>,
    /// From worker metadata as JSON text to the plugin's own form of it.
    #[sabi(last_prefix_field)]
    pub parse_worker: extern "C" fn(RStr<'_>) -> Reply<ParsedWorkerBox>,
}

impl RootModule for TaskModuleRef {
    abi_stable::declare_root_module_statics! {TaskModuleRef}
    const BASE_NAME: &'static str = "taskbay_task";
    const NAME: &'static str = "taskbay_task";
    const VERSION_STRINGS: VersionStrings = package_version_strings!();
}

/// A configured task.
#[sabi_trait]
pub trait ConfiguredTask: Send + Sync {
    /// The task data as JSON text, defaults filled in.
    fn data(&self) -> Reply<RString>;
    /// The requirements as a JSON array; the empty text means none.
    fn requirements(&self) -> Reply<RString>;
    /// What of the data decides in `can_run_on`, where that is less than all.
    fn match_key(&self) -> Reply<ROption<RString>>;
    /// The task's own reasons against a worker; none means yes.
    fn can_run_on(&self, worker: &ParsedWorkerBox) -> Reply<RVec<RString>>;
    /// Executes, given an [`Attempt`](crate::convert::Attempt) as JSON text.
    #[sabi(last_prefix_field)]
    fn execute(&self, attempt: RStr<'_>) -> Reply<bool>;
    /// New in 1.1: a [`Declared`](taskbay_core::Declared) as JSON text; the empty text means that nothing is.
    fn declared(&self) -> Reply<RString> {
        RResult::ROk(RString::new())
    }
}

/// Worker metadata, parsed.
#[sabi_trait]
pub trait ParsedWorker: Send + Sync {
    /// How many entries it has.
    #[sabi(last_prefix_field)]
    fn entries(&self) -> usize;
}

/// What a host offers to plugins: the one context prefix type.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = HostRef)))]
#[sabi(missing_field(option))]
pub struct HostContext {
    /// Whether a record of that level (as a number) and target would be logged.
    pub log_enabled: extern "C" fn(u8, RStr<'_>) -> bool,
    /// Logs a record.
    pub log: extern "C" fn(&LogRecord<'_>),
    /// Whether the attempt of that number shall stop.
    pub is_aborted: extern "C" fn(u64) -> bool,
    /// Asks the server of the attempt of that number: a `ServerCall` as JSON text, answered by a `ServerReply`, or the
    /// reason in words.
    #[sabi(last_prefix_field)]
    pub call: extern "C" fn(u64, RStr<'_>) -> RResult<RString, RString>,
}

/// A log record on its way to the host.
#[repr(C)]
#[derive(StableAbi)]
pub struct LogRecord<'a> {
    pub level: u8,
    pub line: u32,
    pub target: RStr<'a>,
    pub file: RStr<'a>,
    pub task: RStr<'a>,
    pub message: RStr<'a>,
}

/// Changes when anything in this file does: plugins of one fingerprint have one layout.
pub const INTERFACE_FINGERPRINT: u64 = {
    // The layout is this text, as abi_stable 0.11.3 (pinned) lays it out.
    let text = include_bytes!("abi.rs");
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut i = 0;
    while i < text.len() {
        hash = (hash ^ text[i] as u64).wrapping_mul(0x0100_0000_01b3);
        i += 1;
    }
    hash
};
