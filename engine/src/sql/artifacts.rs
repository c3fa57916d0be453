//! Artifacts: contents in pieces of 1 MiB, each kept once and named by its hash.

use super::{
    Database, Row, Transaction,
    again::again,
    json,
    patience::{SHORT, in_time},
    readable::leave_out,
};
use crate::{
    ArtifactFilter, EngineError, NewArtifact, NewFile, RequestId, StoredArtifact, StoredFile,
    Timestamp,
    artifact::{Manifest, ManifestFile},
    hash::{Hash, hash},
    limits, postgres, sqlite,
};
use std::{
    collections::{BTreeMap, HashSet},
    io::{self, Read, Write},
};
use taskbay_core::{ArtifactId, Relation};

/// The size of all pieces of a file but the last.
const CHUNK: u64 = 1 << 20;

/// The document of one artifact; PostgreSQL has it as a function, which a worker may call.
const SHOW: &str = "
    select a.id, a.category, a.data, a.created_at, a.request_id, a.attempt,
        (select json_group_array(json_object('name', f.name, 'size', f.size, 'sha256', f.sha256))
            from (select * from files where artifact_id = a.id order by name) f) as files,
        (select json_group_array(json_object('artifact', l.artifact_id, 'target', l.target_id, 'kind', l.kind))
            from (select * from relations where artifact_id = a.id or target_id = a.id order by 1, 2, 3) l) as relations
    from artifacts a where a.id = $1";

const LIST: &str = "
    select id from artifacts
    where ($1 is null or category = $1) and ($3 is null or id < $3)
    and ($2 is null or request_id = $2 and attempt = (
        select t.n from requests r join attempts t on t.request_id = r.id and t.n = r.attempts
        where r.id = $2 and r.status = 'completed' and t.outcome not in ('lost', 'released')
    ))
    order by id desc limit $4";

/// PostgreSQL has it as a function, too. Of an attempt that did not end with a result it finds nothing.
const FIND: &str = "
    select a.id from artifacts a
    where a.category = $1 and not exists (
        select 1 from json_each($2) wanted
        where (select found.value from json_each(a.data) found where found.key = wanted.key) is not wanted.value)
    and (a.request_id is null or exists (
        select 1 from attempts t
        where t.request_id = a.request_id and t.n = a.attempt and t.outcome not in ('lost', 'released')))
    order by a.id desc limit 1";

const PIECE: &str = "
    select c.bytes from files f join file_chunks p on p.file_id = f.id join chunks c on c.sha256 = p.chunk
    where f.artifact_id = $1 and f.name = $2 and p.place = $3";

pub(crate) async fn create(
    database: &Database,
    artifact: NewArtifact<'_>,
) -> Result<ArtifactId, EngineError> {
    limits::check_name("category", &artifact.category)?;
    limits::check_document("artifact data", &artifact.data.to_string())?;
    check_files(&artifact.files)?;
    let mut files = Vec::with_capacity(artifact.files.len());
    for file in artifact.files {
        // Its content is read once: each piece, and then the artifact, is a transaction that is tried again for itself, and
        // waited for by itself, since nobody knows how slowly the content comes.
        files.push(put_file(database, file).await?);
    }
    let manifest = Manifest {
        category: artifact.category,
        data: artifact.data,
        files,
    };
    let made_by = artifact.made_by.as_ref();
    let store = again(async || match database {
        Database::Sqlite { .. } => sqlite::store_artifact(database, made_by, &manifest).await,
        Database::Postgres(_) => postgres::store_artifact(database, made_by, &manifest).await,
    });
    in_time(database, SHORT, store).await
}

