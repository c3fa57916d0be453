//! What is wrong with task data.

use serde::{Deserialize, Serialize};
use std::fmt;

/// One fault in task data. Never names the task: whoever reports it adds that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskConfigError {
    /// Where: a JSON pointer (RFC 6901) into the task data; empty for the whole.
    pub pointer: String,
    /// What is wrong, in words.
    pub message: String,
    /// What made it so, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
}

impl TaskConfigError {
    /// A fault at `pointer`, a JSON pointer such as `/input`; empty for the whole. Where it does not start with a `/`, it
    /// gets one, as every pointer into a document has.
    pub fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        let mut pointer = pointer.into();
        if !pointer.is_empty() && !pointer.starts_with('/') {
            pointer.insert(0, '/');
        }
        Self {
            pointer,
            message: message.into(),
            cause: None,
        }
    }

    /// Adds what made it so.
    #[must_use]
    pub fn caused_by(mut self, cause: impl fmt::Display) -> Self {
        self.cause = Some(cause.to_string());
        self
    }
}

impl fmt::Display for TaskConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.pointer.is_empty() {
            write!(f, "{}: ", self.pointer)?;
        }
        f.write_str(&self.message)?;
        match &self.cause {
            Some(cause) => write!(f, " ({cause})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for TaskConfigError {}

/// A key as one token of a JSON pointer: `~` and `/` escaped as RFC 6901 says.
pub fn escape_pointer_token(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Row `TaskConfigError`: message, pointer, cause.
    #[test]
    fn task_config_error() {
        let error = TaskConfigError::new("/input/0", "no such file").caused_by("ENOENT");
        assert_eq!(error.to_string(), "/input/0: no such file (ENOENT)");
        assert_eq!(TaskConfigError::new("", "bad").to_string(), "bad");
        assert_eq!(TaskConfigError::new("input", "bad").pointer, "/input");
        assert_eq!(escape_pointer_token("a/b~c"), "a~1b~0c");
    }
}
