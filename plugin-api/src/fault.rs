//! What an entry of a plugin answers instead of a value.

use serde::{Deserialize, Serialize};
use std::fmt;
use taskbay_core::{TaskConfigError, TaskError};

/// Why an entry of a plugin has no value to give. Crosses as JSON text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum Fault {
    /// The task data is wrong.
    Config {
        /// Every fault found.
        errors: Vec<TaskConfigError>,
    },
    /// The task's code returned an error.
    Failed {
        /// The error and its causes, in words.
        message: String,
    },
    /// The task's code panicked. The instance answers nothing from now on.
    Panic {
        /// What the panic said.
        message: String,
        /// Where, as `file:line`; empty where unknown.
        location: String,
    },
    /// The instance panicked earlier, so it answers nothing.
    Poisoned,
}

impl Fault {
    /// As the text that crosses.
    pub fn to_json(&self) -> String {
        // Strings and lists of strings always serialise; were it not so, the text would do.
        serde_json::to_string(self).unwrap_or_else(|_| self.to_string())
    }

    /// From the text that crossed; a text that is none becomes a failure with that text.
    pub fn from_json(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_else(|_| Self::Failed {
            message: text.to_owned(),
        })
    }
}

impl From<TaskError> for Fault {
    fn from(error: TaskError) -> Self {
        match error {
            TaskError::Config(error) => Self::Config {
                errors: vec![error],
            },
            TaskError::Failed(message) => Self::Failed { message },
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config { errors } => {
                let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
                f.write_str(&errors.join("; "))
            }
            Self::Failed { message } => f.write_str(message),
            Self::Panic { message, location } if location.is_empty() => {
                write!(f, "panicked: {message}")
            }
            Self::Panic { message, location } => write!(f, "panicked at {location}: {message}"),
            Self::Poisoned => f.write_str("not asked, since it panicked earlier"),
        }
    }
}

impl std::error::Error for Fault {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crosses_as_json_and_back() {
        for fault in [
            Fault::Config {
                errors: vec![TaskConfigError::new("/a", "bad").caused_by("it")],
            },
            Fault::Failed {
                message: "disk full".into(),
            },
            Fault::Panic {
                message: "boom".into(),
                location: "src/lib.rs:3".into(),
            },
            Fault::Poisoned,
        ] {
            assert_eq!(Fault::from_json(&fault.to_json()), fault);
        }
        assert_eq!(
            Fault::from_json("no JSON").to_string(),
            "no JSON",
            "a plugin may answer anything"
        );
    }
}
