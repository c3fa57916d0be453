//! Verdicts as rows.

use super::{Database, Row, Transaction, json, readable, readable::leave_out};
use crate::{
    ALIVE, EngineError, MissingVerdict, NewVerdict, RecordedVerdict, limits, timestamp::millis,
};
use taskbay_core::TaskName;

/// The signatures that requests wait with are found in leaps through the queue's index, from one to the next, so that the
/// many requests behind the first of each are not looked at, nor the many signatures that nothing waits with any more.
macro_rules! missing {
    ($except:literal) => {
        concat!("
    with recursive leap (id) as (
        select (
            select r.signature_id from requests r
            where r.status = 'pending' and r.signature_id > 0 order by r.signature_id limit 1
        )
        union all
        select (
            select r.signature_id from requests r
            where r.status = 'pending' and r.signature_id > leap.id order by r.signature_id limit 1
        )
        from leap where leap.id is not null
    )
    select s.key, s.task_name, w.hash, w.effective, (
        select r.id from requests r
        where r.signature_id = s.id and r.status = 'pending' order by r.priority desc, r.id limit 1
    ) as example
    from leap join signatures s on s.id = leap.id
    cross join (select hash, min(effective) as effective from workers where last_seen > $1 group by hash) w
    where not exists (select 1 from verdicts v where v.hash = w.hash and v.signature_id = s.id)
    and s.task_name not in (", $except, ")
    order by example, w.hash limit $2")
    };
}
const MISSING_SQLITE: &str = missing!("select value from json_each($3)");
const MISSING_POSTGRES: &str = missing!("select pg_catalog.json_array_elements_text($3::json)");

const RECORD: &str = "
    insert into verdicts (hash, signature_id, can_run, reasons, failed)
    select $2, s.id, $3, $4, $5 from signatures s
    where s.key = $1 and exists (select 1 from workers w where w.hash = $2)
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
    limit: u32,
    except: &[TaskName],
) -> Result<Vec<MissingVerdict>, EngineError> {
    let except = json(&except)?;
    let mut transaction = database.read().await?;
    let since = transaction.now().await? - millis(ALIVE);
    let sql = transaction.pick(MISSING_SQLITE, MISSING_POSTGRES);
    let values = [since.into(), i64::from(limit).into(), (&except).into()];
    let rows = transaction.rows(sql, &values).await?;
    Ok(readable("metadata", "hash", &rows, missing_of))
}

fn missing_of(row: &Row) -> Result<MissingVerdict, EngineError> {
    Ok(MissingVerdict {
        signature: row.text("key")?,
        task_name: row.word("task_name")?,
        example: row.int("example")?,
        metadata_hash: row.text("hash")?,
        metadata: row.json("effective")?,
    })
}

pub(crate) async fn record(
    database: &Database,
    verdicts: &[NewVerdict],
) -> Result<u64, EngineError> {
    // In one order everywhere, so that two schedulers do not wait for each other.
    let mut sorted: Vec<_> = verdicts.iter().collect();
    sorted.sort_by_key(|verdict| (&verdict.metadata_hash, &verdict.signature));
    let mut transaction = database.begin().await?;
    let mut recorded = 0;
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
        if let Transaction::Postgres(_) = transaction {
            let hash = (&new.metadata_hash).into();
            transaction.execute(KEEP, &[hash]).await?;
        }
        recorded += transaction.execute(RECORD, &values).await?;
    }
    transaction.notify().await?;
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
