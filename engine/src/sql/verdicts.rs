//! Verdicts as rows.

use super::{Database, Row, Transaction, json, readable, readable::leave_out};
use crate::{
    ALIVE, EngineError, MissingVerdict, MissingVerdicts, NewVerdict, PendingSignature,
    RecordedVerdict, limits, timestamp::millis,
};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};
use taskbay_core::{Metadata, TaskName};

const HASHES: &str =
    "select distinct hash from workers where last_seen > $1 and hash is not null order by hash";

/// Of workers that are gone there may be very many.
const GIVEN_SQLITE: &str = "
    select signature_id, hash from verdicts where signature_id in (select value from json_each($1))
    and hash in (select hash from workers where last_seen > $2)";
const GIVEN_POSTGRES: &str = "
    select signature_id, hash from verdicts
    where signature_id in (select pg_catalog.json_array_elements_text($1::json)::bigint)
    and hash in (select hash from workers where last_seen > $2)";

const METADATA_SQLITE: &str = "
    select hash, min(effective) as effective from workers
    where hash in (select value from json_each($1)) group by hash";
const METADATA_POSTGRES: &str = "
    select hash, min(effective) as effective from workers
    where hash in (select pg_catalog.json_array_elements_text($1::json)) group by hash";

const RECORD_SQLITE: &str = "
    insert into verdicts (hash, signature_id, can_run, reasons, failed)
    select $2, s.id, $3, $4, $5 from signatures s
    where s.key = $1 and exists (select 1 from workers w where w.hash = $2)
    on conflict (hash, signature_id) do update
    set can_run = excluded.can_run, reasons = excluded.reasons, failed = excluded.failed where not excluded.failed";
/// A signature that is being removed is waited for, and is gone then: seen to be there it would be missed at the end.
const RECORD_POSTGRES: &str = "
    insert into verdicts (hash, signature_id, can_run, reasons, failed)
    select $2, s.id, $3, $4, $5 from signatures s
    where s.key = $1 and exists (select 1 from workers w where w.hash = $2) for key share of s
    on conflict (hash, signature_id) do update
    set can_run = excluded.can_run, reasons = excluded.reasons, failed = excluded.failed where not excluded.failed";

/// There are few that failed, so they are looked through.
const FORGET_FAILED: &str = "
    delete from verdicts where failed
    and exists (select 1 from signatures s where s.id = verdicts.signature_id and s.task_name = $1)";

/// Keeps one of the workers with that metadata from giving it up before the verdict on it can be seen. SQLite has one
/// writer at a time.
const KEEP: &str = "select name from workers where hash = $1 order by name limit 1 for share";

const OF: &str = "
    select v.hash, v.can_run, v.reasons, w.name
    from verdicts v join signatures s on s.id = v.signature_id join workers w on w.hash = v.hash
    where s.key = $1 order by v.hash, w.name";

pub(crate) async fn missing(
    database: &Database,
    signatures: &[PendingSignature],
) -> Result<MissingVerdicts, EngineError> {
    let mut transaction = database.read().await?;
    let since = transaction.now().await? - millis(ALIVE);
    let rows = transaction.rows(HASHES, &[since.into()]).await?;
    let hashes: Vec<String> = rows
        .iter()
        .map(|row| row.text("hash"))
        .collect::<Result<_, _>>()?;
    let numbers: Vec<i64> = signatures
        .iter()
        .map(|signature| signature.number)
        .collect();
    let numbers = json(&numbers)?;
    let sql = transaction.pick(GIVEN_SQLITE, GIVEN_POSTGRES);
    let given = [(&numbers).into(), since.into()];
    let rows = transaction.rows(sql, &given).await?;
    let given: HashSet<(i64, String)> = rows
        .iter()
        .map(|row| Ok((row.int("signature_id")?, row.text("hash")?)))
        .collect::<Result<_, EngineError>>()?;
    let lacks = |signature: &PendingSignature, hash: &String| {
        !given.contains(&(signature.number, hash.clone()))
    };
    // Each only once, however many signatures lack a verdict on it: it may be long.
    let lacking: Vec<&String> = hashes
        .iter()
        .filter(|hash| signatures.iter().any(|signature| lacks(signature, hash)))
        .collect();
    let metadata = metadata(&mut transaction, &lacking).await?;
    let mut pairs = Vec::new();
    for signature in signatures {
        for hash in lacking.iter().filter(|hash| lacks(signature, hash)) {
            // What cannot be read is left out.
            if let Some(metadata) = metadata.get(*hash) {
                pairs.push(MissingVerdict {
                    signature: signature.key.clone(),
                    task_name: signature.task_name.clone(),
                    example: signature.example,
                    priority: signature.priority,
                    metadata_hash: (*hash).clone(),
                    metadata: Arc::clone(metadata),
                });
            }
        }
    }
    Ok(MissingVerdicts { hashes, pairs })
}

