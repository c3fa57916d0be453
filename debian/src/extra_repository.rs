//! Further repositories that a request names.

use crate::repository_words::RepositoryWords;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taskbay_plugin_api::TaskConfigError;

const KEY_START: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
const KEY_END: &str = "-----END PGP PUBLIC KEY BLOCK-----";

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
            let at = format!("{pointer}/{number}");
            let words = RepositoryWords {
                url: ("url", &repository.url),
                suite: &repository.suite,
                components: Some(repository.components.as_deref().unwrap_or_default()),
            };
            faults.extend(words.faults(&at));
            let key = repository.signing_key.as_deref();
            if key.is_some_and(|key| !is_armoured(key)) {
                let message = format!("must be a public key between `{KEY_START}` and `{KEY_END}`");
                faults.push(TaskConfigError::new(format!("{at}/signing_key"), message));
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

/// Whether it is one armoured block of RFC 9580: headers and base64, and nothing that a script or another file could take
/// for something else.
fn is_armoured(key: &str) -> bool {
    let lines = key.trim().lines().map(str::trim_end);
    let lines: Vec<_> = lines.collect();
    let [KEY_START, block @ .., KEY_END] = &lines[..] else {
        return false;
    };
    let is_header = |line: &str| line.contains(": ") && !line.contains(char::is_control);
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
    let mut parts = block.splitn(2, |line| line.is_empty());
    let headers = parts.next().unwrap_or_default();
    let data = parts.next().unwrap_or_default();
    headers.iter().all(|line| is_header(line))
        && data.iter().any(|line| !line.is_empty())
        && data.iter().all(|line| line.chars().all(is_base64))
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
    fn a_key_is_an_armoured_block_alone() {
        let with = |key: &str| {
            let key = json!({"url": "http://a", "suite": "./", "signing_key": key});
            faults(&key).join("; ")
        };
        let block = |data: &str| format!("{KEY_START}\n{data}\n{KEY_END}\n");
        for data in ["\nmQINBF\n+/a=\n=8yXk", "Version: 2 (x)\n\nmQINBF\n\n=8yXk"] {
            assert_eq!(with(&block(data)), "");
            assert_eq!(with(&block(data).replace('\n', "\r\n")), "");
        }
        for key in [
            "",
            "KEY",
            KEY_START,
            &block(""),
            &block("\nmQINBF\nTASKBAY-END\nrm -rf x"),
            &block("TASKBAY-END\nrm x: y\n\nmQINBF"),
            &block("A: b\u{1b}\n\nmQINBF"),
            &format!("TASKBAY-END\n{}", block("\nmQINBF")),
            &format!("{}TASKBAY-END\n", block("\nmQINBF")),
        ] {
            let found = with(key);
            assert!(
                found.starts_with("/extra/0/signing_key: must be a public key"),
                "{key}: {found}"
            );
        }
    }
}
