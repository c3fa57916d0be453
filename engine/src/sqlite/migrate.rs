//! The schema of the file, and how it comes up to date.

use crate::{
    EngineError,
    place::Place,
    sql::{Database, Transaction},
};

/// What makes each version of the one before; each sets the version itself.
const MIGRATIONS: &[&str] = &[include_str!("../../migrations/sqlite/0001_queue.sql")];

/// Brings the file up to date. Of several that do so at once, one does it and the others find it done.
pub(super) async fn migrate(database: &Database, place: &Place) -> Result<(), EngineError> {
    let mut reading = database.read().await?;
    let found = version(&mut reading, place).await?;
    drop(reading);
    if found == MIGRATIONS.len() {
        return Ok(());
    }
    let mut transaction = database.begin().await?;
    let found = version(&mut transaction, place).await?;
    if found == 0 {
        refuse_foreign(&mut transaction, place).await?;
    }
    for migration in &MIGRATIONS[found..] {
        transaction.script(migration).await?;
    }
    transaction.commit().await
}

async fn version(transaction: &mut Transaction, place: &Place) -> Result<usize, EngineError> {
    let found = transaction
        .one("pragma user_version", &[])
        .await?
        .int("user_version")?;
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

/// A file that has tables, but no version, is another program's.
async fn refuse_foreign(transaction: &mut Transaction, place: &Place) -> Result<(), EngineError> {
    let tables = transaction
        .one("select count(*) as n from sqlite_master", &[])
        .await?
        .int("n")?;
    if tables == 0 {
        return Ok(());
    }
    Err(EngineError::BadUrl {
        url: place.to_string(),
        reason: "the file is another program's database".to_owned(),
    })
}
