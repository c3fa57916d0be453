//! The server of a tried execution: local files, and a note of those that are not where they should be.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, OnceLock, PoisonError},
};
use taskbay_core::{Artifact, Lookup, Server, ServerCall, ServerError, ServerReply};
use taskbay_worker::LocalServer;

/// Serves local files, and notes the inputs that are not here and the outputs that come from elsewhere.
#[derive(Debug)]
pub(crate) struct Inputs {
    base: PathBuf,
    server: LocalServer,
    missing: Mutex<Vec<String>>,
    work_directory: OnceLock<PathBuf>,
    strays: Mutex<Vec<String>>,
}

impl Inputs {
    /// Looks relative paths up in `base`, and puts what a task makes into `output`.
    pub(crate) fn new(base: &Path, output: &Path) -> Self {
        Self {
            base: base.to_owned(),
            server: LocalServer::new(base.to_owned(), output.to_owned()),
            missing: Mutex::default(),
            work_directory: OnceLock::new(),
            strays: Mutex::default(),
        }
    }

    /// From now on the execution is that in this directory.
    pub(crate) fn belong_to(&self, work_directory: &Path) {
        let _ = self.work_directory.set(work_directory.to_owned());
    }

    /// The files that were uploaded and are not in the work directory.
    pub(crate) fn strays(&self) -> Vec<String> {
        let strays = self.strays.lock().unwrap_or_else(PoisonError::into_inner);
        strays.clone()
    }

    fn look_at(&self, artifact: &Artifact) {
        let Some(Ok(work)) = self.work_directory.get().map(|work| work.canonicalize()) else {
            return;
        };
        // A file that is not there is refused anyway.
        let is_stray = |file: &&PathBuf| {
            let real = work.join(file).canonicalize();
            real.is_ok_and(|real| !real.starts_with(&work))
        };
        let strays = artifact.files.iter().filter(is_stray);
        let named = strays.map(|file| file.display().to_string());
        let mut all = self.strays.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend(named);
    }

    /// The inputs that were asked for and are not here: files that do not exist, and artifacts of an engine's store.
    pub(crate) fn missing(&self) -> Vec<String> {
        let missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        missing.clone()
    }

    fn is_here(&self, lookup: &Lookup) -> bool {
        let path = lookup.local_path();
        path.is_some_and(|path| self.base.join(path).exists())
    }
}

impl Server for Inputs {
    fn call(&self, call: ServerCall) -> Result<ServerReply, ServerError> {
        let lookup = match &call {
            ServerCall::Resolve { lookup } | ServerCall::Fetch { lookup, .. } => {
                Some(lookup.clone())
            }
            ServerCall::Upload { artifact } => {
                self.look_at(artifact);
                None
            }
            ServerCall::Relate { .. } => None,
        };
        let replied = self.server.call(call);
        if let (Err(_), Some(lookup)) = (&replied, lookup)
            && !self.is_here(&lookup)
        {
            let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
            missing.push(lookup.to_string());
        }
        replied
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_what_is_not_here_and_nothing_else() {
        let place = tempfile::tempdir().unwrap();
        std::fs::write(place.path().join("x.txt"), "x").unwrap();
        let inputs = Inputs::new(place.path(), &place.path().join("output"));
        for lookup in [
            Lookup::Text("./x.txt".into()),
            Lookup::Text("./y.txt".into()),
            Lookup::Id(7),
        ] {
            let _ = inputs.call(ServerCall::Resolve { lookup });
        }
        assert_eq!(inputs.missing(), ["./y.txt", "7"]);
    }

    #[test]
    fn notes_what_comes_from_elsewhere_than_the_work_directory() {
        let place = tempfile::tempdir().unwrap();
        let (work, other) = (place.path().join("work"), place.path().join("other"));
        std::fs::create_dir(&work).unwrap();
        std::fs::write(work.join("mine"), "x").unwrap();
        std::fs::write(&other, "x").unwrap();
        std::os::unix::fs::symlink(&other, work.join("link")).unwrap();
        let inputs = Inputs::new(place.path(), &place.path().join("output"));
        inputs.belong_to(&work);
        let files = vec![work.join("mine"), work.join("link"), other.clone()];
        let artifact = Artifact::new("x", serde_json::json!({}), files);
        let _ = inputs.call(ServerCall::Upload { artifact });
        let wanted = [work.join("link"), other].map(|path| path.display().to_string());
        assert_eq!(inputs.strays(), wanted);
    }
}
