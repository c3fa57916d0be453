//! What an sbuild log says of the build.

use taskbay_plugin_api::TaskError;

/// Where sbuild fails before it has anything to do with the package.
const OF_THE_ENVIRONMENT: [&str; 11] = [
    "init",
    "create-session",
    "create-build-dir",
    "lock-session",
    "run-chroot-setup-commands",
    "resolver setup",
    "apt-get-clean",
    "apt-get-update",
    "apt-get-upgrade",
    "apt-get-dist-upgrade",
    "check-space",
];

/// Whether the package was built: `exit_code` is 0, and the last status in the log is `successful`. That it could not even be
/// tried is an error.
pub(crate) fn is_success(log: &str, exit_code: Option<i32>) -> Result<bool, TaskError> {
    let last = |field: &str| {
        let mut values = log.lines().filter_map(|line| line.strip_prefix(field));
        values.next_back().map(str::trim)
    };
    let Some(status) = last("Status: ") else {
        return Err(TaskError::new(
            "sbuild ended before it had built anything: the log has its message",
        ));
    };
    if exit_code == Some(0) && status == "successful" {
        return Ok(true);
    }
    match last("Fail-Stage: ") {
        Some(stage) if OF_THE_ENVIRONMENT.contains(&stage) => Err(TaskError::new(format!(
            "sbuild could not use the environment, and failed at `{stage}`: the build log has its message"
        ))),
        _ => Ok(false),
    }
}
