//! The server of an attempt: artifacts come from a Debusine server, and go there.

use crate::{
    artifact_data,
    artifact_info::ArtifactInfo,
    attempt::Attempt,
    client::Client,
    dialect::Dialect,
    download::Download,
    fault::Fault,
    lookup::Lookups,
    patience, standing,
    token::Token,
    upload::{Draft, Upload},
};
use serde_json::json;
use std::{io, path::Path, sync::Arc};
use taskbay_core::{
    Abort, Artifact, ArtifactId, Lookup, Relation, Server, ServerCall, ServerError, ServerReply,
    with_sources,
};
use ureq::http::Method;

/// The number of what a server is not given. It has none of that number.
const NOWHERE: ArtifactId = 0;

/// The server of an attempt: artifacts come from a Debusine server, and go there.
#[derive(Debug)]
pub(crate) struct AttemptServer {
    pub(crate) client: Arc<Client>,
    pub(crate) dialect: Dialect,
    pub(crate) attempt: Arc<Attempt>,
    /// The worker's token, which is not always the attempt's.
    pub(crate) worker: Token,
    /// Ends the attempt, and so waiting for a server that is away.
    pub(crate) abort: Abort,
}

impl AttemptServer {
    /// Asks until the server answers, also while an administrator has disabled the worker's token: what is denied then may not
    /// be denied for ever.
    fn patiently<T>(&self, mut ask: impl FnMut() -> Result<T, Fault>) -> Result<T, Fault> {
        let is_taken = || matches!(standing::is_taken(&self.client, &self.worker), Ok(true));
        patience::patiently(&self.abort, is_taken, || match ask() {
            Err(fault) if fault.is_denied() && !is_taken() => Err(Fault::Unavailable {
                place: self.client.url().to_string(),
                source: io::Error::new(io::ErrorKind::PermissionDenied, fault.to_string()),
            }),
            answer => answer,
        })
    }

    fn lookups(&self) -> Lookups<'_> {
        Lookups {
            client: &self.client,
            login: &self.attempt.login,
            dialect: self.dialect,
            request: self.attempt.request().0,
        }
    }

    fn find(&self, lookup: &Lookup) -> Result<ArtifactInfo, Fault> {
        if *lookup == Lookup::Id(NOWHERE) {
            let reason = "it was not given to this server, whose own worker gives none of its category; use the files themselves";
            return Err(Fault::malformed(format!("artifact {NOWHERE}"), reason));
        }
        let login = &self.attempt.login;
        let id = self.patiently(|| self.lookups().artifact(lookup))?;
        self.patiently(|| {
            let path = format!("/1.0/artifact/{id}/");
            let answer = self.client.call(Method::GET, &path, login)?;
            let info: ArtifactInfo = answer.expect(&[200], self.client.url())?.json()?;
            if info.id != id {
                return Err(Fault::malformed(
                    path,
                    format!("it is about artifact {}", info.id),
                ));
            }
            info.checked()
        })
    }

    fn fetch(&self, lookup: &Lookup, directory: &Path) -> Result<(ArtifactId, Artifact), Fault> {
        let info = self.find(lookup)?.whole()?;
        let mut download = Download::new(&self.client, &self.attempt.login, directory);
        self.patiently(|| download.go_on(&info))?;
        self.attempt.has_fetched(info.id, &info.category);
        if let Some(url) = info.source_url() {
            self.attempt.has_source(url);
        }
        Ok((info.id, info.artifact(directory).with_root(directory)))
    }

    fn upload(&self, artifact: &Artifact) -> Result<ArtifactId, Fault> {
        let category = artifact.category.as_str();
        if !artifact_data::is_given(self.dialect, category) {
            log::info!("`{category}` is not given to this server, whose own worker does not");
            return Ok(NOWHERE);
        }
        let mut draft = draft(artifact)?;
        artifact_data::know(self.dialect, &mut draft, self.attempt.source());
        let (login, request) = (&self.attempt.login, self.attempt.request());
        let mut upload = Upload::new(&self.client, login, &draft, request)?;
        self.patiently(|| upload.go_on())
    }

    fn relate(&self, relation: Relation) -> Result<(), Fault> {
        if [relation.artifact, relation.target].contains(&NOWHERE) {
            return Ok(());
        }
        let document = json!({
            "artifact": relation.artifact,
            "target": relation.target,
            "type": relation.kind,
        });
        self.patiently(|| {
            let login = &self.attempt.login;
            let path = "/1.0/artifact-relation/";
            let answer = self.client.send(Method::POST, path, login, &document)?;
            answer.expect(&[200, 201], self.client.url()).map(|_| ())
        })
    }

    fn answer(&self, call: ServerCall) -> Result<ServerReply, Fault> {
        match call {
            ServerCall::Resolve { lookup } => {
                let info = self.find(&lookup)?;
                Ok(ServerReply::Artifact {
                    id: info.id,
                    artifact: info.artifact(Path::new("")),
                })
            }
            ServerCall::Fetch { lookup, directory } => {
                let (id, artifact) = self.fetch(&lookup, &directory)?;
                Ok(ServerReply::Artifact { id, artifact })
            }
            ServerCall::Upload { artifact } => {
                let id = self.upload(&artifact)?;
                Ok(ServerReply::Uploaded { id })
            }
            ServerCall::Find { query } => {
                let ids = self.patiently(|| self.lookups().artifacts(&query))?;
                Ok(ServerReply::Found { ids })
            }
            ServerCall::Relate { relation } => {
                self.relate(relation)?;
                Ok(ServerReply::Done)
            }
        }
    }
}

