//! Further repositories that a request names.

use crate::{
    armour::{END, START, public_keys},
    repository_words::RepositoryWords,
};
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
    /// The architectures that it has packages for; all, where none are given.
    #[serde(default)]
    architectures: Option<Vec<String>>,
    /// The key that signs it, as an armoured text.
    #[serde(default)]
    signing_key: Option<String>,
}

impl ExtraRepository {
    /// What is wrong with those that stand at `pointer`.
    pub fn faults(pointer: &str, all: &[Self]) -> Vec<TaskConfigError> {
        let mut faults = Vec::new();
        for (number, repository) in all.iter().enumerate() {
            let at = format!("{pointer}/{number}");
            let words = RepositoryWords {
                url: ("url", &repository.url),
                suite: &repository.suite,
                components: Some(repository.components.as_deref().unwrap_or_default()),
            };
            faults.extend(words.faults(&at));
            let key = repository.signing_key.as_deref();
            if key.is_some_and(|key| public_keys(key).is_none()) {
                let message = format!("must be a public key between `{START}` and `{END}`");
                faults.push(TaskConfigError::new(format!("{at}/signing_key"), message));
            }
        }
        faults
    }

    /// Whether it has packages for that architecture.
    pub(crate) fn is_for(&self, architecture: Option<&str>) -> bool {
        match (self.architectures.as_deref(), architecture) {
            (None | Some([]), _) | (_, None) => true,
            (Some(all), Some(architecture)) => all.iter().any(|each| each == architecture),
        }
    }

    /// The key that signs it, or the keys, as an armoured text with nothing else in it.
    pub fn signing_key(&self) -> Option<String> {
        self.signing_key.as_deref().and_then(public_keys)
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

    #[test]
    fn is_for_architectures() {
        let is_for = |architectures: &Value, architecture| {
            let repository =
                json!({"url": "http://a", "suite": "./", "architectures": architectures});
            let repository: ExtraRepository = serde_json::from_value(repository).unwrap();
            repository.is_for(architecture)
        };
        let both = json!(["amd64", "arm64"]);
        assert!(is_for(&both, Some("arm64")) && is_for(&both, None));
        assert!(!is_for(&both, Some("i386")));
        assert!(is_for(&json!([]), Some("i386")) && is_for(&json!(null), Some("i386")));
    }

    #[test]
    fn a_key_is_told_without_what_is_around_it() {
        let block = format!("{START}\n\nmQINBF\n=8yXk\n{END}\n");
        let with = |key: &str| json!({"url": "http://a", "suite": "./", "signing_key": key});
        let wordy = with(&format!("TASKBAY-END\n{block}"));
        assert!(faults(&wordy).is_empty());
        let repository: ExtraRepository = serde_json::from_value(wordy).unwrap();
        assert_eq!(repository.signing_key(), Some(block));
        let found = faults(&with("KEY")).join("; ");
        assert!(
            found.starts_with("/extra/0/signing_key: must be a public key"),
            "{found}"
        );
    }
}
