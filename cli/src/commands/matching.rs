//! `taskbay match`: which workers shall execute which requests, and why others wait.

mod lines;

use crate::{
    error::CommandError,
    exit::Exit,
    input::{self, Line},
    report::plain,
    session::Session,
};
use lines::RequestLine;
use serde::Serialize;
use serde_json::Value;
use std::{collections::HashMap, ffi::OsStr};
use taskbay_core::{Reason, ReasonCode};
use taskbay_scheduler::{Explanation, Outlook, Scheduler, SignatureId};
use taskbay_service::Plugins;
use taskbay_worker::Unmatchable;

/// What becomes of a request.
#[derive(Clone, Debug, Serialize)]
struct Fate {
    worker: Option<String>,
    verdict: Outlook,
    /// Where it fits nobody, why not the nearest worker.
    reasons: Vec<Reason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nearest: Option<String>,
}

/// A request with what becomes of it.
#[derive(Debug, Serialize)]
struct Row<'r> {
    id: &'r Value,
    /// Its line, where that is no request.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(flatten)]
    fate: &'r Fate,
}

pub(crate) fn run(
    session: &Session,
    requests: &OsStr,
    workers: &OsStr,
) -> Result<Exit, CommandError> {
    if requests == "-" && workers == "-" {
        let message = "standard input cannot be both the requests and the workers";
        return Err(CommandError::new(Exit::Usage, message).help("write one of them to a file"));
    }
    let requests: Vec<Line<RequestLine>> = input::lines(requests)?;
    let mut scheduler = Scheduler::default();
    lines::add_workers(&mut scheduler, input::lines(workers)?);
    let mut plugins = Plugins::new(session.hosts(), session.catalog());
    let fates = decide(session, &mut scheduler, &mut plugins, &requests)?;
    for (line, fate) in requests.iter().zip(&fates) {
        write(session, line, fate)?;
    }
    Ok(Exit::Success)
}

/// What becomes of each request.
fn decide(
    session: &Session,
    scheduler: &mut Scheduler,
    plugins: &mut Plugins,
    requests: &[Line<RequestLine>],
) -> Result<Vec<Fate>, CommandError> {
    let mut signed = Vec::new();
    for (number, line) in (0..).zip(requests) {
        let signature = sign(scheduler, plugins, line)?;
        if let (Ok(signature), Ok(request)) = (&signature, &line.object) {
            scheduler.add(*signature, [request.pending(number)]);
        }
        signed.push(signature);
    }
    let not_asked = |error| session.not_asked(&error);
    let assigned: HashMap<_, _> = scheduler
        .pass(plugins)
        .map_err(not_asked)?
        .into_iter()
        .map(|each| (each.request, each.worker))
        .collect();
    let mut waiting: HashMap<SignatureId, Fate> = HashMap::new();
    let mut fates = Vec::new();
    for (number, signature) in (0..).zip(signed) {
        fates.push(match (signature, assigned.get(&number)) {
            (_, Some(worker)) => Fate::runs_on(worker),
            (Err(reason), None) => Fate::never(vec![reason], None),
            (Ok(signature), None) => {
                if let Some(fate) = waiting.get(&signature) {
                    fates.push(fate.clone());
                    continue;
                }
                let explained = scheduler.explain(signature, plugins).map_err(not_asked)?;
                let fate = Fate::of_waiting(explained);
                waiting.insert(signature, fate.clone());
                fate
            }
        });
    }
    Ok(fates)
}

/// Has the request's task configured, and names what decides who may run it; or says why nobody can.
fn sign(
    scheduler: &mut Scheduler,
    plugins: &mut Plugins,
    line: &Line<RequestLine>,
) -> Result<Result<SignatureId, Reason>, CommandError> {
    let request = match &line.object {
        Ok(request) => request,
        Err(fault) => {
            let message = format!("line {} is no request: {fault}", line.number);
            return Ok(Err(Reason::new(ReasonCode::InvalidData, message)));
        }
    };
    match plugins.configure(&request.task_name, request.task_data.get()) {
        Ok(task) => Ok(Ok(scheduler.add_task(task))),
        Err(Unmatchable::NotAsked(failure)) => Err(CommandError::not_asked(&failure)),
        Err(unmatchable) => Ok(Err(unmatchable.reason())),
    }
}

impl Fate {
    fn runs_on(worker: &str) -> Self {
        Self {
            worker: Some(worker.to_owned()),
            verdict: Outlook::Runnable,
            reasons: Vec::new(),
            nearest: None,
        }
    }

    fn never(reasons: Vec<Reason>, nearest: Option<String>) -> Self {
        Self {
            worker: None,
            verdict: Outlook::Never,
            reasons,
            nearest,
        }
    }

    /// Of one that got no worker: whoever it fits is busy by now.
    fn of_waiting(explained: Option<Explanation>) -> Self {
        match explained.map(|explained| (explained.verdict, explained.nearest)) {
            Some((Outlook::Never, Some(nearest))) => {
                Self::never(nearest.missing, Some(nearest.worker))
            }
            Some((Outlook::Never, None)) | None => Self::never(Vec::new(), None),
            Some(_) => Self {
                verdict: Outlook::Busy,
                ..Self::never(Vec::new(), None)
            },
        }
    }
}

fn write(session: &Session, line: &Line<RequestLine>, fate: &Fate) -> Result<(), CommandError> {
    // Of a line that is no request, as much as can be read.
    let unread;
    let (id, task, number) = if let Ok(request) = &line.object {
        (&request.id, request.task_name.as_str(), None)
    } else {
        unread = serde_json::from_str::<Value>(&line.text).unwrap_or_default();
        (&unread["id"], "?", Some(line.number))
    };
    let row = Row {
        id,
        line: number,
        fate,
    };
    session.report.data(&row, |out| {
        write!(out, "{id} {task}: ")?;
        match (&fate.worker, fate.verdict) {
            (Some(worker), _) => writeln!(out, "on {worker}")?,
            (None, Outlook::Never) => writeln!(out, "never")?,
            (None, _) => writeln!(out, "waits, as every worker that it fits is busy")?,
        }
        match &fate.nearest {
            Some(nearest) => writeln!(out, "  the nearest worker is {nearest}, but")?,
            None if fate.verdict == Outlook::Never && fate.reasons.is_empty() => {
                writeln!(out, "  there are no workers")?;
            }
            None => {}
        }
        for reason in &fate.reasons {
            writeln!(out, "  {}", plain(&reason.message))?;
        }
        Ok(())
    })
}
