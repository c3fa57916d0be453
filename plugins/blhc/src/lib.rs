//! The blhc task: checks a build log for missing hardening flags.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{path::Path, process::Command};
use taskbay_debian::{InOptionalEnvironment, Meaning, in_words, is_success};
use taskbay_plugin_api::{
    Artifact, Confinement, Context, Lookup, Metadata, RelationKind, Requirement, Task, TaskError,
    export_task, is_available,
};

/// What a blhc work request may say.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(example = json!({"input": {"artifact": "./hello_2.10-3_amd64.build"}}))]
struct Blhc {
    /// What is checked.
    input: Input,
    /// Options for blhc besides `--debian`, which it always gets.
    #[serde(default)]
    extra_flags: Vec<Flag>,
    /// Where commands run.
    #[serde(flatten)]
    place: InOptionalEnvironment,
}

/// What is checked.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// The build log: an artifact of category `debian:package-build-log`.
    artifact: Lookup,
}

/// An option of blhc.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
enum Flag {
    /// Force the check for all hardening flags.
    #[serde(rename = "--all")]
    All,
    /// Force the check for immediate binding.
    #[serde(rename = "--bindnow")]
    Bindnow,
    /// Print tags as on Debian's build daemons, and find no fault with missing flags.
    #[serde(rename = "--buildd")]
    Buildd,
    /// Colour the output.
    #[serde(rename = "--color")]
    Color,
    /// Apply Debian's settings.
    #[serde(rename = "--debian")]
    Debian,
    /// Print the numbers of lines.
    #[serde(rename = "--line-numbers")]
    LineNumbers,
    /// Force the check for position independent executables.
    #[serde(rename = "--pie")]
    Pie,
}

impl Flag {
    fn as_str(self) -> &'static str {
        match self {
            Self::All => "--all",
            Self::Bindnow => "--bindnow",
            Self::Buildd => "--buildd",
            Self::Color => "--color",
            Self::Debian => "--debian",
            Self::LineNumbers => "--line-numbers",
            Self::Pie => "--pie",
        }
    }
}

impl Task for Blhc {
    const NAME: &'static str = "blhc";
    const VERSION: u32 = 1;

    fn analyze_worker(_: &Metadata) -> Result<Metadata, TaskError> {
        let mut found = Metadata::default();
        found.insert("blhc:available", is_available("blhc"));
        Ok(found)
    }

    fn requirements(&self) -> Vec<Requirement> {
        self.place.requirements(vec![
            Requirement::equals("blhc:available", true)
                .because("blhc is not installed on the worker"),
        ])
    }

    /// Strict on the worker itself; unpacking an environment takes privileges.
    fn confinement(&self) -> Confinement {
        self.place.confinement()
    }

    fn label(&self) -> Option<String> {
        Some(format!(
            "check the hardening in {}",
            in_words(&self.input.artifact)
        ))
    }

    fn execute(&self, context: &Context) -> Result<bool, TaskError> {
        let executor = self.place.executor(context, &["blhc"])?;
        let input = taskbay_debian::Input::fetch_for(
            &executor,
            ("/input/artifact", &self.input.artifact),
            &["debian:package-build-log"],
            "input",
        )?;
        let build_log = input.file("build")?;

        let report = executor.work_directory().join("blhc.txt");
        let status = executor.run_to_file(&self.command(build_log), &report)?;
        let success = is_success("blhc", status, meaning)?;

        let server = context.server();
        let log = &input.artifact.data;
        let data = json!({
            "source": log["source"], "version": log["version"], "architecture": log["architecture"],
        });
        let id = server.upload(Artifact::new("debian:blhc", data, vec![report]))?;
        server.relate_all(id, RelationKind::RelatesTo, [input.id])?;
        Ok(success)
    }
}

impl Blhc {
    fn command(&self, build_log: &Path) -> Command {
        let mut command = Command::new("blhc");
        command
            .arg("--debian")
            .args(self.extra_flags.iter().map(|flag| flag.as_str()))
            .arg(build_log);
        command
    }
}

/// The bits of blhc's status that say of a log what is wrong with it.
const FAULTS: i32 = 4 | 8 | 16 | 32;
/// Faults, in a log without compiler lines: alone, so that it is not taken for the number of an error.
const FAULTS_ALONE: i32 = 32 | 1;

/// What blhc's status means. A log without compiler lines, its status 1, has no faults.
fn meaning(code: i32) -> Meaning {
    match code {
        0 | 1 => Meaning::Success,
        code if code & !FAULTS == 0 || code == FAULTS_ALONE => {
            Meaning::Failure("the log has faults")
        }
        // Where it dies, as one that cannot read the log, it is another number.
        _ => Meaning::Error("check the log"),
    }
}

export_task!(Blhc);

#[cfg(test)]
mod tests;
