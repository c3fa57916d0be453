//! How requests are read.

use super::{Database, Row, json, readable, word};
use crate::{
    Attempt, EngineError, Request, RequestDetails, RequestFilter, RequestId, Timestamp,
    timestamp::span,
};
use taskbay_core::TaskName;

const BY_ID: &str = "
    select r.*, s.key as signature from requests r left join signatures s on s.id = r.signature_id where r.id = $1";

/// What a list needs to know.
macro_rules! columns {
    () => {
        "r.id, r.task_name, r.priority, r.created_at, r.timeout_ms, r.max_attempts, r.status, r.result, r.errors,
            r.abort_requested, r.not_before, r.attempts, r.completed_at, s.key as signature"
    };
}

const LIST: &str = concat!(
    "select ",
    columns!(),
    " from requests r left join signatures s on s.id = r.signature_id
    where ($1 is null or r.status = $1) and ($2 is null or r.task_name = $2) and ($3 is null or r.id < $3)
    order by r.id desc limit $4"
);

const QUEUE: &str =
    "select id from requests where status = 'pending' order by priority desc, id limit $1";

/// The requests of a list of numbers.
macro_rules! listed {
    ($numbers:literal) => {
        concat!(
            "select ",
            columns!(),
            ", r.task_data from requests r left join signatures s on s.id = r.signature_id where r.id in (",
            $numbers,
            ")"
        )
    };
}

const LISTED_SQLITE: &str = listed!("select value from json_each($1)");
const LISTED_POSTGRES: &str =
    listed!("select n::bigint from pg_catalog.json_array_elements_text($1::json) n");

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
    let mut transaction = database.read().await?;
    let status = filter.status.map(|status| word(&status));
    let values = [
        status.as_deref().into(),
        filter.task_name.as_ref().map(TaskName::as_str).into(),
        filter.before.into(),
        i64::from(filter.limit).into(),
    ];
    let rows = transaction.rows(LIST, &values).await?;
    Ok(readable("request", "id", &rows, request_of))
}

pub(crate) async fn queue(database: &Database, limit: u32) -> Result<Vec<RequestId>, EngineError> {
    let mut transaction = database.read().await?;
    let rows = transaction.rows(QUEUE, &[i64::from(limit).into()]).await?;
    rows.iter().map(|row| row.int("id")).collect()
}

pub(crate) async fn with_data(
    database: &Database,
    ids: &[RequestId],
) -> Result<Vec<(Request, String)>, EngineError> {
    let numbers = json(&ids)?;
    let mut transaction = database.read().await?;
    let sql = transaction.pick(LISTED_SQLITE, LISTED_POSTGRES);
    let rows = transaction.rows(sql, &[(&numbers).into()]).await?;
    let with_data = |row: &Row| Ok((request_of(row)?, row.text("task_data")?));
    let mut found = readable("request", "id", &rows, with_data);
    found.sort_by_key(|(request, _)| ids.iter().position(|id| *id == request.id));
    Ok(found)
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
