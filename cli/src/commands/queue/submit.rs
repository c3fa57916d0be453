//! `taskbay submit`: have a worker execute a task.

use super::{
    fleet::fleet,
    logs::{Follower, is_over},
    progress::Progress,
    show,
};
use crate::{
    args::TaskArgs,
    error::CommandError,
    exit::Exit,
    input,
    queue::{patiently, told, unless_told},
    report::{note, plain},
    session::Session,
};
use serde_json::json;
use std::{sync::Arc, time::Duration};
use taskbay_core::TaskName;
use taskbay_engine::{Engine, EngineError, NewRequest, RequestDetails, RequestId};
use taskbay_scheduler::Outlook;
use taskbay_service::Plugins;
use taskbay_worker::Unmatchable;

/// How a request is wished to be executed.
pub(crate) struct Wishes {
    pub(crate) priority: i32,
    pub(crate) timeout: Option<Duration>,
    pub(crate) attempts: u32,
    pub(crate) wait: bool,
}

pub(crate) fn run(
    session: &Session,
    engine: &Arc<dyn Engine>,
    task: &TaskArgs,
    wishes: &Wishes,
) -> Result<Exit, CommandError> {
    let data = input::task_data(&task.data)?;
    let name = TaskName::fold(&task.name)
        .map_err(|error| CommandError::new(Exit::Unknown, error.to_string()))?;
    let outlook = warn(session, engine, &name, &data)?;
    let request = NewRequest {
        priority: wishes.priority,
        timeout: wishes.timeout,
        max_attempts: wishes.attempts,
        ..NewRequest::new(name, data)
    };
    let id = submitted(session, engine, request)?;
    if wishes.wait {
        return wait(session, &**engine, id, outlook);
    }
    session
        .report
        .data(&json!({"id": id}), |out| writeln!(out, "request {id}"))?;
    Ok(Exit::Success)
}

/// Submits a request. Where no answer came it is said that it may be there all the same.
fn submitted(
    session: &Session,
    engine: &Arc<dyn Engine>,
    request: NewRequest,
) -> Result<RequestId, CommandError> {
    const LOOK: &str = "look at `taskbay requests` first: the request may be there all the same";
    let ask = {
        let engine = Arc::clone(engine);
        move || engine.submit(&request)
    };
    match unless_told(session, ask)? {
        Some(Ok(id)) => Ok(id),
        Some(Err(error @ EngineError::Unavailable { .. })) => {
            let error = CommandError::from(error);
            let help = match &error.help {
                Some(help) => format!("{LOOK}; {help}"),
                None => LOOK.to_owned(),
            };
            Err(error.help(help))
        }
        Some(Err(error)) => Err(error.into()),
        None => Err(told().help(LOOK)),
    }
}

/// Says at once what can be known here: that the data is invalid, which is refused, or that nobody can execute it. Gives
/// what the request can expect, if that is known.
fn warn(
    session: &Session,
    engine: &Arc<dyn Engine>,
    name: &TaskName,
    data: &str,
) -> Result<Option<Outlook>, CommandError> {
    let mut plugins = Plugins::new(session.hosts(), session.catalog());
    let matchable = match plugins.configure(name.as_str(), data) {
        Ok(matchable) => matchable,
        Err(Unmatchable::Invalid(faults)) => return Err(CommandError::invalid(faults)),
        // The workers may have what this machine lacks.
        Err(error) => {
            warn_unknown(&error);
            return Ok(None);
        }
    };
    let engine = Arc::clone(engine);
    let fleet = unless_told(session, move || fleet(&*engine))?;
    let mut fleet = fleet.ok_or_else(told)??;
    let signature = fleet.add_task(matchable);
    let explained = match fleet.explain(signature, &mut plugins) {
        Ok(explained) => explained,
        Err(error) if session.abort.is_set() => return Err(session.not_asked(&error)),
        Err(error) => {
            warn_unknown(&error);
            return Ok(None);
        }
    };
    let outlook = explained.as_ref().map(|explained| explained.verdict);
    let Some(explained) = explained.filter(|each| each.verdict == Outlook::Never) else {
        return Ok(outlook);
    };
    match explained.nearest {
        None => {
            note("warning: no worker is known that could execute this; it waits until one comes");
        }
        Some(nearest) => {
            note("warning: no known worker can execute this; it waits until one can");
            note(&format!("  the nearest is {}, but", nearest.worker));
            for reason in nearest.missing {
                note(&format!("  {}", reason.message));
            }
        }
    }
    Ok(outlook)
}

fn warn_unknown(error: &dyn std::error::Error) {
    note(&format!(
        "warning: it cannot be said here who will execute this: {error}"
    ));
}

/// Shows how far it gets and the log until the request is completed or held, and then the request.
fn wait(
    session: &Session,
    engine: &dyn Engine,
    id: RequestId,
    outlook: Option<Outlook>,
) -> Result<Exit, CommandError> {
    note(&format!("request {id}"));
    let followed = follow(session, engine, id, outlook);
    if session.abort.is_set() && !matches!(followed, Ok(true)) {
        note(&format!(
            "request {id} goes on: `taskbay abort {id}` stops it"
        ));
        return Ok(Exit::Stopped);
    }
    followed?;
    let request = patiently(session, || engine.request(id))?;
    let artifacts = patiently(session, || show::results(engine, id))?;
    session
        .report
        .data(&show::to_json(&request, &artifacts), |out| {
            let result = request.request.result.map_or("held", super::result_text);
            writeln!(out, "{result}")?;
            for error in &request.request.errors {
                writeln!(out, "  {}", plain(&error.message))?;
            }
            show::write_artifacts(out, &artifacts)
        })?;
    Ok(exit(&request))
}

/// Follows a request until it is over, or this process is told to end. Says whether it is over.
fn follow(
    session: &Session,
    engine: &dyn Engine,
    id: RequestId,
    outlook: Option<Outlook>,
) -> Result<bool, CommandError> {
    let mut follower = Follower::new(id);
    let mut progress = Progress::new(outlook);
    loop {
        let details = patiently(session, || engine.request(id))?;
        // The object comes last and alone for scripts, who can ask for the log.
        if !session.global.json {
            progress.tell(&details);
            follower.write_new(session, engine)?;
        }
        if is_over(&details.request) {
            return Ok(true);
        }
        if session.abort.is_set() {
            return Ok(false);
        }
        follower.wait(session, engine)?;
    }
}

/// As `taskbay run` would exit.
fn exit(request: &RequestDetails) -> Exit {
    let request = &request.request;
    match request.result {
        Some(result) => Exit::of_attempt(result, &request.errors),
        // It is held: none of its attempts came to an end.
        None => Exit::Crashed,
    }
}
