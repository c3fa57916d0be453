//! What the tests of a task need.
//!
//! A task is tested in process, where a debugger and coverage see it, or as the plugin that it becomes, behind the real
//! loader. Both are configured, judged and executed as a host does it, with a server in memory:
//!
//! ```
//! # use schemars::JsonSchema;
//! # use serde::{Deserialize, Serialize};
//! # use taskbay_plugin_api::{Context, Metadata, Requirement, Task, TaskError, log};
//! use serde_json::json;
//! use taskbay_test::{WorkerMetadata, configure};
//!
//! /// Says something.
//! #[derive(Debug, Deserialize, Serialize, JsonSchema)]
//! #[serde(deny_unknown_fields)]
//! struct Greet {
//!     /// Whom to greet.
//!     #[serde(default = "world")]
//!     whom: String,
//! }
//! # fn world() -> String { "world".into() }
//! # impl Task for Greet {
//! #     const NAME: &'static str = "greet";
//! #     const VERSION: u32 = 1;
//! #     fn requirements(&self) -> Vec<Requirement> { vec![Requirement::equals("greet:awake", true)] }
//! #     fn execute(&self, _: &Context) -> Result<bool, TaskError> {
//! #         log::info!("hello {}", self.whom);
//! #         Ok(true)
//! #     }
//! # }
//!
//! // As the host configures it: schema, type and check; `impl Task for Greet` is not shown.
//! let faults = configure::<Greet>(&json!({"who": "you"})).unwrap_err();
//! assert!(faults[0].to_string().contains("who"));
//! let greet = configure::<Greet>(&json!({})).unwrap();
//! assert_eq!(greet.data(), json!({"whom": "world"}));
//!
//! // As a scheduler judges a worker by it.
//! let worker = WorkerMetadata::offering::<Greet>();
//! assert!(greet.verdict(&worker.clone().with("greet:awake", true).build()).can_run());
//! let verdict = greet.verdict(&worker.with("greet:awake", false).build());
//! assert_eq!(verdict.reasons[0].key.as_deref(), Some("greet:awake"));
//!
//! // As a worker executes it, where these artifacts are 1, 2, …
//! let execution = greet.execute(Vec::new());
//! assert!(execution.is_success());
//! execution.assert_logged("hello world");
//! ```
//!
//! A task that takes an artifact is given its number, and what it uploads is kept:
//!
//! ```
//! # use schemars::JsonSchema;
//! # use serde::{Deserialize, Serialize};
//! # use taskbay_plugin_api::{Artifact, Context, Lookup, Task, TaskError, make_directory};
//! use serde_json::json;
//! use std::fs;
//! use taskbay_test::{artifact, configure};
//!
//! /// Counts the bytes of an artifact's files.
//! #[derive(Debug, Deserialize, Serialize, JsonSchema)]
//! #[serde(deny_unknown_fields)]
//! struct Count {
//!     /// The artifact: in a local run the path of a file.
//!     input: Lookup,
//! }
//!
//! impl Task for Count {
//! #   const NAME: &'static str = "count";
//! #   const VERSION: u32 = 1;
//!     // …
//!     fn execute(&self, context: &Context) -> Result<bool, TaskError> {
//!         let inputs = make_directory(context, "inputs")?;
//!         let (_, input) = context.server().fetch(&self.input, &inputs)?;
//!         let mut bytes = 0;
//!         for file in &input.files {
//!             bytes += fs::metadata(file)?.len();
//!         }
//!         let report = context.work_directory().join("bytes.txt");
//!         fs::write(&report, format!("{bytes}\n"))?;
//!         let made = Artifact::new("count", json!({"bytes": bytes}), vec![report]);
//!         context.server().upload(made)?;
//!         Ok(true)
//!     }
//! }
//!
//! let place = tempfile::tempdir().unwrap();
//! let file = place.path().join("hello.txt");
//! fs::write(&file, "hello\n").unwrap();
//!
//! let count = configure::<Count>(&json!({"input": 1})).unwrap();
//! let execution = count.execute(vec![artifact("text", vec![file])]);
//! assert!(execution.is_success());
//! let uploads = execution.server.uploads();
//! assert_eq!(uploads[0].data, json!({"bytes": 6}));
//! // Its files are in the work directory, which is there as long as `execution`.
//! assert_eq!(fs::read_to_string(&uploads[0].files[0]).unwrap(), "6\n");
//!
//! // What the server does not have is an error that says so.
//! let missing = configure::<Count>(&json!({"input": 7})).unwrap().execute(Vec::new());
//! assert!(missing.result.unwrap_err().message().contains("no artifact 7"));
//! ```
//!
//! [`LoadedTask::build`] has cargo build the plugin, loads it, and offers the same of it.
//!
//! # This page
//!
//! `cargo doc -p taskbay-test` in a task's project makes cargo panic, as of 1.95, since the project needs this crate for
//! its tests alone. What makes this page is, with the directory that stands for it under `dev-dependencies`:
//!
//! ```console
//! $ cargo doc --no-deps --open --target-dir target --manifest-path /usr/share/taskbay/dev/test/Cargo.toml
//! ```
//!
//! # Panics
//!
//! Whatever goes wrong here is a failed test, so it panics.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test that cannot go on fails"
)]

pub mod packages;

mod task_data;
mod tools;

mod environments;

mod worker_metadata;

mod fake_server;

mod logs;

mod execution;

mod configured;

mod loaded;

pub use configured::{Configured, assert_unknown_keys_are_refused, configure, faults};
pub use environments::environment;
pub use execution::{Execution, artifact, empty_file, execute, names_in, text_file, words_of};
pub use fake_server::{FIRST_UPLOAD, FakeServer};
pub use loaded::{LoadedConfigured, LoadedTask};
pub use logs::LogLine;
pub use task_data::{with_keys, with_value};
pub use taskbay_core::{Reason, ReasonCode, Verdict};
pub use tools::{debian_mirror, has_tools, is_full, native_architecture, skip, skip_not_installed};
pub use worker_metadata::WorkerMetadata;
