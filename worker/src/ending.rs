//! What the end of an execution means.

use crate::{failure::Failure, protocol::Answer};
use std::time::Duration;
use taskbay_core::{ErrorCode, Outcome, TaskConfigError};
use taskbay_plugin_api::host::Fault;

/// Why an attempt stops before the task answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Somebody stopped it.
    Aborted,
    /// It took longer than this.
    TimedOut { after: Duration },
}

/// What the answer of the task `name` means. An execution that was stopped has no result of its own.
pub(crate) fn outcome_of(
    name: &str,
    answer: Result<Answer, Failure>,
    stopped: Option<Stop>,
) -> Outcome {
    match (stopped, answer) {
        (Some(Stop::Aborted), _) | (None, Ok(Answer::Executed(None))) => Outcome::aborted(),
        (Some(Stop::TimedOut { after }), _) => {
            let message = format!("the task took longer than {} s", after.as_secs_f64());
            Outcome::error(ErrorCode::TimedOut, message)
        }
        (None, Ok(Answer::Executed(Some(answer)))) => Outcome::of(Ok(answer)),
        (None, Ok(Answer::Invalid(errors) | Answer::Failed(Fault::Config { errors }))) => {
            config(&errors)
        }
        (None, Ok(Answer::Failed(fault))) => {
            log::error!(task = name; "executing the task failed: {fault}");
            let message = fault.to_string();
            let panicked = Failure::Fault(fault).is_panic();
            Outcome::error(ErrorCode::ExecuteFailed, message).noted_as_panic(panicked)
        }
        (None, Ok(other)) => crashed(name, Failure::unexpected(&other).to_string()),
        (None, Err(Failure::Died(death))) => {
            crashed(name, format!("the process that executed the task {death}"))
        }
        (None, Err(failure)) => crashed(name, failure.to_string()),
    }
}

fn crashed(name: &str, message: String) -> Outcome {
    log::error!(task = name; "{message}");
    Outcome::error(ErrorCode::Crashed, message)
}

fn config(errors: &[TaskConfigError]) -> Outcome {
    let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
    Outcome::error(ErrorCode::ConfigureFailed, errors.join("; "))
}
