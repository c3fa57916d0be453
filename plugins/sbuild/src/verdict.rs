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

/// What became of a build, as its log says, which is read line by line.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    status: Option<String>,
    fail_stage: Option<String>,
}

impl Verdict {
    /// Takes the next line: the last of each kind counts.
    pub(crate) fn hear(&mut self, line: &str) {
        let value = |field: &str| {
            line.strip_prefix(field)
                .map(|value| value.trim().to_owned())
        };
        if let Some(status) = value("Status: ") {
            self.status = Some(status);
        } else if let Some(stage) = value("Fail-Stage: ") {
            self.fail_stage = Some(stage);
        }
    }

    /// Whether the package was built: `exit_code` is 0, and the last status in the log is `successful`. That it could not even
    /// be tried is an error.
    pub(crate) fn is_success(&self, exit_code: Option<i32>) -> Result<bool, TaskError> {
        let Some(status) = &self.status else {
            return Err(TaskError::new(
                "sbuild ended before it had built anything: the log has its message",
            ));
        };
        if exit_code == Some(0) && status == "successful" {
            return Ok(true);
        }
        match self.fail_stage.as_deref() {
            Some(stage) if OF_THE_ENVIRONMENT.contains(&stage) => Err(TaskError::new(format!(
                "sbuild could not use the environment, and failed at `{stage}`: the build log has its message"
            ))),
            _ => Ok(false),
        }
    }
}
