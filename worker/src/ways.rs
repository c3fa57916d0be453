//! The ways to paths: which names are looked up on them, and in which folders, with symbolic links followed.

use std::{
    collections::{BTreeSet, HashSet},
    ffi::{OsStr, OsString},
    fs, io,
    path::{Component, Path, PathBuf},
};

/// How many symbolic links the system follows on one way.
const LINKS: usize = 40;

/// The ways to some paths. Where they lead changes only when something happens to one of the names.
#[derive(Debug, Default)]
pub(crate) struct Ways {
    /// The folders that names are looked up in. Their own paths have no links in them.
    pub(crate) folders: BTreeSet<PathBuf>,
    /// The names, each in its folder. The last one of a way need not exist.
    pub(crate) names: HashSet<PathBuf>,
}

impl Ways {
    /// Goes to a whole path, as far as it exists. Gives where it ends if all of it does.
    pub(crate) fn go(&mut self, path: &Path) -> Option<PathBuf> {
        let mut here = PathBuf::from("/");
        let mut left = parts(path);
        let mut links = 0;
        while let Some(part) = left.pop() {
            if part == OsStr::new("..") {
                here.pop();
                continue;
            }
            let name = here.join(part);
            self.folders.insert(here.clone());
            self.names.insert(name.clone());
            match fs::read_link(&name) {
                Ok(_) if links == LINKS => return None,
                Ok(target) => {
                    links += 1;
                    if target.is_absolute() {
                        here = PathBuf::from("/");
                    }
                    left.extend(parts(&target));
                }
                // It is there, and no link.
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => here = name,
                Err(_) => return None,
            }
        }
        Some(here)
    }
}

/// What is to be looked up, last first.
fn parts(path: &Path) -> Vec<OsString> {
    path.components()
        .rev()
        .filter(|part| matches!(part, Component::Normal(_) | Component::ParentDir))
        .map(|part| part.as_os_str().to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn every_link_of_a_chain_is_on_the_way() {
        let top = tempfile::tempdir().unwrap();
        let top = top.path().canonicalize().unwrap();
        for folder in ["a", "b", "c"] {
            fs::create_dir(top.join(folder)).unwrap();
        }
        symlink("../b/second", top.join("a/first")).unwrap();
        symlink(top.join("c/file"), top.join("b/second")).unwrap();
        let mut ways = Ways::default();
        // The end is not there yet, but is looked for.
        assert_eq!(ways.go(&top.join("a/first")), None);
        for name in ["a", "a/first", "b", "b/second", "c", "c/file"] {
            assert!(ways.names.contains(&top.join(name)), "{name}: {ways:?}");
        }
        for folder in top.ancestors() {
            assert!(ways.folders.contains(folder), "{folder:?}: {ways:?}");
        }
        fs::write(top.join("c/file"), "").unwrap();
        assert_eq!(ways.go(&top.join("a/first")), Some(top.join("c/file")));
    }

    #[test]
    fn links_in_a_circle_end() {
        let top = tempfile::tempdir().unwrap();
        symlink("circle", top.path().join("circle")).unwrap();
        assert_eq!(Ways::default().go(&top.path().join("circle")), None);
    }
}
