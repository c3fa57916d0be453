//! The shellcheck task: finds mistakes in a shell script, with `shellcheck`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{fs, process::Command};
use taskbay_plugin_api::{
    Artifact, Context, Metadata, Requirement, Task, TaskError, export_task, is_available, log,
    run_to_file,
};

/// What a shellcheck work request may say.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = json!({"script": "#!/bin/sh\necho hello\n"}))]
struct ShellcheckTask {
    /// The script.
    script: String,
    /// The least severity of what counts.
    #[serde(default)]
    severity: Severity,
}

/// How bad a mistake is.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Severity {
    /// It cannot work.
    Error,
    /// It may not do what was meant.
    Warning,
    /// It could be better.
    Info,
    /// It could be nicer.
    #[default]
    Style,
}

impl Task for ShellcheckTask {
    const NAME: &'static str = "shellcheck";
    const VERSION: u32 = 1;

    fn analyze_worker(_: &Metadata) -> Result<Metadata, TaskError> {
        let mut found = Metadata::default();
        found.insert("shellcheck:available", is_available("shellcheck"));
        Ok(found)
    }

    fn requirements(&self) -> Vec<Requirement> {
        vec![
            Requirement::equals("shellcheck:available", true)
                .because("shellcheck is not installed on the worker"),
        ]
    }

    fn execute(&self, context: &Context) -> Result<bool, TaskError> {
        let script = context.work_directory().join("script");
        fs::write(&script, &self.script)?;
        let report = context.work_directory().join("shellcheck.json");
        let severity = serde_json::to_value(self.severity)?;
        let mut command = Command::new("shellcheck");
        command
            .arg("--format=json1")
            .arg(format!(
                "--severity={}",
                severity.as_str().unwrap_or("style")
            ))
            .arg(&script);
        let status = run_to_file(context, &mut command, &report)?;
        // 1 is for mistakes in the script, what is above for those of the call.
        let success = match status.code() {
            Some(0) => true,
            Some(1) => false,
            _ => return Err(TaskError::new(format!("shellcheck failed: {status}"))),
        };
        log::info!("mistakes: {}", !success);
        let artifact = Artifact::new(
            "shellcheck:report",
            json!({"success": success}),
            vec![report],
        );
        context.server().upload(artifact)?;
        Ok(success)
    }
}

export_task!(ShellcheckTask);

#[cfg(test)]
mod tests;
