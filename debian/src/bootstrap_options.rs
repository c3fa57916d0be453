//! What kind of system is made of repositories.

use crate::package_name::{is_package_choice, is_package_name};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taskbay_plugin_api::TaskConfigError;

/// What kind of system is made.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BootstrapOptions {
    /// Its architecture.
    pub architecture: String,
    /// Which packages it has; as debootstrap chooses them where this is not given.
    #[serde(default)]
    pub variant: Option<Variant>,
    /// Further packages.
    #[serde(default)]
    pub extra_packages: Vec<String>,
    /// Whether its own sources say which keys sign them, where these are `external`.
    #[serde(default = "yes")]
    pub use_signed_by: bool,
    /// What apt shall call to verify signatures.
    #[serde(default)]
    pub gpgv_command: Option<String>,
}

/// Which packages a system has, in mmdebstrap's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Variant {
    /// Nothing but what is asked for.
    Custom,
    /// Extracted packages, none of them configured.
    Extract,
    /// Essential packages.
    Essential,
    /// Essential packages and apt.
    Apt,
    /// Required packages and apt.
    Required,
    /// The same as `required`.
    Minbase,
    /// Required packages, apt and build-essential.
    Buildd,
    /// Important packages.
    Important,
    /// The same as `important`.
    Debootstrap,
    /// The same as `important`.
    #[serde(rename = "-")]
    Dash,
    /// Standard packages.
    Standard,
}

fn yes() -> bool {
    true
}

impl BootstrapOptions {
    /// What is wrong with them, where they stand at `/bootstrap_options`.
    pub(crate) fn faults(&self) -> Vec<TaskConfigError> {
        let mut faults = Vec::new();
        // It is written as one.
        if !is_package_name(&self.architecture) {
            let message = "is no name of an architecture, as `amd64`";
            faults.push(TaskConfigError::new(
                "/bootstrap_options/architecture",
                message,
            ));
        }
        for (number, package) in self.extra_packages.iter().enumerate() {
            if !is_package_choice(package) {
                let pointer = format!("/bootstrap_options/extra_packages/{number}");
                faults.push(TaskConfigError::new(pointer, "is no name of a package"));
            }
        }
        let gpgv = self.gpgv_command.as_deref().unwrap_or("gpgv");
        // It stands between quotes in a file of apt's.
        if gpgv.contains(|c: char| c.is_control() || "\"'\\".contains(c)) || gpgv.trim().is_empty()
        {
            let message = "must be a command without quotes, backslashes and control characters";
            faults.push(TaskConfigError::new(
                "/bootstrap_options/gpgv_command",
                message,
            ));
        }
        faults
    }

    /// The words for mmdebstrap, and `brought` are packages that it installs too.
    pub(crate) fn words<'a>(&'a self, brought: impl Iterator<Item = &'a str>) -> Vec<String> {
        let mut words = Vec::new();
        if let Some(variant) = &self.variant {
            // As the enumeration is written in JSON.
            let variant = serde_json::to_value(variant).unwrap_or_default();
            words.push(format!(
                "--variant={}",
                variant.as_str().unwrap_or_default()
            ));
        }
        let packages: Vec<_> = self
            .extra_packages
            .iter()
            .map(String::as_str)
            .chain(brought)
            .collect();
        if !packages.is_empty() {
            words.push(format!("--include={}", packages.join(",")));
        }
        if let Some(gpgv) = &self.gpgv_command {
            words.push(format!("--aptopt=APT::Key::gpgvcommand \"{gpgv}\""));
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn faults(options: &Value) -> Vec<String> {
        let options: BootstrapOptions = serde_json::from_value(options.clone()).unwrap();
        options.faults().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn no_package_is_an_option_of_apt() {
        let packages = json!([
            "vim",
            "less=1:2-3~x",
            "-oDPkg::Pre-Invoke::=/path/command",
            "",
            "a b"
        ]);
        let found = faults(&json!({"architecture": "-a", "extra_packages": packages}));
        assert_eq!(
            found,
            [
                "/bootstrap_options/architecture: is no name of an architecture, as `amd64`",
                "/bootstrap_options/extra_packages/2: is no name of a package",
                "/bootstrap_options/extra_packages/3: is no name of a package",
                "/bootstrap_options/extra_packages/4: is no name of a package",
            ]
        );
    }

    #[test]
    fn the_command_for_signatures_ends_no_option_of_apt() {
        let with =
            |command: &str| faults(&json!({"architecture": "amd64", "gpgv_command": command}));
        assert!(with("/usr/bin/gpgv").is_empty());
        for command in [
            "gpgv\"; DPkg::Pre-Invoke {\"x\";}; A \"",
            "gpgv\nx",
            "a\\",
            "a'b",
            "",
        ] {
            let found = with(command).join("; ");
            assert!(
                found.starts_with("/bootstrap_options/gpgv_command: must be"),
                "{command}: {found}"
            );
        }
    }
}
