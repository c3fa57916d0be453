//! `taskbay match`: which workers shall execute which requests, and why others wait.

mod lines;

use crate::{error::CommandError, exit::Exit, input, session::Session};
use lines::{RequestLine, WorkerLine};
use serde::Serialize;
use serde_json::Value;
use std::{collections::HashMap, ffi::OsStr};
use taskbay_core::{Metadata, Reason, ReasonCode, Verdict};
use taskbay_scheduler::{Judge, Matchable, Outlook, Request, Scheduler, SignatureId};
use taskbay_worker::{Matcher, Unmatchable};

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

/// A request's number in its file with what becomes of it.
#[derive(Debug, Serialize)]
struct Row<'r> {
    id: &'r Value,
    #[serde(flatten)]
    fate: &'r Fate,
}

/// The code of plugins, asked in plugin hosts.
struct Plugins(Matcher);

impl Judge for Plugins {
    fn judge(&mut self, task: &Matchable, worker: &Metadata) -> Verdict {
        let name = task.conditions().task().as_str();
        self.0.can_run(name, task.data(), worker)
    }
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
    let requests: Vec<RequestLine> = input::lines(requests)?;
    let mut scheduler = Scheduler::default();
    lines::add_workers(&mut scheduler, input::lines::<WorkerLine>(workers)?)?;
    let mut plugins = Plugins(Matcher::new(session.hosts(), session.catalog()));
    let fates = decide(&mut scheduler, &mut plugins, &requests)?;
    for (line, fate) in requests.iter().zip(&fates) {
        write(session, line, fate)?;
    }
    Ok(Exit::Success)
}

/// What becomes of each request.
fn decide(
    scheduler: &mut Scheduler,
    plugins: &mut Plugins,
    requests: &[RequestLine],
) -> Result<Vec<Fate>, CommandError> {
    let mut signed = Vec::new();
    for (number, line) in (0..).zip(requests) {
        let signature = sign(scheduler, &mut plugins.0, line)?;
        if let Ok(signature) = &signature {
            scheduler.add(*signature, [line.pending(number)]);
        }
        signed.push(signature);
    }
    let assigned: HashMap<_, _> = scheduler
        .pass(plugins)
        .into_iter()
        .map(|each| (each.request, each.worker))
        .collect();
    let mut waiting = HashMap::new();
    let fates =
        (0..).zip(signed).map(
            |(number, signature)| match (signature, assigned.get(&number)) {
                (_, Some(worker)) => Fate::runs_on(worker),
                (Err(unmatchable), None) => Fate::never(vec![unmatchable.reason()], None),
                (Ok(signature), None) => waiting
                    .entry(signature)
                    .or_insert_with(|| Fate::of_waiting(scheduler, signature, plugins))
                    .clone(),
            },
        );
    Ok(fates.collect())
}

/// Has the request's task configured, and names what decides who may run it; or says why nobody can.
fn sign(
    scheduler: &mut Scheduler,
    matcher: &mut Matcher,
    line: &RequestLine,
) -> Result<Result<SignatureId, Unmatchable>, CommandError> {
    match matcher.configure(&line.task_name, &line.task_data.to_string()) {
        Ok((known, configured)) => Ok(Ok(scheduler.add_task(Matchable::new(Request {
            task: known.file.name().clone(),
            version: known.version,
            file: known.hash,
            configured,
        })))),
        Err(Unmatchable::NotAsked(failure)) => Err(CommandError::not_asked(&failure)),
        Err(unmatchable) => Ok(Err(unmatchable)),
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
    fn of_waiting(
        scheduler: &mut Scheduler,
        signature: SignatureId,
        plugins: &mut Plugins,
    ) -> Self {
        let explained = scheduler.explain(signature, plugins);
        match (explained.verdict, explained.nearest) {
            (Outlook::Never, Some(nearest)) => Self::never(nearest.missing, Some(nearest.worker)),
            (Outlook::Never, None) => {
                let nobody = Reason::new(ReasonCode::TaskMissing, "there are no workers");
                Self::never(vec![nobody], None)
            }
            (verdict, _) => Self {
                verdict,
                ..Self::never(Vec::new(), None)
            },
        }
    }
}

fn write(session: &Session, line: &RequestLine, fate: &Fate) -> Result<(), CommandError> {
    let row = Row { id: &line.id, fate };
    session.report.data(&row, |out| {
        let task = &line.task_name;
        write!(out, "{} {task}: ", line.id)?;
        match (&fate.worker, fate.verdict) {
            (Some(worker), _) => writeln!(out, "on {worker}")?,
            (None, Outlook::Never) => writeln!(out, "never")?,
            (None, _) => writeln!(out, "waits, as every worker that it fits is busy")?,
        }
        if let Some(nearest) = &fate.nearest {
            writeln!(out, "  the nearest worker is {nearest}, but")?;
        }
        for reason in &fate.reasons {
            writeln!(out, "  {}", reason.message)?;
        }
        Ok(())
    })
}
