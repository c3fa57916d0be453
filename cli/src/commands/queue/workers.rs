//! `taskbay workers`: the workers that there are.

use crate::{error::CommandError, exit::Exit, report::plain, session::Session};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use taskbay_engine::{Engine, Worker};

pub(crate) fn run(session: &Session, engine: &dyn Engine) -> Result<Exit, CommandError> {
    let workers = engine.workers()?;
    let rows: Vec<Value> = workers.iter().map(row).collect();
    let json = json!({"schema": "taskbay.workers/1", "workers": rows});
    session.report.data(&json, |out| {
        for worker in &workers {
            let seen = worker
                .last_seen
                .map_or_else(|| "never".to_owned(), |seen| seen.to_string());
            let tasks: Vec<_> = tasks(worker).map(|(task, _)| plain(task)).collect();
            writeln!(
                out,
                "{:<20} {:<9} {}/{} busy, seen {seen}, offers {}",
                plain(&worker.name),
                state(worker),
                worker.running,
                worker.slots,
                if tasks.is_empty() {
                    "nothing".to_owned()
                } else {
                    tasks.join(", ")
                }
            )?;
        }
        Ok(())
    })?;
    Ok(Exit::Success)
}

fn row(worker: &Worker) -> Value {
    json!({
        "name": worker.name,
        "state": state(worker),
        "slots": worker.slots,
        "running": worker.running,
        "last_seen": worker.last_seen,
        "tasks": tasks(worker).collect::<BTreeMap<_, _>>(),
        "metadata": worker.effective,
        "settings": worker.settings,
    })
}

fn state(worker: &Worker) -> &'static str {
    match (worker.settings.enabled, worker.settings.draining) {
        (false, _) => "disabled",
        (true, true) => "draining",
        (true, false) => "enabled",
    }
}

/// The tasks that a worker has, with their versions.
fn tasks(worker: &Worker) -> impl Iterator<Item = (&str, &Value)> {
    let entries = worker.effective.iter();
    entries.filter_map(|(key, version)| Some((key.strip_suffix(":version")?, version)))
}

/// Which worker has which task in which version.
pub(crate) fn skew(session: &Session, engine: &dyn Engine) -> Result<Exit, CommandError> {
    let workers = engine.workers()?;
    let mut found: BTreeMap<&str, BTreeMap<String, Vec<&str>>> = BTreeMap::new();
    for worker in &workers {
        for (task, version) in tasks(worker) {
            let versions = found.entry(task).or_default();
            versions
                .entry(version.to_string())
                .or_default()
                .push(&worker.name);
        }
    }
    let rows: Vec<Value> = found
        .iter()
        .map(|(task, versions)| {
            json!({"task": task, "versions": versions, "is_skewed": versions.len() > 1})
        })
        .collect();
    let json = json!({"schema": "taskbay.skew/1", "tasks": rows});
    session.report.data(&json, |out| {
        for (task, versions) in &found {
            let mark = if versions.len() > 1 {
                "differs"
            } else {
                "same"
            };
            writeln!(out, "{:<20} {mark}", plain(*task))?;
            for (version, workers) in versions {
                writeln!(out, "  {version:<6} {}", plain(&workers.join(", ")))?;
            }
        }
        Ok(())
    })?;
    Ok(Exit::Success)
}
