//! A binary package that has been unpacked.

use crate::files_json::is_package_name;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
};
use taskbay_debian::{Executor, Input};
use taskbay_plugin_api::{ArtifactId, Lookup, TaskConfigError, TaskError};

/// A binary package, unpacked where the commands of an executor run.
#[derive(Debug)]
pub(crate) struct Tree {
    /// The artifact that it is of.
    pub(crate) artifact: ArtifactId,
    /// Its name.
    pub(crate) package: String,
    directory: PathBuf,
}

impl Tree {
    /// Fetches the artifact that stands at `pointer` in the task data, and unpacks its package.
    pub(crate) fn unpack(
        executor: &Executor<'_>,
        pointer: &str,
        lookup: &Lookup,
        name: &str,
    ) -> Result<Self, TaskError> {
        let source = (pointer, lookup);
        let input = Input::fetch_for(executor, source, &["debian:binary-package"], name)?;
        let packages = input.packages()?;
        let [deb] = packages[..] else {
            let message = format!("has {} packages, and must have one", packages.len());
            return Err(TaskConfigError::new(pointer, message).into());
        };
        let mut ask = Command::new("dpkg-deb");
        ask.arg("--field").arg(deb).arg("Package");
        let answer = executor.work_directory().join(format!("{name}.name"));
        must(&ask, executor.run_to_file(&ask, &answer)?)?;
        let package = String::from_utf8_lossy(&fs::read(answer)?)
            .trim()
            .to_owned();
        if !is_package_name(&package) {
            let message = format!("is of a package with the name {package:?}, which is none");
            return Err(TaskConfigError::new(pointer, message).into());
        }
        let directory = executor.scratch(&format!("unpacked-{name}"));
        let mut extract = Command::new("dpkg-deb");
        extract.arg("-x").arg(deb).arg(&directory);
        must(&extract, executor.run(&extract)?)?;
        Ok(Self {
            artifact: input.id,
            package,
            directory,
        })
    }

    /// Copies a file of it into that directory, in the work directory.
    pub(crate) fn take(
        &self,
        executor: &Executor<'_>,
        path: &str,
        to: &str,
    ) -> Result<PathBuf, TaskError> {
        let to = executor.directory(to)?;
        let file = self.directory.join(path);
        let refused = |why| {
            let package = &self.package;
            TaskError::new(format!("`{path}` of the package `{package}` {why}"))
        };
        // What is below the base is told without it, once all links on the way are followed.
        let mut follow = Command::new("realpath");
        follow.arg("--canonicalize-existing");
        follow
            .arg("--relative-base")
            .arg(&self.directory)
            .arg(&file);
        let real = executor.work_directory().join("real-path");
        if !executor.run_to_file(&follow, &real)?.success() {
            return Err(refused("is not there"));
        }
        let real = String::from_utf8_lossy(&fs::read(real)?).into_owned();
        if Path::new(&real).is_absolute() {
            return Err(refused("leads out of the package; do not trust it"));
        }
        let mut test = Command::new("test");
        if !executor.run(test.arg("-f").arg(&file))?.success() {
            return Err(refused("is no regular file"));
        }
        let copy = to.join(Path::new(path).file_name().unwrap_or_default());
        let mut print = Command::new("cat");
        if !executor.run_to_file(print.arg(&file), &copy)?.success() {
            return Err(refused("cannot be read"));
        }
        Ok(copy)
    }
}

/// Whether a command that has to succeed did.
fn must(command: &Command, status: ExitStatus) -> Result<(), TaskError> {
    if status.success() {
        return Ok(());
    }
    let tool = command.get_program().display();
    Err(TaskError::new(format!(
        "{tool} ended with {status}; the log has its message"
    )))
}
