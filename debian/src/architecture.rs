//! The architecture that task data names: Debusine's key for it has an old and a new name.

use taskbay_plugin_api::TaskConfigError;

/// The architecture, by its new name where that is given.
pub(crate) fn named_architecture<'a>(
    build_architecture: Option<&'a String>,
    host_architecture: Option<&'a String>,
) -> Option<&'a str> {
    build_architecture.or(host_architecture).map(String::as_str)
}

/// What is wrong with it, in a task that needs one.
pub(crate) fn architecture_faults(
    build_architecture: Option<&String>,
    host_architecture: Option<&String>,
) -> Vec<TaskConfigError> {
    let mut faults = Vec::new();
    let is_word = |word: &str| {
        !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    if !named_architecture(build_architecture, host_architecture).is_some_and(is_word) {
        let message = "must name an architecture, as `amd64`";
        faults.push(TaskConfigError::new("/build_architecture", message));
    }
    faults
}

/// That it is named twice, and differently.
pub(crate) fn conflict(
    build_architecture: Option<&String>,
    host_architecture: Option<&String>,
) -> Option<TaskConfigError> {
    let (build, host) = (build_architecture?, host_architecture?);
    let message = "is the old name of `build_architecture`, and says another; give one";
    (build != host).then(|| TaskConfigError::new("/host_architecture", message))
}
