//! The mmdebstrap task: makes the tarball of a Debian system, in which other tasks run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{path::Path, process::Command};
use taskbay_debian::{
    Bootstrap, BootstrapOptions, BootstrapRepository, EnvironmentLookup, PreparedBootstrap,
    open_tmp,
};
use taskbay_plugin_api::{
    Artifact, Confinement, Context, Metadata, Requirement, Task, TaskConfigError, TaskError,
    export_task, is_available,
};

/// What mmdebstrap makes.
const TARBALL: &str = "system.tar.xz";

/// What an mmdebstrap work request may say.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = json!({
    "bootstrap_options": {"architecture": "amd64", "variant": "buildd"},
    "bootstrap_repositories": [{"mirror": "http://mirror.example.org/debian", "suite": "bookworm"}]
}))]
struct Mmdebstrap {
    /// What kind of system is made.
    bootstrap_options: BootstrapOptions,
    /// Where its packages come from. The first one is what it is named after.
    #[schemars(length(min = 1))]
    bootstrap_repositories: Vec<BootstrapRepository>,
    /// A script that runs as root in the system once all packages are installed.
    #[serde(default)]
    customization_script: Option<String>,
    /// Kept for the server; the task itself ignores it.
    #[serde(default)]
    task_configuration: Option<Value>,
}

impl Task for Mmdebstrap {
    const NAME: &'static str = "mmdebstrap";
    const VERSION: u32 = 1;

    fn analyze_worker(_: &Metadata) -> Result<Metadata, TaskError> {
        let mut found = Metadata::default();
        found.insert("mmdebstrap:available", is_available("mmdebstrap"));
        Ok(found)
    }

    fn check(&self) -> Vec<TaskConfigError> {
        self.bootstrap().faults()
    }

    fn requirements(&self) -> Vec<Requirement> {
        let mut requirements = vec![
            Requirement::equals("mmdebstrap:available", true)
                .because("mmdebstrap is not installed on the worker"),
        ];
        requirements.extend(self.bootstrap().requirements());
        requirements
    }

    /// Limits alone: the system is unpacked as other users, which takes privileges.
    fn confinement(&self) -> Confinement {
        Confinement::Limits
    }

    fn label(&self) -> Option<String> {
        let suite = self.bootstrap_repositories.first()?.suite();
        let architecture = &self.bootstrap_options.architecture;
        Some(format!("bootstrap {suite} for {architecture}"))
    }

    fn execute(&self, context: &Context) -> Result<bool, TaskError> {
        let tmp = open_tmp(context)?;
        let system = self.bootstrap().prepare(context, &tmp)?;
        if !system.make(context, "mmdebstrap", &mut self.command(&system, &tmp))? {
            return Ok(false);
        }
        let data = system.describe(context, TARBALL)?;
        let tarball = context.work_directory().join(TARBALL);
        let system = Artifact::new(EnvironmentLookup::CATEGORY, data, vec![tarball]);
        context.server().upload(system)?;
        Ok(true)
    }
}

impl Mmdebstrap {
    fn bootstrap(&self) -> Bootstrap<'_> {
        Bootstrap {
            options: &self.bootstrap_options,
            repositories: &self.bootstrap_repositories,
            customization_script: self.customization_script.as_deref(),
        }
    }

    /// The command. The system lies in `tmp` until it is packed.
    fn command(&self, system: &PreparedBootstrap<'_>, tmp: &Path) -> Command {
        let mut command = Command::new("mmdebstrap");
        command
            .env("LC_ALL", "C.UTF-8")
            .env("TMPDIR", tmp)
            // It is unpacked soon and often; better compression takes minutes and saves a tenth.
            .env("XZ_DEFAULTS", "-1")
            .args(["--mode=unshare", "--format=tar", "--verbose"])
            .arg(format!(
                "--architectures={}",
                self.bootstrap_options.architecture
            ))
            .args(system.mmdebstrap_options())
            .args(["", TARBALL, ""])
            .arg(system.sources());
        command
    }
}

export_task!(Mmdebstrap);

#[cfg(test)]
mod tests;
