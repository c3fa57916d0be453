//! What a worker says of itself, and what holds of it then.

use crate::{
    EngineError, Standing,
    hash::hash,
    sql::{Database, Transaction, Value, json},
};
use taskbay_core::Metadata;

/// For how long after its last report a process of the same name counts as another worker.
const RECENT_MS: i64 = 60_000;

const NOTE: &str = "
    insert into workers (name, slots, reported, instance, last_seen) values ($1, $2, $3, $4, $5)
    on conflict (name) do update set slots = excluded.slots, reported = excluded.reported, instance = excluded.instance,
        last_seen = excluded.last_seen";

pub(crate) async fn report(
    database: &Database,
    name: &str,
    [name_value, slots, metadata, instance]: [Value<'_>; 4],
) -> Result<Standing, EngineError> {
    let mut transaction = database.begin().await?;
    let now = transaction.now().await?;
    let sql =
        "select 1 as other from workers where name = $1 and instance <> $2 and last_seen > $3";
    let recent = (now - RECENT_MS).into();
    let other = transaction
        .row(sql, &[name_value, instance, recent])
        .await?;
    let values = [name_value, slots, metadata, instance, now.into()];
    transaction.execute(NOTE, &values).await?;
    settle(&mut transaction, name).await?;
    let sql = "select enabled, draining, hash, effective from workers where name = $1";
    let row = transaction.one(sql, &[name.into()]).await?;
    transaction.commit().await?;
    Ok(Standing {
        enabled: row.get("enabled")?,
        draining: row.get("draining")?,
        is_contested: other.is_some(),
        metadata_hash: row.text("hash")?,
        effective: row.json("effective")?,
    })
}

/// Puts a worker's static metadata over what it reported.
pub(crate) async fn settle(transaction: &mut Transaction, name: &str) -> Result<(), EngineError> {
    let sql = "select reported, static, hash, last_seen from workers where name = $1";
    let row = transaction.one(sql, &[name.into()]).await?;
    if row.get::<Option<i64>>("last_seen")?.is_none() {
        return Ok(());
    }
    let before: Option<String> = row.get("hash")?;
    let mut effective: Metadata = row.json("reported")?;
    effective.extend(row.json("static")?);
    let effective = json(&effective)?;
    let hash = hash(effective.as_bytes());
    if before.as_ref() == Some(&hash) {
        return Ok(());
    }
    let sql = "update workers set effective = $2, hash = $3 where name = $1";
    transaction
        .execute(sql, &[name.into(), (&effective).into(), (&hash).into()])
        .await?;
    match before {
        Some(before) => forget(transaction, &before).await,
        None => Ok(()),
    }
}

/// Removes verdicts on metadata that no worker has any more.
pub(crate) async fn forget(transaction: &mut Transaction, hash: &str) -> Result<(), EngineError> {
    let sql = "delete from verdicts where hash = $1 and not exists (select 1 from workers where hash = $1)";
    transaction.execute(sql, &[hash.into()]).await.map(drop)
}
