//! `taskbay abort` and `taskbay retry`: what becomes of a request that is there.

use crate::{error::CommandError, exit::Exit, session::Session};
use serde_json::json;
use taskbay_engine::{Abort, Engine, RequestId};

pub(crate) fn abort(
    session: &Session,
    engine: &dyn Engine,
    id: RequestId,
) -> Result<Exit, CommandError> {
    let (exit, became, text) = match engine.abort(id)? {
        Abort::Completed => (Exit::Success, "aborted", "is aborted: it had not begun"),
        Abort::Requested => (
            Exit::Success,
            "requested",
            "runs, and its worker is told to end it",
        ),
        Abort::TooLate => (Exit::No, "too-late", "was completed before"),
    };
    let json = json!({"id": id, "abort": became});
    session
        .report
        .data(&json, |out| writeln!(out, "request {id} {text}"))?;
    Ok(exit)
}

pub(crate) fn retry(
    session: &Session,
    engine: &dyn Engine,
    id: RequestId,
) -> Result<Exit, CommandError> {
    engine.retry(id)?;
    let json = json!({"id": id, "status": "pending"});
    session
        .report
        .data(&json, |out| writeln!(out, "request {id} waits again"))?;
    Ok(Exit::Success)
}
