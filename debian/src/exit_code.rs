//! What the number says that a command ended with.

use std::process::ExitStatus;
use taskbay_core::TaskError;
use taskbay_plugin_api::log;

/// What a number means that a program ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// All is well.
    Success,
    /// What it was given is not good, in these words.
    Failure(&'static str),
    /// It found nothing out, since it could not do this.
    Error(&'static str),
}

/// Whether what `program` was given is good, by the number that it ended with. The log says where it is not.
///
/// # Errors
///
/// When the number means one. When a signal ended it: then it says nothing of what it was to find out.
pub fn is_success(
    program: &str,
    status: ExitStatus,
    meaning: impl Fn(i32) -> Meaning,
) -> Result<bool, TaskError> {
    let Some(code) = status.code() else {
        let message = format!("{program} did not end itself: {status}");
        return Err(TaskError::new(message));
    };
    match meaning(code) {
        Meaning::Success => Ok(true),
        Meaning::Failure(what) => {
            log::info!("{what}: {program} ended with {code}");
            Ok(false)
        }
        Meaning::Error(what) => Err(TaskError::new(format!(
            "{program} could not {what}, and ended with {code}: the attempt's log has its message"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    #[test]
    fn a_number_means_what_the_task_says() {
        let ended = |status| {
            is_success("x", ExitStatus::from_raw(status), |code| match code {
                0 | 1 => Meaning::Success,
                2 => Meaning::Failure("it is no good"),
                _ => Meaning::Error("look"),
            })
        };
        assert!(ended(0).unwrap());
        assert!(ended(1 << 8).unwrap());
        assert!(!ended(2 << 8).unwrap());
        let message = ended(3 << 8).unwrap_err().message();
        assert!(
            message.starts_with("x could not look, and ended with 3"),
            "{message}"
        );
    }

    #[test]
    fn who_was_killed_says_nothing() {
        let killed = is_success("x", ExitStatus::from_raw(9), |_| Meaning::Success);
        let message = killed.unwrap_err().message();
        assert!(
            message.starts_with("x did not end itself: signal: 9"),
            "{message}"
        );
    }
}