async fn metadata(
    transaction: &mut Transaction,
    hashes: &[&String],
) -> Result<HashMap<String, Arc<Metadata>>, EngineError> {
    if hashes.is_empty() {
        return Ok(HashMap::new());
    }
    let hashes = json(&hashes)?;
    let sql = transaction.pick(METADATA_SQLITE, METADATA_POSTGRES);
    let rows = transaction.rows(sql, &[(&hashes).into()]).await?;
    let read = |row: &Row| Ok((row.text("hash")?, Arc::new(row.json("effective")?)));
    Ok(readable("metadata", "hash", &rows, read)
        .into_iter()
        .collect())
}

pub(crate) async fn record(
    database: &Database,
    verdicts: &[NewVerdict],
) -> Result<u64, EngineError> {
    if verdicts.is_empty() {
        return Ok(0);
    }
    // In one order everywhere, so that two schedulers do not wait for each other.
    let mut sorted: Vec<_> = verdicts.iter().collect();
    sorted.sort_by_key(|verdict| (&verdict.metadata_hash, &verdict.signature));
    let mut transaction = database.begin().await?;
    let (mut recorded, mut kept) = (0, None);
    for new in sorted {
        let reasons = json(&new.verdict.reasons)?;
        limits::check_document("list of reasons", &reasons)?;
        let values = [
            (&new.signature).into(),
            (&new.metadata_hash).into(),
            new.verdict.can_run().into(),
            (&reasons).into(),
            new.verdict.has_failed().into(),
        ];
        if matches!(transaction, Transaction::Postgres(_)) && kept != Some(&new.metadata_hash) {
            let hash = (&new.metadata_hash).into();
            transaction.execute(KEEP, &[hash]).await?;
            kept = Some(&new.metadata_hash);
        }
        let sql = transaction.pick(RECORD_SQLITE, RECORD_POSTGRES);
        recorded += transaction.execute(sql, &values).await?;
    }
    if recorded > 0 {
        transaction.notify().await?;
    }
    transaction.commit().await?;
    Ok(recorded)
}

pub(crate) async fn forget_failed(
    database: &Database,
    task: &TaskName,
) -> Result<u64, EngineError> {
    let mut transaction = database.begin().await?;
    let forgotten = transaction
        .execute(FORGET_FAILED, &[task.as_str().into()])
        .await?;
    transaction.commit().await?;
    Ok(forgotten)
}

pub(crate) async fn of(
    database: &Database,
    signature: &str,
) -> Result<Vec<RecordedVerdict>, EngineError> {
    let mut transaction = database.read().await?;
    let rows = transaction.rows(OF, &[signature.into()]).await?;
    let mut verdicts: Vec<RecordedVerdict> = Vec::new();
    for row in &rows {
        let hash = row.text("hash")?;
        let worker = row.text("name")?;
        match verdicts.last_mut() {
            Some(last) if last.metadata_hash == hash => last.workers.push(worker),
            _ => match recorded_of(row, hash, worker) {
                Ok(verdict) => verdicts.push(verdict),
                Err(error) => leave_out(
                    &format_args!("a verdict on signature `{signature}`"),
                    &error,
                ),
            },
        }
    }
    Ok(verdicts)
}

fn recorded_of(
    row: &Row,
    metadata_hash: String,
    worker: String,
) -> Result<RecordedVerdict, EngineError> {
    Ok(RecordedVerdict {
        metadata_hash,
        can_run: row.get("can_run")?,
        reasons: row.json("reasons")?,
        workers: vec![worker],
    })
}
