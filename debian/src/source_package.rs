//! The source package in an artifact.

use crate::{ControlFile, Input};
use std::path::{Path, PathBuf};
use taskbay_plugin_api::{TaskConfigError, TaskError};

/// A source package that has been fetched, alone or in an upload.
#[derive(Debug)]
pub struct SourcePackage {
    /// Its name, as the `.dsc` says.
    pub name: String,
    /// Its version, likewise.
    pub version: String,
    dsc: PathBuf,
}

impl SourcePackage {
    /// The `.dsc`.
    pub fn dsc(&self) -> &Path {
        &self.dsc
    }
}

impl Input {
    /// The source package in it. What the data of the artifact says differs with its category, and may be nothing.
    ///
    /// # Errors
    ///
    /// When it has none, or one whose `.dsc` has no name or version.
    pub fn source(&self) -> Result<SourcePackage, TaskError> {
        let dsc = self.dsc()?;
        let read = || {
            let file = ControlFile::read(dsc)?;
            Ok(SourcePackage {
                name: file.field("Source")?.to_owned(),
                version: file.field("Version")?.to_owned(),
                dsc: dsc.to_owned(),
            })
        };
        read().map_err(|error: crate::ControlFileError| {
            TaskConfigError::new(self.pointer(), error.to_string()).into()
        })
    }
}
