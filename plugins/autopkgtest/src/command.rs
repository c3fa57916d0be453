//! The autopkgtest command.

use crate::data::{Autopkgtest, NeedsInternet, Timeout};
use std::{
    path::{Path, PathBuf},
    process::Command,
};
use taskbay_debian::{option_with_path, write_file};
use taskbay_plugin_api::TaskError;

/// The files that a test run is made from.
#[derive(Debug)]
pub(crate) struct Files<'a> {
    /// The source package.
    pub(crate) dsc: &'a Path,
    /// The binary packages.
    pub(crate) packages: Vec<PathBuf>,
    /// The environment.
    pub(crate) tarball: &'a Path,
    /// Its code name, where it is known.
    pub(crate) codename: Option<&'a str>,
    /// Where the results go.
    pub(crate) output: &'a Path,
    /// Where every user may look, for the system that is unpacked.
    pub(crate) tmp: &'a Path,
}

/// The command, with the files written that it reads.
pub(crate) fn command(task: &Autopkgtest, files: &Files<'_>) -> Result<Command, TaskError> {
    let mut command = Command::new("autopkgtest");
    command
        .env("LC_ALL", "C.UTF-8")
        .env("TMPDIR", files.tmp)
        .arg("--apt-upgrade")
        .arg(option_with_path("--output-dir=", files.output))
        .arg(option_with_path(
            "--summary=",
            &files.output.join("summary"),
        ))
        .arg("--no-built-binaries");
    let all = |option: &'static str, values: &'_ [String]| {
        let words = values.iter().map(move |value| format!("{option}={value}"));
        words.collect::<Vec<_>>()
    };
    command.args(all("--test-name", &task.include_tests));
    command.args(all("--skip-test", &task.exclude_tests));
    command.args((0..task.debug_level).map(|_| "--debug"));
    let variables = task.extra_environment.iter();
    command.args(variables.map(|(name, value)| format!("--env={name}={value}")));
    let needs_internet = match task.needs_internet {
        NeedsInternet::Run => "run",
        NeedsInternet::Try => "try",
        NeedsInternet::Skip => "skip",
    };
    command.arg(format!("--needs-internet={needs_internet}"));
    let limits = task.timeout.iter().flat_map(Timeout::given);
    command.args(limits.map(|(name, limit)| format!("--timeout-{name}={limit}")));
    for (number, repository) in task.place.repositories().iter().enumerate() {
        if let Some(key) = repository.signing_key() {
            let name = format!("taskbay-{number}.asc");
            let file = files.tmp.join(&name);
            write_file(&file, &key)?;
            let target = format!("{}:/etc/apt/trusted.gpg.d/{name}", file.display());
            command.arg(format!("--copy={target}"));
        }
        command.arg(format!("--add-apt-source={}", repository.line()));
    }
    if let (true, Some(codename)) = (task.use_packages_from_base_repository, files.codename) {
        command.arg(format!("--apt-default-release={codename}"));
    }
    for (release, packages) in &task.pin_packages {
        command.arg(format!("--pin-packages={release}={}", packages.join(",")));
    }
    // The system has the name servers of where it was made.
    if Path::new("/etc/resolv.conf").exists() {
        command.arg("--copy=/etc/resolv.conf:/etc/resolv.conf");
    }
    command.args(&files.packages).arg(files.dsc);
    command.args(["--", "unshare", "--arch", task.architecture()]);
    if let Some(codename) = files.codename {
        command.args(["--release", codename]);
    }
    command.arg("--tarball").arg(files.tarball);
    command.arg("--prefix").arg(files.tmp.join("autopkgtest."));
    Ok(command)
}
