//! A directory that belongs to this user alone: what is found there, this user has put there.

use crate::TrustPolicy;
use rustix::{
    fs::{FileType, Mode, lstat},
    process::geteuid,
};
use std::{
    fmt::Display,
    fs::DirBuilder,
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::OnceLock,
};

/// A directory that belongs to this user alone, or is not used.
#[derive(Clone, Debug)]
pub(crate) struct PrivateDirectory {
    path: PathBuf,
    /// Set once it was found to be private; from then on only this user could change that.
    checked: OnceLock<()>,
}

/// Why a directory is not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} cannot be used: {reason}", directory.display())]
pub(crate) struct NotPrivate {
    pub(crate) directory: PathBuf,
    pub(crate) reason: String,
}

impl NotPrivate {
    /// What to do about it.
    pub(crate) const HELP: &str =
        "set TASKBAY_CACHE_DIR to a directory that belongs to this user alone (mode 0700)";
}

impl From<NotPrivate> for io::Error {
    fn from(error: NotPrivate) -> Self {
        Self::other(format!("{error}; {}", NotPrivate::HELP))
    }
}

impl PrivateDirectory {
    pub(crate) fn at(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            checked: OnceLock::new(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes it where it is not there.
    pub(crate) fn make(&self) -> Result<(), NotPrivate> {
        // The folders above, too: a user's mask may let a group write, and then they would not be trusted.
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.path)
            .map_err(|error| self.unusable(&error))?;
        self.check()
    }

    /// Checks that nobody else can put a file there, or put another directory in its place.
    pub(crate) fn check(&self) -> Result<(), NotPrivate> {
        if self.checked.get().is_some() {
            return Ok(());
        }
        let status = lstat(&self.path).map_err(|error| self.unusable(&io::Error::from(error)))?;
        let others = Mode::RWXG | Mode::RWXO;
        if FileType::from_raw_mode(status.st_mode) != FileType::Directory {
            return Err(self.unusable(&"it is no directory"));
        }
        if status.st_uid != geteuid().as_raw() {
            return Err(self.unusable(&"it belongs to somebody else"));
        }
        if Mode::from_raw_mode(status.st_mode).intersects(others) {
            return Err(self.unusable(&"others may enter it"));
        }
        TrustPolicy::OwnerOnly
            .check_way(&self.path)
            .map_err(|error| self.unusable(&error))?;
        self.checked.get_or_init(|| ());
        Ok(())
    }

    fn unusable(&self, reason: &dyn Display) -> NotPrivate {
        NotPrivate {
            directory: self.path.clone(),
            reason: reason.to_string(),
        }
    }
}
