//! Level 3: the plugin executes one example, and leaves nothing behind.

use crate::{
    Options,
    answering::Answered,
    execution::{After, Execution},
    loading::{AS_BEFORE, not_printed},
    process_state::mend,
    record::Record,
    shared_places::SharedPlaces,
    test::{Objection, PANIC, Tried, fault, found, passed, skip},
};
use std::{collections::BTreeSet, path::PathBuf, thread, time::Duration};
use taskbay_core::{ErrorCode, OutcomeResult};
use taskbay_worker::{Failure, judge_here};

/// The tests of this level.
pub(crate) const TESTS: &[&str] = &[
    "execute",
    "execute-log",
    "execute-files",
    "execute-artifacts",
    "execute-processes",
    "execute-state",
];

/// How long it is looked at what others do where an execution seems to have made files.
const LEAST_QUIET: Duration = Duration::from_millis(300);
const MOST_QUIET: Duration = Duration::from_secs(2);
/// How often that is done, and the task executed again: others may do the same in turn by chance.
const ROUNDS: usize = 2;

/// A task that was executed, and what came of it.
#[derive(Debug)]
pub(crate) struct Executed<'a> {
    pub(crate) answered: &'a Answered<'a>,
    pub(crate) first: Execution,
}

/// Executes the task, where this machine suits.
pub(crate) fn run<'a>(
    answered: &'a Answered<'a>,
    options: &Options,
    record: &mut Record,
) -> Option<Executed<'a>> {
    let first = record.test("execute", || execute(answered, options))?;
    if let Some(After {
        changes,
        processes,
        said,
    }) = &first.after
    {
        record.test("execute-log", || not_printed(&said.0, &said.1));
        record.test("execute-files", || files(answered, &first, options));
        record.test("execute-artifacts", || artifacts(&first));
        record.test("execute-processes", || no_processes(processes));
        record.test("execute-state", || as_before(changes));
    }
    Some(Executed { answered, first })
}

fn execute(answered: &Answered, options: &Options) -> Tried<Execution> {
    let verdict = judge_here(
        &mut options.hosts(),
        &answered.loaded.file,
        &answered.configured,
    )?;
    if !verdict.can_run() {
        let reasons = verdict.reasons.iter().map(|reason| reason.message.as_str());
        let reasons: Vec<_> = reasons.collect();
        return skip(
            format!("this machine does not suit: {}", reasons.join("; ")),
            "install what it needs (`taskbay analyze` shows what this machine has), or check it on a worker that suits, or \
             give other task data with --data",
        );
    }
    let execution = Execution::run(answered, options, None)?;
    let took = execution.took.as_secs_f64();
    match execution.report.outcome.result {
        OutcomeResult::Success => found(execution, format!("success after {took:.3} s")),
        OutcomeResult::Failure => found(execution, format!("failure after {took:.3} s")),
        OutcomeResult::Aborted => Err(Objection::Broken(Failure::Interrupted)),
        // What is missing excuses an error, and no crash.
        OutcomeResult::Error if answered.is_declared && lacks_inputs(&execution) => skip(
            format!(
                "its example names what is not here: {}",
                execution.missing.join(", ")
            ),
            "give task data that names files of this machine with --data",
        ),
        OutcomeResult::Error => failed(&execution),
    }
}

fn lacks_inputs(execution: &Execution) -> bool {
    let codes = execution.report.outcome.errors.iter();
    let mut codes = codes.map(|error| error.code);
    let has_crashed = codes.any(|code| matches!(code, ErrorCode::Crashed | ErrorCode::TimedOut));
    !execution.missing.is_empty() && !has_crashed && !execution.report.outcome.panicked()
}

fn failed(execution: &Execution) -> Tried<Execution> {
    let errors = &execution.report.outcome.errors;
    let messages: Vec<_> = errors.iter().map(|error| error.message.as_str()).collect();
    let help = match errors.first().map(|error| error.code) {
        Some(ErrorCode::TimedOut) => "give a shorter example, or allow more time with --timeout",
        Some(ErrorCode::Crashed) => {
            "`gdb --args taskbay --in-process --plugin-dir DIR run NAME DATA` shows where"
        }
        _ if execution.report.outcome.panicked() => PANIC,
        _ if !execution.missing.is_empty() => "name files of this machine in the task data",
        _ => {
            "return `false` for what is found wrong with the input, and give an example that works; HOME is an empty directory here"
        }
    };
    fault(messages.join("; "), help)
}

