//! What nobody needs any more.

use super::{
    Database,
    again::again,
    patience::{LONG, SHORT, in_time},
};
use crate::{EngineError, Pruned, timestamp::millis};
use std::time::{Duration, Instant};

/// How long a piece of content stays that no artifact has: one that comes in has none until all its pieces are there.
const GRACE: Duration = Duration::from_hours(24);
/// How far time goes on from one look to the next at most.
const STEP_MS: i64 = 24 * 60 * 60 * 1000;
/// How long a worker stays at least.
const GONE: Duration = Duration::from_hours(24);
/// How many requests or artifacts go at a time, so that others get their turn.
const BATCH: i64 = 500;

/// What attempts made that came to nothing, of requests that are to go. Without its request it would look like what somebody
/// stored by hand.
const LEFT_OVERS: &str = "
    delete from artifacts where id in (
        select a.id from requests r
        join attempts t on t.request_id = r.id and t.outcome in ('lost', 'released')
        join artifacts a on a.request_id = r.id and a.attempt = t.n
        where r.status = 'completed' and r.completed_at <= $1 limit $2
    )";

/// One that is tried again meanwhile stays, hence the second look at its status.
const REQUESTS: &str = "
    delete from requests where status = 'completed' and id in (
        select id from requests where status = 'completed' and completed_at <= $1 order by completed_at limit $2
    )";

/// Workers that were not seen for so long, and of whom no administrator said anything: one that is there again says all of it
/// itself.
const WORKERS: &str = "
    delete from workers where last_seen <= $1 and static = '{}' and allow is null and deny is null and enabled and not draining
    and not exists (select 1 from attempts a where a.worker = workers.name and a.ended_at is null)";

/// Verdicts on metadata that nobody has any more. What is recorded meanwhile, for a worker that comes, is found not to go.
const STRAYS: &str = "
    delete from verdicts where not exists (select 1 from workers w where w.hash = verdicts.hash)";

/// Up to which moment time has gone on: no later than the clock, and a step after the last look, or when the first of what is
/// left was completed. So it costs nothing that was kept when a clock is wrong, and follows one that was.
const GO_ON: [&str; 2] = [
    "update upkeep set time = min($1, max(time + $2, coalesce(
        (select min(completed_at) from requests where status = 'completed'), 0))) returning time",
    "update upkeep set time = least($1, greatest(time + $2,
        (select min(completed_at) from requests where status = 'completed'))) returning time",
];

/// They take the verdicts on them along.
const SIGNATURES: &str = "
    delete from signatures where id in (
        select s.id from signatures s
        where s.id > $1 and not exists (select 1 from requests r where r.signature_id = s.id)
        order by s.id limit $2
    ) returning id";

const CHUNKS: &str = "
    delete from chunks where kept_at <= $1 and not exists (select 1 from file_chunks f where f.chunk = chunks.sha256)";

/// Each part goes on where another fails, tries for itself, and has its own time. But no request goes before what its attempts
/// left.
pub(crate) async fn prune(
    database: &Database,
    older_than: Duration,
) -> Result<Pruned, EngineError> {
    let now = in_time(database, SHORT, again(|| go_on(database))).await?;
    let before = |span: Duration| now.saturating_sub(millis(span));
    let requests = requests(database, before(older_than)).await;
    let signatures = in_time(database, LONG, signatures(database)).await;
    let chunks = in_time(database, LONG, again(|| chunks(database, before(GRACE)))).await;
    let workers = workers(database, before(older_than.max(GONE))).await;
    let (requests, artifacts) = requests?;
    Ok(Pruned {
        requests,
        workers: workers?,
        artifacts,
        signatures: signatures?,
        chunks: chunks?,
    })
}

/// What time it is, as far as that is believed: by a clock that is far ahead everything is old, and what happens meanwhile is
/// noted by that same clock.
async fn go_on(database: &Database) -> Result<i64, EngineError> {
    let mut transaction = database.begin().await?;
    let now = transaction.now().await?;
    let [sqlite, postgres] = GO_ON;
    let sql = transaction.pick(sqlite, postgres);
    let row = transaction.one(sql, &[now.into(), STEP_MS.into()]).await?;
    let time = row.int("time")?;
    transaction.commit().await?;
    Ok(time)
}

/// Says how many went, and how many artifacts with them.
async fn requests(database: &Database, before: i64) -> Result<(u64, u64), EngineError> {
    let left = in_batches(database, LEFT_OVERS, before);
    let left = in_time(database, LONG, left).await?;
    let gone = in_batches(database, REQUESTS, before);
    let gone = in_time(database, LONG, gone).await?;
    Ok((gone, left))
}

/// Removes what was completed before that moment, and says how much.
async fn in_batches(
    database: &Database,
    sql: &'static str,
    before: i64,
) -> Result<u64, EngineError> {
    let mut all = 0;
    loop {
        let begun = Instant::now();
        let batch = async || {
            let mut transaction = database.begin().await?;
            let gone = transaction
                .execute(sql, &[before.into(), BATCH.into()])
                .await?;
            transaction.commit().await.map(|()| gone)
        };
        let gone = again(batch).await?;
        all += gone;
        if gone == 0 {
            return Ok(all);
        }
        leave_a_turn(begun).await;
    }
}

/// Removes those that no request has, and says how many.
async fn signatures(database: &Database) -> Result<u64, EngineError> {
    let (mut all, mut after) = (0, 0);
    loop {
        let begun = Instant::now();
        let batch = async || {
            let mut transaction = database.begin().await?;
            let parameters = [after.into(), BATCH.into()];
            let gone = match transaction.rows(SIGNATURES, &parameters).await {
                // Somebody signed a request with one of them meanwhile. The rest goes next time.
                Err(error) if error.is_reference() => return Ok(Vec::new()),
                gone => gone?,
            };
            transaction.commit().await.map(|()| gone)
        };
        let gone = again(batch).await?;
        if gone.is_empty() {
            return Ok(all);
        }
        for row in &gone {
            after = after.max(row.int("id")?);
        }
        all += gone.len() as u64;
        leave_a_turn(begun).await;
    }
}

/// Waits as long as a batch took: in a file whoever writes without a pause has all others wait.
async fn leave_a_turn(begun: Instant) {
    tokio::time::sleep(begun.elapsed()).await;
}

async fn workers(database: &Database, before: i64) -> Result<u64, EngineError> {
    let remove = async || {
        let mut transaction = database.begin().await?;
        let gone = transaction.execute(WORKERS, &[before.into()]).await?;
        if gone > 0 {
            transaction.execute(STRAYS, &[]).await?;
            transaction.notify().await?;
        }
        transaction.commit().await?;
        Ok(gone)
    };
    in_time(database, LONG, again(remove)).await
}

async fn chunks(database: &Database, before: i64) -> Result<u64, EngineError> {
    let mut transaction = database.begin().await?;
    let gone = transaction.execute(CHUNKS, &[before.into()]).await?;
    transaction.commit().await?;
    Ok(gone)
}
