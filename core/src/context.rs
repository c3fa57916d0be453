//! What an execution may use.

use crate::{Abort, NoServer, Server, TaskError};
use std::{
    fmt, fs,
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

    /// An empty directory for this attempt alone. It is removed when the attempt has ended.
    pub fn work_directory(&self) -> &Path {
        &self.work_directory
    }

    /// Makes a directory in the work directory, and those above it, where they are missing.
    ///
    /// # Errors
    ///
    /// When it cannot be made; the error names it.
    pub fn directory(&self, name: impl AsRef<Path>) -> Result<PathBuf, TaskError> {
        let directory = self.work_directory.join(name);
        match fs::create_dir_all(&directory) {
            Ok(()) => Ok(directory),
            Err(error) => Err(TaskError::new(format!(
                "cannot make {}: {error}",
                directory.display()
            ))),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes_directories_and_names_one_that_it_cannot_make() {
        let work = tempfile::tempdir().unwrap();
        let context = Context::new(work.path(), Abort::new());
        for _ in 0..2 {
            let made = context.directory("input/0").unwrap();
            assert_eq!(made, work.path().join("input/0"));
            assert!(made.is_dir());
        }
        let file = work.path().join("file");
        fs::write(&file, "").unwrap();
        let message = context.directory("file/0").unwrap_err().message();
        let wanted = format!("cannot make {}/0: ", file.display());
        assert!(message.starts_with(&wanted), "{message}");
    }
}
