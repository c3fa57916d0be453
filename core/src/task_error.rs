//! Why an execution ended without a result.

use crate::TaskConfigError;
use std::{any::Any, error::Error};

/// Why `execute` could say neither success nor failure.
///
/// `?` turns any error into one, keeping its chain of causes in the text; a [`TaskConfigError`] stays one, and is
/// reported as `configure-failed` instead of `execute-failed`.
#[derive(Debug)]
pub enum TaskError {
    /// The task data turned out wrong.
    Config(TaskConfigError),
    /// Anything else.
    Failed(String),
}

impl TaskError {
    /// A failure in words.
    pub fn new(message: impl Into<String>) -> Self {
        Self::Failed(message.into())
    }

    /// The failure with its causes, in words.
    pub fn message(&self) -> String {
        match self {
            Self::Config(error) => error.to_string(),
            Self::Failed(message) => message.clone(),
        }
    }
}

// Not `std::error::Error`, so that this conversion can be there for all errors.
impl<E: Error + Any> From<E> for TaskError {
    fn from(error: E) -> Self {
        if let Some(config) = (&error as &dyn Any).downcast_ref::<TaskConfigError>() {
            return Self::Config(config.clone());
        }
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            message.push_str(": ");
            message.push_str(&cause.to_string());
            source = cause.source();
        }
        Self::Failed(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_config_error_stays_one() {
        let config = TaskConfigError::new("/input", "gone");
        assert!(matches!(TaskError::from(config), TaskError::Config(_)));
        let io = std::io::Error::other("disk full");
        assert_eq!(TaskError::from(io).message(), "disk full");
    }
}
