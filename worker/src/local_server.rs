//! The server of a local run: its artifacts are files of this machine.

use crate::{
    local_store::{LocalStore, StoredArtifact},
    staging::{Staging, StagingError},
};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};
use taskbay_core::{
    Artifact, ArtifactId, Lookup, Server, ServerCall, ServerError, ServerReply, shorten,
};
use taskbay_debian::artifact_of_file;

/// How much of a query a message quotes.
const LONGEST_QUERY: usize = 200;

/// Takes artifacts from local files, and puts those that a task makes into a directory.
///
/// It numbers the artifacts of its run from 1, inputs and outputs alike, and keeps nothing beyond it. Which files a task may
/// give, an attempt sees to.
#[derive(Debug)]
pub struct LocalServer {
    base: PathBuf,
    output: PathBuf,
    store: Mutex<LocalStore>,
}

impl LocalServer {
    /// A server that looks relative paths up in `base`, and puts what a task makes into `output`, which need not exist.
    pub fn new(base: PathBuf, output: PathBuf) -> Self {
        Self {
            base,
            output,
            store: Mutex::default(),
        }
    }

    /// The artifacts that were uploaded, in their order.
    pub fn artifacts(&self) -> Vec<StoredArtifact> {
        self.store().outputs()
    }

    fn resolve(&self, lookup: &Lookup) -> Result<(ArtifactId, Artifact), ServerError> {
        if let Lookup::Id(id) = lookup {
            return self.store().artifact(*id).map(|artifact| (*id, artifact));
        }
        let Some(path) = lookup.local_path() else {
            return Err(self.not_local(lookup));
        };
        // The components drop a `.` in the middle, which nobody wants to read.
        let path: PathBuf = self.base.join(path).components().collect();
        let artifact = artifact_of_file(&path)?;
        Ok((self.store().number(&artifact), artifact))
    }

    fn not_local(&self, lookup: &Lookup) -> ServerError {
        let text = lookup.to_string();
        let hint = if self.base.join(&text).exists() {
            format!(": write `./{text}`")
        } else {
            ", since a local run has no store".to_owned()
        };
        ServerError(format!(
            "`{text}` names no artifact here; name a file by a path that starts with `./`, `../`, `/` or `file:`{hint}"
        ))
    }

    fn fetch(
        &self,
        lookup: &Lookup,
        directory: &Path,
    ) -> Result<(ArtifactId, Artifact), ServerError> {
        let (id, mut artifact) = self.resolve(lookup)?;
        let sources = named(&artifact)?;
        artifact.files = copy(&sources, directory)?;
        artifact.root = Some(directory.to_owned());
        Ok((id, artifact))
    }

    fn upload(&self, mut artifact: Artifact) -> Result<ArtifactId, ServerError> {
        let sources = named(&artifact)?;
        // Held to the end, so that two uploads never choose the same names.
        let mut store = self.store();
        let names = sources.iter().filter_map(|(_, name)| name.iter().next());
        let (directory, taken) = store.place(&self.output, &artifact.category, names);
        fs::create_dir_all(&directory).map_err(|error| {
            let directory = directory.display();
            ServerError(format!(
                "cannot make {directory}: {error}; choose another output directory"
            ))
        })?;
        artifact.files = copy(&sources, &directory)?;
        artifact.root = artifact.root.map(|_| directory);
        Ok(store.add_output(artifact, taken))
    }

    fn store(&self) -> MutexGuard<'_, LocalStore> {
        // No change is left half made, so what a panicking thread leaves is whole.
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Server for LocalServer {
    fn call(&self, call: ServerCall) -> Result<ServerReply, ServerError> {
        match call {
            ServerCall::Resolve { lookup } => {
                let (id, artifact) = self.resolve(&lookup)?;
                Ok(ServerReply::Artifact { id, artifact })
            }
            ServerCall::Fetch { lookup, directory } => {
                let (id, artifact) = self.fetch(&lookup, &directory)?;
                Ok(ServerReply::Artifact { id, artifact })
            }
            ServerCall::Upload { artifact } => {
                let id = self.upload(artifact)?;
                Ok(ServerReply::Uploaded { id })
            }
            ServerCall::Find { query } => Err(ServerError(format!(
                "a local run has no collections, so {} finds nothing; name the files themselves by their paths",
                shorten(&query.to_string(), LONGEST_QUERY)
            ))),
            ServerCall::Relate { relation } => {
                self.store().relate(relation)?;
                Ok(ServerReply::Done)
            }
        }
    }
}

/// The files of an artifact, each with its name in the artifact.
fn named(artifact: &Artifact) -> Result<Vec<(PathBuf, PathBuf)>, ServerError> {
    let named = artifact.files.iter().map(|file| {
        let name = artifact.name(file).ok_or_else(|| {
            ServerError(format!(
                "{} names no file of the artifact; give the path of one below its root",
                file.display()
            ))
        })?;
        Ok((file.clone(), name.to_owned()))
    });
    named.collect()
}

fn copy(files: &[(PathBuf, PathBuf)], directory: &Path) -> Result<Vec<PathBuf>, ServerError> {
    let copied = || {
        let mut staging = Staging::new(directory);
        for (file, name) in files {
            staging.add(file, name)?;
        }
        staging.commit()
    };
    copied().map_err(|error: StagingError| ServerError(error.to_string()))
}
