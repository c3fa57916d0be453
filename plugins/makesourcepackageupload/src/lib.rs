//! The makesourcepackageupload task: makes an upload of a source package.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::process::Command;
use taskbay_debian::{
    ControlFile, InOptionalEnvironment, Input, Meaning, SOURCES, changes_name, give_upload,
    in_words, is_success, option_with_path,
};
use taskbay_plugin_api::{
    Confinement, Context, Lookup, Metadata, Requirement, Task, TaskConfigError, TaskError,
    export_task, is_available,
};

/// What a makesourcepackageupload work request may say.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(example = json!({
    "input": {"source_artifact": "./hello_2.10-3.dsc"},
    "since_version": "2.10-1",
    "target_distribution": "bookworm-backports"
}))]
struct MakeSourcePackageUpload {
    /// What is uploaded.
    input: Source,
    /// The upload tells the changes of all versions after this one; without it, those of the newest.
    #[serde(default)]
    since_version: Option<String>,
    /// The distribution that the upload is for; without it, the one that the list of changes names.
    #[serde(default)]
    target_distribution: Option<String>,
    /// Where commands run.
    #[serde(flatten)]
    place: InOptionalEnvironment,
}

/// What is uploaded.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Source {
    /// The source package: an artifact of category `debian:source-package` or `debian:upload`.
    source_artifact: Lookup,
}

impl Task for MakeSourcePackageUpload {
    const NAME: &'static str = "makesourcepackageupload";
    const VERSION: u32 = 1;

    fn analyze_worker(_: &Metadata) -> Result<Metadata, TaskError> {
        let is_available = is_available("dpkg-source") && is_available("dpkg-genchanges");
        let mut found = Metadata::default();
        found.insert("makesourcepackageupload:available", is_available);
        Ok(found)
    }

    fn check(&self) -> Vec<TaskConfigError> {
        let is_version = |text: &str| {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "+-.~:".contains(c);
            text.starts_with(|c: char| c.is_ascii_digit()) && text.chars().all(is_plain)
        };
        // It becomes a line of the upload.
        let is_word = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic());
        let mut faults = Vec::new();
        if self
            .since_version
            .as_deref()
            .is_some_and(|text| !is_version(text))
        {
            let message = "is no version of a Debian package, as `1:2.10-3`";
            faults.push(TaskConfigError::new("/since_version", message));
        }
        if self
            .target_distribution
            .as_deref()
            .is_some_and(|text| !is_word(text))
        {
            let message = "is no name of a distribution, as `bookworm-backports`";
            faults.push(TaskConfigError::new("/target_distribution", message));
        }
        faults
    }

    fn requirements(&self) -> Vec<Requirement> {
        self.place.requirements(vec![
            Requirement::equals("makesourcepackageupload:available", true).because(
                "dpkg-source and dpkg-genchanges, of the package dpkg-dev, are not installed on the \
                 worker",
            ),
        ])
    }

    /// Strict on the worker itself; unpacking an environment takes privileges.
    fn confinement(&self) -> Confinement {
        self.place.confinement()
    }

    fn label(&self) -> Option<String> {
        let source = in_words(&self.input.source_artifact);
        Some(match &self.target_distribution {
            Some(distribution) => format!("make an upload of {source} to {distribution}"),
            None => format!("make an upload of {source}"),
        })
    }

    fn execute(&self, context: &Context) -> Result<bool, TaskError> {
        let executor = self.place.executor(context, &["dpkg-dev"])?;
        let source = ("/input/source_artifact", &self.input.source_artifact);
        let source = Input::fetch_for(&executor, source, SOURCES, "source")?;
        let dsc = source.dsc()?;
        let files = executor.directory("source")?;
        let changes = files.join(changes_name(&ControlFile::read(dsc)?, "source")?);

        let unpacked = executor.scratch("unpacked");
        let mut extract = Command::new("dpkg-source");
        extract.arg("-x").arg(dsc).arg(&unpacked);
        if !is_success("dpkg-source", executor.run(&extract)?, meaning)? {
            return Ok(false);
        }
        // It has to start in the unpacked source.
        let mut generate = Command::new("env");
        generate
            .arg(option_with_path("--chdir=", &unpacked))
            .args(["dpkg-genchanges", "-S", "-sa"])
            .arg(option_with_path("-u", &files));
        if let Some(version) = &self.since_version {
            generate.arg(format!("-v{version}"));
        }
        if let Some(distribution) = &self.target_distribution {
            generate.arg(format!("-DDistribution={distribution}"));
        }
        let status = executor.run_to_file(&generate, &changes)?;
        if !is_success("dpkg-genchanges", status, meaning)? {
            return Ok(false);
        }
        give_upload(context, &changes, &[source.id])?;
        Ok(true)
    }
}

/// What the status of dpkg's tools means: they have one for all that they cannot do.
fn meaning(code: i32) -> Meaning {
    match code {
        0 => Meaning::Success,
        _ => Meaning::Failure("the source package makes no upload"),
    }
}

export_task!(MakeSourcePackageUpload);

#[cfg(test)]
mod tests;
