//! The documents that cross as JSON text, beside those of `taskbay-core`.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::PathBuf;

/// What a plugin says of its task once it is loaded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// The task's name.
    pub name: String,
    /// The task's version.
    pub version: u32,
    /// The JSON Schema of its task data; none takes any JSON value.
    pub schema: Option<Value>,
    /// Whether its own code is to be asked for a verdict.
    pub has_can_run_on: bool,
}

/// What a plugin is told of an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// The number by which the plugin refers to the attempt when it asks the host.
    pub number: u64,
    /// The directory for this attempt alone.
    #[serde(with = "taskbay_core::any_path")]
    pub work_directory: PathBuf,
}
