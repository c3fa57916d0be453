//! Match signatures: which requests are alike to every worker.

use super::{
    Database, Row, Transaction, json, readable,
    submission::{lock, status},
};
use crate::{EngineError, PendingSignature, RequestId, Status, Unsigned, limits};
use taskbay_core::TaskName;

/// Found in leaps through the queue's index, from one to the next, so that the many requests behind the first of each are
/// not looked at.
/// The order is the one of that index, and of no other.
const PENDING: &str = "
    with recursive leap (id, n) as (
        select (
            select r.signature_id from requests r
            where r.status = 'pending' and r.signature_id > $1
            order by r.signature_id, r.priority desc, r.id limit 1
        ), 1
        union all
        select (
            select r.signature_id from requests r
            where r.status = 'pending' and r.signature_id > leap.id
            order by r.signature_id, r.priority desc, r.id limit 1
        ), leap.n + 1
        from leap where leap.id is not null and leap.n < $2
    )
    select s.id as number, s.key, s.task_name, (
        select r.id from requests r
        where r.signature_id = s.id and r.status = 'pending' order by r.priority desc, r.id limit 1
    ) as example, (
        select r.priority from requests r
        where r.signature_id = s.id and r.status = 'pending' order by r.priority desc, r.id limit 1
    ) as priority
    from leap join signatures s on s.id = leap.id order by s.id";

/// The order is the one of the queue's index, though no two of these differ in their signature.
const UNSIGNED: &str = "
    select id, task_name, task_data, priority from requests
    where signature_id is null and status = 'pending'
    order by signature_id, priority desc, id limit $1";

/// Found in leaps, too, from one task to the next, so that the many requests for tasks that nobody can ask are not looked at.
/// SQLite is told the index, since what it knows of these columns would have it sort.
const UNSIGNED_BUT_SQLITE: &str = "
    with recursive leap (task) as (
        select (
            select r.task_name from requests r indexed by requests_unsigned
            where r.status = 'pending' and r.signature_id is null
            order by r.task_name, r.priority desc, r.id limit 1
        )
        union all
        select (
            select r.task_name from requests r indexed by requests_unsigned
            where r.status = 'pending' and r.signature_id is null and r.task_name > leap.task
            order by r.task_name, r.priority desc, r.id limit 1
        )
        from leap where leap.task is not null
    )
    select id, task_name, task_data, priority from requests where id in (
        select first.id from leap join requests first on first.id in (
            select r.id from requests r indexed by requests_unsigned
            where r.status = 'pending' and r.signature_id is null and r.task_name = leap.task
            order by r.priority desc, r.id limit $1
        )
        where leap.task not in (select value from json_each($2))
        order by first.priority desc, first.id limit $1
    )
    order by priority desc, id";
const UNSIGNED_BUT_POSTGRES: &str = "
    with recursive leap (task) as (
        select (
            select r.task_name from requests r
            where r.status = 'pending' and r.signature_id is null
            order by r.task_name, r.priority desc, r.id limit 1
        )
        union all
        select (
            select r.task_name from requests r
            where r.status = 'pending' and r.signature_id is null and r.task_name > leap.task
            order by r.task_name, r.priority desc, r.id limit 1
        )
        from leap where leap.task is not null
    )
    select id, task_name, task_data, priority from requests where id in (
        select first.id from leap cross join lateral (
            select r.id, r.priority from requests r
            where r.status = 'pending' and r.signature_id is null and r.task_name = leap.task
            order by r.priority desc, r.id limit $1
        ) first
        where leap.task not in (select pg_catalog.json_array_elements_text($2::json))
        order by first.priority desc, first.id limit $1
    )
    order by priority desc, id";

pub(crate) async fn unsigned(
    database: &Database,
    limit: u32,
    except: &[TaskName],
) -> Result<Vec<Unsigned>, EngineError> {
    let limit = i64::from(limit).into();
    let mut transaction = database.read().await?;
    let rows = if except.is_empty() {
        transaction.rows(UNSIGNED, &[limit]).await?
    } else {
        let except = json(&except)?;
        let sql = transaction.pick(UNSIGNED_BUT_SQLITE, UNSIGNED_BUT_POSTGRES);
        transaction.rows(sql, &[limit, (&except).into()]).await?
    };
    Ok(readable("request", "id", &rows, unsigned_of))
}

fn unsigned_of(row: &Row) -> Result<Unsigned, EngineError> {
    Ok(Unsigned {
        id: row.int("id")?,
        task_name: row.word("task_name")?,
        task_data: row.text("task_data")?,
        priority: row.int("priority")?,
    })
}

pub(crate) async fn sign(
    database: &Database,
    id: RequestId,
    key: &str,
) -> Result<Option<i64>, EngineError> {
    limits::check_name("signature", key)?;
    let mut transaction = database.begin().await?;
    let request = lock(&mut transaction, id).await?;
    if status(&request)? != Status::Pending {
        return Ok(None);
    }
    let signature = signature(&mut transaction, key, &request.text("task_name")?).await?;
    let sql = "update requests set signature_id = $2 where id = $1";
    transaction
        .execute(sql, &[id.into(), signature.into()])
        .await?;
    transaction.notify().await?;
    transaction.commit().await?;
    Ok(Some(signature))
}

/// The number of the signature of that key, which is that task's.
async fn signature(
    transaction: &mut Transaction,
    key: &str,
    task: &str,
) -> Result<i64, EngineError> {
    // An update that changes nothing gives the row, and keeps it from being pruned meanwhile.
    let sql = "
        insert into signatures (key, task_name) values ($1, $2)
        on conflict (key) do update set key = excluded.key returning id, task_name";
    let row = transaction.one(sql, &[key.into(), task.into()]).await?;
    let of = row.text("task_name")?;
    if of == task {
        return row.int("id");
    }
    Err(EngineError::invalid(
        "signature",
        format!("it is one of task `{of}`, not of `{task}`"),
    ))
}

pub(crate) async fn unsign(database: &Database, task: &TaskName) -> Result<u64, EngineError> {
    let mut transaction = database.begin().await?;
    let sql = "
        update requests set signature_id = null
        where task_name = $1 and status <> 'completed' and signature_id is not null";
    let changed = transaction.execute(sql, &[task.as_str().into()]).await?;
    transaction.notify().await?;
    transaction.commit().await?;
    Ok(changed)
}

/// Only of what has it still: one that is completed keeps it.
pub(crate) async fn unsign_signature(database: &Database, key: &str) -> Result<u64, EngineError> {
    let mut transaction = database.begin().await?;
    let sql = "
        update requests set signature_id = null
        where signature_id = (select id from signatures where key = $1) and status <> 'completed'";
    let changed = transaction.execute(sql, &[key.into()]).await?;
    transaction.notify().await?;
    transaction.commit().await?;
    Ok(changed)
}

pub(crate) async fn pending(
    database: &Database,
    after: i64,
    limit: u32,
) -> Result<Vec<PendingSignature>, EngineError> {
    let mut transaction = database.read().await?;
    let rows = transaction
        .rows(PENDING, &[after.into(), i64::from(limit).into()])
        .await?;
    Ok(readable("signature", "key", &rows, pending_of))
}

fn pending_of(row: &Row) -> Result<PendingSignature, EngineError> {
    Ok(PendingSignature {
        number: row.int("number")?,
        key: row.text("key")?,
        task_name: row.word("task_name")?,
        example: row.int("example")?,
        priority: row.int("priority")?,
    })
}
