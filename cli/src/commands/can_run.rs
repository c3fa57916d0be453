//! `taskbay can-run`: may a worker execute this?

use crate::{
    args::TaskArgs,
    error::CommandError,
    exit::Exit,
    input,
    session::{Session, find},
};
use serde_json::json;
use std::ffi::OsStr;
use taskbay_worker::WorkerAnalysis;

pub(crate) fn run(
    session: &Session,
    task: &TaskArgs,
    worker: Option<&OsStr>,
) -> Result<Exit, CommandError> {
    let data = input::read(&task.data)?;
    let worker = worker.map(input::metadata).transpose()?;
    let catalog = session.catalog();
    let file = find(&catalog, &task.name)?;
    let mut hosts = session.hosts();
    let worker = match worker {
        Some(worker) => worker,
        None => WorkerAnalysis::of_this_machine(&mut hosts, [file]).metadata,
    };
    let verdict = hosts
        .can_run(file, &data, &worker)
        .map_err(|failure| CommandError::failed(file.path(), failure))?;
    let json = json!({"can_run": verdict.can_run(), "reasons": verdict.reasons});
    session.report.data(&json, |out| {
        writeln!(out, "{}", if verdict.can_run() { "yes" } else { "no" })?;
        for reason in &verdict.reasons {
            writeln!(out, "  {}", reason.message)?;
        }
        Ok(())
    })?;
    Ok(if verdict.can_run() {
        Exit::Success
    } else {
        Exit::No
    })
}
