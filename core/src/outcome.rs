//! How an attempt ended.

use crate::{Reason, TaskError};
use serde::{Deserialize, Serialize};

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The result.
    pub result: OutcomeResult,
    /// What went wrong; empty for a success or failure.
    pub errors: Vec<OutcomeError>,
}

/// The four results of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeResult {
    /// The task did its work, and what it looked at is good.
    Success,
    /// The task did its work, and what it looked at is not good.
    Failure,
    /// The task did not do its work.
    Error,
    /// Somebody stopped it.
    Aborted,
}

/// One thing that went wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutcomeError {
    /// What kind, for scripts.
    pub code: ErrorCode,
    /// What happened, for people.
    pub message: String,
    /// Why the worker does not suit, where that is what went wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
}

/// The kinds of errors of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorCode {
    /// There is no such task, or its plugin was refused.
    SetupFailed,
    /// The task data is invalid.
    ConfigureFailed,
    /// This worker does not suit.
    Unsuitable,
    /// The task ended with an error, or panicked.
    ExecuteFailed,
    /// The process that executed the task died.
    Crashed,
    /// The task took longer than allowed.
    TimedOut,
}

impl Outcome {
    /// What the answer of `execute` means: true success, false failure.
    pub fn of(executed: Result<bool, TaskError>) -> Self {
        match executed {
            Ok(true) => Self::plain(OutcomeResult::Success),
            Ok(false) => Self::plain(OutcomeResult::Failure),
            Err(error @ TaskError::Config(_)) => {
                Self::error(ErrorCode::ConfigureFailed, error.message())
            }
            Err(error) => Self::error(ErrorCode::ExecuteFailed, error.message()),
        }
    }

    /// An attempt that was stopped reports nothing else.
    pub fn aborted() -> Self {
        Self::plain(OutcomeResult::Aborted)
    }

    /// An attempt that did not do its work.
    pub fn error(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            result: OutcomeResult::Error,
            errors: vec![OutcomeError {
                code,
                message: message.into(),
                reasons: Vec::new(),
            }],
        }
    }

    /// An attempt that was not made, since the worker does not suit.
    pub fn unsuitable(reasons: Vec<Reason>) -> Self {
        let messages: Vec<_> = reasons
            .iter()
            .map(|reason| reason.message.as_str())
            .collect();
        let mut outcome = Self::error(
            ErrorCode::Unsuitable,
            format!("this worker does not suit: {}", messages.join("; ")),
        );
        outcome.errors[0].reasons = reasons;
        outcome
    }

    fn plain(result: OutcomeResult) -> Self {
        Self {
            result,
            errors: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TaskConfigError;

    /// Row `execute`: true, false, a config error, any other error.
    #[test]
    fn execute() {
        assert_eq!(Outcome::of(Ok(true)).result, OutcomeResult::Success);
        assert_eq!(Outcome::of(Ok(false)).result, OutcomeResult::Failure);
        let config = Outcome::of(Err(TaskConfigError::new("/a", "bad").into()));
        assert_eq!(config.errors[0].code, ErrorCode::ConfigureFailed);
        assert_eq!(config.errors[0].message, "/a: bad");
        let failed = Outcome::of(Err(TaskError::new("disk full")));
        assert_eq!(failed.result, OutcomeResult::Error);
        assert_eq!(failed.errors[0].code, ErrorCode::ExecuteFailed);
    }

    #[test]
    fn codes_are_spelled_as_scripts_expect() {
        let text = serde_json::to_string(&[
            ErrorCode::SetupFailed,
            ErrorCode::ConfigureFailed,
            ErrorCode::Unsuitable,
            ErrorCode::ExecuteFailed,
            ErrorCode::Crashed,
            ErrorCode::TimedOut,
        ])
        .unwrap();
        assert_eq!(
            text,
            r#"["setup-failed","configure-failed","unsuitable","execute-failed","crashed","timed-out"]"#
        );
    }
}
