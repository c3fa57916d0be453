//! The debdiff task: compares two source packages, or the binary packages of two builds.

mod flag;
mod input;

mod side;

mod subject;

mod comparison;

use comparison::Comparison;
use flag::Flag;
use input::Input;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use side::Side;
use std::{collections::BTreeSet, process::Command};
use subject::Subject;
use taskbay_debian::{InOptionalEnvironment, Meaning, is_success};
use taskbay_plugin_api::{
    Artifact, Confinement, Context, Metadata, RelationKind, Requirement, Task, TaskConfigError,
    TaskError, export_task, is_available,
};

/// What a debdiff work request may say.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(example = json!({"input": {"source_artifacts": ["./hello_2.10-2.dsc", "./hello_2.10-3.dsc"]}}))]
struct Debdiff {
    /// What is compared.
    input: Input,
    /// Options for debdiff.
    #[serde(default)]
    extra_flags: Vec<Flag>,
    /// Where commands run.
    #[serde(flatten)]
    place: InOptionalEnvironment,
    /// The architecture that the worker must be able to build for, as it was called before `build_architecture`.
    #[serde(default)]
    host_architecture: Option<String>,
}

impl Task for Debdiff {
    const NAME: &'static str = "debdiff";
    const VERSION: u32 = 1;

    fn analyze_worker(_: &Metadata) -> Result<Metadata, TaskError> {
        let mut found = Metadata::default();
        found.insert("debdiff:available", is_available("debdiff"));
        for tool in Flag::TOOLS {
            found.insert(&format!("debdiff:{tool}"), is_available(tool));
        }
        Ok(found)
    }

    fn check(&self) -> Vec<TaskConfigError> {
        let mut faults = self.input.sides().err().unwrap_or_default();
        faults.extend(self.place.conflict(self.host_architecture.as_ref()));
        faults
    }

    fn requirements(&self) -> Vec<Requirement> {
        let mut requirements = vec![
            Requirement::equals("debdiff:available", true)
                .because("debdiff, of the package devscripts, is not installed on the worker"),
        ];
        // Without its tool, debdiff leaves such an option out, and says so only in the log.
        let tools: BTreeSet<_> = self
            .extra_flags
            .iter()
            .filter_map(|flag| flag.tool())
            .collect();
        requirements.extend(tools.into_iter().map(|tool| {
            Requirement::equals(&format!("debdiff:{tool}"), true).because(format!(
                "{tool}, which an option in `extra_flags` needs, is not installed on the worker"
            ))
        }));
        self.place.requirements(requirements)
    }

    /// Strict on the worker itself; unpacking an environment takes privileges.
    fn confinement(&self) -> Confinement {
        self.place.confinement()
    }

    fn label(&self) -> Option<String> {
        let sides = self.input.sides().ok()?;
        let (original, new) = (sides.original.in_words(), sides.new.in_words());
        Some(format!("compare {original} with {new}"))
    }

    fn execute(&self, context: &Context) -> Result<bool, TaskError> {
        let sides = self.input.sides().map_err(|faults| {
            let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
            TaskError::new(faults.join("; "))
        })?;
        let executor = self.place.executor_with(
            self.host_architecture.as_ref(),
            context,
            &["devscripts", "diffstat", "wdiff"],
        )?;
        let original = Side::fetch(&executor, sides.kind, 0, sides.original)?;
        let new = Side::fetch(&executor, sides.kind, 1, sides.new)?;
        let comparison = Comparison::of(sides.kind, &original, &new)?;

        let report = executor.work_directory().join("debdiff.txt");
        let mut command = Command::new("debdiff");
        command
            // Farms compare alike whatever a worker's `devscripts.conf` says. It must be the first option.
            .arg("--no-conf")
            .args(self.extra_flags.iter().map(|flag| flag.as_str()))
            .args(comparison.arguments());
        let status = executor.run_to_file(&command, &report)?;
        let success = is_success("debdiff", status, meaning)?;

        let subject = Subject::of(sides.kind, &original.fetched(), &new.fetched());
        let architecture = self.place.architecture(self.host_architecture.as_ref());
        let label = subject.map(|subject| subject.label(architecture));
        let server = context.server();
        let artifact = server.upload(Artifact::new(
            "debian:debdiff",
            comparison.data(label.as_deref()),
            vec![report],
        ))?;
        let targets = original.artifacts().chain(new.artifacts());
        server.relate_all(artifact, RelationKind::RelatesTo, targets)?;
        Ok(success)
    }
}

/// What debdiff's status means; 1 says that there are differences.
fn meaning(code: i32) -> Meaning {
    match code {
        0 | 1 => Meaning::Success,
        _ => Meaning::Error("compare"),
    }
}

export_task!(Debdiff);

#[cfg(test)]
mod tests;
