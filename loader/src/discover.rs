//! Finding files that may be plugins. Only directories are read.

use crate::{
    SearchPath, SearchSource, TrustError, TrustPolicy,
    trust::{self},
};
use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

/// A file that may be a plugin: a `*.so` in a directory of the search path, or one named by itself.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The path as found, for people.
    pub(crate) path: PathBuf,
    /// The path with the links among its folders resolved.
    pub(crate) resolved: PathBuf,
    /// Whether the last component is, or may be, a symbolic link.
    pub(crate) is_link: bool,
    /// Whether the way to the folder, or to the file where it was named by itself, is trusted.
    pub(crate) folders: Result<(), Arc<TrustError>>,
}

/// What the search path holds.
#[derive(Debug, Default)]
pub struct Discovery {
    /// The files, in search order and sorted by name within a directory.
    pub candidates: Vec<Candidate>,
    /// The directories that could not be read.
    pub findings: Vec<Finding>,
}

/// A directory that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("plugin directory {} cannot be read", directory.display())]
pub struct Finding {
    /// The directory.
    pub directory: PathBuf,
    /// Why.
    #[source]
    pub reason: io::Error,
}

impl Finding {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self.reason.kind() {
            io::ErrorKind::NotFound => "create the directory, or do not name it",
            io::ErrorKind::NotADirectory => "name the directory that the plugin lies in",
            _ => "make it readable and searchable for this user",
        }
    }
}

/// Lists the files that may be plugins. A standard directory that does not exist is no finding, and one that is named
/// twice is read once.
pub fn discover(path: &SearchPath, policy: TrustPolicy) -> Discovery {
    let mut discovery = Discovery::default();
    let mut done = HashSet::new();
    for directory in path.directories() {
        let resolved = directory.path.canonicalize();
        if resolved
            .as_ref()
            .is_ok_and(|resolved| !done.insert(resolved.clone()))
        {
            continue;
        }
        match resolved.and_then(|resolved| read(&directory.path, &resolved, policy)) {
            Ok(candidates) => discovery.candidates.extend(candidates),
            Err(reason)
                if directory.source == SearchSource::Standard
                    && reason.kind() == io::ErrorKind::NotFound => {}
            Err(reason) => discovery.findings.push(Finding {
                directory: directory.path.clone(),
                reason,
            }),
        }
    }
    discovery
}

fn read(directory: &Path, resolved: &Path, policy: TrustPolicy) -> io::Result<Vec<Candidate>> {
    let folders = policy.check_way(directory).map_err(Arc::new);
    let mut candidates = Vec::new();
    for entry in fs::read_dir(resolved)? {
        let entry = entry?;
        let name = entry.file_name();
        if Path::new(&name)
            .extension()
            .is_none_or(|extension| extension != "so")
        {
            continue;
        }
        candidates.push(Candidate {
            path: directory.join(&name),
            resolved: resolved.join(&name),
            is_link: entry.file_type().map_or(true, |kind| kind.is_symlink()),
            folders: folders.clone(),
        });
    }
    candidates.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok(candidates)
}

impl Candidate {
    /// A file of this process's own, where nobody else can write.
    pub(crate) fn private(path: PathBuf) -> Self {
        Self {
            resolved: path.clone(),
            path,
            is_link: false,
            folders: Ok(()),
        }
    }

    /// The file at `path`, wherever it lies and whatever it is called.
    pub fn at(path: &Path, policy: TrustPolicy) -> Self {
        match trust::resolve(path, policy) {
            Ok((resolved, folders)) => Self {
                path: path.to_owned(),
                resolved,
                is_link: false,
                folders: folders.map_err(Arc::new),
            },
            // What is wrong with it shows when it is inspected.
            Err(_) => Self {
                path: path.to_owned(),
                resolved: path.to_owned(),
                is_link: true,
                folders: Ok(()),
            },
        }
    }

    /// The path as found.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_so_files_sorted_and_not_from_below() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["b.so", "a.so", "c.so.1", "c.txt", ".so", "d.SO"] {
            fs::write(directory.path().join(name), "").unwrap();
        }
        fs::create_dir_all(directory.path().join("sub")).unwrap();
        fs::write(directory.path().join("sub/e.so"), "").unwrap();
        let missing = directory.path().join("missing");
        let path = SearchPath::new([directory.path().into(), missing.clone()], None);
        let discovery = discover(&path, TrustPolicy::OwnerOnly);
        let names: Vec<_> = discovery
            .candidates
            .iter()
            .map(|each| each.path.file_name().unwrap())
            .collect();
        assert_eq!(names, ["a.so", "b.so"]);
        assert_eq!(discovery.findings.len(), 1, "{:?}", discovery.findings);
        assert_eq!(discovery.findings[0].directory, missing);
    }
}
