//! The project as files.

use crate::{
    Interface,
    names::{argument, file_name, package, type_name},
};
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use taskbay_core::TaskName;
use tempfile::TempDir;

/// The files of a project. Between at signs stands what each project has of its own.
const TEMPLATE: [(&str, &str); 5] = [
    ("Cargo.toml", include_str!("../template/Cargo.toml")),
    (".gitignore", include_str!("../template/gitignore")),
    ("README.md", include_str!("../template/README.md")),
    ("src/lib.rs", include_str!("../template/src/lib.rs")),
    ("src/tests.rs", include_str!("../template/src/tests.rs")),
];

/// A project for a new task.
#[derive(Clone, Debug)]
pub struct Project {
    name: TaskName,
    interface: Interface,
    maintainer: String,
}

/// Why a project cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// Something is there.
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    /// It cannot be written.
    #[error("{} cannot be written: {reason}", directory.display())]
    Write {
        /// The project's directory.
        directory: PathBuf,
        /// Why.
        reason: io::Error,
    },
}

impl ProjectError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Exists(_) => "name another directory with --directory, or remove that one",
            Self::Write { .. } => "name a directory in one that this user may write to",
        }
    }
}

impl Project {
    /// A project for the task of that name, whose packages `maintainer`, as in `Name <address>`, looks after.
    pub fn new(name: TaskName, interface: Interface, maintainer: impl Into<String>) -> Self {
        Self {
            name,
            interface,
            maintainer: maintainer.into(),
        }
    }

    /// Writes it into `directory`, which is made: all of it, or nothing. Gives the files, as paths in the directory.
    ///
    /// # Errors
    ///
    /// When there is such a directory with something in it, or it cannot be written.
    pub fn write(&self, directory: &Path) -> Result<Vec<PathBuf>, ProjectError> {
        let failed = |reason| ProjectError::Write {
            directory: directory.to_owned(),
            reason,
        };
        let exists = || ProjectError::Exists(directory.to_owned());
        match fs::read_dir(directory).map(|mut entries| entries.next().is_none()) {
            Ok(true) => self.write_within(directory).map_err(failed),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.write_beside(directory).map_err(failed)
            }
            Ok(false) => Err(exists()),
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => Err(exists()),
            Err(error) => Err(failed(error)),
        }
    }

    /// Writes it beside where the directory shall be, and gives it the name when it is whole.
    fn write_beside(&self, directory: &Path) -> io::Result<Vec<PathBuf>> {
        let whole = std::path::absolute(directory)?;
        let above = whole.parent().unwrap_or(&whole);
        fs::create_dir_all(above)?;
        let aside = aside(above)?;
        let written = self.write_all(&aside.path().join("project"))?;
        fs::rename(aside.path().join("project"), whole)?;
        Ok(written)
    }

    /// Writes it into an empty directory, which stays the one that it is: somebody may be in it, and what is above it may
    /// be another's.
    fn write_within(&self, directory: &Path) -> io::Result<Vec<PathBuf>> {
        let aside = aside(directory)?;
        let written = self.write_all(aside.path())?;
        let mut moved = Vec::new();
        for entry in fs::read_dir(aside.path())? {
            let entry = entry?;
            let place = directory.join(entry.file_name());
            if let Err(error) = fs::rename(entry.path(), &place) {
                // What was moved goes with the rest.
                for (from, to) in moved {
                    fs::rename(to, from)?;
                }
                return Err(error);
            }
            moved.push((entry.path(), place));
        }
        Ok(written)
    }

    fn write_all(&self, top: &Path) -> io::Result<Vec<PathBuf>> {
        let mut written = Vec::new();
        for (name, text) in TEMPLATE {
            let file = top.join(name);
            fs::create_dir_all(file.parent().unwrap_or(top))?;
            fs::write(file, self.filled(text))?;
            written.push(PathBuf::from(name));
        }
        if let Some(versions) = self.interface.lock_file() {
            // Those that the interface was tested with; cargo leaves out what is not needed.
            fs::write(top.join("Cargo.lock"), fs::read(versions)?)?;
            written.push(PathBuf::from("Cargo.lock"));
        }
        Ok(written)
    }

    fn filled(&self, text: &str) -> String {
        // What JSON quotes, TOML reads.
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let path = |path: PathBuf| quoted(&path.to_string_lossy());
        text.replace("@NAME@", self.name.as_str())
            .replace("@ARGUMENT@", &argument(&self.name))
            .replace("@TYPE@", &type_name(&self.name))
            .replace("@FILE@", &file_name(&self.name))
            .replace("@PACKAGE@", &package(&self.name))
            .replace("@API@", &path(self.interface.api()))
            .replace("@TEST@", &path(self.interface.test()))
            .replace("@MAINTAINER@", &quoted(&self.maintainer))
    }
}

