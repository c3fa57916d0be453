//! What plugins say of themselves and of task data.

use serde_json::Value;
use taskbay_core::Requirement;

/// A plugin that was loaded.
#[derive(Clone, Debug, PartialEq)]
pub struct Described {
    /// The task's version.
    pub version: u32,
    /// The JSON Schema of its task data; none takes any JSON value.
    pub schema: Option<Value>,
}

/// Task data that is valid.
#[derive(Clone, Debug, PartialEq)]
pub struct Configured {
    /// The data as JSON text, defaults filled in.
    pub data: String,
    /// What a worker must fulfil.
    pub requirements: Vec<Requirement>,
}
