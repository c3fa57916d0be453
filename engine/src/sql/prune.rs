//! What nobody needs any more.

use super::{Database, again::again};
use crate::{EngineError, Pruned, timestamp::millis};
use std::time::Duration;

/// How long a piece of content stays that no artifact has: one that comes in has none until all its pieces are there.
const GRACE_MS: i64 = 24 * 60 * 60 * 1000;
/// How many requests go at a time, so that others get their turn.
const BATCH: i64 = 500;

/// One that is tried again meanwhile stays, hence the second look at its status.
const REQUESTS: &str = "
    delete from requests where status = 'completed' and id in (
        select id from requests where status = 'completed' and completed_at <= $1 order by completed_at limit $2
    )";

const SIGNATURES: &str = "
    delete from signatures where not exists (select 1 from requests r where r.signature_id = signatures.id)";

const CHUNKS: &str = "
    delete from chunks where kept_at <= $1 and not exists (select 1 from file_chunks f where f.chunk = chunks.sha256)";

/// Each part goes on where another fails, and tries for itself.
pub(crate) async fn prune(
    database: &Database,
    older_than: Duration,
) -> Result<Pruned, EngineError> {
    let mut pruned = Pruned::default();
    let requests = again(|| requests(database, older_than)).await;
    let signatures = again(|| signatures(database)).await;
    let chunks = again(|| chunks(database)).await;
    (pruned.requests, pruned.signatures, pruned.chunks) = (requests?, signatures?, chunks?);
    Ok(pruned)
}

async fn requests(database: &Database, older_than: Duration) -> Result<u64, EngineError> {
    let mut all = 0;
    loop {
        let mut transaction = database.begin().await?;
        let before = transaction.now().await?.saturating_sub(millis(older_than));
        let gone = transaction
            .execute(REQUESTS, &[before.into(), BATCH.into()])
            .await?;
        transaction.commit().await?;
        all += gone;
        if gone == 0 {
            return Ok(all);
        }
    }
}

async fn signatures(database: &Database) -> Result<u64, EngineError> {
    let mut transaction = database.begin().await?;
    match transaction.execute(SIGNATURES, &[]).await {
        // Somebody signed a request with one of them meanwhile. They all go next time.
        Err(error) if error.is_reference() => Ok(0),
        Err(error) => Err(error),
        Ok(gone) => transaction.commit().await.map(|()| gone),
    }
}

async fn chunks(database: &Database) -> Result<u64, EngineError> {
    let mut transaction = database.begin().await?;
    let before = transaction.now().await? - GRACE_MS;
    let gone = transaction.execute(CHUNKS, &[before.into()]).await?;
    transaction.commit().await?;
    Ok(gone)
}
