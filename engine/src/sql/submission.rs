//! How requests come into the queue, and what people do to them there.

use super::{Database, Row, Transaction, json};
use crate::{Abort, EngineError, NewRequest, RequestId, Status, limits, timestamp::millis};
use serde::de::IgnoredAny;
use taskbay_core::OutcomeError;

pub(crate) async fn submit(
    database: &Database,
    request: &NewRequest,
) -> Result<RequestId, EngineError> {
    limits::check_document("task data", &request.task_data)?;
    if let Err(error) = serde_json::from_str::<IgnoredAny>(&request.task_data) {
        return Err(EngineError::invalid(
            "task data",
            format!("it is not valid JSON: {error}"),
        ));
    }
    let sql = "
        insert into requests (task_name, task_data, priority, created_at, timeout_ms, max_attempts)
        values ($1, $2, $3, $4, $5, $6) returning id";
    let mut transaction = database.begin().await?;
    let now = transaction.now().await?;
    let values = [
        request.task_name.as_str().into(),
        (&request.task_data).into(),
        i64::from(request.priority).into(),
        now.into(),
        request.timeout.map(millis).into(),
        i64::from(request.max_attempts.max(1)).into(),
    ];
    let id = transaction.one(sql, &values).await?.int("id")?;
    transaction.notify().await?;
    transaction.commit().await?;
    Ok(id)
}

pub(crate) async fn abort(database: &Database, id: RequestId) -> Result<Abort, EngineError> {
    let mut transaction = database.begin().await?;
    let done = match status(&lock(&mut transaction, id).await?)? {
        Status::Completed => return Ok(Abort::TooLate),
        Status::Running => {
            let sql = "update requests set abort_requested = true where id = $1";
            transaction.execute(sql, &[id.into()]).await?;
            Abort::Requested
        }
        Status::Pending | Status::Held => {
            let now = transaction.now().await?;
            let sql = "
                update requests set status = 'completed', result = 'aborted', abort_requested = true, completed_at = $2
                where id = $1";
            transaction.execute(sql, &[id.into(), now.into()]).await?;
            Abort::Completed
        }
    };
    transaction.notify().await?;
    transaction.commit().await?;
    Ok(done)
}

pub(crate) async fn retry(database: &Database, id: RequestId) -> Result<(), EngineError> {
    let mut transaction = database.begin().await?;
    let status = status(&lock(&mut transaction, id).await?)?;
    if matches!(status, Status::Pending | Status::Running) {
        transaction.give_up().await?;
        return Err(EngineError::WrongState {
            request: id,
            status: status.as_str(),
            wanted: "retried",
        });
    }
    let sql = "
        update requests set status = 'pending', result = null, errors = '[]', abort_requested = false, not_before = 0, lost = 0,
            completed_at = null, signature_id = null
        where id = $1";
    transaction.execute(sql, &[id.into()]).await?;
    transaction.notify().await?;
    transaction.commit().await
}

pub(crate) async fn refuse(
    database: &Database,
    id: RequestId,
    errors: &[OutcomeError],
) -> Result<bool, EngineError> {
    let errors = json(&errors)?;
    limits::check_document("list of errors", &errors)?;
    let mut transaction = database.begin().await?;
    if status(&lock(&mut transaction, id).await?)? != Status::Pending {
        return Ok(false);
    }
    let now = transaction.now().await?;
    let sql = "update requests set status = 'completed', result = 'error', errors = $2, completed_at = $3 where id = $1";
    transaction
        .execute(sql, &[id.into(), (&errors).into(), now.into()])
        .await?;
    transaction.notify().await?;
    transaction.commit().await?;
    Ok(true)
}

/// The request's status and task, which stay until the transaction ends.
pub(super) async fn lock(transaction: &mut Transaction, id: RequestId) -> Result<Row, EngineError> {
    let sql = transaction.pick(
        "select status, task_name from requests where id = $1",
        "select status, task_name from requests where id = $1 for update",
    );
    let row = transaction.row(sql, &[id.into()]).await?;
    row.ok_or_else(|| EngineError::not_found("request", id))
}

pub(super) fn status(row: &Row) -> Result<Status, EngineError> {
    row.word("status")
}
