//! What nobody needs any more.

use super::Database;
use crate::{EngineError, Pruned, timestamp::millis};
use std::time::Duration;

/// How long a piece of content stays that no artifact has: one that comes in has none until all its pieces are there.
const GRACE_MS: i64 = 24 * 60 * 60 * 1000;
/// How many requests go at a time, so that others get their turn.
const BATCH: i64 = 500;

const REQUESTS: &str = "
    delete from requests where id in (
        select id from requests where status = 'completed' and completed_at <= $1 order by completed_at limit $2
    )";

const SIGNATURES: &str = "
    delete from signatures where not exists (select 1 from requests r where r.signature_id = signatures.id)";

const CHUNKS: &str = "
    delete from chunks where kept_at <= $1 and not exists (select 1 from file_chunks f where f.chunk = chunks.sha256)";

pub(crate) async fn prune(
    database: &Database,
    older_than: Duration,
) -> Result<Pruned, EngineError> {
    let mut pruned = Pruned::default();
    loop {
        let mut transaction = database.begin().await?;
        let before = transaction.now().await?.saturating_sub(millis(older_than));
        let gone = transaction
            .execute(REQUESTS, &[before.into(), BATCH.into()])
            .await?;
        transaction.commit().await?;
        pruned.requests += gone;
        if gone == 0 {
            break;
        }
    }
    let mut transaction = database.begin().await?;
    pruned.signatures = transaction.execute(SIGNATURES, &[]).await?;
    transaction.commit().await?;
    let mut transaction = database.begin().await?;
    let before = transaction.now().await? - GRACE_MS;
    pruned.chunks = transaction.execute(CHUNKS, &[before.into()]).await?;
    transaction.commit().await?;
    Ok(pruned)
}
