//! `taskbay explain --worker`: what of all that waits a worker can execute, and what not.

use super::fleet::matched;
use crate::{error::CommandError, exit::Exit, report::plain, session::Session};
use serde_json::{Value, json};
use taskbay_core::Verdict;
use taskbay_engine::{Engine, Request, RequestFilter, Status};
use taskbay_scheduler::Scheduler;
use taskbay_service::Plugins;

/// How many of the requests that wait are looked at.
const MOST: usize = 10_000;
/// How many are asked for at a time: their data may be large.
const BATCH: u32 = 100;

pub(crate) fn run(
    session: &Session,
    engine: &dyn Engine,
    name: &str,
) -> Result<Exit, CommandError> {
    let worker = matched(engine.worker(name)?, engine.now()?);
    let away = worker.lists.away.clone();
    let mut fleet = Scheduler::default();
    fleet.set_worker(worker);
    let rows = judged(session, engine, name, fleet)?;
    let json: Vec<Value> = rows
        .iter()
        .map(|(request, verdict)| {
            json!({
                "id": request.id,
                "task_name": request.task_name,
                "can_run": verdict.can_run(),
                "reasons": verdict.reasons,
            })
        })
        .collect();
    let gets_requests = away.is_none();
    let json = json!({"worker": name, "gets_requests": gets_requests, "requests": json});
    session.report.data(&json, |out| {
        if let Some(why) = &away {
            writeln!(out, "{} gets no requests: {why}", plain(name))?;
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

/// The requests that wait, the newest first, each with the verdict on the only worker of a fleet.
fn judged(
    session: &Session,
    engine: &dyn Engine,
    name: &str,
    mut fleet: Scheduler,
) -> Result<Vec<(Request, Verdict)>, CommandError> {
    let mut plugins = Plugins::new(session.hosts(), session.catalog());
    let mut filter = RequestFilter {
        status: Some(Status::Pending),
        limit: BATCH,
        ..RequestFilter::default()
    };
    let mut rows = Vec::new();
    loop {
        let batch = engine.requests_with_data(&filter)?;
        let Some((last, _)) = batch.last() else {
            return Ok(rows);
        };
        filter.before = Some(last.id);
        for (request, data) in batch {
            if rows.len() >= MOST {
                return Ok(rows);
            }
            let verdict = match plugins.configure(request.task_name.as_str(), &data) {
                Ok(matchable) => {
                    let signature = fleet.add_task(matchable);
                    fleet
                        .verdict(signature, name, &mut plugins)
                        .map_err(|error| session.not_asked(&error))?
                        .unwrap_or_default()
                }
                Err(error) => Verdict {
                    reasons: vec![error.reason()],
                },
            };
            rows.push((request, verdict));
        }
    }
}
