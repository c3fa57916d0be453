//! A worker's side: calls of functions, so that a worker's role needs no table.

use crate::{
    Claim, EngineError, Lease, NewLogLine, Renewal, Standing, Timestamp,
    artifact::Manifest,
    attempt::claim_of,
    sql::{Database, Row, Transaction, Value, artifacts::number, json, word},
};
use taskbay_core::{ArtifactId, Relation};

pub(crate) async fn report(
    database: &Database,
    values: [Value<'_>; 4],
) -> Result<Standing, EngineError> {
    let row = one(
        database,
        "select * from taskbay.report($1, $2, $3, $4)",
        &values,
    )
    .await?;
    Ok(Standing {
        enabled: row.get("enabled")?,
        draining: row.get("draining")?,
        is_contested: row.get("is_contested")?,
        metadata_hash: row.text("hash")?,
        effective: row.json("effective")?,
    })
}

/// Puts a worker's static metadata over what it reported.
pub(crate) async fn settle(transaction: &mut Transaction, name: &str) -> Result<(), EngineError> {
    transaction
        .execute("select taskbay.settle($1)", &[name.into()])
        .await
        .map(drop)
}

/// Removes verdicts on metadata that no worker has any more.
pub(crate) async fn forget(transaction: &mut Transaction, hash: &str) -> Result<(), EngineError> {
    transaction
        .execute("select taskbay.forget($1)", &[hash.into()])
        .await
        .map(drop)
}

pub(crate) async fn claim(
    database: &Database,
    worker: &str,
    lease: i64,
) -> Result<Option<Claim>, EngineError> {
    let sql = "select * from taskbay.claim($1, $2)";
    let row = database.alone(sql, &[worker.into(), lease.into()]).await?;
    row.map(|row| claim_of(&row)).transpose()
}

pub(crate) async fn is_abort_requested(
    database: &Database,
    lease: &Lease,
) -> Result<bool, EngineError> {
    let sql = "select taskbay.is_abort_requested($1, $2, $3) as requested";
    one(database, sql, &values(lease)).await?.get("requested")
}

pub(crate) async fn renew(
    database: &Database,
    lease: &Lease,
    length: i64,
) -> Result<Renewal, EngineError> {
    let [request, attempt, fence] = values(lease);
    let sql = "select * from taskbay.renew($1, $2, $3, $4)";
    let row = one(database, sql, &[request, attempt, fence, length.into()]).await?;
    Ok(Renewal {
        lease_until: Timestamp(row.int("lease_until")?),
        abort_requested: row.get("abort_requested")?,
    })
}

pub(crate) async fn append_log(
    database: &Database,
    lease: &Lease,
    lines: &[NewLogLine],
) -> Result<(), EngineError> {
    let lines: Vec<_> = lines
        .iter()
        .map(|line| (word(&line.level), &line.message))
        .collect();
    let lines = json(&lines)?;
    say(
        database,
        "select taskbay.append_log($1, $2, $3, $4)",
        lease,
        &[(&lines).into()],
    )
    .await
}

pub(crate) async fn complete(
    database: &Database,
    lease: &Lease,
    result: &str,
    errors: &str,
) -> Result<(), EngineError> {
    let sql = "select taskbay.complete($1, $2, $3, $4, $5)";
    say(database, sql, lease, &[result.into(), errors.into()]).await
}

pub(crate) async fn release(
    database: &Database,
    lease: &Lease,
    reason: &str,
    delay: i64,
) -> Result<(), EngineError> {
    let sql = "select taskbay.release($1, $2, $3, $4, $5)";
    say(database, sql, lease, &[reason.into(), delay.into()]).await
}

pub(crate) async fn keep_chunk(database: &Database, sha256: &str) -> Result<bool, EngineError> {
    let sql = "select taskbay.keep_chunk($1) as kept";
    one(database, sql, &[sha256.into()]).await?.get("kept")
}

/// The database hashes it itself: nobody can put one thing under the name of another.
pub(crate) async fn put_chunk(database: &Database, bytes: &[u8]) -> Result<(), EngineError> {
    let sql = "select taskbay.put_chunk($1)";
    one(database, sql, &[bytes.into()]).await.map(drop)
}

pub(crate) async fn store_artifact(
    database: &Database,
    made_by: Option<&Lease>,
    manifest: &Manifest,
) -> Result<ArtifactId, EngineError> {
    let (data, files) = (json(&manifest.data)?, json(&manifest.files)?);
    let document: [Value<'_>; 3] = [(&manifest.category).into(), (&data).into(), (&files).into()];
    let row = if let Some(lease) = made_by {
        let sql = "select taskbay.create_artifact($1, $2, $3, $4, $5, $6) as id";
        one(
            database,
            sql,
            &[values(lease).as_slice(), &document].concat(),
        )
        .await?
    } else {
        let sql = "select taskbay.store_artifact(null, null, $1, $2, $3) as id";
        one(database, sql, &document).await?
    };
    row.count("id")
}

pub(crate) async fn relate(
    database: &Database,
    made_by: Option<&Lease>,
    relation: &Relation,
    kind: &str,
) -> Result<(), EngineError> {
    let arguments: [Value<'_>; 3] = [
        number(relation.artifact).into(),
        number(relation.target).into(),
        kind.into(),
    ];
    if let Some(lease) = made_by {
        return say(
            database,
            "select taskbay.relate($1, $2, $3, $4, $5, $6)",
            lease,
            &arguments,
        )
        .await;
    }
    let sql = "select taskbay.note_relation($1, $2, $3)";
    one(database, sql, &arguments).await.map(drop)
}

/// What the holder of a lease says, which has no answer.
async fn say(
    database: &Database,
    sql: &'static str,
    lease: &Lease,
    more: &[Value<'_>],
) -> Result<(), EngineError> {
    let values = [values(lease).as_slice(), more].concat();
    one(database, sql, &values).await.map(drop)
}

/// The only row of a statement that always gives one.
async fn one(
    database: &Database,
    sql: &'static str,
    values: &[Value<'_>],
) -> Result<Row, EngineError> {
    let row = database.alone(sql, values).await?;
    row.ok_or_else(|| sqlx::Error::RowNotFound.into())
}

fn values(lease: &Lease) -> [Value<'static>; 3] {
    [
        lease.request.into(),
        lease.attempt.into(),
        lease.fence.into(),
    ]
}
