//! Who may replace a plugin file: nobody but root and the user that loads it.

use rustix::{
    fs::{FileType, Mode, Stat, lstat, stat},
    io::Errno,
    process::geteuid,
};
use std::{
    ffi::OsString,
    fs, io,
    path::{self, Component, Path, PathBuf},
};

/// How many symbolic links a path may lead through: as many as the kernel follows (`path_resolution(7)`).
const MOST_LINKS: usize = 40;

/// Which files are loaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TrustPolicy {
    /// Only files that root or the effective user own, and nobody else can replace.
    #[default]
    OwnerOnly,
    /// Any file: whoever can write one may run code as this user.
    Anyone,
}

/// Why a file is not trusted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// Somebody else owns it, or a folder above it.
    #[error("{path} belongs to user {owner}, who may replace the plugin")]
    Owner {
        /// The file or folder.
        path: String,
        /// Its owner's number.
        owner: u32,
    },
    /// Others may write to it, or to a folder above it.
    #[error("{path} is writable by {who}, who may replace the plugin")]
    Writable {
        /// The file or folder.
        path: String,
        /// Its group, or everybody.
        who: &'static str,
    },
    /// It cannot be looked at.
    #[error("{path} cannot be looked at: {reason}")]
    Unknown {
        /// The file or folder.
        path: String,
        /// Why not.
        reason: String,
    },
}

impl TrustError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Owner { path, .. } => {
                format!("chown it to root (`chown root {path}`), or say --allow-insecure")
            }
            Self::Writable { path, .. } => {
                format!(
                    "take the right to write away (`chmod go-w {path}`), or say --allow-insecure"
                )
            }
            Self::Unknown { .. } => "make the folders above it searchable".to_owned(),
        }
    }
}

impl TrustPolicy {
    /// Whether a file with that status may be loaded as far as itself is concerned.
    ///
    /// # Errors
    ///
    /// When others may change it.
    pub fn check_file(self, path: &Path, status: &Stat) -> Result<(), TrustError> {
        match self {
            Self::OwnerOnly => check(path, status, false),
            Self::Anyone => Ok(()),
        }
    }

    /// Whether files in `folder`, which is resolved, may be loaded as far as it and the folders above it are concerned.
    /// A folder that others may write to is fine when it is sticky, since they cannot replace what is not theirs.
    ///
    /// # Errors
    ///
    /// The first folder in which others may replace something.
    pub fn check_folders(self, folder: &Path) -> Result<(), TrustError> {
        if self == Self::Anyone {
            return Ok(());
        }
        for folder in folder.ancestors() {
            let status = stat(folder).map_err(|error| unknown(folder, error))?;
            check(folder, &status, true)?;
        }
        Ok(())
    }

    /// Whether nobody else can make `path` lead elsewhere: each folder in which a part of it is looked up is trusted, those
    /// of symbolic links on the way too, and so is the last part where it is a folder itself.
    ///
    /// # Errors
    ///
    /// The first folder in which others may replace something, or the first link that they may.
    pub fn check_way(self, path: &Path) -> Result<(), TrustError> {
        if self == Self::Anyone {
            return Ok(());
        }
        let whole = path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let mut here = PathBuf::from("/");
        let mut ahead = parts(&whole);
        let mut links = 0;
        while let Some(part) = ahead.pop() {
            if part == ".." {
                here.pop();
                continue;
            }
            let folder = stat(&here).map_err(|error| unknown(&here, error))?;
            check(&here, &folder, true)?;
            let next = here.join(&part);
            let status = lstat(&next).map_err(|error| unknown(&next, error))?;
            if FileType::from_raw_mode(status.st_mode) != FileType::Symlink {
                here = next;
                continue;
            }
            links += 1;
            if links > MOST_LINKS {
                return Err(unknown(&whole, Errno::LOOP));
            }
            // In a sticky folder only the link's owner can replace it.
            if Mode::from_raw_mode(folder.st_mode).contains(Mode::SVTX) {
                check_owner(&next, &status)?;
            }
            let target = fs::read_link(&next).map_err(|error| unknown(&next, error))?;
            if target.is_absolute() {
                here = PathBuf::from("/");
            }
            ahead.extend(parts(&target));
        }
        let status = stat(&here).map_err(|error| unknown(&here, error))?;
        match FileType::from_raw_mode(status.st_mode) {
            FileType::Directory => check(&here, &status, true),
            _ => Ok(()),
        }
    }
}

/// The parts of a path, the first one last.
fn parts(path: &Path) -> Vec<OsString> {
    let parts = path.components().filter_map(|part| match part {
        Component::Normal(_) | Component::ParentDir => Some(part.as_os_str().to_owned()),
        _ => None,
    });
    parts.rev().collect()
}

fn unknown(path: &Path, error: impl Into<io::Error>) -> TrustError {
    TrustError::Unknown {
        path: path.display().to_string(),
        reason: error.into().to_string(),
    }
}

/// The path with symbolic links resolved, and whether the way there is trusted.
pub(crate) fn resolve(
    path: &Path,
    policy: TrustPolicy,
) -> io::Result<(PathBuf, Result<(), TrustError>)> {
    let resolved = path.canonicalize()?;
    Ok((resolved, policy.check_way(path)))
}

fn check_owner(path: &Path, status: &Stat) -> Result<(), TrustError> {
    let owner = status.st_uid;
    if owner == 0 || owner == geteuid().as_raw() {
        return Ok(());
    }
    Err(TrustError::Owner {
        path: path.display().to_string(),
        owner,
    })
}

fn check(path: &Path, status: &Stat, is_folder: bool) -> Result<(), TrustError> {
    check_owner(path, status)?;
    let mode = Mode::from_raw_mode(status.st_mode);
    if is_folder && mode.contains(Mode::SVTX) {
        return Ok(());
    }
    let who = if mode.contains(Mode::WOTH) {
        "everybody"
    } else if mode.contains(Mode::WGRP) {
        "its group"
    } else {
        return Ok(());
    };
    Err(TrustError::Writable {
        path: path.display().to_string(),
        who,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::PermissionsExt};

    #[test]
    fn folders_above_count_and_sticky_ones_are_fine() {
        let top = tempfile::tempdir().unwrap();
        let folder = top.path().canonicalize().unwrap().join("a/b");
        fs::create_dir_all(&folder).unwrap();
        let set = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        for folder in folder.ancestors().take(3) {
            set(folder, 0o755);
        }
        let policy = TrustPolicy::OwnerOnly;
        assert_eq!(policy.check_folders(&folder), Ok(()));
        let above = folder.parent().unwrap();
        set(above, 0o1777);
        assert_eq!(policy.check_folders(&folder), Ok(()));
        set(above, 0o775);
        let error = policy.check_folders(&folder).unwrap_err();
        assert!(
            matches!(
                &error,
                TrustError::Writable {
                    who: "its group",
                    ..
                }
            ),
            "{error}"
        );
        assert!(error.help().contains("chmod go-w"));
        set(above, 0o777);
        let error = policy.check_folders(&folder).unwrap_err();
        assert!(
            matches!(
                &error,
                TrustError::Writable {
                    who: "everybody",
                    ..
                }
            ),
            "{error}"
        );
        assert_eq!(TrustPolicy::Anyone.check_folders(&folder), Ok(()));
    }
}
