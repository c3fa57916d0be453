//! What plugins say of themselves.

use serde_json::Value;

/// A plugin that was loaded.
#[derive(Clone, Debug, PartialEq)]
pub struct Described {
    /// The task's version.
    pub version: u32,
    /// The JSON Schema of its task data; none takes any JSON value.
    pub schema: Option<Value>,
}
