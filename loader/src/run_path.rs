//! Run paths: the directories that a plugin adds to those where the libraries that it needs are looked for.

use crate::{TrustError, TrustPolicy};
use rustix::fs::stat;
use std::path::Path;

/// Why a directory in a run path is a fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunPathFault {
    /// It is taken from where the file lies.
    #[error(
        "`{0}` in its run path depends on where the file lies, and what is loaded is a private copy"
    )]
    Origin(String),
    /// It is taken from the current directory.
    #[error("`{0}` in its run path is relative to the current directory of whoever loads it")]
    Relative(String),
    /// Others may put libraries there.
    #[error("`{directory}` in its run path is not to be trusted: {reason}")]
    Untrusted {
        /// The directory.
        directory: String,
        /// Why not.
        reason: TrustError,
    },
}

impl RunPathFault {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Origin(_) | Self::Relative(_) => {
                "link it without a run path, and take libraries from packages or link them statically"
                    .to_owned()
            }
            Self::Untrusted { reason, .. } => reason.help(),
        }
    }
}

impl TrustPolicy {
    /// What is wrong with a directory in a run path.
    ///
    /// # Errors
    ///
    /// When libraries from there would not be found, or be others'.
    pub fn check_run_path(self, directory: &str) -> Result<(), RunPathFault> {
        if ["$ORIGIN", "${ORIGIN}"]
            .iter()
            .any(|each| directory.contains(each))
        {
            return Err(RunPathFault::Origin(directory.to_owned()));
        }
        if !directory.starts_with('/') {
            return Err(RunPathFault::Relative(directory.to_owned()));
        }
        // Who may make a directory that is not there yet decides what is in it.
        let existing = Path::new(directory)
            .ancestors()
            .find_map(|folder| folder.canonicalize().ok());
        let checked = existing.map_or(Ok(()), |folder| self.check_library_folder(&folder));
        checked.map_err(|reason| RunPathFault::Untrusted {
            directory: directory.to_owned(),
            reason,
        })
    }

    /// A folder that is sticky is none to take libraries from: others cannot replace them there, but add some.
    fn check_library_folder(self, folder: &Path) -> Result<(), TrustError> {
        let status = stat(folder).map_err(|error| TrustError::Unknown {
            path: folder.display().to_string(),
            reason: error.to_string(),
        })?;
        self.check_file(folder, &status)?;
        self.check_folders(folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::PermissionsExt};

    #[test]
    fn directories_of_others_and_none_of_its_own_are_faults() {
        let check = |directory: &str| TrustPolicy::OwnerOnly.check_run_path(directory);
        assert_eq!(check("/usr/lib"), Ok(()));
        assert_eq!(check("/nonexistent/lib"), Ok(()));
        assert!(matches!(check(""), Err(RunPathFault::Relative(_))));
        assert!(matches!(check("lib"), Err(RunPathFault::Relative(_))));
        assert!(matches!(
            check("$ORIGIN/../lib"),
            Err(RunPathFault::Origin(_))
        ));

        assert!(check("/tmp").is_err(), "it is sticky");

        let open = tempfile::tempdir().unwrap();
        fs::set_permissions(open.path(), fs::Permissions::from_mode(0o777)).unwrap();
        for directory in [open.path().to_owned(), open.path().join("to/come")] {
            let fault = check(directory.to_str().unwrap()).unwrap_err();
            assert!(
                fault.to_string().contains("writable by everybody"),
                "{fault}"
            );
            assert!(fault.help().contains("chmod go-w"));
        }
    }
}
