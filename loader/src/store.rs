//! Private copies of plugin files.
//!
//! A library that is overwritten or truncated while it is loaded kills its process, and a new file under an old path
//! gets the old code. So what is loaded is a copy that nobody else can change, under a name made of the identity of the
//! file that was inspected. Processes share the copy, and so its pages.

use crate::{
    FileIdentity, fresh_file,
    private_directory::{NotPrivate, PrivateDirectory},
};
use rustix::{
    fs::{FileType, Mode, Stat, fstat, lstat},
    process::geteuid,
};
use std::{
    env,
    fs::{self, OpenOptions, Permissions},
    io,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{self, Path, PathBuf},
    time::Duration,
};

/// The environment variable that names the cache directory.
pub const CACHE_VARIABLE: &str = "TASKBAY_CACHE_DIR";

/// A copy that was not loaded for so long is removed when another is made. File systems note the time of an access once
/// a day or never; in the latter case it is made again.
const UNUSED: Duration = Duration::from_hours(24 * 14);

/// A directory with private copies of plugin files.
#[derive(Clone, Debug)]
pub struct Store {
    directory: PrivateDirectory,
}

/// Why there is no private copy.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The directory cannot be used.
    #[error("the directory for private copies, {}, cannot be used: {reason}", directory.display())]
    Directory {
        /// The directory.
        directory: PathBuf,
        /// Why.
        reason: String,
    },
    /// The plugin file changed since it was inspected.
    #[error("it changed while it was being loaded")]
    Changed,
    /// The plugin file cannot be copied.
    #[error("it cannot be copied to {}: {reason}", copy.display())]
    Copy {
        /// The copy.
        copy: PathBuf,
        /// Why.
        reason: io::Error,
    },
}

impl From<NotPrivate> for StoreError {
    fn from(NotPrivate { directory, reason }: NotPrivate) -> Self {
        Self::Directory { directory, reason }
    }
}

impl StoreError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Directory { .. } => NotPrivate::HELP,
            Self::Changed => "try again once it is written",
            Self::Copy { .. } => "make room there, or set TASKBAY_CACHE_DIR to another directory",
        }
    }
}

