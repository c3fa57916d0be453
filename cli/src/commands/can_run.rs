//! `taskbay can-run`: may a worker execute this?

use crate::{
    args::TaskArgs,
    error::CommandError,
    exit::Exit,
    input,
    report::plain,
    session::{Session, find_loading},
};
use serde_json::json;
use std::ffi::OsStr;
use taskbay_core::Metadata;
use taskbay_loader::Admissible;
use taskbay_worker::{Failure, Hosts, WorkerAnalysis};

pub(crate) fn run(
    session: &Session,
    task: &TaskArgs,
    worker: Option<&OsStr>,
) -> Result<Exit, CommandError> {
    let data = input::task_data(&task.data)?;
    let worker = worker.map(input::metadata).transpose()?;
    let mut hosts = session.hosts();
    let file = &find_loading(&mut session.catalog(), &mut hosts, &task.name)?;
    let failed = |failure| CommandError::failed(file.path(), failure);
    let configured = hosts.configure(file, &data).map_err(failed)?;
    let worker = match worker {
        Some(worker) => worker,
        None => this_worker(&mut hosts, file).map_err(failed)?,
    };
    let verdict = hosts.can_run(file, &configured, &worker).map_err(failed)?;
    let json = json!({"can_run": verdict.can_run(), "reasons": verdict.reasons});
    session.report.data(&json, |out| {
        writeln!(out, "{}", if verdict.can_run() { "yes" } else { "no" })?;
        for reason in &verdict.reasons {
            writeln!(out, "  {}", plain(&reason.message))?;
        }
        Ok(())
    })?;
    Ok(if verdict.can_run() {
        Exit::Success
    } else if verdict.has_failed() {
        Exit::Crashed
    } else {
        Exit::No
    })
}

/// The metadata of this machine, as far as it concerns the task of `file`.
fn this_worker(hosts: &mut Hosts, file: &Admissible) -> Result<Metadata, Failure> {
    let mut analysis = WorkerAnalysis::of_this_machine(hosts, [file])?;
    match analysis.failed.pop() {
        Some((_, failure)) => Err(failure),
        None => Ok(analysis.metadata),
    }
}
