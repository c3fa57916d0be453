//! Writes a task that any Taskbay host can load.
//!
//! A task is a type whose fields are its task data, an implementation of [`Task`], and one line that exports it. This is
//! a whole plugin; its package has `crate-type = ["cdylib"]`, and depends on `serde`, `schemars` and this crate:
//!
//! ```
//! use schemars::JsonSchema;
//! use serde::{Deserialize, Serialize};
//! use taskbay_plugin_api::{Context, Task, TaskError, export_task};
//!
//! /// What a noop work request may say.
//! #[derive(Debug, Deserialize, Serialize, JsonSchema)]
//! #[serde(deny_unknown_fields)]
//! struct Noop {
//!     /// Whether the task shall succeed.
//!     #[serde(default = "yes")]
//!     result: bool,
//! }
//!
//! fn yes() -> bool {
//!     true
//! }
//!
//! impl Task for Noop {
//!     const NAME: &'static str = "noop";
//!     const VERSION: u32 = 1;
//!
//!     fn execute(&self, _: &Context) -> Result<bool, TaskError> {
//!         Ok(self.result)
//!     }
//! }
//!
//! export_task!(Noop);
//! # fn main() {}
//! ```
//!
//! # More than that
//!
//! * **A tool must be there**: report `<name>:available` from [`Task::analyze_worker`] with [`is_available`], and
//!   require it in [`Task::requirements`], so that a worker without the tool is refused with that reason.
//! * **Run a command**: [`run`] and [`run_to_file`] log what it says, and end it when the attempt is aborted.
//! * **Inputs and outputs**: [`Context::server`] fetches the artifacts that the task data names, and keeps those made.
//! * **Logging**: the macros of [`log`] reach the host's log, with level, target, file and line.
//!
//! ```
//! use schemars::JsonSchema;
//! use serde::{Deserialize, Serialize};
//! use std::process::Command;
//! use taskbay_plugin_api::{Context, Metadata, Requirement, Task, TaskError, is_available, run};
//!
//! /// Says whether a file is there for `stat`.
//! #[derive(Deserialize, Serialize, JsonSchema)]
//! #[serde(deny_unknown_fields)]
//! struct Stat {
//!     /// The path.
//!     path: String,
//! }
//!
//! impl Task for Stat {
//!     const NAME: &'static str = "stat";
//!     const VERSION: u32 = 1;
//!
//!     fn analyze_worker(_: &Metadata) -> Result<Metadata, TaskError> {
//!         let mut found = Metadata::default();
//!         found.insert("stat:available", is_available("stat"));
//!         Ok(found)
//!     }
//!
//!     fn requirements(&self) -> Vec<Requirement> {
//!         vec![Requirement::equals("stat:available", true).because("coreutils is not installed")]
//!     }
//!
//!     fn execute(&self, context: &Context) -> Result<bool, TaskError> {
//!         let status = run(context, Command::new("stat").arg(&self.path))?;
//!         Ok(status.success())
//!     }
//! }
//! ```
//!
//! # The interface's version
//!
//! This crate's version is the version of the interface between plugin and host. Within 1.x it only grows, so a plugin
//! built against an older 1.x loads in a newer host. A plugin must unwind on panics: with `panic = "abort"`
//! [`export_task!`] does not compile.

mod abi;
mod fault;

mod note;

mod export;

mod bridge;
mod convert;

mod command;

pub use command::{is_available, run, run_to_file};
pub use log;
pub use taskbay_core::{
    Abort, Artifact, ArtifactId, Backend, Context, Lookup, Metadata, Refusal, Relation,
    RelationKind, Requirement, Server, ServerCall, ServerError, ServerReply, Task, TaskConfigError,
    TaskError, TaskName, refuse_environment,
};

/// What hosts use, and no plugin: not part of what a plugin's author may rely on.
pub mod host {
    pub use crate::abi::{
        ConfiguredTask, ConfiguredTaskBox, HostContext, HostRef, INTERFACE_FINGERPRINT, LogRecord,
        ParsedWorkerBox, Reply, TaskModule, TaskModuleRef,
    };
    pub use crate::bridge::{level_from_number, level_number};
    pub use crate::convert::{Attempt, Description};
    pub use crate::fault::Fault;
    pub use crate::note::{NOTE_OWNER, api_version};
}

#[doc(hidden)]
pub mod __private {
    pub use crate::export::{ROOT_MODULE_SYMBOL, header, is_symbol};
    pub use crate::note::{ManifestText, Note};
    pub use abi_stable::library::LibHeader;
}
