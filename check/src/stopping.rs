//! Level 4: an execution is aborted, and its process is killed.

use crate::{
    Options,
    executing::Executed,
    execution::{After, Disturbance, Execution},
    record::Record,
    test::{Objection, Tried, fault, passed, skip},
};
use std::time::Duration;
use taskbay_core::{ErrorCode, OutcomeResult};
use taskbay_worker::Failure;

/// The tests of this level that need an execution.
pub(crate) const TESTS: &[&str] = &["abort", "kill"];

/// What ends sooner cannot be disturbed: this is how often a host looks at its abort latch.
const SHORTEST: Duration = Duration::from_millis(200);
/// What to do about that.
const LONGER: &str = "give task data that takes longer with --data";
/// How a task heeds an abort.
const HEEDING: &str = "look at `context.abort()` now and then, and start commands with `run`";
/// The longest that a task is let run before it is disturbed.
const LATEST: Duration = Duration::from_secs(2);

/// Aborts an execution and kills another.
pub(crate) fn run(executed: &Executed, options: &Options, record: &mut Record) {
    record.test("abort", || abort(executed, options));
    record.test("kill", || kill(executed, options));
}

/// The middle of an execution, by how long the first took.
fn middle(executed: &Executed) -> Duration {
    (executed.first.took / 2).min(LATEST)
}

fn abort(executed: &Executed, options: &Options) -> Tried<()> {
    if executed.first.took < SHORTEST {
        return skip("it ends before it could be aborted", LONGER);
    }
    let disturbance = Disturbance::Abort(middle(executed));
    let execution = Execution::run(executed.answered, options, Some(disturbance))?;
    not_interrupted(options)?;
    if execution.report.outcome.result != OutcomeResult::Aborted {
        return skip("it ended before it was aborted", LONGER);
    }
    if let Some(After { processes, .. }) = &execution.after
        && !processes.is_empty()
    {
        return fault(
            format!(
                "processes that were told to end with it still run when it has answered: {}",
                processes.join(", ")
            ),
            "start commands with `run`, which waits for their end and kills what does not heed TERM",
        );
    }
    let latency = execution.latency.unwrap_or_default();
    // As long as it would have taken anyway: it saw nothing of the abort.
    let rest = executed.first.took.saturating_sub(middle(executed));
    if latency >= SHORTEST && latency >= rest.mul_f64(0.8) {
        return fault(
            format!(
                "it went on to its end, {:.1} s after the abort",
                latency.as_secs_f64()
            ),
            HEEDING,
        );
    }
    let survivors = execution.report.survivors.iter();
    let survivors: Vec<_> = survivors
        .map(|survivor| survivor.command.as_str())
        .collect();
    if !survivors.is_empty() {
        return fault(
            format!("processes survive it: {}", survivors.join(", ")),
            "start no processes of another user",
        );
    }
    if latency >= options.grace {
        return fault(
            format!(
                "it had not ended {:.1} s after the abort, and was killed",
                options.grace.as_secs_f64()
            ),
            format!("{HEEDING}; or allow more time with --grace"),
        );
    }
    passed(format!(
        "ended {:.3} s after the abort",
        latency.as_secs_f64()
    ))
}

/// Killed in the middle, it is reported as crashed; and executed again, it does as before.
fn kill(executed: &Executed, options: &Options) -> Tried<()> {
    let disturbance = Disturbance::Kill(middle(executed));
    let killed = Execution::run(executed.answered, options, Some(disturbance))?;
    not_interrupted(options)?;
    let first = executed.first.report.outcome.result;
    let outcome = &killed.report.outcome;
    let code = outcome.errors.first().map(|error| error.code);
    let was_killed = code == Some(ErrorCode::Crashed);
    if !was_killed && outcome.result != first {
        return fault(
            "its result is another the second time",
            "make the result depend on the task data and what it names alone",
        );
    }
    let again = Execution::run(executed.answered, options, None)?;
    not_interrupted(options)?;
    if again.report.outcome.result != first {
        let errors = again.report.outcome.errors.iter();
        let messages: Vec<_> = errors.map(|error| error.message.as_str()).collect();
        return fault(
            format!(
                "executed again after its process was killed, it has another result: {}",
                messages.join("; ")
            ),
            "keep no state outside the work directory",
        );
    }
    if !was_killed {
        return skip("it ended before its process could be killed", LONGER);
    }
    passed("executed again after its process was killed, it does as before")
}

/// What the user ended says nothing of the plugin.
fn not_interrupted(options: &Options) -> Result<(), Objection> {
    if options.abort.is_set() {
        return Err(Objection::Broken(Failure::Interrupted));
    }
    Ok(())
}
