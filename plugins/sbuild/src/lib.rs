//! The sbuild task: builds a Debian package in an environment.

mod data;

mod command;
mod verdict;

mod block;
mod uninstallable;

mod build_log;
mod debug_symbols;
mod products;

use build_log::{BuildLog, Voice};
use command::Files;
use data::Sbuild;
use products::Products;
use taskbay_debian::{
    BINARIES, EnvironmentTarball, Input, Room, SOURCES, files_of, in_words, open_tmp,
};
use taskbay_plugin_api::{
    Confinement, Context, Metadata, Requirement, Task, TaskConfigError, TaskError, export_task,
    is_available, make_directory, run_heard,
};

impl Task for Sbuild {
    const NAME: &'static str = "sbuild";
    const VERSION: u32 = 1;

    fn analyze_worker(_: &Metadata) -> Result<Metadata, TaskError> {
        let mut found = Metadata::default();
        found.insert("sbuild:available", is_available("sbuild"));
        Ok(found)
    }

    fn check(&self) -> Vec<TaskConfigError> {
        self.faults()
    }

    fn requirements(&self) -> Vec<Requirement> {
        vec![
            Requirement::equals("sbuild:available", true)
                .because("sbuild is not installed on the worker"),
            self.place.backend.requirement(),
        ]
    }

    /// Limits alone: the system is unpacked as other users, which takes privileges.
    fn confinement(&self) -> Confinement {
        Confinement::Limits
    }

    fn label(&self) -> Option<String> {
        let source = in_words(&self.input.source_artifact);
        Some(format!("build {source} for {}", self.architecture()))
    }

    fn execute(&self, context: &Context) -> Result<bool, TaskError> {
        self.place.refuse_unknown_backend()?;
        let source = ("/input/source_artifact", &self.input.source_artifact);
        let source = Input::fetch(context, source, SOURCES, "source")?;
        let package = source.source()?;
        let environment = EnvironmentTarball::fetch(
            context,
            &self.place.environment,
            Some(self.architecture()),
            "environment",
        )?;
        let extra = &self.input.extra_binary_artifacts;
        let extra = ("/input/extra_binary_artifacts", extra);
        let extra = Input::fetch_all(context, extra, BINARIES, "extra")?;
        let codename = environment.codename(context)?;
        let files = Files {
            dsc: package.dsc(),
            tarball: environment.file(),
            codename: codename.as_deref(),
            packages: files_of(&extra)?,
            output: &make_directory(context, "build")?,
            tmp: &open_tmp(context)?,
        };
        let log_directory = make_directory(context, command::LOG_DIRECTORY)?;
        let mut room = Room::of(context);
        let mut command = command::command(self, &files)?;
        let mut voice = Voice::default();
        let status = run_heard(context, &mut command, [None, None], |line| {
            voice.tell(&mut room, line);
        })?;

        let products = Products {
            context,
            directory: files.output,
            log_directory: &log_directory,
            source: &source,
            package: &package,
            target: self.target(),
        };
        let Some(log) = products.log()? else {
            room.check()?;
            return Err(TaskError::new(format!(
                "sbuild wrote no build log, and ended with {status}: the log has its message"
            )));
        };
        let said = BuildLog::read(&log, &mut room)?;
        let success = said.verdict.is_success(status.code());
        let explanation = match success {
            Ok(true) => None,
            _ => said.explanation.value(),
        };
        let log_artifact = products.upload_log(&log, explanation.as_ref())?;
        if let Ok(true) = success {
            products.upload_packages(log_artifact)?;
        } else {
            // Whatever it looks like.
            room.check()?;
        }
        success
    }
}

export_task!(Sbuild);

#[cfg(test)]
mod tests;
