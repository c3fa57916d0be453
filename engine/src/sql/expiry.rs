//! What becomes of requests whose workers let their leases run out.

use super::{
    Database, Row, Transaction,
    clock::{self, Clock, Reading},
    json,
};
use crate::{EngineError, Expired, RequestId};
use taskbay_core::{ErrorCode, OutcomeError};

/// How long a request waits after its first lost attempt; doubled with each further one.
const BACK_OFF_MS: i64 = 1_000;
/// The longest wait.
pub(super) const LONGEST_BACK_OFF_MS: i64 = 5 * 60 * 1_000;

const OVERDUE: &str = "
    select r.id, r.attempts, r.max_attempts, r.lost, r.abort_requested, a.lease_until
    from attempts a join requests r on r.id = a.request_id
    where a.ended_at is null and a.lease_until <= $1 order by r.id limit 1000";
/// Whoever else ends such an attempt locks its request first; whoever renews one locks the attempt.
const OVERDUE_LOCKED: &str = "
    select r.id, r.attempts, r.max_attempts, r.lost, r.abort_requested, a.lease_until
    from attempts a join requests r on r.id = a.request_id
    where a.ended_at is null and a.lease_until <= $1 order by r.id limit 1000 for update of r, a skip locked";

const EVIDENCE: &str = "
    select n, worker, reason from attempts where request_id = $1 and outcome = 'lost' order by n desc limit $2";

pub(crate) async fn expire(database: &Database, clock: &Clock) -> Result<Expired, EngineError> {
    let mut expired = Expired::default();
    if !is_due(database, clock).await? {
        return Ok(expired);
    }
    let mut transaction = database.begin().await?;
    let now = transaction.now().await?;
    let sql = transaction.pick(OVERDUE, OVERDUE_LOCKED);
    for row in transaction.rows(sql, &[now.into()]).await? {
        end(&mut transaction, &row, now, &mut expired).await?;
    }
    transaction.notify().await?;
    transaction.commit().await?;
    Ok(expired)
}

/// Looks before it writes, since there is mostly nothing to do.
async fn is_due(database: &Database, clock: &Clock) -> Result<bool, EngineError> {
    let mut transaction = database.read().await?;
    let reading = Reading::take(&mut transaction).await?;
    if let Some(jump) = clock.jump(&reading) {
        drop(transaction);
        clock::put_right(database, jump).await?;
        transaction = database.read().await?;
    }
    clock.keep(reading);
    let sql = "select 1 as due from attempts where ended_at is null and lease_until <= $1 limit 1";
    Ok(transaction.row(sql, &[reading.now.into()]).await?.is_some())
}

async fn end(
    transaction: &mut Transaction,
    row: &Row,
    now: i64,
    expired: &mut Expired,
) -> Result<(), EngineError> {
    let id = row.int("id")?;
    let lost = row.int("lost")? + 1;
    let reason = format!(
        "its lease was not renewed, and ran out {} ms before that was noticed",
        now - row.int("lease_until")?
    );
    let sql = "update attempts set ended_at = $3, outcome = 'lost', reason = $4 where request_id = $1 and n = $2";
    let values = [
        id.into(),
        row.int("attempts")?.into(),
        now.into(),
        (&reason).into(),
    ];
    transaction.execute(sql, &values).await?;
    if row.get("abort_requested")? {
        let sql = "
            update requests set status = 'completed', result = 'aborted', lost = $2, completed_at = $3 where id = $1";
        transaction
            .execute(sql, &[id.into(), lost.into(), now.into()])
            .await?;
        expired.aborted += 1;
    } else if lost >= row.int("max_attempts")? {
        let errors = json(&evidence(transaction, id, lost).await?)?;
        let sql = "update requests set status = 'held', lost = $2, errors = $3 where id = $1";
        transaction
            .execute(sql, &[id.into(), lost.into(), (&errors).into()])
            .await?;
        expired.held += 1;
    } else {
        // It is signed anew, as one that is handed back.
        let sql = "
            update requests set status = 'pending', lost = $2, not_before = $3, signature_id = null where id = $1";
        transaction
            .execute(
                sql,
                &[id.into(), lost.into(), (now + back_off(lost)).into()],
            )
            .await?;
        expired.pending += 1;
    }
    Ok(())
}

/// What became of the last so many lost attempts, the first one first; of many only the last hundred.
async fn evidence(
    transaction: &mut Transaction,
    id: RequestId,
    lost: i64,
) -> Result<Vec<OutcomeError>, EngineError> {
    let mut rows = transaction
        .rows(EVIDENCE, &[id.into(), lost.min(100).into()])
        .await?;
    rows.reverse();
    rows.iter().map(error_of).collect()
}

fn error_of(row: &Row) -> Result<OutcomeError, EngineError> {
    let reason: Option<String> = row.get("reason")?;
    let (n, worker) = (row.int("n")?, row.text("worker")?);
    let reason = reason.unwrap_or_default();
    let message = format!("attempt {n} on worker `{worker}` was lost: {reason}");
    Ok(OutcomeError::new(ErrorCode::Crashed, message))
}

fn back_off(lost: i64) -> i64 {
    let doubled = u32::try_from(lost - 1)
        .ok()
        .and_then(|times| 2_i64.checked_pow(times));
    doubled
        .and_then(|factor| BACK_OFF_MS.checked_mul(factor))
        .map_or(LONGEST_BACK_OFF_MS, |wait| wait.min(LONGEST_BACK_OFF_MS))
}

#[cfg(test)]
mod tests {
    use super::back_off;

    #[test]
    fn the_wait_doubles_up_to_five_minutes() {
        let waits = [1, 2, 3, 9, 10, 100].map(back_off);
        assert_eq!(waits, [1_000, 2_000, 4_000, 256_000, 300_000, 300_000]);
    }
}
