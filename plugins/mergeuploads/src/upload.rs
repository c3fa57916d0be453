//! An upload that is merged.

use std::path::PathBuf;
use taskbay_debian::{ControlFile, Input, artifact_of_file};
use taskbay_plugin_api::{ArtifactId, TaskConfigError, TaskError};

/// The one format of `.changes` files that is known here.
const FORMAT: &str = "1.8";

/// An upload that has been fetched, and is whole.
#[derive(Debug)]
pub(crate) struct Upload {
    /// Its number.
    pub(crate) id: ArtifactId,
    /// Its `.changes` file.
    pub(crate) changes: ControlFile,
    /// The files that it names.
    pub(crate) files: Vec<PathBuf>,
    pointer: String,
}

impl Upload {
    /// The upload that was fetched.
    pub(crate) fn of(input: &Input) -> Result<Self, TaskError> {
        let fault = |message: String| TaskConfigError::new(input.pointer(), message);
        let changes = input.files(&["changes"]);
        let [path] = changes[..] else {
            let message = format!("has {} `.changes` files, and needs one", changes.len());
            return Err(fault(message).into());
        };
        let whole = artifact_of_file(path).map_err(|error| fault(error.to_string()))?;
        let changes = ControlFile::read(path).map_err(|error| fault(error.to_string()))?;
        let upload = Self {
            id: input.id,
            changes,
            files: whole.files.into_iter().skip(1).collect(),
            pointer: input.pointer().to_owned(),
        };
        let format = upload.field("Format")?;
        if format != FORMAT {
            let message = format!("is of format `{format}`, and only {FORMAT} can be merged");
            return Err(fault(message).into());
        }
        Ok(upload)
    }

    /// The value of a field that every upload has.
    pub(crate) fn field(&self, name: &str) -> Result<&str, TaskConfigError> {
        let value = self.changes.field(name);
        value.map_err(|error| self.fault(error.to_string()))
    }

    /// The value of a field, with nothing in it where it is missing.
    pub(crate) fn text(&self, field: &str) -> &str {
        self.changes.paragraph().get(field).unwrap_or_default()
    }

    /// What is wrong with it, at its place in the task data.
    pub(crate) fn fault(&self, message: impl Into<String>) -> TaskConfigError {
        TaskConfigError::new(&self.pointer, message)
    }
}
