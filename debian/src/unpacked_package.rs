//! A binary package that has been unpacked.

use crate::{Executor, is_package_name, read_bounded};
use std::{
    path::{Path, PathBuf},
    process::Command,
};
use taskbay_plugin_api::{ArtifactId, TaskConfigError, TaskError};

/// More than any path or name has, in bytes.
const LIMIT: u64 = 64 << 10;

/// A binary package, unpacked where the commands of an executor run.
#[derive(Debug)]
pub struct UnpackedPackage {
    /// The artifact that it is of.
    pub artifact: ArtifactId,
    /// Its name.
    pub name: String,
    directory: PathBuf,
}

impl UnpackedPackage {
    /// The name of the package in `deb`, of an artifact that stands at `pointer` in the task data.
    ///
    /// # Errors
    ///
    /// When it is no package.
    pub fn name_in(
        executor: &Executor<'_>,
        pointer: &str,
        deb: &Path,
    ) -> Result<String, TaskError> {
        let mut ask = Command::new("dpkg-deb");
        ask.arg("--field").arg(deb).arg("Package");
        let answer = executor.work_directory().join("package-name");
        executor.must_to_file(&ask, &answer)?;
        let name = read_bounded(&answer, LIMIT)?.trim().to_owned();
        if is_package_name(&name) {
            return Ok(name);
        }
        let message = format!("is of a package with the name {name:?}, which is none");
        Err(TaskConfigError::new(pointer, message).into())
    }

    /// Unpacks the package of that artifact with that name, under a name of its own.
    ///
    /// # Errors
    ///
    /// When it is no package.
    pub fn unpack(
        executor: &Executor<'_>,
        (artifact, name, deb): (ArtifactId, String, &Path),
        own_name: &str,
    ) -> Result<Self, TaskError> {
        let directory = executor.scratch(&format!("unpacked-{own_name}"));
        let mut extract = Command::new("dpkg-deb");
        extract.arg("-x").arg(deb).arg(&directory);
        executor.must(&extract)?;
        Ok(Self {
            artifact,
            name,
            directory,
        })
    }

    /// Copies a file of it to `to`, in the work directory.
    ///
    /// # Errors
    ///
    /// When there is no regular file at that path, or a link leads out of the package.
    pub fn take(
        &self,
        executor: &Executor<'_>,
        path: &str,
        to: impl AsRef<Path>,
    ) -> Result<PathBuf, TaskError> {
        let file = self.find(executor, path, ("-f", "is no regular file"))?;
        let to = to.as_ref();
        let name = to.file_name().unwrap_or_default();
        let folder = executor.directory(to.parent().unwrap_or(Path::new("")))?;
        let copy = folder.join(name);
        let mut print = Command::new("cat");
        if !executor.run_to_file(print.arg(&file), &copy)?.success() {
            return Err(self.refused(path, "cannot be read"));
        }
        Ok(copy)
    }

    /// A directory of it, where the commands find it.
    ///
    /// # Errors
    ///
    /// When there is none at that path, or a link leads out of the package.
    pub fn directory(&self, executor: &Executor<'_>, path: &str) -> Result<PathBuf, TaskError> {
        self.find(executor, path, ("-d", "is no directory"))
    }

    /// What is at that path, of the kind that `test` calls so.
    fn find(
        &self,
        executor: &Executor<'_>,
        path: &str,
        (kind, is_none): (&str, &str),
    ) -> Result<PathBuf, TaskError> {
        let found = self.directory.join(path);
        // What is below the base is told without it, once all links on the way are followed.
        let mut follow = Command::new("realpath");
        follow.arg("--canonicalize-existing");
        follow
            .arg("--relative-base")
            .arg(&self.directory)
            .arg(&found);
        let real = executor.work_directory().join("real-path");
        if !executor.run_to_file(&follow, &real)?.success() {
            return Err(self.refused(path, "is not there"));
        }
        let real = read_bounded(&real, LIMIT)?;
        if Path::new(&real).is_absolute() {
            return Err(self.refused(path, "leads out of the package; do not trust it"));
        }
        let mut test = Command::new("test");
        if !executor.run(test.arg(kind).arg(&found))?.success() {
            return Err(self.refused(path, is_none));
        }
        Ok(found)
    }

    fn refused(&self, path: &str, why: &str) -> TaskError {
        let package = &self.name;
        TaskError::new(format!("`{path}` of the package `{package}` {why}"))
    }
}
