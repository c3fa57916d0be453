//! A system of its own, unpacked from a tarball, in which a task's commands run.

use crate::{
    EnvironmentTarball, run_with_room,
    unshare::{remove_tree, script, why_not_unshare},
};
use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};
use taskbay_plugin_api::{ArtifactId, Context, Lookup, TaskError, log, make_directory};

/// Variables of the worker that commands inside see too.
const PASSED_ON: [&str; 3] = ["http_proxy", "https_proxy", "no_proxy"];

/// A Debian system, unpacked in the work directory. It goes when this is dropped.
///
/// Its root is a user of this machine without any privilege, its processes see no others, and its files are its own. What
/// lies in [`share`](Self::share) has the same path inside, and cannot be changed there. The network is that of the
/// machine. A command that wants to leave sees of the machine what every user sees: it is no wall against an attacker.
#[derive(Debug)]
pub struct Environment {
    artifact: ArtifactId,
    /// Holds `tree`, and nobody else may look in.
    directory: PathBuf,
    /// As the work directory of commands, in which they may make files.
    context: Context,
}

impl Environment {
    /// Fetches the system that `lookup` names, and unpacks it. Where it says no architecture, it is `architecture`.
    ///
    /// # Errors
    ///
    /// When there is none, it is no tarball, or cannot be unpacked here.
    pub fn unpack(
        context: &Context,
        lookup: &Lookup,
        architecture: Option<&str>,
    ) -> Result<Self, TaskError> {
        if let Some(why) = why_not_unshare() {
            return Err(TaskError::new(format!(
                "cannot use the environment `{lookup}`: {why}"
            )));
        }
        let directory = make_directory(context, "environment")?;
        let tree = make_directory(context, "environment/tree")?;
        let share = make_directory(context, "environment/tree/share")?;
        let fetched = make_directory(context, "environment/tree/fetched")?;
        for (path, mode) in [
            (&directory, 0o700),
            (&tree, 0o777),
            // Whatever mask the worker has: the root inside is another user.
            (&share, 0o755),
            (&fetched, 0o755),
        ] {
            set_mode(path, mode)?;
        }
        let tarball = EnvironmentTarball::fetch(context, lookup, architecture, &fetched)?;
        let environment = Self {
            artifact: tarball.artifact(),
            directory,
            context: Context::new(tree, context.abort().clone()),
        };
        environment.unpack_tarball(tarball.file())?;
        fs::remove_dir_all(&fetched).ok();
        Ok(environment)
    }

    /// The artifact that it was unpacked from.
    pub fn artifact(&self) -> ArtifactId {
        self.artifact
    }

    /// The directory whose files have the same paths inside.
    pub fn share(&self) -> PathBuf {
        self.context.work_directory().join("share")
    }

    /// The context in which the commands run that [`command`](Self::command) makes.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// That command, as root inside. Of the variables only those are set that it sets itself.
    pub fn command(&self, inside: &Command) -> Command {
        let mut command = script(include_str!("enter.sh"));
        command.arg(self.context.work_directory());
        command.args([
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME=/root",
            "LC_ALL=C.UTF-8",
            "DEBIAN_FRONTEND=noninteractive",
        ]);
        for name in PASSED_ON {
            if let Ok(value) = std::env::var(name) {
                command.arg(format!("{name}={value}"));
            }
        }
        for (name, value) in inside.get_envs() {
            let mut assignment = name.to_owned();
            assignment.push("=");
            assignment.push(value.unwrap_or_default());
            command.arg(assignment);
        }
        command.arg(inside.get_program()).args(inside.get_args());
        command
    }

    /// Installs packages, as its own lists of sources have them.
    ///
    /// # Errors
    ///
    /// When they cannot be had.
    pub fn install(&self, packages: &[&str]) -> Result<(), TaskError> {
        let mut update = Command::new("apt-get");
        self.must(
            update.args(["update", "--error-on=any"]),
            "cannot read its package lists",
        )?;
        let mut install = Command::new("apt-get");
        install.args(["install", "--yes", "--no-install-recommends"]);
        let what = format!("cannot install {}", packages.join(", "));
        self.must(install.args(packages), &what)
    }

    fn must(&self, inside: &Command, failed: &str) -> Result<(), TaskError> {
        let status = run_with_room(&self.context, &mut self.command(inside), [None, None])?;
        if status.success() {
            return Ok(());
        }
        Err(TaskError::new(format!(
            "the environment {failed}: {} ended with {status}; the log has its message",
            inside.get_program().display()
        )))
    }

    fn unpack_tarball(&self, tarball: &Path) -> Result<(), TaskError> {
        let name = tarball.file_name().unwrap_or_default();
        let mut unpack = script(include_str!("unpack.sh"));
        unpack.arg(Path::new("fetched").join(name));
        let status = run_with_room(&self.context, &mut unpack, [None, None])?;
        if status.success() {
            return Ok(());
        }
        Err(TaskError::new(format!(
            "cannot unpack the environment {}: the command ended with {status}; the log has its message",
            name.display()
        )))
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        if let Err(error) = remove_tree(&self.directory) {
            log::warn!(
                "cannot remove the environment {}: {error}",
                self.directory.display()
            );
        }
    }
}

pub(crate) fn set_mode(path: &Path, mode: u32) -> Result<(), TaskError> {
    fs::set_permissions(path, Permissions::from_mode(mode)).map_err(|error| {
        TaskError::new(format!(
            "cannot set the mode of {}: {error}",
            path.display()
        ))
    })
}

#[cfg(test)]
mod tests;
