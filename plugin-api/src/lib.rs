//! Writes a task that any Taskbay host can load.
//!
//! A task is a type whose fields are its task data, an implementation of [`Task`], and one line that exports it. This is
//! a whole plugin:
//!
//! ```
//! use schemars::JsonSchema;
//! use serde::{Deserialize, Serialize};
//! use taskbay_plugin_api::{Confinement, Context, Lookup, Task, TaskError, export_task};
//!
//! /// What a noop work request may say.
//! #[derive(Debug, Deserialize, Serialize, JsonSchema)]
//! #[serde(deny_unknown_fields)]
//! #[schemars(example = Noop { result: true, task_configuration: None })]
//! struct Noop {
//!     /// Whether the task shall succeed.
//!     #[serde(default = "yes")]
//!     result: bool,
//!     /// Kept for the server; the task itself ignores it.
//!     #[serde(default, skip_serializing_if = "Option::is_none")]
//!     task_configuration: Option<Lookup>,
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
//!     fn confinement(&self) -> Confinement {
//!         Confinement::Strict
//!     }
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
//! Its package makes a `cdylib`, and depends on this crate by its path, since it is in no registry:
//!
//! ```toml
//! [package]
//! name = "taskbay-task-noop"
//! version = "0.1.0"
//! edition = "2024"
//!
//! [lib]
//! crate-type = ["cdylib"]
//!
//! [dependencies]
//! schemars = "1.2"
//! serde = { version = "1", features = ["derive"] }
//! taskbay-plugin-api = { path = "../taskbay/plugin-api" }
//! ```
//!
//! `cargo build --release` makes `target/release/libtaskbay_task_noop.so`. Installed where hosts look for plugins it is
//! found; the name of the file does not matter, other than that it ends in `.so`:
//!
//! ```console
//! $ install -D -m 644 target/release/libtaskbay_task_noop.so ~/tasks/noop.so
//! $ taskbay --plugin-dir ~/tasks list --load
//! ```
//!
//! The file and every folder above it must belong to root or to the user who loads it, and nobody else may write to them
//! (a sticky folder such as `/tmp` is fine): whoever can replace a plugin can run code as that user.
//!
//! `taskbay check FILE` tries it: whether it can be loaded anywhere, answers in time and always the same, executes the
//! example that its schema declares, and leaves nothing behind. `--level 4` also aborts it, kills it, and makes task data
//! up from its schema.
//!
//! # More than that
//!
//! * **A tool must be there**: report `<name>:available` from [`Task::analyze_worker`] with [`is_available`], and
//!   require it in [`Task::requirements`], so that a worker without the tool is refused with that reason.
//! * **Run a command**: [`run`], [`run_to_file`] and [`run_to_files`] log what it says, and end it when the attempt is
//!   aborted. It runs in the work directory, so a relative path in the task data names a file there.
//! * **Inputs and outputs**: [`Context::server`] fetches the artifacts that the task data names by a [`Lookup`], or any
//!   number of them by [`Lookups`], and keeps those made; see below.
//! * **Confinement**: [`Task::confinement`] says how little of the machine the attempt needs. Under
//!   [`Confinement::Strict`] it, and what it starts, can make, write and remove files in its work directory alone, and gains
//!   no privileges; temporary files go there, as [`std::env::temp_dir`] and `TMPDIR` say. What a tool wants to write
//!   elsewhere, such as in `HOME`, has to be told to go there too. `/dev/shm`, `/dev/ptmx` (terminals of its own) and
//!   `/proc/self/uid_map` (namespaces) are refused to it; and no core can be dumped under [`Confinement::Limits`] either.
//! * **A line for people**: [`Task::label`] says what this very request does, such as `build hello_2.10-3.dsc on amd64`.
//! * **Own code for a verdict**: [`Task::can_run_on`] is asked only where [`Task::HAS_CAN_RUN_ON`] is true.
//! * **Logging**: the macros of [`log`], which this crate exports, reach the host's log, with level, target, file and line.
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
//! A task that takes an artifact and makes another:
//!
//! ```
//! use schemars::JsonSchema;
//! use serde::{Deserialize, Serialize};
//! use std::process::Command;
//! use taskbay_plugin_api::{Artifact, Context, Lookup, Task, TaskError, make_directory, run_to_file};
//!
//! /// Writes the checksums of an artifact's files.
//! #[derive(Deserialize, Serialize, JsonSchema)]
//! #[serde(deny_unknown_fields)]
//! struct Checksums {
//!     /// The artifact: in a local run the path of a file.
//!     input: Lookup,
//! }
//!
//! impl Task for Checksums {
//!     const NAME: &'static str = "checksums";
//!     const VERSION: u32 = 1;
//!
//!     fn execute(&self, context: &Context) -> Result<bool, TaskError> {
//!         let inputs = make_directory(context, "inputs")?;
//!         let (_, input) = context.server().fetch(&self.input, &inputs)?;
//!         let sums = context.work_directory().join("SHA256SUMS");
//!         let status = run_to_file(context, Command::new("sha256sum").args(&input.files), &sums)?;
//!         let made = Artifact::new("checksums", serde_json::json!({}), vec![sums]);
//!         context.server().upload(made)?;
//!         Ok(status.success())
//!     }
//! }
//! ```
//!
//! # From nothing to a package
//!
//! `taskbay new NAME` makes a project of all that is said here: the task, its tests, and the data of its Debian package. It
//! builds against the package `taskbay-dev`, or with `--api-path` against a copy of Taskbay's source.
//!
//! ```console
//! $ taskbay new mine && cd taskbay-task-mine
//! $ cargo test
//! $ cargo build --release && taskbay check target/release/libtaskbay_task_mine.so
//! $ cargo deb && sudo apt install ./target/debian/taskbay-task-mine_*.deb
//! ```
//!
//! * **Tests** configure, judge and execute the task with the crate `taskbay-test`, in process or behind the real loader,
//!   with a server in memory, logs that are kept, and made-up workers.
//! * **The package**, `taskbay-task-mine`, puts the plugin into `/usr/lib/taskbay/tasks`. Set under `depends` what the task
//!   calls; `taskbay-abi-1`, which stands there, is what `taskbay` provides as long as it loads plugins of 1.x.
//! * **Workers** that run offer the task as soon as the package is installed, and no more once it is removed.
//!
//! # The interface's version
//!
//! This crate's version is the version of the interface between plugin and host. Within 1.x it only grows, so a plugin
//! built against an older 1.x loads in a newer host. A plugin must unwind on panics: with `panic = "abort"`
//! [`export_task!`] does not compile.

