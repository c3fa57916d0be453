//! Further repositories that a request names.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taskbay_plugin_api::TaskConfigError;

/// A repository beside those that an environment has.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExtraRepository {
    /// Its URL.
    url: String,
    /// The suite; one that ends in a slash is a directory, and has no components.
    suite: String,
    /// The components.
    #[serde(default)]
    components: Option<Vec<String>>,
    /// The key that signs it, as an armoured text.
    #[serde(default)]
    pub signing_key: Option<String>,
}

impl ExtraRepository {
    /// What is wrong with those that stand at `pointer`.
    pub fn faults(pointer: &str, all: &[Self]) -> Vec<TaskConfigError> {
        let mut faults = Vec::new();
        for (number, repository) in all.iter().enumerate() {
            let mut fault = |key: &str, message: String| {
                faults.push(TaskConfigError::new(
                    format!("{pointer}/{number}/{key}"),
                    message,
                ));
            };
            let mut words = vec![("url", &repository.url), ("suite", &repository.suite)];
            let components = repository.components.iter().flatten();
            words.extend(components.map(|each| ("components", each)));
            // Each becomes a word in a line of apt's.
            for (key, word) in words {
                if word.is_empty() || word.contains(|c: char| c.is_whitespace() || c.is_control()) {
                    fault(key, format!("`{word}` must be one word"));
                }
            }
            let has_components = repository
                .components
                .as_ref()
                .is_some_and(|all| !all.is_empty());
            match (repository.suite.ends_with('/'), has_components) {
                (false, false) => fault("components", "are needed, as `main`".to_owned()),
                (true, true) => fault("components", "are none in a directory".to_owned()),
                _ => {}
            }
        }
        faults
    }

    /// It as a line of apt's sources.
    pub fn line(&self) -> String {
        let mut words = vec!["deb", &self.url, &self.suite];
        words.extend(self.components.iter().flatten().map(String::as_str));
        words.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn faults(repository: &Value) -> Vec<String> {
        let all: Vec<ExtraRepository> = serde_json::from_value(json!([repository])).unwrap();
        let faults = ExtraRepository::faults("/extra", &all);
        faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn is_a_line_of_words() {
        let repository =
            json!({"url": "http://a", "suite": "sid", "components": ["main", "contrib"]});
        assert!(faults(&repository).is_empty());
        let repository: ExtraRepository = serde_json::from_value(repository).unwrap();
        assert_eq!(repository.line(), "deb http://a sid main contrib");
        assert!(faults(&json!({"url": "http://a", "suite": "./"})).is_empty());
        for (repository, words) in [
            (
                json!({"url": "http://a", "suite": "sid"}),
                "/extra/0/components: are needed",
            ),
            (
                json!({"url": "http://a", "suite": "./", "components": ["x"]}),
                "are none in",
            ),
            (
                json!({"url": "http://a\ndeb b", "suite": "./"}),
                "/extra/0/url: `http://a",
            ),
        ] {
            let found = faults(&repository).join("; ");
            assert!(found.contains(words), "{found}");
        }
    }
}
