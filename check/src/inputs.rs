//! The server of a tried execution: local files, and a note of those that are not here.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};
use taskbay_core::{Lookup, Server, ServerCall, ServerError, ServerReply};
use taskbay_worker::LocalServer;

/// Serves local files, and notes the inputs that are not here.
#[derive(Debug)]
pub(crate) struct Inputs {
    base: PathBuf,
    server: LocalServer,
    missing: Mutex<Vec<String>>,
}

impl Inputs {
    /// Looks relative paths up in `base`, and puts what a task makes into `output`.
    pub(crate) fn new(base: &Path, output: &Path) -> Self {
        Self {
            base: base.to_owned(),
            server: LocalServer::new(base.to_owned(), output.to_owned()),
            missing: Mutex::default(),
        }
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
        let missing = match &call {
            ServerCall::Resolve { lookup } | ServerCall::Fetch { lookup, .. } => {
                (!self.is_here(lookup)).then(|| lookup.to_string())
            }
            ServerCall::Find { query } => Some(query.to_string()),
            ServerCall::Upload { .. } | ServerCall::Relate { .. } => None,
        };
        let replied = self.server.call(call);
        if let (Err(_), Some(name)) = (&replied, missing) {
            let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
            missing.push(name);
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
        let text = r#"{"collection":"x"}"#;
        let query = serde_json::from_str(text).unwrap();
        let _ = inputs.call(ServerCall::Find { query });
        assert_eq!(inputs.missing(), ["./y.txt", "7", text]);
    }
}
