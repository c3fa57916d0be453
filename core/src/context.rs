//! What an execution may use.

use crate::{Abort, NoServer, Server};
use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// What one execution may use: a directory of its own, the abort latch, the server.
#[derive(Clone)]
pub struct Context {
    work_directory: PathBuf,
    abort: Abort,
    server: Arc<dyn Server>,
}

impl Context {
    /// A context without a server.
    pub fn new(work_directory: impl Into<PathBuf>, abort: Abort) -> Self {
        Self {
            work_directory: work_directory.into(),
            abort,
            server: Arc::new(NoServer),
        }
    }

    /// Takes artifacts from, and gives them to, `server`.
    #[must_use]
    pub fn with_server(mut self, server: Arc<dyn Server>) -> Self {
        self.server = server;
        self
    }

    /// A directory for this attempt alone, with nothing in it, but `.tmp` for temporary files where the task is confined. It
    /// is removed when the attempt has ended.
    pub fn work_directory(&self) -> &Path {
        &self.work_directory
    }

    /// The latch that says when to stop. A task that runs long without calling a command looks at it now and then.
    pub fn abort(&self) -> &Abort {
        &self.abort
    }

    /// The server.
    pub fn server(&self) -> &(dyn Server + 'static) {
        &*self.server
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("work_directory", &self.work_directory)
            .field("abort", &self.abort)
            .finish_non_exhaustive()
    }
}
