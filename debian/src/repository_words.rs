//! What a repository of packages is named by: words in a file of apt's.

use taskbay_plugin_api::TaskConfigError;

/// The words of a repository as task data gives them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RepositoryWords<'a> {
    /// The key of the URL, and the URL.
    pub(crate) url: (&'static str, &'a String),
    /// The suite; one that ends in a slash is a directory, and has no components.
    pub(crate) suite: &'a String,
    /// The components; `None` where they have a default.
    pub(crate) components: Option<&'a [String]>,
}

impl RepositoryWords<'_> {
    /// What is wrong with those that stand at `pointer`.
    pub(crate) fn faults(&self, pointer: &str) -> Vec<TaskConfigError> {
        let mut faults = Vec::new();
        let mut fault = |key: &str, message: String| {
            faults.push(TaskConfigError::new(format!("{pointer}/{key}"), message));
        };
        let mut words = vec![self.url, ("suite", self.suite)];
        let components = self.components.into_iter().flatten();
        words.extend(components.map(|each| ("components", each)));
        for (key, word) in words {
            if word.is_empty() || word.contains(|c: char| c.is_whitespace() || c.is_control()) {
                fault(key, format!("`{word}` must be one word"));
            }
        }
        match (self.suite.ends_with('/'), self.components) {
            (false, Some([])) => fault("components", "are needed, as `main`".to_owned()),
            (true, Some([_, ..])) => fault("components", "are none in a directory".to_owned()),
            _ => {}
        }
        faults
    }
}
