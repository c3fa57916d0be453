//! The database's file, and who else may change it: whoever can, decides what a worker executes.

use crate::{EngineError, place::Place};
use rustix::{
    fs::{FileType, Mode, OFlags, Stat, fchown, fstat, lstat, open, openat, stat},
    io::Errno,
    process::{Gid, Uid, geteuid},
};
use std::{
    ffi::OsStr,
    fs::DirBuilder,
    io,
    os::{fd::OwnedFd, unix::fs::DirBuilderExt},
    path::{Path, PathBuf},
};

/// What SQLite puts beside a file.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Makes the file where it is missing, for its owner alone, and refuses one that others may change.
pub(super) fn prepare(path: &Path, place: &Place) -> Result<(), EngineError> {
    let unavailable = |error: io::Error| EngineError::Unavailable {
        place: place.to_string(),
        source: error.into(),
    };
    let folder = path.parent().unwrap_or(Path::new("/"));
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(unavailable)?;
    let path = resolved(path).map_err(unavailable)?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    let opened = open(
        folder,
        OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC,
        Mode::empty(),
    )
    .map_err(|error| unavailable(error.into()))?;
    let of_folder = fstat(&opened).map_err(|error| unavailable(error.into()))?;
    let trust = Trust {
        place,
        // Root looks after what is others', but not where several may write.
        owner: of_folder.st_uid,
    };
    trust.check_folders(folder, &of_folder)?;
    let name = path.file_name().unwrap_or_default();
    create(&opened, &of_folder, name).map_err(unavailable)?;
    trust.check_files(&path)
}

/// The path without symbolic links, whether or not the file is there.
fn resolved(path: &Path) -> io::Result<PathBuf> {
    match (path.canonicalize(), path.parent(), path.file_name()) {
        (Err(error), Some(folder), Some(name)) if error.kind() == io::ErrorKind::NotFound => {
            Ok(folder.canonicalize()?.join(name))
        }
        (found, ..) => found,
    }
}

/// Makes the file for its owner alone; what SQLite puts beside it gets the same mode and owner. What root makes in a
/// folder of somebody else is theirs, who could not use it otherwise.
fn create(folder: &OwnedFd, of_folder: &Stat, name: &OsStr) -> io::Result<()> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = match openat(folder, name, flags, Mode::RUSR | Mode::WUSR) {
        Err(Errno::EXIST) => return Ok(()),
        file => file?,
    };
    if geteuid().is_root() && of_folder.st_uid != 0 {
        let (owner, group) = (of_folder.st_uid, of_folder.st_gid);
        fchown(
            &file,
            Some(Uid::from_raw(owner)),
            Some(Gid::from_raw(group)),
        )?;
    }
    Ok(())
}

struct Trust<'a> {
    place: &'a Place,
    /// Whom the folder belongs to, and so the file may where root uses it.
    owner: u32,
}

impl Trust<'_> {
    /// Nobody else may put another file in the place of the file, nor of what SQLite puts beside it.
    fn check_folders(&self, folder: &Path, status: &Stat) -> Result<(), EngineError> {
        self.check(folder, status, false)?;
        for above in folder.ancestors().skip(1) {
            let status = stat(above).map_err(|error| self.unknown(above, error))?;
            // In a sticky folder nobody can replace what is not theirs.
            self.check(above, &status, true)?;
        }
        Ok(())
    }

    /// Nobody else may write to the file, nor to what SQLite puts beside it.
    fn check_files(&self, path: &Path) -> Result<(), EngineError> {
        let status = stat(path).map_err(|error| self.unknown(path, error))?;
        self.check(path, &status, false)?;
        for end in BESIDE {
            let mut name = path.as_os_str().to_owned();
            name.push(end);
            let beside = Path::new(&name);
            match lstat(beside) {
                Ok(status) => self.check(beside, &status, false)?,
                Err(Errno::NOENT) => {}
                Err(error) => return Err(self.unknown(beside, error)),
            }
        }
        Ok(())
    }

    fn check(&self, path: &Path, status: &Stat, may_be_sticky: bool) -> Result<(), EngineError> {
        let (me, owner) = (geteuid(), status.st_uid);
        let is_known = owner == 0 || owner == me.as_raw() || me.is_root() && owner == self.owner;
        if !is_known {
            return Err(self.refused(
                path,
                &format!("belongs to user {owner}"),
                format!("chown {} {}", me.as_raw(), path.display()),
            ));
        }
        let mode = Mode::from_raw_mode(status.st_mode);
        let is_link = FileType::from_raw_mode(status.st_mode) == FileType::Symlink;
        if is_link || may_be_sticky && mode.contains(Mode::SVTX) {
            return Ok(());
        }
        let who = if mode.contains(Mode::WOTH) {
            "everybody"
        // A group with its owner's number is the owner's own, and many users' masks let it write.
        } else if mode.contains(Mode::WGRP) && status.st_gid != owner {
            "its group"
        } else {
            return Ok(());
        };
        Err(self.refused(
            path,
            &format!("is writable by {who}"),
            format!("chmod go-w {}", path.display()),
        ))
    }

    fn refused(&self, path: &Path, why: &str, remedy: String) -> EngineError {
        EngineError::Untrusted {
            place: self.place.to_string(),
            reason: format!("{} {why}", path.display()),
            remedy,
        }
    }

    fn unknown(&self, path: &Path, error: Errno) -> EngineError {
        EngineError::Unavailable {
            place: self.place.to_string(),
            source: format!("{} cannot be looked at: {error}", path.display()).into(),
        }
    }
}
