//! The sbuild command.

use crate::data::{Component, Resolver, Sbuild};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use taskbay_debian::{option_with_path, write_file};
use taskbay_plugin_api::TaskError;

/// Where sbuild writes its log, in the work directory and away from what comes out of a build. sbuild makes a link to it
/// there, which a file of the package's could be copied through: said without the whole path, the link leads nowhere.
pub(crate) const LOG_DIRECTORY: &str = "log";

/// The files that a build is made from.
#[derive(Debug)]
pub(crate) struct Files<'a> {
    /// The source package.
    pub(crate) dsc: &'a Path,
    /// The environment.
    pub(crate) tarball: &'a Path,
    /// Its code name, where it is known.
    pub(crate) codename: Option<&'a str>,
    /// Further binary packages.
    pub(crate) packages: Vec<PathBuf>,
    /// Where what is built goes.
    pub(crate) output: &'a Path,
    /// Where every user may look, for the system that is unpacked, and for keys.
    pub(crate) tmp: &'a Path,
}

/// The command, with the files written that it reads.
pub(crate) fn command(task: &Sbuild, files: &Files<'_>) -> Result<Command, TaskError> {
    let config = files.tmp.join("sbuild.conf");
    // In place of the user's own, so that all workers build alike.
    let template = files.tmp.join("tmp.sbuild.XXXXXXXXXX");
    write_file(
        &config,
        &format!(
            "$unshare_tmpdir_template = '{}';\n$log_dir = '{LOG_DIRECTORY}';\n1;\n",
            template.display()
        ),
    )?;
    let mut command = Command::new("sbuild");
    command
        .env("LC_ALL", "C.UTF-8")
        .env("SBUILD_CONFIG", config)
        .env("TMPDIR", files.tmp)
        .args(["--purge-deps=never", "--no-run-lintian"]);
    for (component, option) in [
        (Component::Any, "arch-any"),
        (Component::All, "arch-all"),
        (Component::Source, "source"),
    ] {
        let no = if task.build_components.contains(&component) {
            ""
        } else {
            "no-"
        };
        command.arg(format!("--{no}{option}"));
    }
    command.arg(format!("--arch={}", task.architecture()));
    // It must be told one, and says it to nobody but the `.changes` file.
    command.arg(format!("--dist={}", files.codename.unwrap_or("unstable")));
    command
        .arg("--chroot-mode=unshare")
        .arg(option_with_path("--chroot=", files.tarball))
        .arg(option_with_path("--build-dir=", files.output))
        .args(resolver_setup().map(|setup| format!("--chroot-setup-commands={setup}")))
        .arg("--bd-uninstallable-explainer=dose3");
    add_options(task, &mut command);
    add_repositories(task, files, &mut command)?;
    for package in &files.packages {
        command.arg(option_with_path("--extra-package=", package));
    }
    command.arg(files.dsc);
    Ok(command)
}

fn add_options(task: &Sbuild, command: &mut Command) {
    if let Some(profiles) = task
        .build_profiles
        .as_ref()
        .filter(|profiles| !profiles.is_empty())
    {
        command.arg(format!("--profiles={}", profiles.join(",")));
    }
    if let Some(binnmu) = &task.binnmu {
        command.arg(format!("--make-binNMU={}", binnmu.changelog));
        command.arg(format!("--append-to-version={}", binnmu.suffix));
        command.arg("--binNMU=0");
        if let Some(seconds) = binnmu.seconds() {
            command.arg(format!("--binNMU-timestamp={seconds}"));
        }
        if let Some(maintainer) = &binnmu.maintainer {
            command.arg(format!("--maintainer={maintainer}"));
        }
    }
    if let Some(resolver) = task.build_dep_resolver {
        let name = match resolver {
            Resolver::Apt => "apt",
            Resolver::Aptitude => "aptitude",
            Resolver::Aspcud => "aspcud",
            Resolver::Xapt => "xapt",
        };
        command.arg(format!("--build-dep-resolver={name}"));
    }
    if let Some(criteria) = &task.aspcud_criteria {
        command.arg(format!("--aspcud-criteria={criteria}"));
    }
    match task.resolve_alternatives {
        Some(true) => command.arg("--resolve-alternatives"),
        Some(false) => command.arg("--no-resolve-alternatives"),
        None => command,
    };
}

fn add_repositories(
    task: &Sbuild,
    files: &Files<'_>,
    command: &mut Command,
) -> Result<(), TaskError> {
    for (number, repository) in task.place.repositories().iter().enumerate() {
        command.arg(format!("--extra-repository={}", repository.line()));
        if let Some(key) = repository.signing_key() {
            let file = files.tmp.join(format!("extra-repository-{number}.asc"));
            write_file(&file, &key)?;
            command.arg(option_with_path("--extra-repository-key=", &file));
        }
    }
    Ok(())
}

/// What gives the system the name servers of the worker, in place of those of where it was made.
fn resolver_setup() -> Option<String> {
    let text = fs::read_to_string("/etc/resolv.conf").ok()?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || " \t.:-_".contains(c);
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && line.chars().all(is_plain));
    let lines: Vec<_> = lines
        .map(|line| format!("echo '{line}' >>/etc/resolv.conf"))
        .collect();
    if lines.is_empty() {
        return None;
    }
    Some(format!("rm -f /etc/resolv.conf; {}", lines.join("; ")))
}
