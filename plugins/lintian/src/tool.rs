//! The lintian command.

use std::{
    fs,
    path::Path,
    process::{Command, ExitStatus},
};
use taskbay_plugin_api::{Context, TaskError, run_to_file};

/// Which tags lintian shall look for.
#[derive(Debug)]
pub(crate) struct Selection<'a> {
    /// Only these, unless there are none.
    pub(crate) include: &'a [String],
    /// All but these.
    pub(crate) exclude: &'a [String],
}

/// The version of the lintian that is installed.
pub(crate) fn version(context: &Context) -> Result<String, TaskError> {
    let output = context.work_directory().join("lintian-version.txt");
    let status = run_to_file(context, command(context).arg("--print-version"), &output)?;
    if !status.success() {
        return Err(TaskError::new(format!(
            "lintian did not say its version, and ended with {status}"
        )));
    }
    Ok(read(&output)?.trim().to_owned())
}

/// Runs lintian on `files`, with its output in the file `output`: the same text is returned.
pub(crate) fn run(
    context: &Context,
    selection: &Selection<'_>,
    files: &[&Path],
    output: &Path,
) -> Result<String, TaskError> {
    let mut command = command(context);
    command.args([
        "--no-cfg",
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
    let status = run_to_file(context, command.args(files), output)?;
    let text = read(output)?;
    check(status, &text)?;
    Ok(text)
}

fn command(context: &Context) -> Command {
    let mut command = Command::new("lintian");
    command
        .env("LC_ALL", "C.UTF-8")
        // What it unpacks goes when the work directory goes, also when lintian is killed.
        .env("TMPDIR", context.work_directory());
    command
}

fn read(file: &Path) -> Result<String, TaskError> {
    match fs::read(file) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) => Err(TaskError::new(format!(
            "cannot read {}: {error}",
            file.display()
        ))),
    }
}

/// Whether lintian did its work. Its status 1 or 2 says that it met a problem, or found an error in a package: the tags
/// decide then. Without any, it did nothing, and a success would be a lie.
fn check(status: ExitStatus, output: &str) -> Result<(), TaskError> {
    let did_its_work = match status.code() {
        Some(0) => true,
        Some(1 | 2) => !output.trim().is_empty(),
        _ => false,
    };
    if did_its_work {
        return Ok(());
    }
    Err(TaskError::new(format!(
        "lintian could not look at the packages, and ended with {status}: the log has its message"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    #[test]
    fn the_status_counts_only_where_nothing_was_found_out() {
        let ended = |code: i32, output| check(ExitStatus::from_raw(code << 8), output).is_ok();
        assert!(ended(0, ""));
        assert!(ended(1, "N:\nE: hello: a\n"));
        assert!(ended(2, "N:\nE: hello: a\n"));
        assert!(!ended(1, ""));
        assert!(!ended(2, "\n"));
        assert!(!ended(25, "N:\nE: hello: a\n"));
        let killed = check(ExitStatus::from_raw(9), "N:\nE: hello: a\n").unwrap_err();
        assert!(killed.message().contains("SIGKILL"), "{}", killed.message());
    }
}
