//! The manifest: what a plugin file says of itself before any of its code runs.

use crate::{ApiVersion, NameError, TaskName, shorten};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The manifest's own format, which is the type of the ELF note that holds it. Keys may be added within a format.
pub const MANIFEST_FORMAT: u32 = 1;

/// The most that is said of what is malformed, in characters: serde quotes what it found, which may have any length.
const LONGEST_MESSAGE: usize = 400;

/// What a plugin file says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The task's name, as written.
    pub name: String,
    /// The task's version.
    pub version: u32,
    /// The interface that the plugin was built against.
    pub api: ApiVersion,
    /// The cargo package that the plugin was built from.
    pub package: String,
    /// The version of that package.
    pub package_version: String,
    /// What the plugin does on a panic.
    pub panic: PanicStrategy,
    /// The fingerprint of the interface's layout, to be shown: that plugins of one fingerprint have one layout is what
    /// they say themselves, so a host checks each.
    #[serde(default)]
    pub interface: String,
}

/// What a plugin was built to do on a panic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PanicStrategy {
    /// Unwind, so that the plugin's guard can catch it.
    Unwind,
    /// End the process.
    Abort,
    /// One that this host does not know.
    #[serde(other)]
    Unknown,
}

/// Why a note holds no manifest.
#[derive(Debug, thiserror::Error)]
#[error("the manifest is malformed: {}", shorten(&.0.to_string(), LONGEST_MESSAGE))]
pub struct ManifestError(#[from] serde_json::Error);

/// A manifest that fits this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    name: TaskName,
    manifest: Manifest,
}

/// Everything about a manifest that does not fit this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incompatible(pub Vec<Mismatch>);

/// One thing about a manifest that does not fit this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// The task's name is not allowed.
    Name(NameError),
    /// The plugin was built for another interface.
    Api {
        /// The plugin's.
        plugin: ApiVersion,
        /// The host's.
        host: ApiVersion,
    },
    /// The plugin would end the process on a panic.
    Panic,
}

impl Manifest {
    /// Reads the manifest in a note's content. Never panics, whatever the bytes.
    ///
    /// # Errors
    ///
    /// When they are no manifest of format [`MANIFEST_FORMAT`].
    pub fn parse(bytes: &[u8]) -> Result<Self, ManifestError> {
        Ok(serde_json::from_slice(bytes)?)
    }

    /// Whether a host of that interface may load the plugin.
    ///
    /// # Errors
    ///
    /// Everything that does not fit.
    pub fn accept(self, host: ApiVersion) -> Result<Accepted, Incompatible> {
        let mut mismatches = Vec::new();
        let name = TaskName::fold(&self.name);
        if let Err(error) = &name {
            mismatches.push(Mismatch::Name(error.clone()));
        }
        if self.api.major != host.major {
            let plugin = self.api;
            mismatches.push(Mismatch::Api { plugin, host });
        }
        if self.panic != PanicStrategy::Unwind {
            mismatches.push(Mismatch::Panic);
        }
        match name {
            Ok(name) if mismatches.is_empty() => Ok(Accepted {
                name,
                manifest: self,
            }),
            _ => Err(Incompatible(mismatches)),
        }
    }
}

impl Accepted {
    /// The task's name.
    pub fn name(&self) -> &TaskName {
        &self.name
    }

    /// The whole manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }
}

impl Incompatible {
    /// What to do about it.
    pub fn help(&self) -> String {
        let helps: Vec<_> = self.0.iter().map(Mismatch::help).collect();
        helps.join("; ")
    }
}

impl fmt::Display for Incompatible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, mismatch) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{mismatch}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Incompatible {}

impl Mismatch {
    fn help(&self) -> String {
        match self {
            Self::Name(_) => "give the task a name that is allowed".to_owned(),
            Self::Api { host, .. } => {
                format!("rebuild it against taskbay-plugin-api {host}, or remove the file")
            }
            Self::Panic => "build it with panic = \"unwind\"".to_owned(),
        }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(error) => write!(f, "{error}"),
            Self::Api { plugin, host } => write!(
                f,
                "it was built for plugin API {plugin}, and this host speaks {host}"
            ),
            Self::Panic => f.write_str(
                "it was not built with panic = \"unwind\", so a panic in it would end the host",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: ApiVersion = ApiVersion {
        major: 1,
        minor: 4,
        patch: 0,
    };

    fn manifest(name: &str, api: &str, panic: PanicStrategy) -> Manifest {
        Manifest {
            name: name.into(),
            version: 1,
            api: api.parse().unwrap(),
            package: "taskbay-task-noop".into(),
            package_version: "0.1.0".into(),
            panic,
            interface: "0".into(),
        }
    }

    #[test]
    fn older_and_newer_minors_fit() {
        for api in ["1.0.0", "1.4.0", "1.99.3"] {
            let accepted = manifest("NoOp", api, PanicStrategy::Unwind)
                .accept(HOST)
                .unwrap();
            assert_eq!(accepted.name().as_str(), "noop");
        }
    }

    #[test]
    fn all_mismatches_are_told_at_once() {
        let refused = manifest("no op", "2.0.0", PanicStrategy::Abort)
            .accept(HOST)
            .unwrap_err();
        assert_eq!(refused.0.len(), 3);
        let text = refused.to_string();
        assert!(
            text.contains("built for plugin API 2.0.0, and this host speaks 1.4.0"),
            "{text}"
        );
        assert!(refused.help().contains("rebuild it against"));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = Manifest::parse(&bytes);
        }
    }
}
