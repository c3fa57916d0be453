//! Exit codes. They are part of the interface: scripts rely on them.

use std::process::ExitCode;
use taskbay_core::{ErrorCode, OutcomeError, OutcomeResult};
use taskbay_loader::Rejection;
use taskbay_worker::Failure;

/// What the process ends with. Where several apply, the most specific cause wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Yes, success, valid.
    Success = 0,
    /// No, failure, invalid, findings; an execution that ended with an ordinary error.
    No = 1,
    /// Wrong arguments.
    Usage = 2,
    /// There is no such task, request or file.
    Unknown = 3,
    /// A plugin is refused.
    Refused = 4,
    /// A plugin crashed, hung or panicked.
    Crashed = 5,
    /// The engine or the environment cannot be used.
    Unavailable = 6,
    /// Aborted, or timed out.
    Stopped = 7,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl From<&Failure> for Exit {
    fn from(failure: &Failure) -> Self {
        match failure {
            failure if failure.is_crash() => Self::Crashed,
            Failure::Rejected(_) => Self::Refused,
            Failure::NoHost(_) => Self::Unavailable,
            Failure::Interrupted => Self::Stopped,
            _ => Self::No,
        }
    }
}

impl From<&Rejection> for Exit {
    fn from(rejection: &Rejection) -> Self {
        match rejection {
            Rejection::Elsewhere { crashed: true, .. } => Self::Crashed,
            _ => Self::Refused,
        }
    }
}

impl Exit {
    /// What an attempt means that ended so, here or on a worker.
    pub(crate) fn of_attempt(result: OutcomeResult, errors: &[OutcomeError]) -> Self {
        match (result, errors.first().map(|error| error.code)) {
            (OutcomeResult::Success, _) => Self::Success,
            (OutcomeResult::Failure, _) => Self::No,
            (OutcomeResult::Aborted, _) | (_, Some(ErrorCode::TimedOut)) => Self::Stopped,
            (_, Some(ErrorCode::Crashed)) => Self::Crashed,
            _ if errors.iter().any(|error| error.panicked) => Self::Crashed,
            (_, Some(ErrorCode::SetupFailed)) => Self::Unknown,
            _ => Self::No,
        }
    }
}
