//! A fake of the server, since a real one is not to be had in a unit test: artifacts 1, 2, … are what the test gives, uploads
//! are kept from 101 on. All that it has is in each collection, and of a query's conditions it knows `category` alone.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Mutex,
};
use taskbay_plugin_api::{
    Artifact, ArtifactId, Lookup, Relation, Server, ServerCall, ServerError, ServerReply,
};

/// The number of the first upload.
pub const FIRST_UPLOAD: ArtifactId = 101;

/// Serves artifacts of local files, and keeps what comes.
#[derive(Debug, Default)]
pub struct FakeServer {
    artifacts: Vec<Artifact>,
    uploads: Mutex<Vec<Artifact>>,
    relations: Mutex<Vec<Relation>>,
}

impl FakeServer {
    /// A server that has these artifacts.
    pub fn new(artifacts: Vec<Artifact>) -> Self {
        Self {
            artifacts,
            ..Self::default()
        }
    }

    /// What was uploaded.
    pub fn uploads(&self) -> Vec<Artifact> {
        self.uploads.lock().unwrap().clone()
    }

    /// Which artifacts were related, in the order of the calls.
    pub fn relations(&self) -> Vec<(ArtifactId, ArtifactId)> {
        let relations = self.relations.lock().unwrap();
        relations
            .iter()
            .map(|relation| (relation.artifact, relation.target))
            .collect()
    }

    fn find(&self, lookup: &Lookup) -> Result<(ArtifactId, Artifact), ServerError> {
        let numbered = (1..).zip(&self.artifacts);
        numbered
            .map(|(id, artifact)| (id, artifact.clone()))
            .find(|(id, _)| *lookup == Lookup::Id(*id))
            .ok_or_else(|| ServerError(format!("no artifact {lookup}")))
    }
}

impl Server for FakeServer {
    fn call(&self, call: ServerCall) -> Result<ServerReply, ServerError> {
        match call {
            ServerCall::Resolve { lookup } => {
                let (id, artifact) = self.find(&lookup)?;
                Ok(ServerReply::Artifact { id, artifact })
            }
            ServerCall::Fetch { lookup, directory } => {
                let (id, mut artifact) = self.find(&lookup)?;
                let files = artifact.files.iter();
                artifact.files = files
                    .map(|file| copy(file, &directory.join(artifact.name(file).unwrap())))
                    .collect();
                artifact.root = Some(directory);
                Ok(ServerReply::Artifact { id, artifact })
            }
            ServerCall::Upload { artifact } => {
                assert!(artifact.files.iter().all(|file| file.is_file()));
                assert!(
                    artifact
                        .files
                        .iter()
                        .all(|file| artifact.name(file).is_some())
                );
                let mut uploads = self.uploads.lock().unwrap();
                let id = FIRST_UPLOAD + uploads.len() as ArtifactId;
                uploads.push(artifact);
                Ok(ServerReply::Uploaded { id })
            }
            ServerCall::Find { query } => {
                let numbered = (1..).zip(&self.artifacts);
                let category = query.conditions.get("category");
                let found = numbered.filter(|(_, artifact)| {
                    category.is_none_or(|category| *category == artifact.category)
                });
                let ids = found.map(|(id, _)| id).collect();
                Ok(ServerReply::Found { ids })
            }
            ServerCall::Relate { relation } => {
                self.relations.lock().unwrap().push(relation);
                Ok(ServerReply::Done)
            }
        }
    }
}

fn copy(file: &Path, to: &Path) -> PathBuf {
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::copy(file, to).unwrap();
    to.to_owned()
}
