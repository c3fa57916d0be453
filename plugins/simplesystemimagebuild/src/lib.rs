//! The simplesystemimagebuild task: makes the disk image of a Debian system, which boots with EFI.

mod disk_image;

use disk_image::{DiskImage, FILESYSTEM, Format};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{fs, path::Path, process::Command};
use taskbay_debian::{
    Bootstrap, BootstrapOptions, BootstrapRepository, PreparedBootstrap, mounting, open_tmp,
    run_with_room,
};
use taskbay_plugin_api::{
    Artifact, Confinement, Context, Metadata, Requirement, Task, TaskConfigError, TaskError,
    export_task, is_available,
};

/// What makes the disk.
const TOOL: &str = "debefivm-create";
/// What writes it as an image of QEMU's.
const CONVERTER: &str = "qemu-img";
/// The disk, byte by byte, under the name that it has in a tarball.
const DISK: &str = "root.img";
/// The architectures that debefivm-create knows how to boot.
const ARCHITECTURES: [&str; 5] = ["amd64", "arm64", "armhf", "i386", "riscv64"];

/// What a simplesystemimagebuild work request may say.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = json!({
    "bootstrap_options": {"architecture": "amd64", "extra_packages": ["python3"]},
    "bootstrap_repositories": [{"mirror": "http://mirror.example.org/debian", "suite": "trixie"}],
    "disk_image": {"format": "qcow2", "partitions": [{"size": 10, "filesystem": "ext4", "mountpoint": "/"}]}
}))]
struct SimpleSystemImageBuild {
    /// What kind of system is made.
    bootstrap_options: BootstrapOptions,
    /// Where its packages come from. The first one is what it is named after.
    #[schemars(length(min = 1))]
    bootstrap_repositories: Vec<BootstrapRepository>,
    /// The disk that it is put on.
    disk_image: DiskImage,
    /// A script that runs as root in the system once all packages are installed.
    #[serde(default)]
    customization_script: Option<String>,
    /// Kept for the server; the task itself ignores it.
    #[serde(default)]
    task_configuration: Option<Value>,
}

impl Task for SimpleSystemImageBuild {
    const NAME: &'static str = "simplesystemimagebuild";
    const VERSION: u32 = 1;

    /// Debusine's says `available` where mmdebstrap is, and then fails where debefivm-create is not.
    fn analyze_worker(_: &Metadata) -> Result<Metadata, TaskError> {
        let mut found = Metadata::default();
        found.insert("simplesystemimagebuild:available", is_available(TOOL));
        found.insert("simplesystemimagebuild:qcow2", is_available(CONVERTER));
        Ok(found)
    }

    fn check(&self) -> Vec<TaskConfigError> {
        let mut faults = self.bootstrap().faults();
        if !ARCHITECTURES.contains(&&*self.bootstrap_options.architecture) {
            let message = format!("must be one of {}", ARCHITECTURES.join(", "));
            faults.push(TaskConfigError::new(
                "/bootstrap_options/architecture",
                message,
            ));
        }
        faults.extend(self.disk_image.faults());
        faults
    }

    fn requirements(&self) -> Vec<Requirement> {
        let mut requirements = vec![
            Requirement::equals("simplesystemimagebuild:available", true).because(
                "debefivm-create, of the package debvm 0.4 or newer, is not installed on the worker",
            ),
        ];
        if self.disk_image.format == Format::Qcow2 {
            requirements.push(
                Requirement::equals("simplesystemimagebuild:qcow2", true)
                    .because("qemu-img, of the package qemu-utils, is not installed on the worker"),
            );
        }
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
        Some(format!("make a disk image of {suite} for {architecture}"))
    }

    fn execute(&self, context: &Context) -> Result<bool, TaskError> {
        let tmp = open_tmp(context)?;
        let system = self.bootstrap().prepare(context, &tmp)?;
        if !system.make(context, TOOL, &mut self.command(&system, &tmp))? {
            return Ok(false);
        }
        let data = self.describe(&system, context)?;
        self.write_down(context)?;
        let file = context.work_directory().join(self.disk_image.file());
        let image = Artifact::new("debian:system-image", data, vec![file]);
        context.server().upload(image)?;
        Ok(true)
    }
}

impl SimpleSystemImageBuild {
    fn bootstrap(&self) -> Bootstrap<'_> {
        Bootstrap {
            options: &self.bootstrap_options,
            repositories: &self.bootstrap_repositories,
            customization_script: self.customization_script.as_deref(),
        }
    }

    /// The command that makes the disk. The system lies in `tmp` until it is on it.
    fn command(&self, system: &PreparedBootstrap<'_>, tmp: &Path) -> Command {
        let mut command = mounting(TOOL);
        command
            .env("LC_ALL", "C.UTF-8")
            .env("TMPDIR", tmp)
            .arg(format!(
                "--architecture={}",
                self.bootstrap_options.architecture
            ))
            // The sources name the suites.
            .args(["--release=", &format!("--output={DISK}")])
            .arg(format!("--rootsize={}G", self.disk_image.root_size()))
            .args(["--", "--verbose"]);
        if let Some(kernel) = &self.disk_image.kernel_package {
            command.arg(format!("--include={kernel}"));
        }
        command
            .args(system.mmdebstrap_options())
            .arg(system.sources());
        command
    }

    /// The data of the artifact.
    fn describe(
        &self,
        system: &PreparedBootstrap<'_>,
        context: &Context,
    ) -> Result<Value, TaskError> {
        let mut data = system.describe(context, &self.disk_image.file())?;
        // Whoever boots it has the nodes made.
        data["with_dev"] = false.into();
        data["image_format"] = json!(self.disk_image.format);
        data["filesystem"] = FILESYSTEM.into();
        data["size"] = self.disk_image.root_bytes().into();
        data["boot_mechanism"] = "efi".into();
        Ok(data)
    }

    /// Writes the disk down in the format that is asked for, in the work directory.
    fn write_down(&self, context: &Context) -> Result<(), TaskError> {
        let file = self.disk_image.file();
        let mut command = match self.disk_image.format {
            Format::Raw => {
                let mut tar = Command::new("tar");
                tar.env("XZ_DEFAULTS", "-1 --threads=0")
                    .args(["--create", "--sparse", "--xz", "--file", &file, DISK]);
                tar
            }
            Format::Qcow2 => {
                let mut convert = Command::new(CONVERTER);
                convert.args(["convert", "-c", "-f", "raw", "-O", "qcow2", DISK, &file]);
                convert
            }
        };
        let program = command.get_program().display().to_string();
        let status = run_with_room(context, &mut command, [None, None])?;
        if !status.success() {
            return Err(TaskError::new(format!(
                "cannot write {file}: {program} ended with {status}; the log has its message"
            )));
        }
        // The disk takes as much again, which the upload may need.
        fs::remove_file(context.work_directory().join(DISK))?;
        Ok(())
    }
}

export_task!(SimpleSystemImageBuild);

#[cfg(test)]
mod tests;
