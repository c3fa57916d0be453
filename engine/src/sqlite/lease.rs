//! What the holder of a lease may say.

use crate::{
    EngineError, Lease, Renewal, Timestamp,
    sql::{Database, Row, Transaction},
};

/// The attempt of a lease that holds, else why it does not.
pub(super) async fn hold(
    transaction: &mut Transaction,
    lease: &Lease,
    now: i64,
) -> Result<Row, EngineError> {
    let sql = "
        select a.lease_until, a.ended_at, a.outcome, a.log_lines, a.log_bytes, a.log_full, r.abort_requested
        from attempts a join requests r on r.id = a.request_id
        where a.request_id = $1 and a.n = $2 and a.fence = $3";
    let values = [
        lease.request.into(),
        lease.attempt.into(),
        lease.fence.into(),
    ];
    let Some(row) = transaction.row(sql, &values).await? else {
        return Err(stale(format!("there is no {lease}")));
    };
    if let Some(outcome) = row.get::<Option<String>>("outcome")? {
        return Err(stale(format!("{lease} has ended: {outcome}")));
    }
    let late = now - row.int("lease_until")?;
    if late >= 0 {
        return Err(stale(format!("that of {lease} ran out {late} ms ago")));
    }
    Ok(row)
}

pub(super) fn stale(reason: String) -> EngineError {
    EngineError::Stale { reason }
}

pub(crate) async fn renew(
    database: &Database,
    lease: &Lease,
    length: i64,
) -> Result<Renewal, EngineError> {
    let mut transaction = database.begin().await?;
    let now = transaction.now().await?;
    let abort_requested = hold(&mut transaction, lease, now)
        .await?
        .get("abort_requested")?;
    let sql =
        "update attempts set lease_until = $3, lease_ms = $4 where request_id = $1 and n = $2";
    let values = [
        lease.request.into(),
        lease.attempt.into(),
        (now + length).into(),
        length.into(),
    ];
    transaction.execute(sql, &values).await?;
    transaction.commit().await?;
    Ok(Renewal {
        lease_until: Timestamp(now + length),
        abort_requested,
    })
}

pub(crate) async fn is_abort_requested(
    database: &Database,
    lease: &Lease,
) -> Result<bool, EngineError> {
    let mut transaction = database.read().await?;
    let now = transaction.now().await?;
    hold(&mut transaction, lease, now)
        .await?
        .get("abort_requested")
}

pub(crate) async fn complete(
    database: &Database,
    lease: &Lease,
    result: &str,
    errors: &str,
) -> Result<(), EngineError> {
    let mut transaction = database.begin().await?;
    if was_said(&mut transaction, lease, result).await? {
        return Ok(());
    }
    let now = transaction.now().await?;
    hold(&mut transaction, lease, now).await?;
    end(&mut transaction, lease, now, result, None).await?;
    let sql = "update requests set status = 'completed', result = $2, errors = $3, completed_at = $4 where id = $1";
    let values = [
        lease.request.into(),
        result.into(),
        errors.into(),
        now.into(),
    ];
    transaction.execute(sql, &values).await?;
    transaction.commit().await
}

/// Whether the attempt ended like that already: then the answer got lost on its way.
async fn was_said(
    transaction: &mut Transaction,
    lease: &Lease,
    result: &str,
) -> Result<bool, EngineError> {
    let sql = "select 1 as said from attempts where request_id = $1 and n = $2 and fence = $3 and outcome = $4";
    let values = [
        lease.request.into(),
        lease.attempt.into(),
        lease.fence.into(),
        result.into(),
    ];
    Ok(transaction.row(sql, &values).await?.is_some())
}

pub(crate) async fn release(
    database: &Database,
    lease: &Lease,
    reason: &str,
    delay: i64,
) -> Result<(), EngineError> {
    let mut transaction = database.begin().await?;
    if was_said(&mut transaction, lease, "released").await? {
        return Ok(());
    }
    let now = transaction.now().await?;
    let abort: bool = hold(&mut transaction, lease, now)
        .await?
        .get("abort_requested")?;
    end(&mut transaction, lease, now, "released", Some(reason)).await?;
    if abort {
        let sql = "update requests set status = 'completed', result = 'aborted', completed_at = $2 where id = $1";
        transaction
            .execute(sql, &[lease.request.into(), now.into()])
            .await?;
    } else {
        // It is signed anew: its plugin may be another one by now, and nobody looks at what runs.
        let sql = "update requests set status = 'pending', not_before = $2, signature_id = null where id = $1";
        transaction
            .execute(sql, &[lease.request.into(), (now + delay).into()])
            .await?;
    }
    transaction.commit().await
}

async fn end(
    transaction: &mut Transaction,
    lease: &Lease,
    now: i64,
    outcome: &str,
    reason: Option<&str>,
) -> Result<(), EngineError> {
    let sql = "update attempts set ended_at = $3, outcome = $4, reason = $5 where request_id = $1 and n = $2";
    let values = [
        lease.request.into(),
        lease.attempt.into(),
        now.into(),
        outcome.into(),
        reason.into(),
    ];
    transaction.execute(sql, &values).await.map(drop)
}
