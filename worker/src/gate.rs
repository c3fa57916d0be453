//! The gate between a task and its server: files go to, and come from, the work directory alone.

use crate::{beneath::Beneath, staging::StagingError};
use rustix::{
    fs::{AtFlags, CWD, FileType, linkat},
    io::Errno,
};
use std::{
    cmp::Reverse,
    collections::HashSet,
    fs::{self, Permissions},
    io,
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::fs::PermissionsExt,
    },
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};
use taskbay_core::{Artifact, ArtifactId, Lookup, Server, ServerCall, ServerError, ServerReply};
use taskbay_debian::RegularFileError;
use tempfile::TempDir;

/// Passes an attempt's calls on to the server of this process, which may read and write what a confined task may not. So
/// the server never follows a path of the task's: it is given a directory that no confined task reaches, beside the work
/// directory. What is fetched is moved from there, and what is uploaded has a name there, of the very file that was looked
/// at.
pub(crate) struct Gate {
    server: Arc<dyn Server>,
    work: Beneath,
    strays: Mutex<Vec<PathBuf>>,
}

impl Gate {
    /// A gate for the attempt in that directory.
    pub(crate) fn new(work_directory: &Path, server: Arc<dyn Server>) -> io::Result<Self> {
        Ok(Self {
            server,
            work: Beneath::new(work_directory)?,
            strays: Mutex::default(),
        })
    }

    /// The files that were to be uploaded and do not lie in the work directory.
    pub(crate) fn strays(&self) -> Vec<PathBuf> {
        let strays = self.strays.lock().unwrap_or_else(PoisonError::into_inner);
        strays.clone()
    }

    fn fetch(
        &self,
        lookup: Lookup,
        directory: PathBuf,
    ) -> Result<(ArtifactId, Artifact), ServerError> {
        let unwritable = |path: &Path, error| StagingError::Write {
            path: path.to_owned(),
            error,
        };
        let place = self.work.directory(&directory);
        let place = place.map_err(|error| unwritable(&directory, error))?;
        let place = place.ok_or_else(|| {
            self.outside(
                &directory,
                "an attempt may change nothing there; name a directory in it",
            )
        })?;
        let staging = self.staging()?;
        let reply = self.server.call(ServerCall::Fetch {
            lookup,
            directory: staging.path().to_owned(),
        });
        let names = || vec![(staging.path().to_owned(), directory.clone())];
        let reply = reply.map_err(|error| in_own_words(error, names()))?;
        let ServerReply::Artifact { id, mut artifact } = reply else {
            return Err(ServerError(format!(
                "the server gave an answer to another question: {reply:?}"
            )));
        };
        for file in &mut artifact.files {
            // One that the server has elsewhere is not in the way.
            if let Ok(name) = file.strip_prefix(staging.path()) {
                let path = directory.join(name);
                let moved = place.take(file, name);
                moved.map_err(|error| unwritable(&path, error))?;
                *file = path;
            }
        }
        artifact.root = Some(directory);
        Ok((id, artifact))
    }

    fn upload(&self, mut artifact: Artifact) -> Result<ServerReply, ServerError> {
        let staging = self.staging()?;
        let mut names = HashSet::new();
        let mut files = Vec::new();
        for file in &artifact.files {
            let name = artifact.name(file).ok_or_else(|| {
                ServerError(format!(
                    "{} names no file of the artifact; give the path of one below its root",
                    file.display()
                ))
            })?;
            if !names.insert(name) {
                let name = name.to_owned();
                return Err(StagingError::SameName { name }.into());
            }
            let path = staging.path().join(name);
            let taken = take(&self.open(file)?, &path);
            taken.map_err(|error| StagingError::Take {
                path: file.clone(),
                error,
            })?;
            files.push(path);
        }
        let own = std::mem::replace(&mut artifact.files, files.clone());
        artifact.root = artifact.root.map(|_| staging.path().to_owned());
        let uploaded = self.server.call(ServerCall::Upload { artifact });
        uploaded.map_err(|error| in_own_words(error, files.into_iter().zip(own).collect()))
    }

    /// The regular file that a task gives.
    fn open(&self, file: &Path) -> Result<OwnedFd, ServerError> {
        let path = file.to_owned();
        match self.work.file(file) {
            Ok(Some((opened, FileType::RegularFile))) => Ok(opened),
            Ok(Some((_, kind))) => {
                let kind = match kind {
                    FileType::Directory => "a directory",
                    FileType::Symlink => "a link",
                    _ => "a device, FIFO or socket",
                };
                Err(RegularFileError::NotRegular { path, kind }.into())
            }
            Ok(None) => {
                let mut strays = self.strays.lock().unwrap_or_else(PoisonError::into_inner);
                strays.push(path);
                Err(self.outside(file, "copy it there before it is uploaded"))
            }
            Err(error) => Err(RegularFileError::Read { path, error }.into()),
        }
    }

    fn outside(&self, path: &Path, help: &str) -> ServerError {
        ServerError(format!(
            "{} lies outside the work directory {}: {help}",
            path.display(),
            self.work.path().display()
        ))
    }

    /// A directory of this process' own, from which files can be moved to the work directory.
    fn staging(&self) -> Result<TempDir, StagingError> {
        let beside = self.work.path().parent().unwrap_or(Path::new("/"));
        let made = tempfile::Builder::new()
            .prefix("taskbay-")
            // What one task fetches is nobody else's, nor may others put links there.
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(beside);
        made.map_err(|error| StagingError::Write {
            path: beside.to_owned(),
            error,
        })
    }
}

impl Server for Gate {
    fn call(&self, call: ServerCall) -> Result<ServerReply, ServerError> {
        match call {
            ServerCall::Fetch { lookup, directory } => {
                let (id, artifact) = self.fetch(lookup, directory)?;
                Ok(ServerReply::Artifact { id, artifact })
            }
            ServerCall::Upload { artifact } => self.upload(artifact),
            ServerCall::Resolve { .. } | ServerCall::Find { .. } | ServerCall::Relate { .. } => {
                self.server.call(call)
            }
        }
    }
}

/// Gives that name to what is open, and not to what has its path by then. So none of many files has to be held open.
fn take(opened: &OwnedFd, name: &Path) -> io::Result<()> {
    fs::create_dir_all(name.parent().unwrap_or(Path::new("/")))?;
    let opened = format!("/proc/self/fd/{}", opened.as_raw_fd());
    match linkat(CWD, &opened, CWD, name, AtFlags::SYMLINK_FOLLOW) {
        Ok(()) => Ok(()),
        // It is another user's, has names enough, is elsewhere, or where no file has two names.
        Err(Errno::PERM | Errno::MLINK | Errno::XDEV | Errno::OPNOTSUPP) => {
            fs::copy(opened, name).map(drop)
        }
        Err(error) => Err(error.into()),
    }
}

/// What a server says of files, with the names that the task has for them in the place of those that the server was given.
fn in_own_words(
    ServerError(mut message): ServerError,
    mut names: Vec<(PathBuf, PathBuf)>,
) -> ServerError {
    // One may be how another starts.
    names.sort_by_key(|(given, _)| Reverse(given.as_os_str().len()));
    for (given, own) in names {
        let (given, own) = (given.display().to_string(), own.display().to_string());
        message = message.replace(&given, &own);
    }
    ServerError(message)
}

#[cfg(test)]
mod tests;
