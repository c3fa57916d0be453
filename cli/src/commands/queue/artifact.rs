//! `taskbay artifact`: the artifacts in the engine's store.

use crate::{
    args::ArtifactCommand, error::CommandError, exit::Exit, report::plain, session::Session,
};
use serde_json::json;
use std::{ffi::OsStr, path::Path};
use taskbay_core::ArtifactId;
use taskbay_debian::artifact_of_file;
use taskbay_engine::{
    ArtifactFilter, Engine, EngineError, NewArtifact, NewFile, RequestId, StoredArtifact,
    write_file,
};

pub(crate) fn run(
    session: &Session,
    engine: &dyn Engine,
    command: ArtifactCommand,
) -> Result<Exit, CommandError> {
    match command {
        ArtifactCommand::Import { file } => import(session, engine, &file),
        ArtifactCommand::List { request, limit } => list(session, engine, request, limit),
        ArtifactCommand::Show { id } => show(session, engine, id),
        ArtifactCommand::Export { id, directory } => export(session, engine, id, &directory),
        ArtifactCommand::Remove { id } => remove(session, engine, id),
    }
}

fn import(session: &Session, engine: &dyn Engine, file: &Path) -> Result<Exit, CommandError> {
    let local = artifact_of_file(file).map_err(|error| {
        let exit = if file.exists() {
            Exit::No
        } else {
            Exit::Unknown
        };
        CommandError::new(exit, format!("{} cannot be stored", file.display())).cause(&error)
    })?;
    let mut files = Vec::new();
    for path in &local.files {
        let name = path.file_name().and_then(OsStr::to_str);
        let name = name.ok_or_else(|| {
            let message = format!("cannot store {}", path.display());
            CommandError::new(Exit::Unavailable, message).cause(&"its name is no text")
        })?;
        files.push(NewFile::at(name, path));
    }
    let artifact = NewArtifact {
        category: local.category.clone(),
        data: local.data.clone(),
        files,
        made_by: None,
    };
    let id = engine.create_artifact(artifact)?;
    let json = json!({"id": id, "category": local.category});
    session.report.data(&json, |out| {
        writeln!(out, "artifact {id}: {}", local.category)
    })?;
    Ok(Exit::Success)
}

fn list(
    session: &Session,
    engine: &dyn Engine,
    request: Option<RequestId>,
    limit: u32,
) -> Result<Exit, CommandError> {
    if let Some(request) = request {
        // One that is not there is not one that made nothing.
        engine.request(request)?;
    }
    let filter = ArtifactFilter {
        request,
        limit,
        ..ArtifactFilter::default()
    };
    let artifacts = engine.artifacts(&filter)?;
    let json = json!({"schema": "taskbay.artifacts/1", "artifacts": artifacts});
    session.report.data(&json, |out| {
        let row = |artifact: &StoredArtifact| {
            let (category, names) = (&artifact.category, names(artifact).join(" "));
            writeln!(
                out,
                "{:<8} {:<28} {}",
                artifact.id,
                plain(category),
                plain(&names)
            )
        };
        artifacts.iter().try_for_each(row)
    })?;
    Ok(Exit::Success)
}

/// The names of its files.
pub(super) fn names(artifact: &StoredArtifact) -> Vec<&str> {
    let files = artifact.files.iter();
    files.map(|file| file.name.as_str()).collect()
}

fn show(session: &Session, engine: &dyn Engine, id: ArtifactId) -> Result<Exit, CommandError> {
    session.report.json(&engine.artifact(id)?)?;
    Ok(Exit::Success)
}

fn export(
    session: &Session,
    engine: &dyn Engine,
    id: ArtifactId,
    directory: &OsStr,
) -> Result<Exit, CommandError> {
    let artifact = engine.artifact(id)?;
    let directory = Path::new(directory);
    let mut written = Vec::new();
    for file in &artifact.files {
        let path = write_file(engine, id, file, directory).map_err(|error| match error {
            EngineError::Content { name, source } => {
                let path = directory.join(name);
                CommandError::new(
                    Exit::Unavailable,
                    format!("cannot write {}", path.display()),
                )
                .cause(&source)
                .help("name an empty directory, or one that is not there")
            }
            error => error.into(),
        })?;
        written.push(path.display().to_string());
    }
    let json = json!({"id": id, "files": written});
    session.report.data(&json, |out| {
        written.iter().try_for_each(|file| writeln!(out, "{file}"))
    })?;
    Ok(Exit::Success)
}

fn remove(session: &Session, engine: &dyn Engine, id: ArtifactId) -> Result<Exit, CommandError> {
    engine.remove_artifact(id)?;
    let json = json!({"id": id, "status": "removed"});
    session
        .report
        .data(&json, |out| writeln!(out, "artifact {id} is removed"))?;
    Ok(Exit::Success)
}
