//! What a task is: names, versions, metadata, requirements, verdicts, outcomes.
//!
//! This crate holds the contract that every other part speaks of. It refuses to know how a task crosses into another
//! binary, where requests wait, and how a process is run: it does no I/O, no FFI and starts no thread.
//!
//! The rules are those of Debusine's `debusine.tasks`, so that a request written for Debusine runs unchanged.

#![forbid(unsafe_code)]

mod shorten;
mod with_sources;

mod name;
mod version;

mod manifest;

mod metadata;
mod metadata_key;
mod requirement;

mod verdict;

mod clause;
mod conditions;

mod config_error;
mod configured;
mod confinement;
mod task_error;

pub mod any_path;

mod abort;
mod artifact;
mod context;
mod lookup;
mod lookups;
mod query;
mod server;

mod executor;

#[doc(hidden)]
pub mod default_code;
mod task;

mod outcome;

pub use abort::Abort;
pub use artifact::{Artifact, ArtifactId, Relation, RelationKind};
pub use clause::Clause;
pub use conditions::Conditions;
pub use config_error::{TaskConfigError, escape_pointer_token};
pub use configured::{Configured, Declared, OwnCode};
pub use confinement::Confinement;
pub use context::Context;
pub use executor::Backend;
pub use lookup::Lookup;
pub use lookups::{Lookups, Selected, Selector};
pub use manifest::{
    Accepted, Incompatible, MANIFEST_FORMAT, Manifest, ManifestError, Mismatch, PanicStrategy,
};
pub use metadata::{Metadata, MetadataError};
pub use metadata_key::MetadataKey;
pub use name::{NameError, TaskName, is_task_name};
pub use outcome::{ErrorCode, Outcome, OutcomeError, OutcomeResult};
pub use query::Query;
pub use requirement::{Condition, Requirement};
pub use server::{NoServer, Server, ServerCall, ServerError, ServerReply};
pub use shorten::{escape, shorten};
pub use task::Task;
pub use task_error::TaskError;
pub use verdict::{Reason, ReasonCode, Refusal, Verdict};
pub use version::{ApiVersion, VersionError, is_version};
pub use with_sources::with_sources;
