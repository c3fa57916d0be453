//! Why a command failed: what, the cause, the remedy, the exit code.

use crate::exit::Exit;
use serde_json::{Value, json};
use std::path::Path;
use taskbay_core::TaskConfigError;
use taskbay_loader::{Rejection, UnknownTask};
use taskbay_worker::Failure;

/// Why a command failed.
#[derive(Debug)]
pub(crate) struct CommandError {
    pub(crate) exit: Exit,
    pub(crate) message: String,
    pub(crate) cause: Option<String>,
    pub(crate) help: Option<String>,
    /// The faults of invalid task data.
    pub(crate) faults: Vec<TaskConfigError>,
}

impl CommandError {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            cause: None,
            help: None,
            faults: Vec::new(),
        }
    }

    pub(crate) fn cause(mut self, cause: &(impl ToString + ?Sized)) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// A plugin file is refused.
    pub(crate) fn rejected(file: &Path, rejection: &Rejection) -> Self {
        Self::new(
            Exit::from(rejection),
            format!("plugin rejected: {}", file.display()),
        )
        .cause(rejection)
        .help(rejection.help())
    }

    /// A question about a plugin has no answer.
    pub(crate) fn failed(file: &Path, failure: Failure) -> Self {
        match failure {
            Failure::Rejected(rejection) => Self::rejected(file, &rejection),
            Failure::Invalid(faults) => Self::invalid(faults),
            Failure::NoHost(_) | Failure::Unsendable(_) | Failure::Interrupted => {
                Self::not_asked(&failure)
            }
            failure => Self::of(&failure, format!("plugin failed: {}", file.display())),
        }
    }

    /// No plugin could be asked, for which none is to blame.
    pub(crate) fn not_asked(failure: &Failure) -> Self {
        Self::of(failure, "the plugin was not asked")
    }

    fn of(failure: &Failure, message: impl Into<String>) -> Self {
        Self::new(Exit::from(failure), message)
            .cause(failure)
            .help(failure.help())
    }

    /// Task data is invalid.
    pub(crate) fn invalid(faults: Vec<TaskConfigError>) -> Self {
        let mut error = Self::new(Exit::No, "the task data is invalid")
            .help("`taskbay schema NAME` shows what task data may say");
        error.faults = faults;
        error
    }

    /// The error as JSON: invalid data as `validate` says it, anything else under `error`.
    pub(crate) fn to_json(&self) -> Value {
        if self.faults.is_empty() {
            json!({"error": {"code": self.exit as u8, "message": self.message, "cause": self.cause, "help": self.help}})
        } else {
            json!({"valid": false, "errors": self.faults})
        }
    }
}

impl From<UnknownTask> for CommandError {
    fn from(unknown: UnknownTask) -> Self {
        Self::new(Exit::Unknown, unknown.to_string()).help(unknown.help())
    }
}
