//! `taskbay explain`: who can execute a request, who cannot, and why not.

use crate::{error::CommandError, exit::Exit, report::plain, session::Session};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    io::{self, Write},
};
use taskbay_core::{Reason, TaskName, Verdict};
use taskbay_engine::{Engine, Request, RequestFilter, RequestId, Status, Worker as Recorded};
use taskbay_scheduler::{Explanation, Lists, Outlook, Scheduler, Worker};
use taskbay_service::Plugins;

/// How many of the requests that wait are looked at for one worker.
const MOST: u32 = 10_000;

/// The workers that may get requests, as they are matched.
pub(crate) fn fleet(engine: &dyn Engine) -> Result<Scheduler, CommandError> {
    let mut fleet = Scheduler::default();
    for worker in engine.workers()? {
        if let Some(worker) = matched(worker) {
            fleet.set_worker(worker);
        }
    }
    Ok(fleet)
}

/// A worker as it is matched; one that never reported, or shall get nothing, is none.
fn matched(recorded: Recorded) -> Option<Worker> {
    let settings = recorded.settings;
    if recorded.last_seen.is_none() || !settings.enabled || settings.draining {
        return None;
    }
    let mut worker = Worker::new(recorded.name, recorded.effective);
    worker.is_busy = recorded.running >= recorded.slots;
    let listed = |names: Vec<TaskName>| names.into_iter().collect::<BTreeSet<_>>();
    worker.lists = Lists {
        allow: settings.allow.map(listed),
        deny: settings.deny.map(listed).unwrap_or_default(),
    };
    Some(worker)
}

pub(crate) fn request(
    session: &Session,
    engine: &dyn Engine,
    id: RequestId,
) -> Result<Exit, CommandError> {
    let details = engine.request(id)?;
    let mut plugins = Plugins::new(session.hosts(), session.catalog());
    let name = details.request.task_name.as_str();
    let explained = match plugins.configure(name, &details.task_data) {
        Ok(matchable) => {
            let mut fleet = fleet(engine)?;
            let signature = fleet.add_task(matchable);
            let explained = fleet.explain(signature, &mut plugins);
            let explained = explained.map_err(|error| session.not_asked(&error))?;
            explained
                .ok_or_else(|| CommandError::new(Exit::Unavailable, "the request is not known"))?
        }
        Err(error) => Explanation::refused(error.reason()),
    };
    let mut json = serde_json::to_value(&explained).unwrap_or_default();
    json["id"] = id.into();
    json["task_name"] = name.into();
    json["status"] = details.request.status.as_str().into();
    session.report.data(&json, |out| {
        write_request(out, &details.request, &explained)
    })?;
    Ok(Exit::Success)
}

fn write_request(
    out: &mut dyn Write,
    request: &Request,
    explained: &Explanation,
) -> io::Result<()> {
    let (id, task) = (request.id, &request.task_name);
    let outlook = match (request.status, explained.verdict) {
        (Status::Pending, Outlook::Runnable) => {
            "can be executed now: a worker that it fits is idle"
        }
        (Status::Pending, Outlook::Busy) => "waits: every worker that it fits is busy",
        (Status::Pending, Outlook::Never) => "can be executed by no worker",
        (Status::Running, _) => "runs",
        (Status::Completed, _) => "is completed",
        (Status::Held, _) => {
            "is held: its attempts are used up (`taskbay retry` has it wait again)"
        }
    };
    writeln!(out, "request {id} ({task}) {outlook}")?;
    for reason in &explained.reasons {
        writeln!(out, "  {}", plain(&reason.message))?;
    }
    for row in &explained.conditions {
        let wanted = match (&row.key, &row.wanted) {
            (Some(key), Some(wanted)) => format!("{key}: {wanted}"),
            (Some(key), None) => key.clone(),
            _ => super::word(&row.code),
        };
        write!(out, "  {wanted:<44} {:>4} fulfil it", row.passing)?;
        match &row.failing[..] {
            [] => writeln!(out)?,
            failing => writeln!(out, ", {} not: {}", failing.len(), some(failing))?,
        }
    }
    if let Some(nearest) = &explained.nearest {
        writeln!(
            out,
            "the nearest worker is {}; what it lacks:",
            plain(&nearest.worker)
        )?;
        for reason in &nearest.missing {
            writeln!(out, "  {}", plain(&reason.message))?;
        }
    }
    if !explained.skew.is_empty() {
        writeln!(out, "not all workers have the same version of the task:")?;
        for versions in &explained.skew {
            let version = match &versions.version {
                Value::Null => "none".to_owned(),
                version => version.to_string(),
            };
            writeln!(out, "  {version}: {}", some(&versions.workers))?;
        }
    }
    Ok(())
}

/// The first of some names, and how many more there are.
fn some(names: &[String]) -> String {
    const MOST: usize = 8;
    let shown = names
        .iter()
        .take(MOST)
        .map(plain)
        .collect::<Vec<_>>()
        .join(", ");
    match names.len().saturating_sub(MOST) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// What of all that waits a worker can execute, and what not.
pub(crate) fn worker(
    session: &Session,
    engine: &dyn Engine,
    name: &str,
) -> Result<Exit, CommandError> {
    let recorded = engine.worker(name)?;
    let mut fleet = Scheduler::default();
    let gets_requests = matched(recorded)
        .map(|worker| fleet.set_worker(worker))
        .is_some();
    let mut plugins = Plugins::new(session.hosts(), session.catalog());
    let filter = RequestFilter {
        status: Some(Status::Pending),
        limit: MOST,
        ..RequestFilter::default()
    };
    let mut rows = Vec::new();
    for request in engine.requests(&filter)? {
        let details = engine.request(request.id)?;
        let task = request.task_name.as_str();
        let verdict = match plugins.configure(task, &details.task_data) {
            Ok(matchable) => {
                let signature = fleet.add_task(matchable);
                fleet
                    .verdict(signature, name, &mut plugins)
                    .map_err(|error| session.not_asked(&error))?
                    .unwrap_or_default()
            }
            Err(error) => refused(error.reason()),
        };
        rows.push((request, verdict));
    }
    let json: Vec<Value> = rows
        .iter()
        .map(|(request, verdict)| {
            json!({
                "id": request.id,
                "task_name": request.task_name,
                "can_run": gets_requests && verdict.can_run(),
                "reasons": verdict.reasons,
            })
        })
        .collect();
    let json = json!({"worker": name, "gets_requests": gets_requests, "requests": json});
    session.report.data(&json, |out| {
        if !gets_requests {
            writeln!(
                out,
                "{name} gets no requests: it never reported, is disabled, or is draining"
            )?;
        }
        for (request, verdict) in &rows {
            let can = if verdict.can_run() { "yes" } else { "no" };
            writeln!(
                out,
                "{:<8} {:<16} {can}",
                request.id,
                request.task_name.to_string()
            )?;
            for reason in &verdict.reasons {
                writeln!(out, "  {}", plain(&reason.message))?;
            }
        }
        Ok(())
    })?;
    Ok(Exit::Success)
}

fn refused(reason: Reason) -> Verdict {
    Verdict {
        reasons: vec![reason],
    }
}
