//! Where plugins are looked for.

use serde::{Deserialize, Serialize};
use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
};

/// The environment variable with further directories, separated by colons.
pub const PLUGIN_PATH_VARIABLE: &str = "TASKBAY_PLUGIN_PATH";

/// The directories that every search ends with: the machine's own, then its packages'.
const STANDARD: [&str; 2] = ["/usr/local/lib/taskbay/tasks", "/usr/lib/taskbay/tasks"];

/// The directories that are searched, in order: of two plugins with one name the first found stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchPath(Vec<SearchDirectory>);

/// A directory that is searched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchDirectory {
    /// The directory.
    pub path: PathBuf,
    /// Who named it.
    pub source: SearchSource,
}

/// Who named a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SearchSource {
    /// The caller, such as by `--plugin-dir`.
    Caller,
    /// The environment variable `TASKBAY_PLUGIN_PATH`.
    Environment,
    /// Nobody: it is always searched, and need not exist.
    Standard,
}

impl SearchPath {
    /// The directories of the caller, then those of `TASKBAY_PLUGIN_PATH` as given, then the standard ones.
    pub fn new(caller: impl IntoIterator<Item = PathBuf>, environment: Option<&OsStr>) -> Self {
        let directory = |path, source| SearchDirectory { path, source };
        let caller = caller
            .into_iter()
            .map(|path| directory(path, SearchSource::Caller));
        let environment = environment
            .into_iter()
            .flat_map(env::split_paths)
            .filter(|path| *path != Path::new(""))
            .map(|path| directory(path, SearchSource::Environment));
        let standard = STANDARD
            .iter()
            .map(|path| directory(path.into(), SearchSource::Standard));
        Self(caller.chain(environment).chain(standard).collect())
    }

    /// Just these directories.
    pub fn only(caller: impl IntoIterator<Item = PathBuf>) -> Self {
        let source = SearchSource::Caller;
        let directories = caller.into_iter();
        Self(
            directories
                .map(|path| SearchDirectory { path, source })
                .collect(),
        )
    }

    /// The directories in order.
    pub fn directories(&self) -> &[SearchDirectory] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caller_before_environment_before_standard() {
        let path = SearchPath::new(["/a".into(), "/b".into()], Some("/c::/d".as_ref()));
        let paths: Vec<_> = path
            .directories()
            .iter()
            .map(|each| each.path.to_str().unwrap())
            .collect();
        assert_eq!(
            paths,
            [
                "/a",
                "/b",
                "/c",
                "/d",
                "/usr/local/lib/taskbay/tasks",
                "/usr/lib/taskbay/tasks"
            ]
        );
        assert_eq!(path.directories()[2].source, SearchSource::Environment);
    }
}
