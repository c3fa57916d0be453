//! How artifacts come in.

use super::lease::hold;
use crate::{
    EngineError, Lease,
    artifact::Manifest,
    sql::{Database, Transaction, json},
};
use taskbay_core::{ArtifactId, Relation};

/// Whether that piece is there already; if so, it is not pruned soon.
pub(crate) async fn keep_chunk(database: &Database, sha256: &str) -> Result<bool, EngineError> {
    let mut transaction = database.begin().await?;
    let now = transaction.now().await?;
    let sql = "update chunks set kept_at = $2 where sha256 = $1";
    let kept = transaction
        .execute(sql, &[sha256.into(), now.into()])
        .await?;
    transaction.commit().await?;
    Ok(kept > 0)
}

pub(crate) async fn put_chunk(
    database: &Database,
    sha256: &str,
    bytes: &[u8],
) -> Result<(), EngineError> {
    let mut transaction = database.begin().await?;
    let now = transaction.now().await?;
    let sql = "
        insert into chunks (sha256, bytes, kept_at) values ($1, $2, $3)
        on conflict (sha256) do update set kept_at = excluded.kept_at";
    transaction
        .execute(sql, &[sha256.into(), bytes.into(), now.into()])
        .await?;
    transaction.commit().await
}

pub(crate) async fn store_artifact(
    database: &Database,
    made_by: Option<&Lease>,
    manifest: &Manifest,
) -> Result<ArtifactId, EngineError> {
    let mut transaction = database.begin().await?;
    let now = transaction.now().await?;
    check(&mut transaction, made_by, now).await?;
    let sql = "
        insert into artifacts (category, data, created_at, request_id, attempt) values ($1, $2, $3, $4, $5) returning id";
    let data = json(&manifest.data)?;
    let request = made_by.map(|lease| lease.request);
    let attempt = made_by.map(|lease| lease.attempt);
    let values = [
        (&manifest.category).into(),
        (&data).into(),
        now.into(),
        request.into(),
        attempt.into(),
    ];
    let id = transaction.one(sql, &values).await?.int("id")?;
    for file in &manifest.files {
        let sql = "insert into files (artifact_id, name, size, sha256) values ($1, $2, $3, $4) returning id";
        let size = i64::try_from(file.size).unwrap_or(i64::MAX);
        let values = [
            id.into(),
            (&file.name).into(),
            size.into(),
            (&file.sha256).into(),
        ];
        let of = transaction.one(sql, &values).await?.int("id")?;
        for (place, chunk) in (0_i64..).zip(&file.chunks) {
            let sql = "insert into file_chunks (file_id, place, chunk) values ($1, $2, $3)";
            transaction
                .execute(sql, &[of.into(), place.into(), chunk.into()])
                .await?;
        }
    }
    transaction.commit().await?;
    ArtifactId::try_from(id).map_err(|_| EngineError::corrupt("number", id))
}

pub(crate) async fn relate(
    database: &Database,
    made_by: Option<&Lease>,
    relation: &Relation,
    kind: &str,
) -> Result<(), EngineError> {
    let mut transaction = database.begin().await?;
    let now = transaction.now().await?;
    check(&mut transaction, made_by, now).await?;
    let mut ids = [0; 2];
    for (id, wanted) in ids.iter_mut().zip([relation.artifact, relation.target]) {
        *id = i64::try_from(wanted).unwrap_or(-1);
        let found = transaction
            .row("select id from artifacts where id = $1", &[(*id).into()])
            .await?;
        found.ok_or_else(|| EngineError::not_found("artifact", wanted))?;
    }
    let sql = "insert into relations (artifact_id, target_id, kind) values ($1, $2, $3) on conflict do nothing";
    transaction
        .execute(sql, &[ids[0].into(), ids[1].into(), kind.into()])
        .await?;
    transaction.commit().await
}

/// A person needs no lease.
async fn check(
    transaction: &mut Transaction,
    made_by: Option<&Lease>,
    now: i64,
) -> Result<(), EngineError> {
    match made_by {
        Some(lease) => hold(transaction, lease, now).await.map(drop),
        None => Ok(()),
    }
}