impl Server for AttemptServer {
    fn call(&self, call: ServerCall) -> Result<ServerReply, ServerError> {
        self.answer(call)
            .map_err(|fault| ServerError(with_sources(&fault)))
    }
}

fn draft(artifact: &Artifact) -> Result<Draft, Fault> {
    let named = |path: &std::path::PathBuf| {
        let name = artifact.name(path).and_then(Path::to_str);
        let reason = "it has no name that is text, or lies elsewhere than the artifact's root";
        let fault = || Fault::malformed(format!("`{}`", path.display()), reason);
        let name = name.ok_or_else(fault)?;
        Ok((name.to_owned(), path.clone()))
    };
    Ok(Draft {
        category: artifact.category.clone(),
        data: artifact.data.clone(),
        files: artifact
            .files
            .iter()
            .map(named)
            .collect::<Result<_, Fault>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        debug_logs::DebugLogs,
        record::{Record, Shelf},
        stand_in::{Asked, Says, StandIn},
    };
    use taskbay_core::{RelationKind, TaskName};
    use taskbay_engine::Lease;

    /// What comes of relating two artifacts where that is denied once, and the server takes the worker's token or does not.
    fn related(is_token_taken: bool) -> Result<ServerReply, ServerError> {
        let mut is_denied = true;
        let server = StandIn::new(move |asked: &Asked| {
            if asked.line.starts_with("GET ") {
                return Says::status(if is_token_taken { 405 } else { 403 });
            }
            let status = if is_denied { 403 } else { 201 };
            is_denied = false;
            Says::status(status)
        });
        let relation = Relation {
            artifact: 1,
            target: 2,
            kind: RelationKind::RelatesTo,
        };
        attempt(server.client).call(ServerCall::Relate { relation })
    }

    fn attempt(client: Client) -> AttemptServer {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::at(folder.path().join("seat")).unwrap();
        let lease = Lease {
            request: 7,
            attempt: 1,
            fence: 1,
        };
        let attempt = Attempt::begin(
            lease,
            TaskName::fold("noop").unwrap(),
            StandIn::login(),
            DebugLogs::begin(shelf),
            Record::of_noop(7),
        );
        AttemptServer {
            client: client.into(),
            dialect: Dialect::Plain,
            attempt: attempt.into(),
            worker: Token::parse("secret").unwrap(),
            abort: Abort::default(),
        }
    }

    #[test]
    fn what_a_server_does_not_know_stays_here() {
        let server = StandIn::new(|_: &Asked| Says::status(400));
        let attempt = attempt(server.client);
        let artifact = Artifact::new("debian:piuparts", json!({}), Vec::new());
        let id = attempt.upload(&artifact).unwrap();
        let server_of_it: &dyn Server = &attempt;
        let kind = RelationKind::RelatesTo;
        server_of_it.relate_all(id, kind, [1, 2]).unwrap();
        server_of_it.relate_all(1, kind, [id]).unwrap();
        assert_eq!(server.asked.lock().unwrap().len(), 0);
    }

    #[test]
    fn an_attempt_waits_while_its_workers_token_is_disabled() {
        assert_eq!(related(false), Ok(ServerReply::Done));
        // What is denied to whoever is known stays so.
        assert!(related(true).is_err());
    }
}
