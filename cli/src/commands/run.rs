//! `taskbay run`: execute a task here and now.

use crate::{
    args::TaskArgs,
    error::CommandError,
    exit::Exit,
    input,
    report::{explain, note, plain},
    session::{Session, find_loading},
};
use serde_json::{Value, json};
use std::{env, io::Write, path::PathBuf, sync::Arc};
use taskbay_core::{ErrorCode, Outcome, OutcomeResult, Server};
use taskbay_worker::{
    AttemptOptions, AttemptReport, Failure, LocalServer, StoredArtifact, execute_here,
};

pub(crate) fn run(
    session: &Session,
    task: &TaskArgs,
    output: Option<PathBuf>,
    options: &AttemptOptions,
) -> Result<Exit, CommandError> {
    if session.global.in_process && options.timeout.is_some() {
        return Err(CommandError::new(
            Exit::Usage,
            "--timeout cannot end a task that runs in this process",
        )
        .help("leave --in-process or --timeout out"));
    }
    let mut hosts = session.hosts();
    let prepared = find_loading(&mut session.catalog(), &mut hosts, &task.name)
        .and_then(|file| Ok((file, input::task_data(&task.data)?)));
    let (file, data) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => return not_begun(session, ErrorCode::SetupFailed, error),
    };
    let here = env::current_dir().map_err(|error| {
        CommandError::new(Exit::Unavailable, "there is no current directory").cause(&error)
    })?;
    let output = output.unwrap_or_else(|| format!("./{}-output", file.name()).into());
    if output.exists() && !output.is_dir() {
        return Err(CommandError::new(
            Exit::Unavailable,
            format!("{} is no directory", output.display()),
        )
        .help("name another directory with --output"));
    }
    let server = Arc::new(LocalServer::new(here, output));
    let taken: Arc<dyn Server> = Arc::clone(&server) as _;
    let attempted = execute_here(&mut hosts, &file, &data, &taken, options);
    match attempted {
        Ok(report) => {
            let exit = finish(session, &report, &server.artifacts())?;
            if exit == Exit::Crashed {
                let file = file.path().display();
                note(&format!("help:  report it to the author of {file}"));
            }
            Ok(exit)
        }
        Err(failure) => {
            let code = failure.error_code();
            let interrupted = matches!(failure, Failure::Interrupted);
            let error = CommandError::failed(file.path(), failure);
            if interrupted {
                write_outcome(session, &Outcome::aborted(), 0.0, &[])?;
                return Ok(Exit::Stopped);
            }
            not_begun(session, code, error)
        }
    }
}

/// Reports an attempt that could not begin, in the shape of one that ended.
fn not_begun(
    session: &Session,
    code: ErrorCode,
    error: CommandError,
) -> Result<Exit, CommandError> {
    if !session.global.json {
        return Err(error);
    }
    let mut message = error.message.clone();
    for part in error
        .cause
        .iter()
        .cloned()
        .chain(error.faults.iter().map(ToString::to_string))
    {
        message.push_str(": ");
        message.push_str(&part);
    }
    let code = if error.faults.is_empty() {
        code
    } else {
        ErrorCode::ConfigureFailed
    };
    write_outcome(session, &Outcome::error(code, message), 0.0, &[])?;
    explain(&error);
    Ok(error.exit)
}

fn finish(
    session: &Session,
    report: &AttemptReport,
    artifacts: &[StoredArtifact],
) -> Result<Exit, CommandError> {
    write_outcome(
        session,
        &report.outcome,
        report.duration.as_secs_f64(),
        artifacts,
    )?;
    if let Some(directory) = &report.work_directory {
        note(&format!("the work directory is {}", directory.display()));
    }
    let outcome = &report.outcome;
    Ok(Exit::of_attempt(outcome.result, &outcome.errors))
}

fn write_outcome(
    session: &Session,
    outcome: &Outcome,
    duration: f64,
    artifacts: &[StoredArtifact],
) -> Result<(), CommandError> {
    let shown: Vec<Value> = artifacts
        .iter()
        .map(|stored| {
            let files: Vec<_> = stored
                .artifact
                .files
                .iter()
                .map(|file| file.to_string_lossy())
                .collect();
            json!({
                "id": stored.id,
                "category": stored.artifact.category,
                "data": stored.artifact.data,
                "files": files,
                "relations": stored.relations,
            })
        })
        .collect();
    let json = json!({
        "result": outcome.result,
        "errors": outcome.errors,
        "duration_s": duration,
        "artifacts": shown,
    });
    session
        .report
        .data(&json, |out| write_text(outcome, duration, artifacts, out))
}

fn write_text(
    outcome: &Outcome,
    duration: f64,
    artifacts: &[StoredArtifact],
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let result = match outcome.result {
        OutcomeResult::Success => "success",
        OutcomeResult::Failure => "failure",
        OutcomeResult::Error => "error",
        OutcomeResult::Aborted => "aborted",
    };
    writeln!(out, "{result} after {duration:.1} s")?;
    for error in &outcome.errors {
        writeln!(out, "  {}", plain(&error.message))?;
    }
    for stored in artifacts {
        writeln!(out, "  {}", stored.artifact.category)?;
        for file in &stored.artifact.files {
            writeln!(out, "    {}", file.display())?;
        }
    }
    Ok(())
}
