//! Where the source of the interface is, against which a plugin is built.

use std::path::{self, Path, PathBuf};

/// Where the package `taskbay-dev` puts it.
pub const INTERFACE_DIRECTORY: &str = "/usr/share/taskbay/dev";

/// The source of the interface between plugins and hosts.
#[derive(Clone, Debug)]
pub struct Interface {
    /// The directory with `plugin-api` and `test`, as a whole path.
    directory: PathBuf,
}

/// There is no source of the interface in a directory.
#[derive(Debug, thiserror::Error)]
#[error("{} has no source of taskbay-plugin-api and taskbay-test", .0.display())]
pub struct NoInterface(PathBuf);

impl NoInterface {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        "install the package taskbay-dev, or name a copy of Taskbay's source with --api-path"
    }
}

impl Interface {
    /// The one in `directory`: a copy of Taskbay's source, or the `plugin-api` in one.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn find(directory: &Path) -> Result<Self, NoInterface> {
        let whole = path::absolute(directory).unwrap_or_else(|_| directory.to_owned());
        let above = whole.parent().filter(|_| whole.ends_with("plugin-api"));
        let is_it = |directory: &&Path| {
            ["plugin-api", "test"]
                .iter()
                .all(|package| directory.join(package).join("Cargo.toml").is_file())
        };
        [Some(&*whole), above]
            .into_iter()
            .flatten()
            .find(is_it)
            .map(|directory| Self {
                directory: directory.to_owned(),
            })
            .ok_or_else(|| NoInterface(directory.to_owned()))
    }

    /// The directory of `taskbay-plugin-api`.
    pub(crate) fn api(&self) -> PathBuf {
        self.directory.join("plugin-api")
    }

    /// The directory of `taskbay-test`.
    pub(crate) fn test(&self) -> PathBuf {
        self.directory.join("test")
    }

    /// The versions of other crates that it was tested with, where it says so.
    pub(crate) fn lock_file(&self) -> Option<PathBuf> {
        Some(self.directory.join("Cargo.lock")).filter(|file| file.is_file())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn is_found_by_the_source_or_by_the_crate_in_it() {
        let top = tempfile::tempdir().unwrap();
        for package in ["plugin-api", "test"] {
            fs::create_dir(top.path().join(package)).unwrap();
        }
        let missing = Interface::find(top.path()).unwrap_err();
        assert!(missing.to_string().contains(top.path().to_str().unwrap()));
        for package in ["plugin-api", "test"] {
            fs::write(top.path().join(package).join("Cargo.toml"), "").unwrap();
        }
        for directory in [top.path().to_owned(), top.path().join("plugin-api")] {
            let found = Interface::find(&directory).unwrap();
            assert_eq!(found.api(), top.path().join("plugin-api"));
        }
        assert!(Interface::find(&top.path().join("test")).is_err());
    }
}
