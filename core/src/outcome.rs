//! How an attempt ended.

use crate::{Reason, TaskError, Verdict};
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
    /// Whether the task's code panicked, or its plugin failed when it was asked about the worker.
    #[serde(default, skip_serializing_if = "is_false")]
    pub panicked: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_false(is_so: &bool) -> bool {
    !is_so
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

impl OutcomeError {
    /// An error that is no panic.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            reasons: Vec::new(),
            panicked: false,
        }
    }
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
            errors: vec![OutcomeError::new(code, message)],
        }
    }

    /// The same, noted as a panic of the task's code if it is one.
    #[must_use]
    pub fn noted_as_panic(mut self, panicked: bool) -> Self {
        for error in &mut self.errors {
            error.panicked = panicked;
        }
        self
    }

    /// Whether the task's code panicked.
    pub fn panicked(&self) -> bool {
        self.errors.iter().any(|error| error.panicked)
    }

    /// An attempt that was not made, since the worker does not suit.
    pub fn unsuitable(verdict: Verdict) -> Self {
        let panicked = verdict.has_failed();
        let reasons = verdict.reasons;
        let messages: Vec<_> = reasons
            .iter()
            .map(|reason| reason.message.as_str())
            .collect();
        let mut outcome = Self::error(
            ErrorCode::Unsuitable,
            format!("this worker does not suit: {}", messages.join("; ")),
        );
        outcome.errors[0].reasons = reasons;
        outcome.noted_as_panic(panicked)
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

    /// What was recorded before panics were noted is read, and whoever reads what is recorded now finds them.
    #[test]
    fn a_panic_is_told_on() {
        let failed = Outcome::error(ErrorCode::ExecuteFailed, "oh");
        let plain = r#"{"result":"error","errors":[{"code":"execute-failed","message":"oh"}]}"#;
        assert_eq!(serde_json::to_string(&failed).unwrap(), plain);
        assert_eq!(serde_json::from_str::<Outcome>(plain).unwrap(), failed);
        let panicked = failed.noted_as_panic(true);
        let text = serde_json::to_string(&panicked).unwrap();
        assert!(text.contains(r#""panicked":true"#), "{text}");
        assert!(serde_json::from_str::<Outcome>(&text).unwrap().panicked());
    }
}
