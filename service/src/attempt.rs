//! One attempt at a request: configured, judged once more, executed.

use crate::{
    present::Present,
    running::{End, Running},
};
use std::{fmt, sync::Arc, time::Duration};
use taskbay_core::{
    ErrorCode, Outcome, OutcomeResult, ReasonCode, Server, TaskName, Verdict, with_sources,
};
use taskbay_engine::{Claim, EngineError};
use taskbay_worker::{AttemptLog, AttemptOptions, Failure, Hosts};

/// How long a request waits that was handed back since this worker cannot execute it now.
pub(crate) const LATER: Duration = Duration::from_secs(5);

/// What is to be told the engine of an attempt.
#[derive(Debug)]
pub(crate) enum Told {
    /// It has a result.
    Completed(Outcome),
    /// It has none, and somebody else may try.
    Released { reason: String, after: Duration },
    /// It has none, since this worker can execute nothing now.
    Unable { reason: String },
    /// Nothing: the request is another's by now.
    Nothing,
}

/// Makes the attempt, with the plugin and the metadata that the worker has now. `anew` finds out what the engine holds of
/// the metadata by now.
pub(crate) fn make(
    claim: &Claim,
    running: &Arc<Running>,
    present: &Present,
    anew: &dyn Fn() -> Result<Arc<Present>, EngineError>,
    hosts: &mut Hosts,
    server: &Arc<dyn Server>,
    grace: Duration,
) -> Told {
    let options = AttemptOptions {
        timeout: claim.timeout,
        grace,
        keep: false,
        log: Some(Arc::clone(&running.log) as Arc<dyn AttemptLog>),
    };
    let attempted = attempt(claim, present, anew, hosts, server, &options);
    match (running.ended_for(), attempted) {
        (Some(End::Lost), _) => Told::Nothing,
        // One that was done just then has its result all the same.
        (Some(End::Aborted), Told::Completed(outcome)) if is_stopped(&outcome) => {
            Told::Completed(Outcome::aborted())
        }
        (Some(End::HandedBack), Told::Completed(outcome)) if is_stopped(&outcome) => {
            Told::Released {
                reason: "the worker ends".to_owned(),
                after: Duration::ZERO,
            }
        }
        (_, told) => told,
    }
}

/// Whether the attempt ended because it was told to.
fn is_stopped(outcome: &Outcome) -> bool {
    outcome.result == OutcomeResult::Aborted
}

fn attempt(
    claim: &Claim,
    present: &Present,
    anew: &dyn Fn() -> Result<Arc<Present>, EngineError>,
    hosts: &mut Hosts,
    server: &Arc<dyn Server>,
    options: &AttemptOptions,
) -> Told {
    let Some(file) = present.files.get(&claim.task_name) else {
        return Told::later(format!(
            "the worker no longer has the task `{}`",
            claim.task_name
        ));
    };
    let configured = match hosts.configure(file, &claim.task_data) {
        Ok(configured) => configured,
        Err(failure) => return Told::of(&failure),
    };
    let mut suits = hosts.can_run(file, &configured, &present.metadata);
    if suits.as_ref().is_ok_and(|verdict| !verdict.can_run()) {
        // An administrator may have said something since, which the claim was made with.
        suits = match anew() {
            Ok(present) => hosts.can_run(file, &configured, &present.metadata),
            Err(error) => return Told::later(with_sources(&error)),
        };
    }
    match suits {
        Ok(verdict) if verdict.can_run() => {}
        Ok(verdict) if present.is_partly_known && is_about_metadata(&verdict) => {
            log::warn!(
                "`{}` does not suit what this worker reports ({}), but the server gave it, and may have other metadata of it",
                claim.task_name,
                Outcome::unsuitable(verdict).errors[0].message
            );
        }
        Ok(verdict) => return Told::unsuitable(&claim.task_name, verdict),
        Err(failure) => return Told::of(&failure),
    }
    match hosts.execute(file, &configured, server, options) {
        Ok(report) => Told::Completed(report.outcome),
        Err(failure) => Told::of(&failure),
    }
}

/// Whether other metadata could have made it a yes.
fn is_about_metadata(verdict: &Verdict) -> bool {
    let mut reasons = verdict.reasons.iter();
    reasons.all(|reason| matches!(reason.code, ReasonCode::Requirement | ReasonCode::Refused))
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Completed(outcome) => {
                write!(f, "{:?}", outcome.result)?;
                let mut messages = outcome.errors.iter().map(|error| &error.message);
                messages.try_for_each(|message| write!(f, ", {message}"))
            }
            Self::Released { reason, .. } | Self::Unable { reason } => {
                write!(f, "handed back, {reason}")
            }
            Self::Nothing => f.write_str("its lease is lost"),
        }
    }
}

impl Told {
    fn later(reason: String) -> Self {
        Self::Released {
            reason,
            after: LATER,
        }
    }

    /// The verdict that the claim was made with is out of date, or the scheduler's plugin decides otherwise.
    fn unsuitable(task: &TaskName, verdict: Verdict) -> Self {
        let outcome = Outcome::unsuitable(verdict);
        log::warn!(
            "claimed a request for `{task}`, but {}",
            outcome.errors[0].message
        );
        Self::Completed(outcome)
    }

    fn of(failure: &Failure) -> Self {
        let code = match failure {
            Failure::Interrupted => return Self::Completed(Outcome::aborted()),
            // The machine may have what it lacks in a while, and another has it now.
            Failure::NoHost(_) => {
                let reason = failure.to_string();
                return Self::Unable { reason };
            }
            failure => failure.error_code(),
        };
        let mut outcome = Outcome::error(code, failure.to_string());
        if let Failure::Invalid(faults) = failure {
            let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
            outcome = Outcome::error(ErrorCode::ConfigureFailed, faults.join("; "));
        }
        Self::Completed(outcome.noted_as_panic(failure.is_panic()))
    }
}