/// A directory in `above` that is gone when it is dropped.
fn aside(above: &Path) -> io::Result<TempDir> {
    let mut unfinished = tempfile::Builder::new();
    unfinished.prefix(".taskbay-new-").tempdir_in(above)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs::read_to_string, os::unix::fs::MetadataExt};

    fn project(top: &Path) -> Project {
        for package in ["plugin-api", "test"] {
            fs::create_dir_all(top.join("interface").join(package)).unwrap();
            fs::write(top.join("interface").join(package).join("Cargo.toml"), "").unwrap();
        }
        let interface = Interface::find(&top.join("interface")).unwrap();
        let name = TaskName::fold("my_task").unwrap();
        Project::new(name, interface, r#"A "Quoted" Name <a@localhost>"#)
    }

    #[test]
    fn is_written_whole_with_every_mark_filled() {
        let top = tempfile::tempdir().unwrap();
        let directory = top.path().join("above/it");
        let written = project(top.path()).write(&directory).unwrap();
        assert_eq!(written.len(), TEMPLATE.len());
        for file in &written {
            let text = read_to_string(directory.join(file)).unwrap();
            let is_mark = |word: &&str| {
                !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_uppercase())
            };
            let marks: Vec<_> = text.split('@').skip(1).step_by(2).filter(is_mark).collect();
            assert!(marks.is_empty(), "{marks:?} in {}", file.display());
        }
        let manifest = read_to_string(directory.join("Cargo.toml")).unwrap();
        assert!(manifest.contains(r#"maintainer = "A \"Quoted\" Name <a@localhost>""#));
        assert!(manifest.contains("libtaskbay_task_my_task.so"));
        assert!(manifest.contains(r#"name = "taskbay-task-my-task""#));
        // Beside it there is nothing.
        assert_eq!(fs::read_dir(top.path().join("above")).unwrap().count(), 1);
    }

    /// Whoever is in it is still there, and what is above it may be another's.
    #[test]
    fn is_written_into_an_empty_directory() {
        let top = tempfile::tempdir().unwrap();
        let project = project(top.path());
        let directory = top.path().join("it");
        fs::create_dir(&directory).unwrap();
        let inode = || directory.metadata().unwrap().ino();
        let before = inode();
        let written = project.write(&directory).unwrap();
        assert_eq!(inode(), before);
        assert!(written.iter().all(|file| directory.join(file).is_file()));
        // `src`, and the files beside it.
        let there = fs::read_dir(&directory).unwrap().count();
        assert_eq!(there, written.len() - 1);
    }

    #[test]
    fn takes_the_place_of_nothing() {
        let top = tempfile::tempdir().unwrap();
        let project = project(top.path());
        let directory = top.path().join("it");
        fs::create_dir(&directory).unwrap();
        project.write(&directory).unwrap();
        fs::remove_file(directory.join("README.md")).unwrap();
        let error = project.write(&directory).unwrap_err();
        assert!(matches!(error, ProjectError::Exists(_)), "{error}");
        assert!(!directory.join("README.md").exists());
        let file = top.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(matches!(
            project.write(&file).unwrap_err(),
            ProjectError::Exists(_)
        ));
        let below = project.write(&file.join("it")).unwrap_err();
        assert!(matches!(
            below,
            ProjectError::Exists(_) | ProjectError::Write { .. }
        ));
    }
}
