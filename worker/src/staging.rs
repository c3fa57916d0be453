//! Staging: files on their way into a directory, copied under temporary names, then all renamed.

use std::{
    fs::{self, Permissions},
    io::{self, ErrorKind},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};
use taskbay_core::ServerError;
use taskbay_debian::{RegularFileError, open};
use tempfile::{Builder, TempPath};

/// Files that are copied into a directory. None appears there before all are copied.
#[derive(Debug)]
pub(crate) struct Staging {
    directory: PathBuf,
    /// None is held open, since there may be more than a process may have.
    files: Vec<(TempPath, PathBuf)>,
}

/// Why a file could not be taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StagingError {
    #[error(transparent)]
    Source(#[from] RegularFileError),
    #[error("two files of one artifact are called `{}`; rename one of them", name.display())]
    SameName { name: PathBuf },
    #[error("`{}` and `{}` of one artifact cannot both be files, since one lies below the other; rename one", name.display(), other.display())]
    Below { name: PathBuf, other: PathBuf },
    #[error("cannot write {}: {error}{}", path.display(), remedy(error))]
    Write { path: PathBuf, error: io::Error },
    #[error("cannot take {}: {error}{}", path.display(), remedy(error))]
    Take { path: PathBuf, error: io::Error },
}

/// What helps, where that is known.
fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "; make room, or choose another directory"
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "; choose a directory that can be written to"
        }
        _ => "",
    }
}

impl From<StagingError> for ServerError {
    fn from(error: StagingError) -> Self {
        Self(error.to_string())
    }
}

impl Staging {
    /// An empty staging for `directory`, which exists.
    pub(crate) fn new(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
            files: Vec::new(),
        }
    }

    /// Copies `source` under a temporary name. It shall be `name` in the directory, with its folders.
    pub(crate) fn add(&mut self, source: &Path, name: &Path) -> Result<(), StagingError> {
        let mut taken = self.files.iter().map(|(_, taken)| taken);
        if let Some(other) = taken.find(|taken| taken.starts_with(name) || name.starts_with(taken))
        {
            return Err(if other == name {
                StagingError::SameName {
                    name: other.clone(),
                }
            } else {
                StagingError::Below {
                    name: name.to_owned(),
                    other: other.clone(),
                }
            });
        }
        let mut from = open(source)?;
        let mode = from
            .metadata()
            .map_or(0o644, |metadata| metadata.permissions().mode());
        let write = |error| StagingError::Write {
            path: self.directory.join(name),
            error,
        };
        let mut to = Builder::new()
            .prefix(".taskbay-")
            .permissions(Permissions::from_mode(mode & 0o777 | 0o600))
            .tempfile_in(&self.directory)
            .map_err(write)?;
        // Either side may fail here; that the target is full is by far more likely.
        io::copy(&mut from, to.as_file_mut()).map_err(write)?;
        self.files.push((to.into_temp_path(), name.to_owned()));
        Ok(())
    }

    /// Gives all files their names, in the place of files that have them already, and says their paths.
    pub(crate) fn commit(self) -> Result<Vec<PathBuf>, StagingError> {
        let mut paths = Vec::new();
        for (file, name) in self.files {
            let path = self.directory.join(name);
            let folder = path.parent().unwrap_or(&self.directory);
            let placed = fs::create_dir_all(folder)
                .and_then(|()| file.persist(&path).map_err(|failed| failed.error));
            if let Err(error) = placed {
                return Err(StagingError::Write { path, error });
            }
            paths.push(path);
        }
        Ok(paths)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_made_where_there_is_none() {
        let said = |error: ErrorKind| {
            let (path, error) = ("x".into(), error.into());
            StagingError::Write { path, error }.to_string()
        };
        for full in [ErrorKind::StorageFull, ErrorKind::QuotaExceeded] {
            assert!(said(full).contains("; make room"), "{}", said(full));
        }
        for other in [
            ErrorKind::PermissionDenied,
            ErrorKind::NotFound,
            ErrorKind::Other,
        ] {
            assert!(!said(other).contains("room"), "{}", said(other));
        }
    }

    #[test]
    fn a_file_below_another_is_refused_before_any_comes() {
        let top = tempfile::tempdir().unwrap();
        let (source, directory) = (top.path().join("source"), top.path().join("to"));
        fs::write(&source, "x").unwrap();
        fs::create_dir(&directory).unwrap();
        for [first, second] in [["a", "a/b"], ["a/b", "a"]] {
            let mut staging = Staging::new(&directory);
            staging.add(&source, Path::new(first)).unwrap();
            staging.add(&source, Path::new("ab")).unwrap();
            let error = staging.add(&source, Path::new(second)).unwrap_err();
            assert!(
                error.to_string().contains("one lies below the other"),
                "{error}"
            );
        }
    }
}
