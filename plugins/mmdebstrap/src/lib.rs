//! The mmdebstrap task: makes the tarball of a Debian system, in which other tasks run.

mod repository;
mod system;

mod bootstrap;

use bootstrap::Bootstrap;
use repository::Repository;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{fs, path::Path};
use taskbay_debian::{EnvironmentLookup, exit_code, open_tmp};
use taskbay_plugin_api::{
    Artifact, Context, Metadata, Requirement, Task, TaskConfigError, TaskError, export_task,
    is_available, log, run,
};

/// What an mmdebstrap work request may say.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = json!({
    "bootstrap_options": {"architecture": "amd64", "variant": "buildd"},
    "bootstrap_repositories": [{"mirror": "http://mirror.example.org/debian", "suite": "bookworm"}]
}))]
struct Mmdebstrap {
    /// What kind of system is made.
    bootstrap_options: Options,
    /// Where its packages come from. The first one is what it is named after.
    #[schemars(length(min = 1))]
    bootstrap_repositories: Vec<Repository>,
    /// A script that runs as root in the system once all packages are installed.
    #[serde(default)]
    customization_script: Option<String>,
    /// Kept for the server; the task itself ignores it.
    #[serde(default)]
    task_configuration: Option<Value>,
}

/// What kind of system is made.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Options {
    /// Its architecture.
    architecture: String,
    /// Which packages it has; as debootstrap chooses them where this is not given.
    #[serde(default)]
    variant: Option<Variant>,
    /// Further packages.
    #[serde(default)]
    extra_packages: Vec<String>,
    /// Whether its own sources say which keys sign them, where these are `external`.
    #[serde(default = "yes")]
    use_signed_by: bool,
    /// What apt shall call to verify signatures.
    #[serde(default)]
    gpgv_command: Option<String>,
}

/// Which packages a system has, in mmdebstrap's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Variant {
    /// Nothing but what is asked for.
    Custom,
    /// Extracted packages, none of them configured.
    Extract,
    /// Essential packages.
    Essential,
    /// Essential packages and apt.
    Apt,
    /// Required packages and apt.
    Required,
    /// The same as `required`.
    Minbase,
    /// Required packages, apt and build-essential.
    Buildd,
    /// Important packages.
    Important,
    /// The same as `important`.
    Debootstrap,
    /// The same as `important`.
    #[serde(rename = "-")]
    Dash,
    /// Standard packages.
    Standard,
}

fn yes() -> bool {
    true
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
        let mut faults = Vec::new();
        for (number, repository) in self.bootstrap_repositories.iter().enumerate() {
            faults.extend(repository.faults(number));
        }
        let is_name = |name: &str| {
            !name.is_empty()
                && name
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "+-.:=~/".contains(c))
        };
        let options = &self.bootstrap_options;
        if !is_name(&options.architecture) {
            let message = "is no name of an architecture, as `amd64`";
            faults.push(TaskConfigError::new(
                "/bootstrap_options/architecture",
                message,
            ));
        }
        for (number, package) in options.extra_packages.iter().enumerate() {
            if !is_name(package) {
                let pointer = format!("/bootstrap_options/extra_packages/{number}");
                faults.push(TaskConfigError::new(pointer, "is no name of a package"));
            }
        }
        faults
    }

    fn requirements(&self) -> Vec<Requirement> {
        vec![
            Requirement::equals("mmdebstrap:available", true)
                .because("mmdebstrap is not installed on the worker"),
            Requirement::contains(
                "system:architectures",
                &*self.bootstrap_options.architecture,
            )
            .because("the worker cannot execute programs of that architecture"),
            Requirement::equals("executor:unshare:available", true)
                .because("mmdebstrap needs user namespaces, and users for them"),
        ]
    }

    fn execute(&self, context: &Context) -> Result<bool, TaskError> {
        let tmp = open_tmp(context)?;
        let bootstrap = Bootstrap::prepare(self, context, &tmp)?;
        let status = run(context, &mut bootstrap.command())?;
        if !status.success() {
            log::info!("mmdebstrap could not make the system, and ended with {status}");
            return exit_code("mmdebstrap", status).map(|_| false);
        }
        let data = self.describe(context.work_directory())?;
        let tarball = context.work_directory().join(bootstrap::TARBALL);
        let system = Artifact::new(EnvironmentLookup::CATEGORY, data, vec![tarball]);
        context.server().upload(system)?;
        Ok(true)
    }
}

impl Mmdebstrap {
    /// The artifact's data, by what mmdebstrap put into `directory`.
    fn describe(&self, directory: &Path) -> Result<Value, TaskError> {
        let read = |name: &str| {
            let file = directory.join(name);
            fs::read(&file)
                .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
                .map_err(|error| TaskError::new(format!("cannot read {}: {error}", file.display())))
        };
        let release = read(bootstrap::OS_RELEASE)?;
        let first = &self.bootstrap_repositories[0];
        Ok(json!({
            "filename": bootstrap::TARBALL,
            "vendor": system::os_release(&release, "ID"),
            "codename": system::codename(first.suite(), &release),
            "mirror": first.mirror(),
            "variant": self.bootstrap_options.variant,
            "pkglist": system::packages(&read(bootstrap::STATUS)?)?,
            "architecture": self.bootstrap_options.architecture,
            // mmdebstrap writes the nodes into every tarball.
            "with_dev": true,
            "with_init": read(bootstrap::INIT)?.trim() == "yes",
        }))
    }
}

export_task!(Mmdebstrap);

#[cfg(test)]
mod tests;
