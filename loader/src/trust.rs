//! Who may replace a plugin file: nobody but root and the user that loads it.

use rustix::{
    fs::{Mode, Stat, stat},
    process::geteuid,
};
use std::{
    io,
    path::{Path, PathBuf},
};

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
            let status = stat(folder).map_err(|error| TrustError::Unknown {
                path: folder.display().to_string(),
                reason: io::Error::from(error).to_string(),
            })?;
            check(folder, &status, true)?;
        }
        Ok(())
    }
}

/// The path with symbolic links resolved, and whether its folders are trusted.
pub(crate) fn resolve(
    path: &Path,
    policy: TrustPolicy,
) -> io::Result<(PathBuf, Result<(), TrustError>)> {
    let resolved = path.canonicalize()?;
    let trusted = policy.check_folders(resolved.parent().unwrap_or(&resolved));
    Ok((resolved, trusted))
}

fn check(path: &Path, status: &Stat, is_folder: bool) -> Result<(), TrustError> {
    let path = || path.display().to_string();
    let owner = status.st_uid;
    if owner != 0 && owner != geteuid().as_raw() {
        return Err(TrustError::Owner {
            path: path(),
            owner,
        });
    }
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
    Err(TrustError::Writable { path: path(), who })
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
