//! The @NAME@ task: counts the lines of a text, with `wc`. Replace what it does, and keep the shape.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{fs, process::Command};
use taskbay_plugin_api::{
    Artifact, Confinement, Context, Metadata, Requirement, Task, TaskConfigError, TaskError,
    export_task, is_available, log, run_to_file,
};

/// What a @NAME@ work request may say. Its JSON Schema is made of this; `taskbay check` executes the example.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = json!({"text": "one\ntwo\n"}))]
struct @TYPE@ {
    /// The text.
    text: String,
    /// How many lines it may have; the task fails when it has more.
    #[serde(default = "many")]
    most_lines: u64,
}

fn many() -> u64 {
    100
}

/// The key that says of a worker whether it has the tool.
const AVAILABLE: &str = "@NAME@:available";

impl Task for @TYPE@ {
    const NAME: &'static str = "@NAME@";
    // Raise it when the same task data comes to mean something else.
    const VERSION: u32 = 1;

    // What this worker can do, under keys of the task's own.
    fn analyze_worker(_: &Metadata) -> Result<Metadata, TaskError> {
        let mut found = Metadata::default();
        found.insert(AVAILABLE, is_available("wc"));
        Ok(found)
    }

    // What the schema cannot say: all that is wrong, at once.
    fn check(&self) -> Vec<TaskConfigError> {
        if self.most_lines == 0 {
            return vec![TaskConfigError::new("/most_lines", "allows no text at all")];
        }
        Vec::new()
    }

    // What a worker must have; `because` tells the operator of one that has not.
    fn requirements(&self) -> Vec<Requirement> {
        vec![Requirement::equals(AVAILABLE, true).because("wc is not installed on the worker")]
    }

    // How little it needs: it can make, write and remove files in its work directory alone, where temporary files go too, and
    // neither it nor what it starts gains privileges. A tool that has to, as `newuidmap`, works with `Confinement::Limits`.
    fn confinement(&self) -> Confinement {
        Confinement::Strict
    }

    // The work, in a process and a directory of its own: true is success.
    fn execute(&self, context: &Context) -> Result<bool, TaskError> {
        // Inputs that others made come from `context.server().fetch(…)`.
        let text = context.work_directory().join("text");
        fs::write(&text, &self.text)?;
        let report = context.work_directory().join("lines.txt");
        let status = run_to_file(context, Command::new("wc").arg("-l").arg(&text), &report)?;
        if !status.success() {
            return Err(TaskError::new(format!("wc failed: {status}")));
        }
        let report_text = fs::read_to_string(&report)?;
        let lines = report_text.split_whitespace().next();
        let lines: u64 = lines
            .and_then(|lines| lines.parse().ok())
            .ok_or_else(|| TaskError::new(format!("wc says {report_text:?}")))?;
        log::info!("the text has {lines} lines");
        let category = format!("{}:report", Self::NAME);
        let found = json!({"lines": lines});
        let artifact = Artifact::new(&category, found, vec![report]);
        context.server().upload(artifact)?;
        Ok(lines <= self.most_lines)
    }
}

export_task!(@TYPE@);

#[cfg(test)]
mod tests;
