//! What a command that ended says of its success.

use std::process::ExitStatus;
use taskbay_core::TaskError;

/// The number that `program` ended with.
///
/// # Errors
///
/// When a signal ended it: then it says nothing of what it was to find out.
pub fn exit_code(program: &str, status: ExitStatus) -> Result<i32, TaskError> {
    let killed = || TaskError::new(format!("{program} did not end itself: {status}"));
    status.code().ok_or_else(killed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    #[test]
    fn who_was_killed_says_nothing() {
        assert_eq!(exit_code("x", ExitStatus::from_raw(3 << 8)).unwrap(), 3);
        let error = exit_code("x", ExitStatus::from_raw(9)).unwrap_err();
        assert!(
            error
                .message()
                .starts_with("x did not end itself: signal: 9")
        );
    }
}
