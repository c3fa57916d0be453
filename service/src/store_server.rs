//! The server of an attempt: artifacts come from the engine's store, and go there.

use crate::{MakeServer, slots::RETRY};
use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};
use taskbay_core::{
    Abort, Artifact, ArtifactId, Lookup, Server, ServerCall, ServerError, ServerReply, shorten,
    with_sources,
};
use taskbay_debian::{EnvironmentLookup, artifact_of_file};
use taskbay_engine::{
    Engine, EngineError, Lease, NewArtifact, NewFile, StoredArtifact, write_file,
};

/// How much of a query a message quotes.
const LONGEST_QUERY: usize = 200;

/// Takes artifacts from the engine's store, and puts those there that a task makes.
#[derive(Debug)]
struct StoreServer {
    engine: Arc<dyn Engine>,
    lease: Lease,
    /// Ends the attempt, and so waiting for an engine that is away.
    abort: Abort,
    /// Whether paths may name files of this machine.
    has_local_files: bool,
}

/// Makes the servers of attempts that have their artifacts in the engine's store. With `has_local_files` task data may name
/// files of this machine by their paths: whoever submits requests can read them then.
pub fn store_servers(engine: Arc<dyn Engine>, has_local_files: bool) -> MakeServer {
    Arc::new(move |lease, abort| {
        Arc::new(StoreServer {
            engine: Arc::clone(&engine),
            lease,
            abort,
            has_local_files,
        })
    })
}

impl StoreServer {
    /// Asks the engine, as long as it takes while it is away: a lease may still hold when it is back.
    fn ask<T>(
        &self,
        mut question: impl FnMut(&dyn Engine) -> Result<T, EngineError>,
    ) -> Result<T, ServerError> {
        loop {
            match question(&*self.engine) {
                Err(error @ EngineError::Unavailable { .. }) if !self.abort.is_set() => {
                    log::warn!("{}; trying again", with_sources(&error));
                    thread::sleep(RETRY);
                }
                answer => return answer.map_err(|error| ServerError(with_sources(&error))),
            }
        }
    }

    fn find(&self, lookup: &Lookup) -> Result<StoredArtifact, ServerError> {
        if let Some(wanted) = EnvironmentLookup::parse(lookup) {
            let wanted = wanted.map_err(|error| ServerError(with_sources(&error)))?;
            return self.find_environment(lookup, &wanted);
        }
        let id = match (lookup, lookup.local_path()) {
            (Lookup::Id(id), _) => *id,
            (_, Some(path)) if self.has_local_files => self.import(path)?,
            _ => {
                return Err(ServerError(format!(
                    "`{lookup}` names no artifact of this engine: name one by its number, as `taskbay artifact import` gives it"
                )));
            }
        };
        self.ask(|engine| engine.artifact(id))
    }

    fn find_environment(
        &self,
        lookup: &Lookup,
        wanted: &EnvironmentLookup,
    ) -> Result<StoredArtifact, ServerError> {
        let category = EnvironmentLookup::CATEGORY;
        let found = self.ask(|engine| engine.find_artifact(category, wanted.data()))?;
        found.ok_or_else(|| {
            ServerError(format!(
                "the engine has no `{category}` for `{lookup}`: make one with the task `mmdebstrap`, or ask for less"
            ))
        })
    }

    /// Stores what stands for a local file, so that what comes of it can relate to it.
    fn import(&self, path: &Path) -> Result<ArtifactId, ServerError> {
        if path.is_relative() {
            let path = path.display();
            return Err(ServerError(format!(
                "{path} is relative, and a worker does not know to what; give the whole path"
            )));
        }
        self.store(&artifact_of_file(path)?)
    }

    fn store(&self, artifact: &Artifact) -> Result<ArtifactId, ServerError> {
        self.ask(|engine| {
            let files = artifact.files.iter().map(|path| new_file(artifact, path));
            engine.create_artifact(NewArtifact {
                category: artifact.category.clone(),
                data: artifact.data.clone(),
                files: files.collect::<Result<_, _>>()?,
                made_by: Some(self.lease),
            })
        })
    }

    fn fetch(
        &self,
        lookup: &Lookup,
        directory: &Path,
    ) -> Result<(ArtifactId, Artifact), ServerError> {
        let stored = self.find(lookup)?;
        let id = stored.id;
        for file in &stored.files {
            // Where an engine was away in between, nothing has come.
            self.ask(|engine| write_file(engine, id, file, directory))?;
        }
        Ok((id, artifact(&stored, directory).with_root(directory)))
    }
}

impl Server for StoreServer {
    fn call(&self, call: ServerCall) -> Result<ServerReply, ServerError> {
        match call {
            ServerCall::Resolve { lookup } => {
                let stored = self.find(&lookup)?;
                Ok(ServerReply::Artifact {
                    id: stored.id,
                    artifact: artifact(&stored, Path::new("")),
                })
            }
            ServerCall::Fetch { lookup, directory } => {
                let (id, artifact) = self.fetch(&lookup, &directory)?;
                Ok(ServerReply::Artifact { id, artifact })
            }
            ServerCall::Upload { artifact } => {
                let id = self.store(&artifact)?;
                Ok(ServerReply::Uploaded { id })
            }
            ServerCall::Find { query } => Err(ServerError(format!(
                "this engine has no collections, so {} finds nothing; name the artifacts by their numbers",
                shorten(&query.to_string(), LONGEST_QUERY)
            ))),
            ServerCall::Relate { relation } => {
                self.ask(|engine| engine.relate(relation, Some(&self.lease)))?;
                Ok(ServerReply::Done)
            }
        }
    }
}

fn new_file(artifact: &Artifact, path: &Path) -> Result<NewFile<'static>, EngineError> {
    let failed = |source| EngineError::Content {
        name: path.display().to_string(),
        source,
    };
    let name = artifact.name(path).and_then(Path::to_str);
    let name = name.ok_or_else(|| {
        failed(io::Error::other(
            "it has no name that is text, or lies elsewhere than the artifact's root",
        ))
    })?;
    Ok(NewFile::at(name, path))
}

/// The artifact, with its files in that directory.
fn artifact(stored: &StoredArtifact, directory: &Path) -> Artifact {
    let files: Vec<PathBuf> = stored
        .files
        .iter()
        .map(|file| directory.join(&file.name))
        .collect();
    Artifact::new(&stored.category, stored.data.clone(), files)
}