fn check_files(files: &[NewFile<'_>]) -> Result<(), EngineError> {
    if files.len() > limits::MOST_FILES {
        return Err(EngineError::TooLarge {
            what: "list of files",
            size: files.len(),
            limit: limits::MOST_FILES,
            unit: "files",
        });
    }
    let mut names = HashSet::new();
    for NewFile { name, .. } in files {
        limits::check_file_name(name)?;
        if !names.insert(name) {
            return Err(EngineError::invalid(
                "file's name",
                format!("there are two of `{name}`"),
            ));
        }
    }
    Ok(())
}

async fn put_file(database: &Database, mut file: NewFile<'_>) -> Result<ManifestFile, EngineError> {
    let mut whole = Hash::default();
    let mut size = 0;
    let mut chunks = Vec::new();
    let mut piece = Vec::new();
    loop {
        piece.clear();
        let read = file.content.by_ref().take(CHUNK).read_to_end(&mut piece);
        if read.map_err(|error| content(&file.name, error))? == 0 {
            break;
        }
        whole.update(&piece);
        size += piece.len() as u64;
        chunks.push(put_chunk(database, &piece).await?);
    }
    Ok(ManifestFile {
        name: file.name,
        size,
        sha256: whole.finish(),
        chunks,
    })
}

async fn put_chunk(database: &Database, bytes: &[u8]) -> Result<String, EngineError> {
    let sha256 = hash(bytes);
    let put = again(async || {
        let is_there = match database {
            Database::Sqlite { .. } => sqlite::keep_chunk(database, &sha256).await?,
            Database::Postgres(_) => postgres::keep_chunk(database, &sha256).await?,
        };
        match database {
            _ if is_there => Ok(()),
            Database::Sqlite { .. } => sqlite::put_chunk(database, &sha256, bytes).await,
            Database::Postgres(_) => postgres::put_chunk(database, bytes).await,
        }
    });
    in_time(database, SHORT, put).await?;
    Ok(sha256)
}

fn content(name: &str, source: io::Error) -> EngineError {
    EngineError::Content {
        name: name.to_owned(),
        source,
    }
}

pub(crate) async fn artifact(
    database: &Database,
    id: ArtifactId,
) -> Result<StoredArtifact, EngineError> {
    show(&mut database.read().await?, id).await
}

async fn show(
    transaction: &mut Transaction,
    id: ArtifactId,
) -> Result<StoredArtifact, EngineError> {
    let sql = transaction.pick(SHOW, "select * from taskbay.show_artifact($1)");
    let row = transaction.row(sql, &[number(id).into()]).await?;
    artifact_of(&row.ok_or_else(|| EngineError::not_found("artifact", id))?)
}

/// Whoever reads it puts its files where their names say, and not everybody who writes checks them.
fn artifact_of(row: &Row) -> Result<StoredArtifact, EngineError> {
    let id = row.count("id")?;
    let files: Vec<StoredFile> = row.json("files")?;
    for file in &files {
        limits::check_file_name(&file.name)
            .map_err(|error| EngineError::corrupt("artifact", format!("{id}: {error}")))?;
    }
    let request: Option<RequestId> = row.get("request_id")?;
    Ok(StoredArtifact {
        id,
        category: row.text("category")?,
        data: row.json("data")?,
        created_at: Timestamp(row.int("created_at")?),
        request,
        attempt: request.and(row.get("attempt")?),
        files,
        relations: row.json("relations")?,
    })
}

pub(crate) async fn artifacts(
    database: &Database,
    filter: &ArtifactFilter,
) -> Result<Vec<StoredArtifact>, EngineError> {
    let mut transaction = database.read().await?;
    let values = [
        filter.category.as_deref().into(),
        filter.request.into(),
        filter.before.map(number).into(),
        i64::from(filter.limit).into(),
    ];
    let mut found = Vec::new();
    for row in transaction.rows(LIST, &values).await? {
        let id = row.count("id")?;
        match show(&mut transaction, id).await {
            Ok(artifact) => found.push(artifact),
            Err(error @ EngineError::Corrupt { .. }) => {
                leave_out(&format_args!("artifact {id}"), &error);
            }
            // It was removed meanwhile.
            Err(EngineError::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

pub(crate) async fn find(
    database: &Database,
    category: &str,
    data: &BTreeMap<String, String>,
) -> Result<Option<StoredArtifact>, EngineError> {
    let mut transaction = database.read().await?;
    let sql = transaction.pick(FIND, "select taskbay.find_artifact($1, $2) as id");
    let data = json(data)?;
    let row = transaction
        .row(sql, &[category.into(), (&data).into()])
        .await?;
    // The function answers with a null where there is none.
    match row.map_or(Ok(None), |row| row.get::<Option<i64>>("id"))? {
        Some(id) => show(
            &mut transaction,
            ArtifactId::try_from(id).unwrap_or_default(),
        )
        .await
        .map(Some),
        None => Ok(None),
    }
}

/// Each piece is read for itself, so that a slow receiver holds no transaction.
pub(crate) async fn fetch_file(
    database: &Database,
    id: ArtifactId,
    name: &str,
    to: &mut dyn Write,
) -> Result<u64, EngineError> {
    let files = in_time(database, SHORT, artifact(database, id)).await?;
    let files = files.files;
    let wanted = files.into_iter().find(|file| file.name == name);
    let wanted =
        wanted.ok_or_else(|| EngineError::not_found("file", format!("{name} of artifact {id}")))?;
    let mut whole = Hash::default();
    for place in 0..wanted.size.div_ceil(CHUNK) {
        let piece = in_time(database, SHORT, piece(database, id, name, place));
        let Some(bytes) = piece.await? else {
            return Err(EngineError::corrupt(
                "file",
                format!("`{name}` of artifact {id} lacks piece {place}"),
            ));
        };
        whole.update(&bytes);
        to.write_all(&bytes).map_err(|error| content(name, error))?;
    }
    if whole.finish() != wanted.sha256 {
        return Err(EngineError::corrupt(
            "file",
            format!("`{name}` of artifact {id} has another hash now"),
        ));
    }
    to.flush().map_err(|error| content(name, error))?;
    Ok(wanted.size)
}

async fn piece(
    database: &Database,
    id: ArtifactId,
    name: &str,
    place: u64,
) -> Result<Option<Vec<u8>>, EngineError> {
    let mut transaction = database.read().await?;
    let sql = transaction.pick(PIECE, "select taskbay.fetch_piece($1, $2, $3) as bytes");
    let row = transaction
        .row(sql, &[number(id).into(), name.into(), number(place).into()])
        .await?;
    row.map_or(Ok(None), |row| row.get("bytes"))
}

/// No database has numbers that large, so the number is one that is not found.
pub(crate) fn number(id: u64) -> i64 {
    i64::try_from(id).unwrap_or(-1)
}

pub(crate) async fn relate(
    database: &Database,
    relation: &Relation,
    made_by: Option<&crate::Lease>,
) -> Result<(), EngineError> {
    let kind = super::word(&relation.kind);
    match database {
        Database::Sqlite { .. } => sqlite::relate(database, made_by, relation, &kind).await,
        Database::Postgres(_) => postgres::relate(database, made_by, relation, &kind).await,
    }
}

pub(crate) async fn remove(database: &Database, id: ArtifactId) -> Result<(), EngineError> {
    let mut transaction = database.begin().await?;
    let gone = transaction
        .execute("delete from artifacts where id = $1", &[number(id).into()])
        .await?;
    if gone == 0 {
        return Err(EngineError::not_found("artifact", id));
    }
    transaction.commit().await
}
