//! A place of its own for an execution: whatever it leaves there, it leaves to others elsewhere.

use std::{
    ffi::OsString,
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};
use taskbay_loader::{CACHE_VARIABLE, cache_directory};
use tempfile::TempDir;

/// The directories in which programs leave files, by the variables that name them. What one of them is below comes later.
const PLACES: [(&str, &str); 7] = [
    ("TMPDIR", "tmp"),
    ("XDG_RUNTIME_DIR", "runtime"),
    ("XDG_CONFIG_HOME", "home/.config"),
    ("XDG_CACHE_HOME", "home/.cache"),
    ("XDG_DATA_HOME", "home/.local/share"),
    ("XDG_STATE_HOME", "home/.local/state"),
    ("HOME", "home"),
];
/// Those of them that there are; the others are made by whoever needs them.
const THERE: [&str; 3] = ["TMPDIR", "XDG_RUNTIME_DIR", "HOME"];
/// The most files that are named.
const MOST_NAMED: usize = 10;

/// A place of its own for an execution.
#[derive(Debug)]
pub(crate) struct Refuge {
    top: TempDir,
}

impl Refuge {
    /// An empty one.
    pub(crate) fn new() -> io::Result<Self> {
        let refuge = Self {
            top: tempfile::tempdir()?,
        };
        fs::create_dir(refuge.output())?;
        for (variable, place) in PLACES {
            if THERE.contains(&variable) {
                let place = refuge.top.path().join(place);
                fs::create_dir(&place)?;
                // Programs refuse a runtime directory that others may look into.
                fs::set_permissions(&place, fs::Permissions::from_mode(0o700))?;
            }
        }
        Ok(refuge)
    }

    /// Where artifacts go.
    pub(crate) fn output(&self) -> PathBuf {
        self.top.path().join("output")
    }

    /// The variables that lead here. A host has its copies of plugins where it has them otherwise.
    pub(crate) fn environment(&self) -> Vec<(OsString, Option<OsString>)> {
        let places = PLACES.into_iter().map(|(variable, place)| {
            let place = self.top.path().join(place).into_os_string();
            (variable.into(), Some(place))
        });
        let copies = cache_directory().into_os_string();
        places
            .chain([(CACHE_VARIABLE.into(), Some(copies))])
            .collect()
    }

    /// What there is by now, as in `$HOME/.cache/file`: files, and directories with nothing in them.
    pub(crate) fn left(&self) -> Vec<String> {
        let mut left = Vec::new();
        for (variable, place) in PLACES.into_iter().filter(|(name, _)| THERE.contains(name)) {
            list(
                &self.top.path().join(place),
                &format!("${variable}"),
                &mut left,
            );
        }
        left.sort_unstable();
        if left.len() > MOST_NAMED {
            let more = left.len() - MOST_NAMED;
            left.truncate(MOST_NAMED);
            left.push(format!("and {more} more"));
        }
        left
    }
}

/// Lists what is in a directory that is called so. One that cannot be read counts as a file.
fn list(directory: &Path, called: &str, found: &mut Vec<String>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let called = format!("{called}/{}", entry.file_name().to_string_lossy());
        let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let before = found.len();
        if is_directory {
            list(&entry.path(), &called, found);
        }
        if found.len() == before {
            found.push(if is_directory { called + "/" } else { called });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn names_what_is_left_by_the_variable_that_leads_there() {
        let refuge = Refuge::new().unwrap();
        assert_eq!(refuge.left(), Vec::<String>::new());
        let place = |variable: &str| {
            let environment = refuge.environment();
            let found = environment.into_iter().find(|(name, _)| name == variable);
            PathBuf::from(found.unwrap().1.unwrap())
        };
        fs::write(place("TMPDIR").join("a"), "").unwrap();
        fs::create_dir_all(place("XDG_CONFIG_HOME").join("tool")).unwrap();
        // It is a file, wherever it leads.
        symlink("/", place("XDG_RUNTIME_DIR").join("link")).unwrap();
        fs::write(refuge.output().join("artifact"), "").unwrap();
        assert_eq!(
            refuge.left(),
            ["$HOME/.config/tool/", "$TMPDIR/a", "$XDG_RUNTIME_DIR/link"]
        );
        for number in 0..20 {
            fs::write(place("HOME").join(number.to_string()), "").unwrap();
        }
        let left = refuge.left();
        assert_eq!((left.len(), &*left[10]), (11, "and 13 more"));
        assert_eq!(place(CACHE_VARIABLE), cache_directory());
    }
}