fn files(answered: &Answered, execution: &Execution, options: &Options) -> Tried<()> {
    if let Some(directory) = &execution.report.work_directory {
        return fault(
            format!(
                "its work directory {} cannot be removed",
                directory.display()
            ),
            "leave no files in it that belong to others, or are protected",
        );
    }
    if !execution.left.is_empty() {
        return fault(
            format!(
                "files are left outside the work directory: {}",
                execution.left.join(", ")
            ),
            "make files in the work directory, and set TMPDIR and HOME to it for commands that make some",
        );
    }
    let came = match &execution.came {
        Ok(came) => came,
        Err(why) => {
            return skip(
                format!("what it makes in /tmp and the like cannot be watched: {why}"),
                "check it where this user may watch directories (`fs.inotify.max_user_instances` and \
                 `max_user_watches` of sysctl), or end programs that watch many",
            );
        }
    };
    let shared = shared(answered, came, execution.took, options)?;
    if shared.is_empty() {
        let left: Vec<_> = came
            .iter()
            .filter(|path| path.symlink_metadata().is_ok())
            .collect();
        let whose = if left.is_empty() {
            String::new()
        } else {
            format!(
                "; this or another program made once, and left, {}",
                named(left)
            )
        };
        return passed(format!(
            "its work directory is removed, and nothing is left in TMPDIR and HOME, or made at a fixed place each time{whose}"
        ));
    }
    fault(
        format!(
            "each time it makes or writes files that are no attempt's own: {}",
            named(&shared)
        ),
        "make them in the work directory: two attempts at once would write to the same files",
    )
}

/// Paths in a line.
fn named<'p>(paths: impl IntoIterator<Item = &'p PathBuf>) -> String {
    let paths = paths.into_iter().map(|path| path.display().to_string());
    paths.collect::<Vec<_>>().join(", ")
}

/// What comes to the places that all programs share each time that the task is executed, and only then.
fn shared(
    answered: &Answered,
    first: &BTreeSet<PathBuf>,
    took: Duration,
    options: &Options,
) -> Result<BTreeSet<PathBuf>, Objection> {
    let mut came = first.clone();
    for _ in 0..ROUNDS {
        if came.is_empty() {
            break;
        }
        let others = SharedPlaces::watch(&came);
        thread::sleep(took.clamp(LEAST_QUIET, MOST_QUIET));
        let others = others.map(SharedPlaces::came).unwrap_or_default();
        came.retain(|path| !others.contains(path));
        if !came.is_empty() {
            let again = Execution::again(answered, options, &came)?;
            let again = again.came.unwrap_or_default();
            came.retain(|path| again.contains(path));
        }
    }
    Ok(came)
}

fn artifacts(execution: &Execution) -> Tried<()> {
    let strays = execution.report.strays.iter();
    let strays: Vec<_> = strays.map(|file| file.display().to_string()).collect();
    match &strays[..] {
        [] => passed("what it uploads is in its work directory"),
        strays => fault(
            format!(
                "it wants to upload files that are not in its work directory: {}",
                strays.join(", ")
            ),
            "copy them there first: nothing is taken from elsewhere",
        ),
    }
}

fn no_processes(processes: &[String]) -> Tried<()> {
    match processes {
        [] => passed("all that it started have ended"),
        left => fault(
            format!("processes that it started still run: {}", left.join(", ")),
            "wait for all that it starts; `run` does",
        ),
    }
}

fn as_before(changes: &[String]) -> Tried<()> {
    match changes {
        [] => passed(AS_BEFORE),
        changes => fault(
            format!("its process is not what it was: {}", changes.join("; ")),
            mend(
                changes,
                "set directory, umask, signals, limits and environment of the commands that are started, not of the host",
            ),
        ),
    }
}