mod abi;
mod fault;
mod guard;

mod note;

mod export;

mod bridge;
mod configured;
mod convert;

mod command;
mod directory;

pub use command::{is_available, run, run_heard, run_to_file, run_to_files};
pub use directory::make_directory;
pub use log;
pub use taskbay_core::{
    Abort, Artifact, ArtifactId, Backend, Condition, Confinement, Context, Lookup, Lookups,
    Metadata, MetadataKey, Query, Refusal, Relation, RelationKind, Requirement, Selected, Selector,
    Server, ServerCall, ServerError, ServerReply, Task, TaskConfigError, TaskError, TaskName,
};

/// What hosts use, and no plugin: not part of what a plugin's author may rely on.
pub mod host {
    pub use crate::abi::{
        ConfiguredTask, ConfiguredTaskBox, HostContext, HostRef, INTERFACE_FINGERPRINT, LogRecord,
        ParsedWorkerBox, Reply, TaskModule, TaskModuleRef,
    };
    pub use crate::bridge::{level_from_number, level_number};
    pub use crate::configured::configured;
    pub use crate::convert::{Attempt, Description};
    pub use crate::export::ROOT_MODULE_SYMBOL;
    pub use crate::fault::Fault;
    pub use crate::note::{NOTE_OWNER, api_version};
}

#[doc(hidden)]
pub mod __private {
    pub use crate::export::{header, is_symbol};
    pub use crate::note::{ManifestText, Note};
    pub use abi_stable::library::LibHeader;
}
