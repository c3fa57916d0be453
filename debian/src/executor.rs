//! Where a task's commands run: in an environment, or on the worker itself.

use crate::{Environment, environment::set_mode, room::run_package, run_with_room};
use std::{
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
};
use taskbay_plugin_api::{
    Artifact, ArtifactId, Backend, Confinement, Context, Lookup, TaskError, make_directory,
};

/// What a command in an environment ends with that was not started there: by `enter.sh`, and by `env`.
const NOT_STARTED: std::ops::RangeInclusive<i32> = 125..=127;

/// Runs a task's commands where its data says.
///
/// The same paths name the same files in both places, as long as they lie in a [`directory`](Self::directory) of this.
#[derive(Debug)]
pub struct Executor<'a> {
    pub(crate) context: &'a Context,
    environment: Option<Environment>,
}

impl<'a> Executor<'a> {
    /// Unpacks the environment, where there is one, and installs these packages in it.
    ///
    /// # Errors
    ///
    /// When it cannot be had, or used here, or another backend than `unshare` shall run commands.
    pub fn new(
        context: &'a Context,
        (environment, backend): (Option<&Lookup>, Backend),
        architecture: Option<&str>,
        packages: &[&str],
    ) -> Result<Self, TaskError> {
        let environment = match environment {
            Some(lookup) => {
                refuse_unknown(backend)?;
                Some(Environment::unpack(context, lookup, architecture)?)
            }
            None => None,
        };
        if let Some(environment) = &environment {
            environment.install(packages)?;
        }
        Ok(Self::within(context, environment))
    }

    /// Runs commands in that environment, where there is one.
    pub(crate) fn within(context: &'a Context, environment: Option<Environment>) -> Self {
        Self {
            context,
            environment,
        }
    }

    /// How little of the machine it takes to run commands there: an environment is unpacked, and entered, with the
    /// privileges that `newuidmap` has.
    pub fn confinement(environment: Option<&Lookup>) -> Confinement {
        match environment {
            Some(_) => Confinement::Limits,
            None => Confinement::Strict,
        }
    }

    /// The directory in which commands start. Those in an environment cannot change it.
    pub fn work_directory(&self) -> PathBuf {
        match &self.environment {
            Some(environment) => environment.share(),
            None => self.context.work_directory().to_owned(),
        }
    }

