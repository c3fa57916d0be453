//! The directory of one attempt.

use std::{
    fs::{self, Permissions},
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};
use taskbay_core::{Confinement, TaskName};
use taskbay_debian::remove_tree;
use tempfile::TempDir;

/// Where an attempt's temporary files go, in its directory.
const TMP: &str = ".tmp";
/// The variables that lead there, as one program or another asks for them.
const VARIABLES: [&str; 3] = ["TMPDIR", "TMP", "TEMP"];

/// The directory of one attempt, which nobody else may look into. It goes when this is dropped.
#[derive(Debug)]
pub(crate) struct WorkDirectory(TempDir);

impl WorkDirectory {
    pub(crate) fn new(task: &TaskName) -> io::Result<Self> {
        tempfile::Builder::new()
            .prefix(&format!("taskbay-{task}-"))
            .permissions(Permissions::from_mode(0o700))
            .tempdir()
            .map(Self)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// The room that is left to a process that is confined to this directory; none where it is not confined.
    pub(crate) fn room(&self, confinement: Confinement) -> io::Result<Option<Room>> {
        if confinement == Confinement::None {
            return Ok(None);
        }
        fs::create_dir(self.path().join(TMP))?;
        Ok(Some(Room {
            directory: self.path().to_owned(),
            confinement,
        }))
    }

    /// Removes it, or says where it stays.
    pub(crate) fn put_away(self, keep: bool) -> Option<PathBuf> {
        let path = self.0.keep();
        if keep {
            return Some(path);
        }
        // A task may have made files there that are of other users, which only those can remove.
        if let Err(error) = remove_tree(&path) {
            log::warn!(
                "the work directory {} cannot be removed: {error}; remove it by hand",
                path.display()
            );
            return Some(path);
        }
        None
    }
}

/// What is left to a process that is confined.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    directory: PathBuf,
    confinement: Confinement,
}

impl Room {
    /// Has the command, a plugin host, start in this room and confine itself to it.
    pub(crate) fn apply(&self, command: &mut Command) {
        command.arg(format!("--confinement={}", self.confinement));
        command.current_dir(&self.directory);
        for variable in VARIABLES {
            command.env(variable, self.directory.join(TMP));
        }
    }
}
