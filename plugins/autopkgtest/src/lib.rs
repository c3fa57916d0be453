//! The autopkgtest task: runs the tests of a Debian package in an environment.

mod data;

mod command;
mod summary;

mod voice;

use command::Files;
use data::Autopkgtest;
use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf},
};
use summary::Summary;
use taskbay_debian::{
    BINARIES, EnvironmentTarball, Input, Room, SOURCES, files_of, in_words, open_tmp,
};
use taskbay_plugin_api::{
    Artifact, Confinement, Context, Metadata, RelationKind, Requirement, Task, TaskConfigError,
    TaskError, export_task, is_available, log, run_heard,
};
use voice::Voice;

impl Task for Autopkgtest {
    const NAME: &'static str = "autopkgtest";
    const VERSION: u32 = 1;

    fn analyze_worker(_: &Metadata) -> Result<Metadata, TaskError> {
        let mut found = Metadata::default();
        found.insert("autopkgtest:available", is_available("autopkgtest"));
        Ok(found)
    }

    fn check(&self) -> Vec<TaskConfigError> {
        self.faults()
    }

    fn requirements(&self) -> Vec<Requirement> {
        vec![
            Requirement::equals("autopkgtest:available", true)
                .because("autopkgtest is not installed on the worker"),
            self.place.backend.requirement(),
        ]
    }

    /// Limits alone: the system is unpacked as other users, which takes privileges.
    fn confinement(&self) -> Confinement {
        Confinement::Limits
    }

    fn label(&self) -> Option<String> {
        let source = in_words(&self.input.source_artifact);
        Some(format!("test {source} on {}", self.architecture()))
    }

    fn execute(&self, context: &Context) -> Result<bool, TaskError> {
        self.place.refuse_unknown_backend()?;
        let source = ("/input/source_artifact", &self.input.source_artifact);
        let source = Input::fetch(context, source, SOURCES, "source")?;
        let package = source.source()?;
        let packages = ("/input/binary_artifacts", &self.input.binary_artifacts);
        let packages = Input::fetch_all(context, packages, BINARIES, "binary")?;
        let architecture = Some(self.architecture());
        let environment = EnvironmentTarball::fetch(
            context,
            &self.place.environment,
            architecture,
            "environment",
        )?;
        let codename = environment.codename(context)?;
        let files = Files {
            dsc: package.dsc(),
            packages: files_of(&packages)?,
            tarball: environment.file(),
            codename: codename.as_deref(),
            // autopkgtest makes it.
            output: &context.work_directory().join("results"),
            tmp: &open_tmp(context)?,
        };
        let mut command = command::command(self, &files)?;
        let mut room = Room::of(context);
        let mut voice = Voice::default();
        let status = run_heard(context, &mut command, [None, None], |line| {
            voice.tell(&mut room, line);
        })?;

        let summary = Summary::read(&files.output.join("summary"))?;
        let words = command
            .get_args()
            .map(|word| word.to_string_lossy().into_owned());
        let data = json!({
            "results": summary.results(),
            "cmdline": format!("autopkgtest {}", words.collect::<Vec<_>>().join(" ")),
            "source_package": {"name": package.name, "version": package.version, "url": ""},
            "architecture": self.architecture(),
            "distribution": environment.distribution(context)?,
        });
        let results = results(files.output)?;
        if !results.is_empty() {
            let artifact =
                Artifact::new("debian:autopkgtest", data, results).with_root(files.output);
            let artifact = context.server().upload(artifact)?;
            let inputs = [source.id].into_iter();
            let inputs = inputs.chain(packages.iter().map(|input| input.id));
            let server = context.server();
            server.relate_all(artifact, RelationKind::RelatesTo, inputs)?;
        }
        let success = summary.is_success(&self.fail_on, status.code());
        if !matches!(success, Ok(true)) {
            room.check()?;
        }
        success
    }
}

/// The regular files that autopkgtest wrote, apart from the packages that it tested.
fn results(directory: &Path) -> Result<Vec<PathBuf>, TaskError> {
    let mut files = Vec::new();
    let mut folders = vec![directory.to_owned()];
    while let Some(folder) = folders.pop() {
        // It need not have made any.
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries {
            let (entry, is_top) = (entry?, folder == directory);
            // Tests choose what they leave: a link leads out of what is theirs, and a store wants names that are text.
            let kind = entry.file_type()?;
            if entry.file_name().to_str().is_none() {
                log::warn!(
                    "{} is left out: its name is no text",
                    entry.path().display()
                );
            } else if kind.is_file() {
                files.push(entry.path());
            } else if kind.is_dir() && !(is_top && entry.file_name() == "binaries") {
                folders.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}

export_task!(Autopkgtest);

#[cfg(test)]
mod tests;
