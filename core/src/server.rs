//! The server as a task sees it: where its artifacts come from and go to.

use crate::{Artifact, ArtifactId, Lookup, Query, Relation, RelationKind};
use serde::{Deserialize, Serialize};
use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

/// Where artifacts come from and go to during an execution.
pub trait Server: Send + Sync {
    /// Answers one call. The typed calls below are what tasks use.
    ///
    /// # Errors
    ///
    /// When the server cannot do what was asked, in words.
    fn call(&self, call: ServerCall) -> Result<ServerReply, ServerError>;
}

/// What can be asked of a server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "call", rename_all = "snake_case")]
pub enum ServerCall {
    /// Which artifact does this name?
    Resolve {
        /// The name.
        lookup: Lookup,
    },
    /// Put its files into a directory.
    Fetch {
        /// The artifact's name.
        lookup: Lookup,
        /// An existing directory, in the work directory.
        #[serde(with = "crate::any_path")]
        directory: PathBuf,
    },
    /// Keep this artifact.
    Upload {
        /// The artifact, its files in the work directory.
        artifact: Artifact,
    },
    /// Note how two artifacts relate.
    Relate {
        /// The relation.
        relation: Relation,
    },
    /// Which artifacts does this find? New in 1.1.
    Find {
        /// What they are.
        query: Query,
    },
}

/// A server's answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum ServerReply {
    /// To `Resolve` and `Fetch`.
    Artifact {
        /// Its number.
        id: ArtifactId,
        /// The artifact; after `Fetch` its files lie in the directory given, which is its root.
        artifact: Artifact,
    },
    /// To `Upload`.
    Uploaded {
        /// Its number.
        id: ArtifactId,
    },
    /// To `Relate`.
    Done,
    /// To `Find`.
    Found {
        /// Their numbers.
        ids: Vec<ArtifactId>,
    },
}

/// Why a server did not do what was asked, in words with a remedy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{0}")]
pub struct ServerError(pub String);

impl dyn Server + '_ {
    /// Which artifact does `lookup` name?
    ///
    /// # Errors
    ///
    /// When it names none, or the server fails.
    pub fn resolve(&self, lookup: &Lookup) -> Result<(ArtifactId, Artifact), ServerError> {
        let lookup = lookup.clone();
        expect_artifact(self.call(ServerCall::Resolve { lookup })?)
    }

    /// Puts the files of the artifact that `lookup` names into `directory`, which lies in the work directory,
    /// in the place of files that have their names, and says where they are.
    ///
    /// # Errors
    ///
    /// When it names none, the directory is not there or lies elsewhere, or the server fails.
    pub fn fetch(
        &self,
        lookup: &Lookup,
        directory: &Path,
    ) -> Result<(ArtifactId, Artifact), ServerError> {
        expect_artifact(self.call(ServerCall::Fetch {
            lookup: lookup.clone(),
            directory: directory.to_owned(),
        })?)
    }

    /// Which artifacts does `query` find? It may be none.
    ///
    /// # Errors
    ///
    /// When the server has no such collection, or fails.
    pub fn find(&self, query: &Query) -> Result<Vec<ArtifactId>, ServerError> {
        let query = query.clone();
        match self.call(ServerCall::Find { query })? {
            ServerReply::Found { ids } => Ok(ids),
            other => Err(unexpected(&other)),
        }
    }

    /// Keeps `artifact`, whose files lie in the work directory, and says its number.
    ///
    /// # Errors
    ///
    /// When the server fails, or a file is missing, lies elsewhere or is no regular one.
    pub fn upload(&self, artifact: Artifact) -> Result<ArtifactId, ServerError> {
        match self.call(ServerCall::Upload { artifact })? {
            ServerReply::Uploaded { id } => Ok(id),
            other => Err(unexpected(&other)),
        }
    }

    /// Notes how two artifacts relate.
    ///
    /// # Errors
    ///
    /// When the server fails.
    pub fn relate(&self, relation: Relation) -> Result<(), ServerError> {
        match self.call(ServerCall::Relate { relation })? {
            ServerReply::Done => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    /// Notes that an artifact relates so to each of others, and once to each that is named more often.
    ///
    /// # Errors
    ///
    /// When the server fails. It may know of some by then.
    pub fn relate_all(
        &self,
        artifact: ArtifactId,
        kind: RelationKind,
        targets: impl IntoIterator<Item = ArtifactId>,
    ) -> Result<(), ServerError> {
        let mut related = HashSet::new();
        for target in targets {
            if related.insert(target) {
                self.relate(Relation {
                    artifact,
                    target,
                    kind,
                })?;
            }
        }
        Ok(())
    }
}

fn expect_artifact(reply: ServerReply) -> Result<(ArtifactId, Artifact), ServerError> {
    match reply {
        ServerReply::Artifact { id, artifact } => Ok((id, artifact)),
        other => Err(unexpected(&other)),
    }
}

fn unexpected(reply: &ServerReply) -> ServerError {
    ServerError(format!(
        "the server gave an answer to another question: {reply:?}"
    ))
}

/// Stands where no server is: every call is a clear error.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoServer;

impl Server for NoServer {
    fn call(&self, _: ServerCall) -> Result<ServerReply, ServerError> {
        Err(ServerError(
            "there is no server here to take artifacts from or give them to: run the task with `taskbay run`, or with \
             an engine"
                .to_owned(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// Row `configure_server_access`: without a server, a task that needs one gets a clear error.
    #[test]
    fn configure_server_access() {
        let server: &dyn Server = &NoServer;
        let error = server.resolve(&Lookup::Id(1)).unwrap_err();
        assert!(error.to_string().starts_with("there is no server here"));
    }

    /// Takes every relation, since no real server says in which order they came.
    #[derive(Default)]
    struct Related(Mutex<Vec<Relation>>);

    impl Server for Related {
        fn call(&self, call: ServerCall) -> Result<ServerReply, ServerError> {
            let ServerCall::Relate { relation } = call else {
                return Err(ServerError("it relates alone".to_owned()));
            };
            self.0.lock().unwrap().push(relation);
            Ok(ServerReply::Done)
        }
    }

    #[test]
    fn many_are_related_in_their_order_and_each_once() {
        let related = Related::default();
        let server: &dyn Server = &related;
        let kind = RelationKind::BuiltUsing;
        server.relate_all(7, kind, [3, 1, 3, 2, 1]).unwrap();
        let wanted = [3, 1, 2].map(|target| Relation {
            artifact: 7,
            target,
            kind,
        });
        assert_eq!(*related.0.lock().unwrap(), wanted);
        let none: &dyn Server = &NoServer;
        assert!(none.relate_all(7, kind, [1]).is_err());
        assert!(none.relate_all(7, kind, []).is_ok());
    }

    #[test]
    fn calls_cross_as_json_and_back() {
        let call = ServerCall::Fetch {
            lookup: Lookup::Text("./x.dsc".into()),
            directory: "/w".into(),
        };
        let text = serde_json::to_string(&call).unwrap();
        assert_eq!(
            text,
            r#"{"call":"fetch","lookup":"./x.dsc","directory":"/w"}"#
        );
        assert_eq!(serde_json::from_str::<ServerCall>(&text).unwrap(), call);
    }
}