    /// A directory in [`work_directory`](Self::work_directory), made where it is missing. Commands can look into it.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub fn directory(&self, name: impl AsRef<Path>) -> Result<PathBuf, TaskError> {
        let top = self.work_directory();
        let directory = make_directory(self.context, top.join(name))?;
        if self.environment.is_some() {
            for folder in directory
                .ancestors()
                .take_while(|folder| folder.starts_with(&top) && *folder != top)
            {
                set_mode(folder, 0o755)?;
            }
        }
        Ok(directory)
    }

    /// A path at which commands can make something, where nothing is yet. In an environment it is inside alone.
    pub fn scratch(&self, name: &str) -> PathBuf {
        match &self.environment {
            Some(_) => Path::new("/tmp").join(name),
            None => self.context.work_directory().join(name),
        }
    }

    /// Fetches an artifact into such a directory, so that commands can read it.
    ///
    /// # Errors
    ///
    /// When the server has none, or the directory cannot be made.
    pub fn fetch(
        &self,
        lookup: &Lookup,
        name: impl AsRef<Path>,
    ) -> Result<(ArtifactId, Artifact), TaskError> {
        let fetched = self
            .context
            .server()
            .fetch(lookup, &self.directory(name)?)?;
        if self.environment.is_some() {
            for file in &fetched.1.files {
                set_mode(file, 0o644)?;
            }
            for folder in folders(&fetched.1) {
                set_mode(&folder, 0o755)?;
            }
        }
        Ok(fetched)
    }

    /// The environment's artifact, where there is one.
    pub fn artifact(&self) -> Option<ArtifactId> {
        self.environment.as_ref().map(Environment::artifact)
    }

    /// Runs `command` to its end, with all that it prints logged. It is given by what it shall be called with; where and
    /// how is decided here.
    ///
    /// # Errors
    ///
    /// When it cannot be started, the attempt was aborted, or it failed where there was no room on the disk.
    pub fn run(&self, command: &Command) -> Result<ExitStatus, TaskError> {
        self.run_in_place(command, [None, None])
    }

    /// Runs `command` as [`run`](Self::run) does, where what it prints may be what packages print that it tests. That is in a
    /// file, too.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run), and when the file cannot be written.
    pub fn run_tested(&self, command: &Command, output: &Path) -> Result<ExitStatus, TaskError> {
        let (context, mut placed) = self.place(command);
        self.started(command, run_package(context, &mut placed, output)?)
    }

    /// Runs `command` as [`run`](Self::run) does, with its standard output in a file.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run), and when the file cannot be made.
    pub fn run_to_file(&self, command: &Command, output: &Path) -> Result<ExitStatus, TaskError> {
        self.run_in_place(command, [Some(output), None])
    }

    /// Runs `command` as [`run_to_file`](Self::run_to_file) does, with its standard error in a file besides the log.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run), and when a file cannot be made.
    pub fn run_to_files(
        &self,
        command: &Command,
        output: &Path,
        errors: &Path,
    ) -> Result<ExitStatus, TaskError> {
        self.run_in_place(command, [Some(output), Some(errors)])
    }

    fn run_in_place(
        &self,
        command: &Command,
        files: [Option<&Path>; 2],
    ) -> Result<ExitStatus, TaskError> {
        let (context, mut placed) = self.place(command);
        self.started(command, run_with_room(context, &mut placed, files)?)
    }

    /// That status, where the command was started.
    fn started(&self, command: &Command, status: ExitStatus) -> Result<ExitStatus, TaskError> {
        let has_started = !status
            .code()
            .is_some_and(|code| NOT_STARTED.contains(&code));
        if self.environment.is_none() || has_started {
            return Ok(status);
        }
        Err(TaskError::new(format!(
            "the environment cannot run `{}`: {status}; the log has its message",
            command.get_program().display()
        )))
    }

    /// Runs a command that has to succeed.
    ///
    /// # Errors
    ///
    /// When it does not, and as [`run`](Self::run).
    pub fn must(&self, command: &Command) -> Result<(), TaskError> {
        check(command, self.run(command)?)
    }

    /// Runs a command that has to succeed, with its standard output in a file.
    ///
    /// # Errors
    ///
    /// When it does not, and as [`run_to_file`](Self::run_to_file).
    pub fn must_to_file(&self, command: &Command, output: &Path) -> Result<(), TaskError> {
        check(command, self.run_to_file(command, output)?)
    }

    fn place(&self, command: &Command) -> (&Context, Command) {
        if let Some(environment) = &self.environment {
            return (environment.context(), environment.command(command));
        }
        let mut here = Command::new(command.get_program());
        here.args(command.get_args());
        // What it unpacks goes when the work directory goes, also when it is killed.
        here.env("TMPDIR", self.context.work_directory());
        here.env("LC_ALL", "C.UTF-8");
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => here.env(name, value),
                None => here.env_remove(name),
            };
        }
        (self.context, here)
    }
}

/// Refuses a backend that no command is run by. A worker does not offer one, but an administrator may say that it does.
pub(crate) fn refuse_unknown(backend: Backend) -> Result<(), TaskError> {
    match backend {
        Backend::Auto | Backend::Unshare => Ok(()),
        Backend::IncusLxc | Backend::IncusVm | Backend::Qemu => {
            let name = backend.name();
            Err(TaskError::new(format!(
                "tasks run commands in an environment with `unshare` alone; ask for that or for `auto`, and set no \
                 `executor:{name}:available` on the worker"
            )))
        }
    }
}

fn check(command: &Command, status: ExitStatus) -> Result<(), TaskError> {
    if status.success() {
        return Ok(());
    }
    let tool = command.get_program().display();
    Err(TaskError::new(format!(
        "{tool} ended with {status}; the log has its message"
    )))
}

/// The folders between the root of a fetched artifact and its files.
fn folders(artifact: &Artifact) -> Vec<PathBuf> {
    let root = artifact.root.as_deref();
    let mut folders = Vec::new();
    for file in &artifact.files {
        let above = file.ancestors().skip(1);
        let inside = above.take_while(|folder| {
            root.is_some_and(|root| *folder != root && folder.starts_with(root))
        });
        folders.extend(inside.map(Path::to_owned));
    }
    folders.sort();
    folders.dedup();
    folders
}

#[cfg(test)]
mod tests {
    use super::*;
    use taskbay_plugin_api::Abort;

    #[test]
    fn another_backend_than_unshare_is_refused_before_anything_is_fetched() {
        let top = tempfile::tempdir().unwrap();
        let context = Context::new(top.path(), Abort::new());
        let environment: Lookup = serde_json::from_str("1").unwrap();
        let with = |environment, backend| {
            let executor = Executor::new(&context, (environment, backend), None, &[]);
            executor.map(drop).map_err(|error| error.message())
        };
        for backend in [Backend::IncusLxc, Backend::IncusVm, Backend::Qemu] {
            let message = with(Some(&environment), backend).unwrap_err();
            assert!(message.contains("with `unshare` alone"), "{message}");
            with(None, backend).unwrap();
        }
        let message = with(Some(&environment), Backend::Auto).unwrap_err();
        assert!(!message.contains("unshare"), "{message}");
    }
}
