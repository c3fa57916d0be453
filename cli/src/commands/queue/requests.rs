//! `taskbay requests`: the requests that there are.

use crate::{error::CommandError, exit::Exit, session::Session};
use serde_json::json;
use taskbay_core::TaskName;
use taskbay_engine::{Engine, RequestFilter, Status};

pub(crate) fn run(
    session: &Session,
    engine: &dyn Engine,
    status: Option<Status>,
    task_name: Option<TaskName>,
    limit: u32,
) -> Result<Exit, CommandError> {
    let filter = RequestFilter {
        status,
        task_name,
        before: None,
        limit,
    };
    let requests = engine.requests(&filter)?;
    let rows: Vec<_> = requests
        .iter()
        .map(|request| {
            json!({
                "id": request.id,
                "task_name": request.task_name,
                "priority": request.priority,
                "status": request.status,
                "result": request.result,
                "created_at": request.created_at,
                "completed_at": request.completed_at,
                "attempts": request.attempts,
            })
        })
        .collect();
    let json = json!({"schema": "taskbay.requests/1", "requests": rows});
    session.report.data(&json, |out| {
        for request in &requests {
            let result = request.result.map_or("", super::result_text);
            writeln!(
                out,
                "{:<8} {:<16} {:>4} {:<10} {:<8} {}",
                request.id,
                request.task_name.to_string(),
                request.priority,
                request.status.as_str(),
                result,
                request.created_at
            )?;
        }
        Ok(())
    })?;
    Ok(Exit::Success)
}
