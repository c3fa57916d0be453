//! How the files of an artifact come into a folder.

use crate::{Engine, EngineError, StoredFile};
use rustix::{
    fs::{CWD, RenameFlags, renameat_with},
    io::Errno,
};
use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU64, Ordering},
};
use taskbay_core::ArtifactId;

/// Writes a file of an artifact into `directory`, which is made if it is not there, and says where it is. Whatever interrupts
/// it, a file that has its name is whole.
///
/// # Errors
///
/// When there is something of its name already, it cannot be written, its content is damaged, or the database fails.
pub fn write_file(
    engine: &dyn Engine,
    artifact: ArtifactId,
    file: &StoredFile,
    directory: &Path,
) -> Result<PathBuf, EngineError> {
    let path = directory.join(&file.name);
    let unwritable = |source| EngineError::Content {
        name: file.name.clone(),
        source,
    };
    fs::create_dir_all(path.parent().unwrap_or(directory)).map_err(unwritable)?;
    let (part, mut to) = PartFile::beside(&path).map_err(unwritable)?;
    engine.fetch_file(artifact, &file.name, &mut to)?;
    drop(to);
    part.place(&path).map_err(unwritable)?;
    Ok(path)
}

/// A file that is not whole yet, which goes where it is dropped.
#[derive(Debug)]
pub struct PartFile(PathBuf);

impl PartFile {
    /// A new file in the folder of `path`, where nothing has that name.
    ///
    /// # Errors
    ///
    /// When something has it, or there can be no file there.
    pub fn beside(path: &Path) -> io::Result<(Self, File)> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        refuse_taken(path)?;
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let part = path.with_file_name(format!(".taskbay-{}-{number}.part", process::id()));
        let file = File::create_new(&part)?;
        Ok((Self(part), file))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Gives it its name, unless something else has it by now.
    ///
    /// # Errors
    ///
    /// When something has, or it cannot be renamed.
    pub fn place(self, path: &Path) -> io::Result<()> {
        match renameat_with(CWD, &self.0, CWD, path, RenameFlags::NOREPLACE) {
            // Not every file system can do that at once.
            Err(Errno::INVAL | Errno::NOSYS) => {
                refuse_taken(path)?;
                fs::rename(&self.0, path)
            }
            done => Ok(done?),
        }
    }
}

impl Drop for PartFile {
    fn drop(&mut self) {
        // Gone already where it was placed.
        let _ = fs::remove_file(&self.0);
    }
}

fn refuse_taken(path: &Path) -> io::Result<()> {
    match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    /// Whoever is killed in between leaves no file that looks whole.
    #[test]
    fn a_file_has_its_name_only_once_it_is_whole() {
        let top = tempfile::tempdir().unwrap();
        let path = top.path().join("file");
        let (part, mut to) = PartFile::beside(&path).unwrap();
        to.write_all(b"half").unwrap();
        assert!(!path.exists());
        drop(part);
        assert_eq!(fs::read_dir(top.path()).unwrap().count(), 0);
        let (part, mut to) = PartFile::beside(&path).unwrap();
        to.write_all(b"whole").unwrap();
        part.place(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "whole");
        assert!(PartFile::beside(&path).is_err());
        let late = top.path().join("late");
        let (part, _) = PartFile::beside(&late).unwrap();
        fs::write(&late, "theirs").unwrap();
        assert!(part.place(&late).is_err());
        assert_eq!(fs::read_to_string(&late).unwrap(), "theirs");
        assert_eq!(fs::read_dir(top.path()).unwrap().count(), 2);
    }
}
