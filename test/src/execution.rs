//! Executes a task, in process.

use crate::{FakeServer, LogLine, logs::captured};
use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};
use taskbay_plugin_api::{Abort, Artifact, Context, Task, TaskError};
use tempfile::TempDir;

/// An execution, and all that is left of it.
#[derive(Debug)]
pub struct Execution {
    /// What it came to.
    pub result: Result<bool, TaskError>,
    /// The server, with what was uploaded.
    pub server: Arc<FakeServer>,
    /// The work directory, with all that the task wrote.
    pub work: TempDir,
    /// What the task logged, in order.
    pub logs: Vec<LogLine>,
}

impl Execution {
    /// Whether it was a success; an error fails the test.
    #[track_caller]
    pub fn is_success(&self) -> bool {
        match &self.result {
            Ok(success) => *success,
            Err(error) => panic!("{error:?}"),
        }
    }

    /// Whether the task, or a command that it called, logged something with that in it.
    pub fn has_logged(&self, text: &str) -> bool {
        self.logs.iter().any(|line| line.message.contains(text))
    }

    /// Fails the test where nothing with that in it was logged, and shows what was.
    #[track_caller]
    pub fn assert_logged(&self, text: &str) {
        assert!(self.has_logged(text), "no {text:?} in {:#?}", self.logs);
    }

    /// The one artifact that it uploaded.
    #[track_caller]
    pub fn upload(&self) -> Artifact {
        let uploads = self.server.uploads();
        match &uploads[..] {
            [upload] => upload.clone(),
            uploads => panic!("not one upload: {uploads:#?}"),
        }
    }

    /// The message of the error that it ended with.
    #[track_caller]
    pub fn error(&self) -> String {
        match &self.result {
            Err(error) => error.message(),
            Ok(success) => panic!("no error: {success}"),
        }
    }

    /// The fault in the task data that it ended with.
    #[track_caller]
    pub fn config_fault(&self) -> String {
        match &self.result {
            Err(TaskError::Config(error)) => error.to_string(),
            other => panic!("{other:?}"),
        }
    }
}

/// Executes a task where these artifacts are 1, 2, …
pub fn execute(task: &impl Task, artifacts: Vec<Artifact>) -> Execution {
    execution(artifacts, |context| task.execute(context))
}

/// Executes with a server that has these artifacts, in a work directory of its own.
pub(crate) fn execution(
    artifacts: Vec<Artifact>,
    execute: impl FnOnce(&Context) -> Result<bool, TaskError>,
) -> Execution {
    let server = Arc::new(FakeServer::new(artifacts));
    let work = TempDir::new().unwrap();
    let context = Context::new(work.path(), Abort::new()).with_server(server.clone());
    let (result, logs) = captured(|| execute(&context));
    Execution {
        result,
        server,
        work,
        logs,
    }
}

/// An empty file of that name in a directory.
pub fn empty_file(directory: &Path, name: &str) -> PathBuf {
    text_file(directory, name, "")
}

/// A file of that name in a directory, with a text.
pub fn text_file(directory: &Path, name: &str, text: &str) -> PathBuf {
    let file = directory.join(name);
    fs::write(&file, text).unwrap();
    file
}

/// The names that an artifact's files have in it.
pub fn names_in(artifact: &Artifact) -> Vec<String> {
    let names = artifact.files.iter().map(|file| artifact.name(file));
    names
        .map(|name| name.unwrap().display().to_string())
        .collect()
}

/// The words that a command is called with, besides its own name.
pub fn words_of(command: &Command) -> Vec<String> {
    let words = command.get_args();
    words
        .map(|word| word.to_str().unwrap().to_owned())
        .collect()
}

/// An artifact of that category, with these files and no data.
pub fn artifact(category: &str, files: Vec<PathBuf>) -> Artifact {
    Artifact::new(category, json!({}), files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use taskbay_plugin_api::{run, run_to_file};

    #[test]
    fn what_commands_say_is_heard() {
        let execution = execution(Vec::new(), |context| {
            let script = ["-c", "echo to stdout; echo to stderr >&2"];
            run(context, Command::new("sh").args(script))?;
            let output = context.work_directory().join("output");
            let status = run_to_file(context, Command::new("sh").args(script), &output)?;
            Ok(status.success())
        });
        assert!(execution.is_success());
        execution.assert_logged("to stdout");
        let heard = |text: &str| {
            let lines = execution.logs.iter();
            lines.filter(|line| line.message == text).count()
        };
        assert_eq!((heard("to stdout"), heard("to stderr")), (1, 2));
    }
}
