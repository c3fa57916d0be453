//! A plugin file that may be loaded: trusted, whole, and of versions that fit.

use crate::{FileIdentity, Inspected};
use std::path::{Path, PathBuf};
use taskbay_core::{Accepted, ApiVersion, Incompatible, Manifest, TaskName};

/// A plugin file that may be loaded. None of its code has run.
#[derive(Clone, Debug)]
pub struct Admissible {
    pub(crate) path: PathBuf,
    pub(crate) resolved: PathBuf,
    pub(crate) identity: FileIdentity,
    accepted: Accepted,
}

impl Inspected {
    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Whether a host that speaks `host` may load the file.
    ///
    /// # Errors
    ///
    /// Everything that does not fit.
    pub fn accept(self, host: ApiVersion) -> Result<Admissible, Incompatible> {
        Ok(Admissible {
            accepted: self.manifest.accept(host)?,
            path: self.path,
            resolved: self.resolved,
            identity: self.identity,
        })
    }
}

impl Admissible {
    /// The file that what was inspected is a copy of.
    pub(crate) fn read_from_copy(mut self, source: &Path, identity: FileIdentity) -> Self {
        source.clone_into(&mut self.path);
        source.clone_into(&mut self.resolved);
        self.identity = identity;
        self
    }

    /// The path as found.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path with symbolic links resolved.
    pub fn resolved(&self) -> &Path {
        &self.resolved
    }

    /// The name of its task.
    pub fn name(&self) -> &TaskName {
        self.accepted.name()
    }

    /// Its manifest.
    pub fn manifest(&self) -> &Manifest {
        self.accepted.manifest()
    }

    /// The state of the file when it was inspected.
    pub fn identity(&self) -> FileIdentity {
        self.identity
    }
}
