//! `taskbay artifact`: the artifacts in the engine's store.

use crate::{
    args::ArtifactCommand, error::CommandError, exit::Exit, report::plain, session::Session,
};
use serde_json::json;
use std::{
    ffi::OsStr,
    fs::{self, File},
    path::Path,
};
use taskbay_core::ArtifactId;
use taskbay_debian::artifact_of_file;
use taskbay_engine::{ArtifactFilter, Engine, NewArtifact, NewFile};

pub(crate) fn run(
    session: &Session,
    engine: &dyn Engine,
    command: ArtifactCommand,
) -> Result<Exit, CommandError> {
    match command {
        ArtifactCommand::Import { file } => import(session, engine, &file),
        ArtifactCommand::List { limit } => list(session, engine, limit),
        ArtifactCommand::Show { id } => show(session, engine, id),
        ArtifactCommand::Export { id, directory } => export(session, engine, id, &directory),
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
        let shown = path.display();
        let unreadable = |cause: &dyn std::fmt::Display| {
            CommandError::new(Exit::Unavailable, format!("cannot read {shown}"))
                .cause(&cause.to_string())
        };
        let name = path.file_name().and_then(OsStr::to_str);
        files.push(NewFile {
            name: name
                .ok_or_else(|| unreadable(&"its name is no text"))?
                .to_owned(),
            content: Box::new(File::open(path).map_err(|error| unreadable(&error))?),
        });
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

fn list(session: &Session, engine: &dyn Engine, limit: u32) -> Result<Exit, CommandError> {
    let filter = ArtifactFilter {
        limit,
        ..ArtifactFilter::default()
    };
    let artifacts = engine.artifacts(&filter)?;
    let json = json!({"schema": "taskbay.artifacts/1", "artifacts": artifacts});
    session.report.data(&json, |out| {
        for artifact in &artifacts {
            let names: Vec<_> = artifact
                .files
                .iter()
                .map(|file| file.name.as_str())
                .collect();
            writeln!(
                out,
                "{:<8} {:<28} {}",
                artifact.id,
                plain(&artifact.category),
                plain(&names.join(" "))
            )?;
        }
        Ok(())
    })?;
    Ok(Exit::Success)
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
        let path = directory.join(&file.name);
        let shown = path.display().to_string();
        let cannot = |error: std::io::Error| {
            CommandError::new(Exit::Unavailable, format!("cannot write {shown}"))
                .cause(&error)
                .help("name an empty directory, or one that is not there")
        };
        fs::create_dir_all(path.parent().unwrap_or(directory)).map_err(cannot)?;
        let mut to = File::create_new(&path).map_err(cannot)?;
        engine.fetch_file(id, &file.name, &mut to)?;
        written.push(shown);
    }
    let json = json!({"id": id, "files": written});
    session.report.data(&json, |out| {
        written.iter().try_for_each(|file| writeln!(out, "{file}"))
    })?;
    Ok(Exit::Success)
}
