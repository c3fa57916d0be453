//! The server of an attempt: artifacts come from the engine's store, and go there.

use std::{
    error::Error,
    fs::{self, File},
    path::{Path, PathBuf},
    sync::Arc,
};
use taskbay_core::{Artifact, ArtifactId, Lookup, Server, ServerCall, ServerError, ServerReply};
use taskbay_debian::artifact_of_file;
use taskbay_engine::{Engine, Lease, NewArtifact, NewFile, StoredArtifact};

/// Takes artifacts from the engine's store, and puts those there that a task makes.
#[derive(Debug)]
pub(crate) struct StoreServer {
    engine: Arc<dyn Engine>,
    lease: Lease,
    /// Whether paths may name files of this machine.
    has_local_files: bool,
}

impl StoreServer {
    pub(crate) fn new(engine: Arc<dyn Engine>, lease: Lease, has_local_files: bool) -> Self {
        Self {
            engine,
            lease,
            has_local_files,
        }
    }

    fn find(&self, lookup: &Lookup) -> Result<StoredArtifact, ServerError> {
        let id = match (lookup, lookup.local_path()) {
            (Lookup::Id(id), _) => *id,
            (_, Some(path)) if self.has_local_files => self.import(path)?,
            _ => {
                return Err(ServerError(format!(
                    "`{lookup}` names no artifact of this engine: name one by its number, as `taskbay artifact import` gives it"
                )));
            }
        };
        self.engine.artifact(id).map_err(|error| told(&error))
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
        let files = artifact.files.iter().map(|path| new_file(path));
        self.engine
            .create_artifact(NewArtifact {
                category: artifact.category.clone(),
                data: artifact.data.clone(),
                files: files.collect::<Result<_, _>>()?,
                made_by: Some(self.lease),
            })
            .map_err(|error| told(&error))
    }

    fn fetch(
        &self,
        lookup: &Lookup,
        directory: &Path,
    ) -> Result<(ArtifactId, Artifact), ServerError> {
        let stored = self.find(lookup)?;
        let id = stored.id;
        for file in &stored.files {
            let path = directory.join(&file.name);
            let failed = |error: &dyn Error| {
                ServerError(format!("cannot write {}: {error}", path.display()))
            };
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder).map_err(|error| failed(&error))?;
            }
            let mut to = File::create_new(&path).map_err(|error| failed(&error))?;
            self.engine
                .fetch_file(id, &file.name, &mut to)
                .map_err(|error| told(&error))?;
        }
        Ok((id, artifact(&stored, directory)))
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
            ServerCall::Relate { relation } => {
                self.engine
                    .relate(relation, Some(&self.lease))
                    .map_err(|error| told(&error))?;
                Ok(ServerReply::Done)
            }
        }
    }
}

fn new_file(path: &Path) -> Result<NewFile<'static>, ServerError> {
    let shown = path.display();
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| ServerError(format!("{shown} has no name that is text")))?;
    let content =
        File::open(path).map_err(|error| ServerError(format!("cannot read {shown}: {error}")))?;
    Ok(NewFile {
        name: name.to_owned(),
        content: Box::new(content),
    })
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

/// All that an engine says of its failure.
fn told(error: &dyn Error) -> ServerError {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    ServerError(text)
}
