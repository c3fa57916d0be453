//! The repositories that a system is made from.

use crate::{
    is_package_name,
    keyring::{FetchedKeyring, Keyring},
    repository_words::RepositoryWords,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;
use taskbay_plugin_api::{Context, TaskConfigError, TaskError};

/// A repository of packages.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BootstrapRepository {
    /// Its URL.
    mirror: String,
    /// The suite, as `bookworm`; one that ends in a slash is a directory, and has no components.
    suite: String,
    /// What is taken from it.
    #[serde(default = "binaries")]
    types: Vec<Type>,
    /// The components; `main` where this is not given.
    #[serde(default)]
    components: Option<Vec<String>>,
    /// Which keys its signature must be made with.
    #[serde(default)]
    check_signature_with: Check,
    /// The keys for `external`.
    #[serde(default)]
    keyring: Option<Keyring>,
    /// The package that brings its keys, to be installed.
    #[serde(default)]
    keyring_package: Option<String>,
}

/// What is taken from a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
enum Type {
    /// Binary packages.
    #[serde(rename = "deb")]
    Binary,
    /// Source packages.
    #[serde(rename = "deb-src")]
    Source,
}

/// Which keys a signature must be made with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Check {
    /// With those that the worker trusts.
    #[default]
    System,
    /// With those of `keyring`.
    External,
    /// With any, or none.
    #[serde(rename = "no-check")]
    Nothing,
}

fn binaries() -> Vec<Type> {
    vec![Type::Binary]
}

impl BootstrapRepository {
    /// The URL.
    pub(crate) fn mirror(&self) -> &str {
        &self.mirror
    }

    /// The suite.
    pub fn suite(&self) -> &str {
        &self.suite
    }

    /// The package that brings its keys.
    pub(crate) fn keyring_package(&self) -> Option<&str> {
        self.keyring_package.as_deref()
    }

    /// What is wrong with it, as the one of that number.
    pub(crate) fn faults(&self, number: usize) -> Vec<TaskConfigError> {
        let at = |key: &str| format!("/bootstrap_repositories/{number}/{key}");
        let words = RepositoryWords {
            url: ("mirror", &self.mirror),
            suite: &self.suite,
            components: self.components.as_deref(),
        };
        let mut faults = words.faults(&format!("/bootstrap_repositories/{number}"));
        if self.types.is_empty() {
            faults.push(TaskConfigError::new(
                at("types"),
                "needs `deb` or `deb-src`",
            ));
        }
        match (self.check_signature_with, &self.keyring) {
            (Check::External, None) => {
                let message = "is needed where `check_signature_with` is `external`";
                faults.push(TaskConfigError::new(at("keyring"), message));
            }
            (Check::System | Check::Nothing, Some(_)) => {
                let message = "is used only where `check_signature_with` is `external`";
                faults.push(TaskConfigError::new(at("keyring"), message));
            }
            _ => {}
        }
        if let Some(keyring) = &self.keyring {
            let all = keyring.faults().into_iter();
            faults.extend(all.map(|(key, message)| {
                TaskConfigError::new(at(&format!("keyring/{key}")), message)
            }));
        }
        let package = self.keyring_package.as_deref();
        if package.is_some_and(|package| !is_package_name(package)) {
            faults.push(TaskConfigError::new(
                at("keyring_package"),
                "is no name of a package",
            ));
        }
        faults
    }

    /// Fetches the keys, where it has some of its own, as those of that number.
    pub(crate) fn fetch_keyring(
        &self,
        context: &Context,
        directory: &Path,
        number: usize,
    ) -> Result<Option<FetchedKeyring>, TaskError> {
        let keyring = self.keyring.as_ref();
        keyring
            .map(|keyring| keyring.fetch(context, directory, number))
            .transpose()
    }

    /// The components that packages come from: `main` where none are given, and none in a directory.
    pub(crate) fn components(&self) -> Vec<&str> {
        if self.suite.ends_with('/') {
            return Vec::new();
        }
        match &self.components {
            Some(all) => all.iter().map(String::as_str).collect(),
            None => vec!["main"],
        }
    }

    /// It as a stanza of apt's sources.
    pub(crate) fn stanza(&self, keyring: Option<&FetchedKeyring>) -> String {
        let types = self.types.iter().map(|each| match each {
            Type::Binary => "deb",
            Type::Source => "deb-src",
        });
        let types: Vec<_> = types.collect();
        let mut lines = vec![
            format!("Types: {}", types.join(" ")),
            format!("URIs: {}", self.mirror),
            format!("Suites: {}", self.suite),
        ];
        let components = self.components();
        if !components.is_empty() {
            lines.push(format!("Components: {}", components.join(" ")));
        }
        if self.check_signature_with == Check::Nothing {
            lines.push("Trusted: yes".to_owned());
        }
        if let Some(keyring) = keyring {
            lines.push(format!("Signed-By: {}", keyring.file().display()));
        }
        lines.push(String::new());
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn faults(more: &Value) -> Vec<String> {
        let mut repository = json!({"mirror": "http://a", "suite": "sid"});
        for (key, value) in more.as_object().unwrap() {
            repository[key] = value.clone();
        }
        let repository: BootstrapRepository = serde_json::from_value(repository).unwrap();
        let faults = repository.faults(0);
        faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_package_of_keys_is_no_option_of_apt() {
        assert!(faults(&json!({"keyring_package": "debian-archive-keyring"})).is_empty());
        let found = faults(&json!({"keyring_package": "-oDir=/x"}));
        assert_eq!(
            found,
            ["/bootstrap_repositories/0/keyring_package: is no name of a package"]
        );
    }

    #[test]
    fn components_are_given_where_there_are_any() {
        for more in [
            json!({}),
            json!({"suite": "./"}),
            json!({"suite": "./", "components": []}),
        ] {
            assert!(faults(&more).is_empty(), "{more}");
        }
        let at = "/bootstrap_repositories/0/components";
        assert_eq!(
            faults(&json!({"components": []})),
            [format!("{at}: are needed, as `main`")]
        );
        let directory = json!({"suite": "./", "components": ["main"]});
        assert_eq!(
            faults(&directory),
            [format!("{at}: are none in a directory")]
        );
    }
}
