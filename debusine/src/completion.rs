//! How an attempt ended, as a server is told.

use serde::{Deserialize, Serialize};
use std::time::Duration;
use taskbay_core::{ErrorCode, Outcome, OutcomeError, OutcomeResult, TaskName, shorten};

/// The longest message of an error, in characters: a server shows it on a page.
const LONGEST: usize = 20_000;
/// The most errors that are told.
const MOST: usize = 100;

/// How an attempt ended, as a server is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Completion {
    result: Word,
    output_data: OutputData,
}

/// The results that both protocols have and an attempt can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Success,
    Failure,
    Error,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct OutputData {
    runtime_statistics: Statistics,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Told>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Statistics {
    /// In seconds.
    duration: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Told {
    message: String,
    code: String,
}

impl Completion {
    /// What a server is told of an outcome. An aborted attempt has no result that a server would take, so it is an error: one
    /// that the worker's end aborted is never completed.
    pub(crate) fn of(task: &TaskName, outcome: &Outcome, duration: Duration) -> Self {
        let mut errors: Vec<_> = outcome
            .errors
            .iter()
            .take(MOST)
            .map(|error| told(task, error))
            .collect();
        let result = match outcome.result {
            OutcomeResult::Success => Word::Success,
            OutcomeResult::Failure => Word::Failure,
            OutcomeResult::Error => Word::Error,
            OutcomeResult::Aborted => {
                let aborted = OutcomeError::new(ErrorCode::ExecuteFailed, "it was aborted");
                errors.push(told(task, &aborted));
                Word::Error
            }
        };
        Self {
            result,
            output_data: OutputData {
                runtime_statistics: Statistics {
                    duration: duration.as_secs(),
                },
                errors,
            },
        }
    }

    /// A request that this worker cannot even read.
    pub(crate) fn unreadable(code: &str, message: &str) -> Self {
        Self {
            result: Word::Error,
            output_data: OutputData {
                runtime_statistics: Statistics { duration: 0 },
                errors: vec![Told {
                    message: shorten(message, LONGEST).to_string(),
                    code: code.to_owned(),
                }],
            },
        }
    }
}

/// The error in Debusine's words, of which it has three: what went wrong before the task was asked, that its data is invalid,
/// and whatever went wrong after that.
fn told(task: &TaskName, error: &OutcomeError) -> Told {
    let (code, phase) = match error.code {
        ErrorCode::SetupFailed | ErrorCode::Unsuitable => ("setup-failed", "setup"),
        ErrorCode::ConfigureFailed => ("configure-failed", "configure"),
        ErrorCode::ExecuteFailed | ErrorCode::Crashed | ErrorCode::TimedOut => {
            ("execute-failed", "execute")
        }
    };
    let message = shorten(&error.message, LONGEST);
    Told {
        message: format!("Task: {task} Error {phase}: {message}"),
        code: code.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(outcome: &Outcome, expected: &serde_json::Value) {
        let task = TaskName::fold("noop").unwrap();
        let completion = Completion::of(&task, outcome, Duration::from_millis(1900));
        assert_eq!(&serde_json::to_value(completion).unwrap(), expected);
    }

    #[test]
    fn results_are_told_in_debusines_words() {
        let statistics = json!({"duration": 1});
        for (executed, word) in [(true, "success"), (false, "failure")] {
            check(
                &Outcome::of(Ok(executed)),
                &json!({"result": word, "output_data": {"runtime_statistics": statistics}}),
            );
        }
        for (code, word, phase) in [
            (ErrorCode::SetupFailed, "setup-failed", "setup"),
            (ErrorCode::Unsuitable, "setup-failed", "setup"),
            (ErrorCode::ConfigureFailed, "configure-failed", "configure"),
            (ErrorCode::ExecuteFailed, "execute-failed", "execute"),
            (ErrorCode::Crashed, "execute-failed", "execute"),
            (ErrorCode::TimedOut, "execute-failed", "execute"),
        ] {
            let errors =
                json!([{"message": format!("Task: noop Error {phase}: oh"), "code": word}]);
            check(
                &Outcome::error(code, "oh"),
                &json!({"result": "error", "output_data": {"runtime_statistics": statistics, "errors": errors}}),
            );
        }
    }
}
