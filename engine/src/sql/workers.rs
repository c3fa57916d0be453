//! The fleet.

use super::{Database, Row, Transaction, json, readable};
use crate::{EngineError, Settings, Timestamp, Worker, limits, postgres, sqlite};
use taskbay_core::{Metadata, TaskName};

const ALL: &str = "
    select w.*, (select count(*) from attempts a where a.worker = w.name and a.ended_at is null) as running
    from workers w where $1 is null or w.name = $1 order by w.name";

const SET: &str = "
    update workers set static = $2, allow = $3, deny = $4, enabled = $5, draining = $6 where name = $1";

pub(crate) async fn workers(database: &Database) -> Result<Vec<Worker>, EngineError> {
    let mut transaction = database.read().await?;
    let rows = transaction.rows(ALL, &[None::<&str>.into()]).await?;
    Ok(readable("worker", "name", &rows, worker_of))
}

pub(crate) async fn worker(database: &Database, name: &str) -> Result<Worker, EngineError> {
    let mut transaction = database.read().await?;
    let row = transaction.row(ALL, &[name.into()]).await?;
    worker_of(&row.ok_or_else(|| EngineError::not_found("worker", name))?)
}

/// What an administrator says of a worker, who need not have been heard of. It stays until the transaction ends.
const LOCK: &str = "
    insert into workers (name) values ($1)
    on conflict (name) do update set name = excluded.name returning static, allow, deny, enabled, draining";

pub(crate) async fn change_worker(
    database: &Database,
    name: &str,
    change: &dyn Fn(&mut Settings),
) -> Result<Settings, EngineError> {
    limits::check_name("worker's name", name)?;
    let mut transaction = database.begin().await?;
    let mut settings = settings_of(&transaction.one(LOCK, &[name.into()]).await?)?;
    change(&mut settings);
    write(&mut transaction, name, &settings).await?;
    transaction.commit().await?;
    Ok(settings)
}

async fn write(
    transaction: &mut Transaction,
    name: &str,
    settings: &Settings,
) -> Result<(), EngineError> {
    let metadata = document(&settings.static_metadata)?;
    let allow = list(settings.allow.as_deref())?;
    let deny = list(settings.deny.as_deref())?;
    let values = [
        name.into(),
        (&metadata).into(),
        allow.as_deref().into(),
        deny.as_deref().into(),
        settings.enabled.into(),
        settings.draining.into(),
    ];
    transaction.execute(SET, &values).await?;
    match transaction {
        Transaction::Sqlite(_) => sqlite::settle(transaction, name).await?,
        Transaction::Postgres(_) => postgres::settle(transaction, name).await?,
    }
    transaction.notify().await
}

pub(crate) async fn remove_worker(database: &Database, name: &str) -> Result<(), EngineError> {
    let mut transaction = database.begin().await?;
    let sql = transaction.pick(
        "select hash from workers where name = $1",
        "select hash from workers where name = $1 for update",
    );
    let found = transaction.row(sql, &[name.into()]).await?;
    let hash: Option<String> = found
        .ok_or_else(|| EngineError::not_found("worker", name))?
        .get("hash")?;
    let sql = "select count(*) as running from attempts where worker = $1 and ended_at is null";
    let running = transaction.one(sql, &[name.into()]).await?;
    let running = running.count("running")?;
    if running > 0 {
        return Err(EngineError::Busy {
            name: name.to_owned(),
            running,
        });
    }
    transaction
        .execute("delete from workers where name = $1", &[name.into()])
        .await?;
    if let Some(hash) = &hash {
        match transaction {
            Transaction::Sqlite(_) => sqlite::forget(&mut transaction, hash).await?,
            Transaction::Postgres(_) => postgres::forget(&mut transaction, hash).await?,
        }
    }
    transaction.notify().await?;
    transaction.commit().await
}

/// Metadata as text that every engine takes.
pub(crate) fn document(metadata: &Metadata) -> Result<String, EngineError> {
    let text = json(metadata)?;
    limits::check_document("metadata", &text)?;
    // Whoever puts it together may nest it more deeply than it can be read.
    Metadata::parse(&text).map_err(|error| EngineError::invalid("metadata", error.to_string()))?;
    // PostgreSQL merges it as `jsonb`, which has no such character. The writer escapes it, and its backslashes.
    if text.replace("\\\\", "").contains("\\u0000") {
        return Err(EngineError::invalid(
            "metadata",
            "it contains a NUL character",
        ));
    }
    Ok(text)
}

fn list(names: Option<&[TaskName]>) -> Result<Option<String>, EngineError> {
    let text = names.map(|names| json(&names)).transpose()?;
    limits::check_document("list of tasks", text.as_deref().unwrap_or_default())?;
    Ok(text)
}

fn worker_of(row: &Row) -> Result<Worker, EngineError> {
    Ok(Worker {
        name: row.text("name")?,
        slots: row.count("slots")?,
        running: row.count("running")?,
        last_seen: row.get::<Option<i64>>("last_seen")?.map(Timestamp),
        reported: row.json("reported")?,
        effective: row.json("effective")?,
        metadata_hash: row.get("hash")?,
        settings: settings_of(row)?,
    })
}

fn settings_of(row: &Row) -> Result<Settings, EngineError> {
    Ok(Settings {
        static_metadata: row.json("static")?,
        allow: row.maybe_json("allow")?,
        deny: row.maybe_json("deny")?,
        enabled: row.get("enabled")?,
        draining: row.get("draining")?,
    })
}
