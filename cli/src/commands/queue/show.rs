//! `taskbay show`: a request, how far it got, its result, its attempts.

use crate::{error::CommandError, exit::Exit, report::plain, session::Session};
use serde_json::{Value, json};
use std::io::{self, Write};
use taskbay_engine::{
    ArtifactFilter, Attempt, Engine, EngineError, RequestDetails, RequestId, StoredArtifact,
};

/// How many artifacts of a request are shown: none has that many, unless it has a fault.
const MOST_ARTIFACTS: u32 = 1_000;

pub(crate) fn run(
    session: &Session,
    engine: &dyn Engine,
    id: RequestId,
) -> Result<Exit, CommandError> {
    let request = engine.request(id)?;
    let artifacts = results(engine, id)?;
    session.report.data(&to_json(&request, &artifacts), |out| {
        write(out, &request)?;
        write_artifacts(out, &artifacts)
    })?;
    Ok(Exit::Success)
}

/// What the request resulted in, the first one first.
pub(crate) fn results(
    engine: &dyn Engine,
    id: RequestId,
) -> Result<Vec<StoredArtifact>, EngineError> {
    let mut artifacts = engine.artifacts(&ArtifactFilter {
        request: Some(id),
        limit: MOST_ARTIFACTS,
        ..ArtifactFilter::default()
    })?;
    artifacts.reverse();
    Ok(artifacts)
}

/// A request with what it resulted in, as scripts see it.
pub(crate) fn to_json(details: &RequestDetails, artifacts: &[StoredArtifact]) -> Value {
    let request = &details.request;
    // Older requests may hold what is no JSON by today's rules: then it is shown as the text that it is.
    let data: Value = serde_json::from_str(&details.task_data)
        .unwrap_or_else(|_| details.task_data.clone().into());
    let attempts: Vec<Value> = details.tries.iter().map(attempt).collect();
    json!({
        "id": request.id,
        "task_name": request.task_name,
        "task_data": data,
        "priority": request.priority,
        "status": request.status,
        "result": request.result,
        "errors": request.errors,
        "abort_requested": request.abort_requested,
        "created_at": request.created_at,
        "completed_at": request.completed_at,
        "attempts": attempts,
        "artifacts": artifacts.iter().map(artifact).collect::<Vec<_>>(),
    })
}

fn artifact(artifact: &StoredArtifact) -> Value {
    json!({
        "id": artifact.id,
        "category": artifact.category,
        "data": artifact.data,
        "files": super::artifact::names(artifact),
    })
}

/// A line for each artifact.
pub(crate) fn write_artifacts(out: &mut dyn Write, artifacts: &[StoredArtifact]) -> io::Result<()> {
    artifacts.iter().try_for_each(|artifact| {
        let names = super::artifact::names(artifact).join(" ");
        let (category, names) = (plain(&artifact.category), plain(&names));
        writeln!(out, "artifact {}: {category} {names}", artifact.id)
    })
}

fn attempt(attempt: &Attempt) -> Value {
    json!({
        "n": attempt.n,
        "worker": attempt.worker,
        "started_at": attempt.started_at,
        "ended_at": attempt.ended_at,
        "outcome": attempt.outcome,
        "reason": attempt.reason,
    })
}

/// JSON as one line: where it has line breaks, they are no part of a text in it.
fn in_a_line(json: &str) -> String {
    let lines: Vec<_> = json.lines().map(str::trim).collect();
    lines.join(" ")
}

fn write(out: &mut dyn Write, details: &RequestDetails) -> io::Result<()> {
    let request = &details.request;
    write!(
        out,
        "request {}: {} is {}",
        request.id, request.task_name, request.status
    )?;
    if let Some(result) = request.result {
        write!(out, ", {}", super::result_text(result))?;
    }
    writeln!(out)?;
    for error in &request.errors {
        writeln!(out, "  {}", plain(&error.message))?;
    }
    writeln!(out, "task data: {}", plain(&in_a_line(&details.task_data)))?;
    writeln!(
        out,
        "priority {}, submitted {}",
        request.priority, request.created_at
    )?;
    for attempt in &details.tries {
        write!(
            out,
            "attempt {} on {}, from {}",
            attempt.n,
            plain(&attempt.worker),
            attempt.started_at
        )?;
        match (attempt.ended_at, &attempt.outcome) {
            (Some(ended), Some(outcome)) => {
                write!(out, " to {ended}: {}", super::word(outcome))?;
            }
            _ => write!(out, ", runs")?,
        }
        match &attempt.reason {
            Some(reason) => writeln!(out, ", {}", plain(reason))?,
            None => writeln!(out)?,
        }
    }
    Ok(())
}
