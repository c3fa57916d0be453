//! How requests are read.

use super::{Database, Row, readable, word};
use crate::{
    Attempt, EngineError, Request, RequestDetails, RequestFilter, RequestId, Timestamp,
    timestamp::span,
};
use taskbay_core::TaskName;

const BY_ID: &str = "
    select r.*, s.key as signature from requests r left join signatures s on s.id = r.signature_id where r.id = $1";

/// A list with further columns.
macro_rules! list {
    ($more:literal) => {
        concat!(
            "select r.id, r.task_name, r.priority, r.created_at, r.timeout_ms, r.max_attempts, r.status, r.result, r.errors,
                r.abort_requested, r.not_before, r.attempts, r.completed_at, s.key as signature",
            $more,
            " from requests r left join signatures s on s.id = r.signature_id
            where ($1 is null or r.status = $1) and ($2 is null or r.task_name = $2) and ($3 is null or r.id < $3)
            order by r.id desc limit $4"
        )
    };
}

const LIST: &str = list!("");
const LIST_WITH_DATA: &str = list!(", r.task_data");

pub(crate) async fn request(
    database: &Database,
    id: RequestId,
) -> Result<RequestDetails, EngineError> {
    let mut transaction = database.read().await?;
    let row = transaction.row(BY_ID, &[id.into()]).await?;
    let row = row.ok_or_else(|| EngineError::not_found("request", id))?;
    let sql = "select * from attempts where request_id = $1 order by n";
    let tries = transaction.rows(sql, &[id.into()]).await?;
    Ok(RequestDetails {
        request: request_of(&row)?,
        task_data: row.text("task_data")?,
        tries: tries.iter().map(attempt_of).collect::<Result<_, _>>()?,
    })
}

pub(crate) async fn requests(
    database: &Database,
    filter: &RequestFilter,
) -> Result<Vec<Request>, EngineError> {
    let rows = listed(database, LIST, filter).await?;
    Ok(readable("request", "id", &rows, request_of))
}

pub(crate) async fn requests_with_data(
    database: &Database,
    filter: &RequestFilter,
) -> Result<Vec<(Request, String)>, EngineError> {
    let rows = listed(database, LIST_WITH_DATA, filter).await?;
    let with_data = |row: &Row| Ok((request_of(row)?, row.text("task_data")?));
    Ok(readable("request", "id", &rows, with_data))
}

async fn listed(
    database: &Database,
    list: &'static str,
    filter: &RequestFilter,
) -> Result<Vec<Row>, EngineError> {
    let mut transaction = database.read().await?;
    let status = filter.status.map(|status| word(&status));
    let values = [
        status.as_deref().into(),
        filter.task_name.as_ref().map(TaskName::as_str).into(),
        filter.before.into(),
        i64::from(filter.limit).into(),
    ];
    transaction.rows(list, &values).await
}

fn request_of(row: &Row) -> Result<Request, EngineError> {
    Ok(Request {
        id: row.int("id")?,
        task_name: row.word("task_name")?,
        priority: row.count("priority")?,
        created_at: Timestamp(row.int("created_at")?),
        timeout: row.get::<Option<i64>>("timeout_ms")?.map(span),
        max_attempts: row.count("max_attempts")?,
        status: row.word("status")?,
        result: row.maybe_word("result")?,
        errors: row.json("errors")?,
        abort_requested: row.get("abort_requested")?,
        not_before: Timestamp(row.int("not_before")?),
        signature: row.get("signature")?,
        attempts: row.int("attempts")?,
        completed_at: row.get::<Option<i64>>("completed_at")?.map(Timestamp),
    })
}

fn attempt_of(row: &Row) -> Result<Attempt, EngineError> {
    Ok(Attempt {
        n: row.int("n")?,
        worker: row.text("worker")?,
        started_at: Timestamp(row.int("started_at")?),
        ended_at: row.get::<Option<i64>>("ended_at")?.map(Timestamp),
        outcome: row.maybe_word("outcome")?,
        reason: row.get("reason")?,
        lease_until: Timestamp(row.int("lease_until")?),
        fence: row.int("fence")?,
    })
}
