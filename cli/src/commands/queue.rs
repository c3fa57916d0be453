//! One module per command about requests, workers, and the engine that they meet in.

mod artifact;
mod explain;
mod explain_elsewhere;
mod explain_worker;
mod fleet;
mod logs;
mod progress;
mod recorded;
mod request;
mod requests;
mod services;
mod show;
mod submit;
mod worker_set;
mod workers;

use crate::{
    args::QueueCommand, debusine, error::CommandError, exit::Exit, queue, session::Session,
};
use serde::Serialize;
use serde_json::Value;
use taskbay_core::OutcomeResult;
use taskbay_debusine_engine::is_debusine;

/// Runs the command, and says what the process ends with.
pub(crate) fn run(session: &Session, command: QueueCommand) -> Result<Exit, CommandError> {
    let config = queue::config()?;
    let url = queue::url(session, &config)?;
    if is_debusine(&url) {
        return match &command {
            QueueCommand::Worker(args) => services::debusine_worker(session, &config, args, &url),
            QueueCommand::Explain { id: Some(id), .. } => {
                explain_elsewhere::run(session, &config, &url, *id)
            }
            _ => Err(debusine::is_for_workers()),
        };
    }
    let is_service = matches!(
        command,
        QueueCommand::Worker(_) | QueueCommand::Scheduler | QueueCommand::Serve(_)
    );
    let engine = if is_service {
        queue::open_in_time(session, &config)?
    } else {
        queue::open(session, &config)?
    };
    match command {
        QueueCommand::Submit {
            task,
            priority,
            timeout,
            attempts,
            wait,
        } => submit::run(
            session,
            &engine,
            &task,
            &submit::Wishes {
                priority,
                timeout,
                attempts,
                wait,
            },
        ),
        QueueCommand::Requests {
            status,
            task,
            limit,
        } => requests::run(session, &*engine, status, task, limit),
        QueueCommand::Show { id } => show::run(session, &*engine, id),
        QueueCommand::Logs { id, follow } => logs::run(session, &*engine, id, follow),
        QueueCommand::Explain { id, worker, limit } => match (id, worker) {
            (_, Some(worker)) => explain_worker::run(session, &*engine, &worker, limit),
            (id, None) => explain::run(session, &*engine, id.unwrap_or_default()),
        },
        QueueCommand::Abort { id } => request::abort(session, &*engine, id),
        QueueCommand::Retry { id } => request::retry(session, &*engine, id),
        QueueCommand::Workers { skew: true } => workers::skew(session, &*engine),
        QueueCommand::Workers { skew: false } => workers::run(session, &*engine),
        QueueCommand::WorkerSet(args) => worker_set::run(session, &*engine, &args),
        QueueCommand::Worker(args) => services::worker(session, engine, &config, &args),
        QueueCommand::Scheduler => services::scheduler(session, &*engine, &config),
        QueueCommand::Serve(args) => services::serve(session, &engine, &config, &args),
        QueueCommand::Artifact { command } => artifact::run(session, &*engine, command),
    }
}

/// A result in a word.
fn result_text(result: OutcomeResult) -> &'static str {
    match result {
        OutcomeResult::Success => "success",
        OutcomeResult::Failure => "failure",
        OutcomeResult::Error => "error",
        OutcomeResult::Aborted => "aborted",
    }
}

/// The word that scripts get for something.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        _ => String::new(),
    }
}

/// Whose word a verdict is, for scripts.
fn source(is_recorded: bool) -> &'static str {
    if is_recorded { "recorded" } else { "judged" }
}
