//! The repositories that a system is made from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{
    path::{Path, PathBuf},
    process::Command,
};
use taskbay_plugin_api::{Context, TaskConfigError, TaskError, run};

/// What apt has beside its programs.
const APT_HELPER: &str = "/usr/lib/apt/apt-helper";

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

/// Keys.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Keyring {
    /// Where they are.
    url: String,
    /// The SHA-256 that they must have.
    #[serde(default)]
    sha256sum: Option<String>,
    /// Whether the system gets them too, to check the repository later.
    #[serde(default)]
    install: bool,
}

/// Keys that have been fetched.
#[derive(Debug)]
pub(crate) struct FetchedKeyring {
    /// The file.
    file: PathBuf,
    /// Its path in the system, where it shall be there.
    installed: Option<String>,
}

impl FetchedKeyring {
    /// What mmdebstrap does in the system for it: the sources name a file of the worker, which the system has elsewhere or
    /// not at all.
    pub(crate) fn hooks(&self, use_signed_by: bool) -> Vec<String> {
        let file = self.file.display();
        let sources = r#""$1"/etc/apt/sources.list.d/*.sources"#;
        let forget = format!("sed -i '\\,^Signed-By: {file}$,d' {sources}");
        let Some(installed) = &self.installed else {
            return vec![forget];
        };
        let in_sources = if use_signed_by {
            format!("sed -i 's,^Signed-By: {file}$,Signed-By: {installed},' {sources}")
        } else {
            forget
        };
        vec![
            r#"mkdir -p "$1/etc/apt/keyrings""#.to_owned(),
            format!("upload {file} {installed}"),
            in_sources,
        ]
    }
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
        let mut faults = Vec::new();
        let mut words = vec![("mirror", &self.mirror), ("suite", &self.suite)];
        words.extend(
            self.components
                .iter()
                .flatten()
                .map(|each| ("components", each)),
        );
        // Each becomes a word in a file of apt's.
        for (key, word) in words {
            if word.is_empty() || word.contains(|c: char| c.is_whitespace() || c.is_control()) {
                faults.push(TaskConfigError::new(
                    at(key),
                    format!("`{word}` must be one word"),
                ));
            }
        }
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
        faults
    }

    /// Fetches the keys, where it has some of its own, as those of that number.
    pub(crate) fn fetch_keyring(
        &self,
        context: &Context,
        directory: &Path,
        number: usize,
    ) -> Result<Option<FetchedKeyring>, TaskError> {
        let Some(keyring) = &self.keyring else {
            return Ok(None);
        };
        // apt tells armoured keys from others by the name.
        let is_armoured = Path::new(&keyring.url)
            .extension()
            .is_some_and(|end| end == "asc");
        let ending = if is_armoured { "asc" } else { "gpg" };
        let name = format!("taskbay-{number}.{ending}");
        let file = directory.join(&name);
        let mut fetch = Command::new(APT_HELPER);
        fetch.arg("download-file").arg(&keyring.url).arg(&file);
        if let Some(sum) = &keyring.sha256sum {
            fetch.arg(format!("SHA256:{sum}"));
        }
        let status = run(context, &mut fetch)?;
        if !status.success() {
            return Err(TaskError::new(format!(
                "cannot fetch the keyring {}: {APT_HELPER} ended with {status}; the log has its message",
                keyring.url
            )));
        }
        let installed = keyring.install.then(|| format!("/etc/apt/keyrings/{name}"));
        Ok(Some(FetchedKeyring { file, installed }))
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
        if !self.suite.ends_with('/') {
            let components = self.components.as_ref();
            let components = components.map_or_else(|| "main".to_owned(), |all| all.join(" "));
            lines.push(format!("Components: {components}"));
        }
        if self.check_signature_with == Check::Nothing {
            lines.push("Trusted: yes".to_owned());
        }
        if let Some(keyring) = keyring {
            lines.push(format!("Signed-By: {}", keyring.file.display()));
        }
        lines.push(String::new());
        lines.join("\n")
    }
}
