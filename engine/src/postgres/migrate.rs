//! The schema `taskbay`, and how it comes up to date.

use crate::{
    EngineError,
    place::Place,
    sql::{Database, Transaction},
};

/// What makes each version of the one before; each sets the version itself.
const MIGRATIONS: &[&[&str]] = &[&[
    include_str!("../../migrations/postgres/0001_tables.sql"),
    include_str!("../../migrations/postgres/0001_work.sql"),
    include_str!("../../migrations/postgres/0001_artifacts.sql"),
    include_str!("../../migrations/postgres/0001_role.sql"),
]];

/// Whoever migrates holds this advisory lock: "taskbay" in ASCII.
const LOCK: &str = "select pg_advisory_xact_lock(32762622722304377)";

/// Brings the schema up to date. Of several that do so at once, one does it and the others find it done.
pub(super) async fn migrate(database: &Database, place: &Place) -> Result<(), EngineError> {
    let mut reading = database.read().await?;
    let found = version(&mut reading, place).await?;
    drop(reading);
    if found == MIGRATIONS.len() {
        return Ok(());
    }
    let mut transaction = database.begin().await?;
    transaction.execute(LOCK, &[]).await?;
    let found = version(&mut transaction, place).await?;
    for script in MIGRATIONS[found..].iter().copied().flatten() {
        transaction.script(script).await?;
    }
    transaction.commit().await?;
    notice(database).await
}

async fn version(transaction: &mut Transaction, place: &Place) -> Result<usize, EngineError> {
    // By name in the catalogue, since asking for a function that is not there would end the transaction.
    let sql = "
        select 1 as made from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
        where n.nspname = 'taskbay' and p.proname = 'schema_version'";
    if transaction.row(sql, &[]).await?.is_none() {
        return Ok(0);
    }
    let found = transaction
        .one("select taskbay.schema_version() as found", &[])
        .await?
        .int("found")?;
    let newest = MIGRATIONS.len();
    match usize::try_from(found) {
        Ok(version) if version <= newest => Ok(version),
        _ => Err(EngineError::Newer {
            place: place.to_string(),
            found,
            known: newest.try_into().unwrap_or(i64::MAX),
        }),
    }
}

/// Says what whoever migrated was not permitted to do.
async fn notice(database: &Database) -> Result<(), EngineError> {
    let mut transaction = database.read().await?;
    let sql = "select 1 as found from pg_catalog.pg_roles where rolname = 'taskbay_worker'";
    if transaction.row(sql, &[]).await?.is_none() {
        log::warn!(
            "the role `taskbay_worker` is missing, and this role may not create it: workers need the rights of the schema's \
             owner until somebody runs `create role taskbay_worker nologin` and the owner `select taskbay.grant_worker()`"
        );
    }
    Ok(())
}
