//! How a worker gets its next request.

use crate::{
    Claim, EngineError,
    attempt::claim_of,
    sql::{Database, Transaction},
};

/// How old `last_seen` may get before a worker that asks for work has it written again: every write costs a flush.
const SEEN_EVERY_MS: i64 = 10_000;

/// One statement takes the best request. Each fit signature with pending requests offers its first one, found through the
/// queue's index. They are found in leaps: the next fit signature, the next that requests wait with from there on, and so
/// forth, so that neither the many that nothing waits with any more are looked at, nor the many that do not fit.
const TAKE: &str = "
    with recursive worker as materialized (
        select hash, allow, deny from workers where name = $1 and enabled and not draining
    ), leap (fit, waits) as (
        select 0, 0 from worker
        union all
        select v.signature_id, (
            select q.signature_id from requests q
            where q.status = 'pending' and q.signature_id >= v.signature_id order by q.signature_id limit 1
        )
        from leap cross join worker cross join verdicts v
        where v.rowid = (
            select f.rowid from verdicts f
            where f.hash = worker.hash and f.can_run and f.signature_id >= leap.waits + (leap.fit = leap.waits)
            order by f.signature_id limit 1
        )
    )
    update requests set status = 'running', attempts = attempts + 1, fence = fence % 4611686018427387904 + 1 + (random() & 281474976710655)
    where id = (
        select r.id from requests r where r.id in (
            select (
                select q.id from requests q
                where q.signature_id = s.id and q.status = 'pending' and q.not_before <= $2
                order by q.priority desc, q.id limit 1
            )
            from leap join signatures s on s.id = leap.fit cross join worker
            where leap.fit = leap.waits
            and case
                when worker.allow is not null then s.task_name in (select value from json_each(worker.allow))
                when worker.deny is not null then s.task_name not in (select value from json_each(worker.deny))
                else true
            end
        )
        order by r.priority desc, r.id limit 1
    )
    returning id as request_id, attempts as attempt, fence, $2 + $3 as lease_until, task_name, task_data, priority, timeout_ms";

const BEGIN: &str = "
    insert into attempts (request_id, n, worker, fence, started_at, lease_until, lease_ms)
    values ($1, $2, $3, $4, $5, $6, $7)";

pub(crate) async fn claim(
    database: &Database,
    worker: &str,
    lease: i64,
) -> Result<Option<Claim>, EngineError> {
    let mut transaction = database.begin().await?;
    let now = transaction.now().await?;
    note_seen(&mut transaction, worker, now).await?;
    let taken = transaction
        .row(TAKE, &[worker.into(), now.into(), lease.into()])
        .await?;
    let claim = taken.map(|row| claim_of(&row)).transpose()?;
    if let Some(Claim {
        lease, lease_until, ..
    }) = &claim
    {
        let values = [
            lease.request.into(),
            lease.attempt.into(),
            worker.into(),
            lease.fence.into(),
            now.into(),
            lease_until.0.into(),
            (lease_until.0 - now).into(),
        ];
        transaction.execute(BEGIN, &values).await?;
    }
    transaction.commit().await?;
    Ok(claim)
}

async fn note_seen(
    transaction: &mut Transaction,
    worker: &str,
    now: i64,
) -> Result<(), EngineError> {
    let row = transaction
        .row(
            "select last_seen from workers where name = $1",
            &[worker.into()],
        )
        .await?;
    let seen: Option<i64> = match row {
        Some(row) => row.get("last_seen")?,
        None => None,
    };
    let seen = seen.ok_or_else(|| EngineError::not_found("worker", worker))?;
    if seen < now - SEEN_EVERY_MS {
        let values = [worker.into(), now.into()];
        transaction
            .execute("update workers set last_seen = $2 where name = $1", &values)
            .await?;
    }
    Ok(())
}
