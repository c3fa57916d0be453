//! What is told of a test.

use serde_json::{Map, Value, json};
use std::{
    path::{Path, PathBuf},
    process::Command,
};
use taskbay_debian::{Executor, read_bounded};
use taskbay_plugin_api::{Artifact, TaskError};

/// More than any version is, or any name of a package, in bytes.
const LIMIT: u64 = 1 << 20;

/// What is told of a test, besides what piuparts says.
#[derive(Debug)]
pub(crate) struct Report {
    /// The version of piuparts.
    version: String,
    /// From the name of each package that was tested to its version.
    packages: Map<String, Value>,
}

impl Report {
    /// What the environment knows of the test of these packages.
    pub(crate) fn of(executor: &Executor<'_>, debs: &[PathBuf]) -> Result<Self, TaskError> {
        let mut version = Command::new("dpkg-query");
        version.args(["--show", "--showformat", "${Version}", "piuparts"]);
        let version = said(executor, &version)?;
        let mut packages = Map::new();
        for deb in debs {
            let mut show = Command::new("dpkg-deb");
            show.args(["--show", "--showformat", "${Package} ${Version}"]);
            let named = said(executor, show.arg(deb))?;
            let (name, version) = named.split_once(' ').unwrap_or((&named, ""));
            packages.insert(name.to_owned(), version.into());
        }
        Ok(Self { version, packages })
    }

    /// The artifact, with what piuparts said in a file.
    pub(crate) fn artifact(
        self,
        output: &Path,
        architecture: Option<&str>,
        distribution: &str,
    ) -> Artifact {
        let data = json!({
            "piuparts_version": self.version,
            "binary_packages": self.packages,
            "architecture": architecture,
            "distribution": distribution,
        });
        Artifact::new("debian:piuparts", data, vec![output.to_owned()])
    }
}

/// What a command says, which has to succeed.
fn said(executor: &Executor<'_>, command: &Command) -> Result<String, TaskError> {
    let output = executor.work_directory().join("said");
    executor.must_to_file(command, &output)?;
    Ok(read_bounded(&output, LIMIT)?.trim().to_owned())
}
