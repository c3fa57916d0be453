//! `taskbay show`: a request, how far it got, its result, its attempts.

use crate::{error::CommandError, exit::Exit, report::plain, session::Session};
use serde_json::{Value, json};
use std::io::{self, Write};
use taskbay_engine::{Attempt, Engine, RequestDetails, RequestId};

pub(crate) fn run(
    session: &Session,
    engine: &dyn Engine,
    id: RequestId,
) -> Result<Exit, CommandError> {
    let request = engine.request(id)?;
    session
        .report
        .data(&to_json(&request), |out| write(out, &request))?;
    Ok(Exit::Success)
}

/// A request as scripts see it.
pub(crate) fn to_json(details: &RequestDetails) -> Value {
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
    writeln!(out, "task data: {}", details.task_data)?;
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
