//! The piuparts task: installs, upgrades and removes binary packages, and finds what they leave behind.

mod chroot;
mod report;

use chroot::Chroot;
use report::Report;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{path::PathBuf, process::Command};
use taskbay_debian::{
    BINARIES, EnvironmentTarball, Executor, InEnvironment, Input, Meaning, all_in_words,
    each_in_words, files_of, is_success, some,
};
use taskbay_plugin_api::{
    Confinement, Context, Lookup, Lookups, RelationKind, Requirement, Task, TaskConfigError,
    TaskError, export_task,
};

/// What a piuparts work request may say.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(example = json!({
    "input": {"binary_artifacts": ["./hello_2.10-3_amd64.deb"]},
    "environment": "debian/match:codename=bookworm",
    "base_tgz": "debian/match:codename=bookworm",
    "build_architecture": "amd64"
}))]
struct Piuparts {
    /// What is tested.
    input: PiupartsInput,
    /// Where piuparts runs.
    #[serde(flatten)]
    place: InEnvironment,
    /// The system into which it installs the packages: an artifact of category `debian:system-tarball`.
    base_tgz: Lookup,
}

/// What is tested.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PiupartsInput {
    /// The binary packages, which are tested together.
    binary_artifacts: Lookups,
}

impl Task for Piuparts {
    const NAME: &'static str = "piuparts";
    const VERSION: u32 = 1;

    fn check(&self) -> Vec<TaskConfigError> {
        let mut faults = self.place.faults();
        if self.input.binary_artifacts.is_empty() {
            let message = "names no package to test";
            faults.push(TaskConfigError::new("/input/binary_artifacts", message));
        }
        faults
    }

    fn requirements(&self) -> Vec<Requirement> {
        vec![self.place.backend.requirement()]
    }

    /// Limits alone: unpacking an environment takes privileges.
    fn confinement(&self) -> Confinement {
        Executor::confinement(Some(&self.place.environment))
    }

    fn label(&self) -> Option<String> {
        let packages = all_in_words(each_in_words(&self.input.binary_artifacts));
        Some(format!("install and remove {packages}"))
    }

    fn execute(&self, context: &Context) -> Result<bool, TaskError> {
        let packages = ["piuparts", "mount"];
        let executor = Executor::new(
            context,
            (Some(&self.place.environment), self.place.backend),
            self.place.architecture(),
            &packages,
        )?;
        let debs = ("/input/binary_artifacts", &self.input.binary_artifacts);
        let inputs = Input::fetch_all_for(&executor, debs, BINARIES, "binary")?;
        let inputs = some(debs.0, inputs)?;
        let debs = files_of(&inputs)?;
        let base = EnvironmentTarball::fetch(
            context,
            &self.base_tgz,
            self.place.architecture(),
            executor.directory("base")?,
        )?;
        let chroot = Chroot::prepare(&executor, base.file(), &self.place.repositories())?;
        let report = Report::of(&executor, &debs)?;
        let output = executor.work_directory().join("piuparts.txt");
        let status = executor.run_tested(&command(&chroot, &debs), &output)?;
        let success = is_success("piuparts", status, meaning)?;

        let distribution = base.distribution(context)?;
        let server = context.server();
        let report = report.artifact(&output, self.place.architecture(), &distribution);
        let report = server.upload(report)?;
        let about = inputs.iter().map(|input| input.id).chain([base.artifact()]);
        server.relate_all(report, RelationKind::RelatesTo, about)?;
        Ok(success)
    }
}

fn command(chroot: &Chroot, debs: &[PathBuf]) -> Command {
    let mut command = Command::new("piuparts");
    command
        .env("PATH", chroot.path())
        .args([
            "--keep-sources-list",
            "--allow-database",
            "--warn-on-leftovers-after-purge",
        ])
        // The devices are those of the environment: here nobody can make any.
        .arg("--bindmount=/dev")
        .arg(format!("--basetgz={}", chroot::BASE))
        .arg(format!("--scriptsdir={}", chroot.scripts().display()))
        .args(debs);
    command
}

/// What piuparts' status means: it has one for faults, and for what it could not do.
fn meaning(code: i32) -> Meaning {
    match code {
        0 => Meaning::Success,
        _ => Meaning::Failure("there are faults, or it could not be tested"),
    }
}

export_task!(Piuparts);

#[cfg(test)]
mod tests;