impl Store {
    /// The copies in `directory`, which is made when it is first needed.
    pub fn in_directory(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: PrivateDirectory::at(directory),
        }
    }

    /// The copies of this user, in its [cache directory](cache_directory).
    pub fn of_this_user() -> Self {
        Self::in_cache(cache_directory())
    }

    /// The copies in a cache directory, which other things may be in too.
    pub fn in_cache(cache: impl AsRef<Path>) -> Self {
        Self::in_directory(cache.as_ref().join("plugins"))
    }

    /// Where the copies are.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The copy of the file `source` in the state `identity`, made now if there is none.
    ///
    /// # Errors
    ///
    /// When the directory is not private, the file changed, or it cannot be copied.
    pub fn keep(&self, source: &Path, identity: FileIdentity) -> Result<PathBuf, StoreError> {
        let copy = self.directory.path().join(format!("{identity}.so"));
        match lstat(&copy) {
            Ok(status) if is_private_file(&status, identity) => {
                self.directory.check()?;
                return Ok(copy);
            }
            _ => self.directory.make()?,
        }
        self.copy(source, identity, &copy)
            .map_err(|error| match error {
                CopyError::Changed => StoreError::Changed,
                CopyError::Io(reason) => StoreError::Copy {
                    copy: copy.clone(),
                    reason,
                },
            })?;
        self.prune();
        Ok(copy)
    }

    /// Removes copies that nobody has loaded for long: of files that changed, or that are gone. What is loaded stays so.
    fn prune(&self) {
        let is_old = |metadata: &fs::Metadata| {
            let used = [metadata.accessed(), metadata.modified()];
            let latest = used.into_iter().flatten().max();
            latest.is_some_and(|used| used.elapsed().is_ok_and(|age| age > UNUSED))
        };
        // Where it cannot be done now it will be another time.
        for entry in fs::read_dir(self.directory.path())
            .into_iter()
            .flatten()
            .flatten()
        {
            if entry.metadata().is_ok_and(|metadata| is_old(&metadata)) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// The copy of a file in the state `identity`, if it was [marked](Self::mark) so.
    ///
    /// # Errors
    ///
    /// When the directory is not private.
    pub(crate) fn find_marked(
        &self,
        identity: FileIdentity,
        mark: u64,
    ) -> Result<Option<PathBuf>, StoreError> {
        let copy = self.marked(identity, mark);
        match lstat(&copy) {
            Ok(status) if is_private_file(&status, identity) => {
                self.directory.check()?;
                Ok(Some(copy))
            }
            _ => Ok(None),
        }
    }

    /// Gives a copy another name, which tells later processes what was found out about it.
    pub(crate) fn mark(&self, copy: &Path, identity: FileIdentity, mark: u64) {
        // Where this fails, such as on a file system without links, it will be found out again.
        match fs::hard_link(copy, self.marked(identity, mark)) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                log::debug!("{} cannot be marked: {error}", copy.display());
            }
            _ => {}
        }
    }

    fn marked(&self, identity: FileIdentity, mark: u64) -> PathBuf {
        self.directory
            .path()
            .join(format!("{identity}-{mark:x}.so"))
    }

    fn copy(&self, source: &Path, identity: FileIdentity, copy: &Path) -> Result<(), CopyError> {
        let source = OpenOptions::new()
            .read(true)
            .custom_flags(nonblocking())
            .open(source)?;
        let unchanged = || Ok::<_, io::Error>(FileIdentity::of(&fstat(&source)?) == identity);
        if !unchanged()? {
            return Err(CopyError::Changed);
        }
        let mut target = fresh_file::begin(self.directory.path())?;
        let copied = io::copy(&mut &source, target.as_file_mut())?;
        // Only now is it known that what was copied is what was inspected.
        if copied != identity.size() || !unchanged()? {
            return Err(CopyError::Changed);
        }
        let file = target.as_file();
        file.set_permissions(Permissions::from_mode(0o400))?;
        file.sync_all()?;
        target.persist(copy).map_err(|error| error.error)?;
        Ok(())
    }
}

/// Where this user's private copies are: in `$TASKBAY_CACHE_DIR`, `$XDG_CACHE_HOME/taskbay` or `~/.cache/taskbay`; for a
/// user without a home in a directory of its own under the temporary directory. Always a whole path.
pub fn cache_directory() -> PathBuf {
    let variable = |name| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    // The specification of XDG's variables has relative values ignored.
    let base = |name| variable(name).filter(|path| path.is_absolute());
    let directory = variable(CACHE_VARIABLE)
        .or_else(|| base("XDG_CACHE_HOME").map(|base| base.join("taskbay")))
        .or_else(|| base("HOME").map(|home| home.join(".cache/taskbay")))
        .unwrap_or_else(|| env::temp_dir().join(format!("taskbay-{}", geteuid().as_raw())));
    path::absolute(&directory).unwrap_or(directory)
}

/// Why a file was not copied.
enum CopyError {
    Changed,
    Io(io::Error),
}

impl From<io::Error> for CopyError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<rustix::io::Errno> for CopyError {
    fn from(error: rustix::io::Errno) -> Self {
        Self::Io(error.into())
    }
}

/// Whether this is a whole copy that only this user can change.
fn is_private_file(status: &Stat, identity: FileIdentity) -> bool {
    FileType::from_raw_mode(status.st_mode) == FileType::RegularFile
        && status.st_uid == geteuid().as_raw()
        && !Mode::from_raw_mode(status.st_mode).intersects(Mode::WGRP | Mode::WOTH)
        && u64::try_from(status.st_size) == Ok(identity.size())
}

/// Opening must not wait, whatever has come to stand under the path meanwhile.
fn nonblocking() -> i32 {
    rustix::fs::OFlags::NONBLOCK.bits().cast_signed()
}

#[cfg(test)]
mod tests;
