//! The lintian command.

use std::{
    path::Path,
    process::{Command, ExitStatus},
};
use taskbay_debian::{Executor, read_bounded};
use taskbay_plugin_api::TaskError;

/// More than lintian says of any packages, in bytes.
const LIMIT: u64 = 256 << 20;

/// Which tags lintian shall look for.
#[derive(Debug)]
pub(crate) struct Selection<'a> {
    /// Only these, unless there are none.
    pub(crate) include: &'a [String],
    /// All but these.
    pub(crate) exclude: &'a [String],
}

/// The version of the lintian that is installed.
pub(crate) fn version(executor: &Executor<'_>) -> Result<String, TaskError> {
    let output = executor.work_directory().join("lintian-version.txt");
    let status = executor.run_to_file(Command::new("lintian").arg("--print-version"), &output)?;
    if !status.success() {
        return Err(TaskError::new(format!(
            "lintian did not say its version, and ended with {status}"
        )));
    }
    Ok(read(&output)?.trim().to_owned())
}

/// Runs lintian on `files`, with its output in the file `output`: the same text is returned. What it could not analyse
/// is an error.
pub(crate) fn run(
    executor: &Executor<'_>,
    selection: &Selection<'_>,
    files: &[&Path],
    output: &Path,
) -> Result<String, TaskError> {
    let mut command = Command::new("lintian");
    command.args([
        "--no-cfg",
        // Else an error found in one package hides, in the exit status, that another could not be analysed.
        "--fail-on=none",
        "--display-level",
        ">=classification",
        "--display-experimental",
        "--info",
        "--show-overrides",
    ]);
    if !selection.include.is_empty() {
        command.arg(format!("--tags={}", selection.include.join(",")));
    }
    if !selection.exclude.is_empty() {
        command.arg(format!("--suppress-tags={}", selection.exclude.join(",")));
    }
    let errors = output.with_extension("errors");
    let status = executor.run_to_files(command.args(files), output, &errors)?;
    check(status, &read(&errors)?, files)?;
    read(output)
}

fn read(file: &Path) -> Result<String, TaskError> {
    read_bounded(file, LIMIT)
}

/// Whether lintian analysed all `files`, by its status and by what it wrote to standard error.
fn check(status: ExitStatus, errors: &str, files: &[&Path]) -> Result<(), TaskError> {
    let skipped: Vec<_> = files
        .iter()
        .filter(|file| is_skipped(file, errors))
        .map(|file| format!("`{}`", file.file_name().unwrap_or_default().display()))
        .collect();
    // It skips a package with an impossible name, too, and says so only here.
    let complaint = errors.lines().find(|line| {
        line.starts_with("warning: tainted ") || line.starts_with("warning: cannot run ")
    });
    let fault = match complaint {
        _ if !skipped.is_empty() => format!("lintian could not read {}", skipped.join(", ")),
        Some(complaint) => format!("lintian could not analyse a package: {complaint}"),
        None if status.success() => return Ok(()),
        None => format!("lintian could not analyse the packages, and ended with {status}"),
    };
    Err(TaskError::new(format!("{fault}: the log has its message")))
}

fn is_skipped(file: &Path, errors: &str) -> bool {
    let skipping = format!("Skipping {}: ", file.display());
    errors.lines().any(|line| line.starts_with(&skipping))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    /// What is wrong where lintian ended with that wait status and said that.
    fn fault(status: i32, errors: &str) -> Option<String> {
        let files = ["/in/good_1_all.deb", "/in/bad_1_all.deb"].map(Path::new);
        let checked = check(ExitStatus::from_raw(status), errors, &files);
        checked.err().map(|error| error.message())
    }

    #[test]
    fn a_status_other_than_0_is_an_error() {
        assert_eq!(fault(0, "running with root privileges\n"), None);
        for (status, words) in [(1 << 8, "status: 1"), (2 << 8, "status: 2"), (9, "SIGKILL")] {
            let fault = fault(status, "").unwrap();
            assert!(fault.contains(words), "{fault}");
        }
    }

    #[test]
    fn names_what_was_not_analysed() {
        let skipping = "Skipping /in/bad_1_all.deb: Non-zero status 2 from tar\ntar: Exiting\n";
        for status in [0, 1 << 8, 2 << 8] {
            assert_eq!(
                fault(status, skipping).unwrap(),
                "lintian could not read `bad_1_all.deb`: the log has its message"
            );
        }
        let both = format!("{skipping}Skipping /in/good_1_all.deb: no\n");
        let both = fault(1 << 8, &both).unwrap();
        assert!(both.contains("`good_1_all.deb`, `bad_1_all.deb`"), "{both}");
        let tainted = fault(0, "warning: tainted binary package '.._x', skipping\n").unwrap();
        assert!(tainted.contains(".._x"), "{tainted}");
        let check = "warning: cannot run files/names check on package binary:good/1/all\n";
        assert!(fault(1 << 8, check).unwrap().contains("binary:good/1/all"));
    }
}
