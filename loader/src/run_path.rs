//! Run paths: the directories that a plugin adds to those where the libraries that it needs are looked for.

use crate::{TrustError, TrustPolicy, linker};
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
    /// It depends on the processor.
    #[error("`{0}` in its run path depends on the processor: what `$PLATFORM` is cannot be told")]
    Platform(String),
    /// It is taken from the current directory.
    #[error("`{0}` in its run path is relative to the current directory of whoever loads it")]
    Relative(String),
    /// Others may put libraries there.
    #[error("others may put libraries into `{directory}`, which is in its run path: {reason}")]
    Untrusted {
        /// The directory.
        directory: String,
        /// Why not.
        reason: TrustError,
    },
}

impl RunPathFault {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Origin(_) | Self::Platform(_) | Self::Relative(_) => {
                "link it without a run path, and take libraries from packages or link them statically"
            }
            Self::Untrusted { .. } => {
                "link it without a run path, or with one that only root can write to, or say --allow-insecure"
            }
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
        let expanded = expand(directory)?;
        let whole = Path::new(&expanded);
        if !whole.is_absolute() {
            return Err(RunPathFault::Relative(directory.to_owned()));
        }
        // Who may make a directory that is not there yet decides what is in it. A link that leads nowhere is there.
        let existing = whole
            .ancestors()
            .find(|folder| folder.symlink_metadata().is_ok());
        let checked = existing.map_or(Ok(()), |folder| self.check_library_folder(folder));
        checked.map_err(|reason| RunPathFault::Untrusted {
            directory: directory.to_owned(),
            reason,
        })
    }

    /// A folder that is sticky is none to take libraries from: others cannot replace them there, but add some.
    fn check_library_folder(self, folder: &Path) -> Result<(), TrustError> {
        self.check_way(folder)?;
        let resolved = folder.canonicalize();
        let found = resolved.and_then(|resolved| Ok((stat(&resolved)?, resolved)));
        match found {
            Ok((status, resolved)) => self.check_file(&resolved, &status),
            // It leads nowhere, and nobody who is not trusted can have it lead anywhere.
            Err(_) if self == Self::Anyone => Ok(()),
            Err(error) => Err(TrustError::Unknown {
                path: folder.display().to_string(),
                reason: error.to_string(),
            }),
        }
    }
}

/// The directory with what the dynamic linker puts in for `$LIB`.
///
/// # Errors
///
/// When it depends on where the file lies, or on the processor.
pub(crate) fn expand(directory: &str) -> Result<String, RunPathFault> {
    let mut expanded = String::new();
    let mut ahead = directory;
    while let Some((before, after)) = ahead.split_once('$') {
        expanded.push_str(before);
        let (name, rest) = token(after);
        let standing_for = match name {
            "ORIGIN" => return Err(RunPathFault::Origin(directory.to_owned())),
            "PLATFORM" => return Err(RunPathFault::Platform(directory.to_owned())),
            "LIB" => linker::library_directory(),
            _ => None,
        };
        if let Some(text) = standing_for {
            expanded.push_str(&text);
            ahead = rest;
        } else {
            expanded.push('$');
            ahead = after;
        }
    }
    Ok(expanded + ahead)
}

/// The name after a `$`, in braces or not, and what follows it.
fn token(after: &str) -> (&str, &str) {
    if let Some((name, rest)) = after.strip_prefix('{').and_then(|it| it.split_once('}')) {
        return (name, rest);
    }
    let is_of_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    after.split_at(
        after
            .find(|letter| !is_of_name(letter))
            .unwrap_or(after.len()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        fs,
        os::unix::fs::{PermissionsExt, symlink},
    };

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
            assert!(fault.help().contains("without a run path"));
        }
    }

    /// Whoever can turn a link around decides where libraries come from.
    #[test]
    fn the_links_on_the_way_count() {
        let top = tempfile::tempdir().unwrap();
        let open = top.path().join("open");
        fs::create_dir(&open).unwrap();
        symlink("/usr/lib", open.join("lib")).unwrap();
        symlink(open.join("gone"), top.path().join("dangling")).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
        for directory in [
            open.join("lib"),
            open.join("lib/to/come"),
            top.path().join("dangling"),
        ] {
            let directory = directory.to_str().unwrap();
            let fault = TrustPolicy::OwnerOnly
                .check_run_path(directory)
                .unwrap_err();
            assert!(
                matches!(fault, RunPathFault::Untrusted { .. }),
                "{directory}: {fault}"
            );
            assert_eq!(TrustPolicy::Anyone.check_run_path(directory), Ok(()));
        }
    }

    /// What stands for a part of a path that differs between machines is put in its place first.
    #[test]
    fn what_the_linker_puts_in_is_put_in() {
        let top = tempfile::tempdir().unwrap();
        let below = top.path().join(linker::library_directory().unwrap());
        fs::create_dir_all(&below).unwrap();
        fs::set_permissions(&below, fs::Permissions::from_mode(0o777)).unwrap();
        let check = |directory: &str| TrustPolicy::OwnerOnly.check_run_path(directory);
        for token in ["$LIB", "${LIB}"] {
            let directory = top.path().join(token);
            let fault = check(directory.to_str().unwrap()).unwrap_err();
            assert!(
                fault.to_string().contains("writable by everybody"),
                "{fault}"
            );
            assert_eq!(check(&format!("/usr/{token}")), Ok(()));
            assert!(matches!(check(token), Err(RunPathFault::Relative(_))));
        }
        assert_eq!(check("/usr/$LIBS"), Ok(()), "this stands for nothing");
        for token in ["/usr/$PLATFORM", "/usr/lib/${PLATFORM}/x"] {
            let fault = check(token).unwrap_err();
            assert!(matches!(fault, RunPathFault::Platform(_)), "{fault}");
        }
    }
}
