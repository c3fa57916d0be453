//! An artifact made from a local file and what belongs to it.

use crate::{
    control_file::{ControlFile, ControlFileError},
    staging::{StagingError, open},
};
use serde_json::{Value, json};
use std::{
    io,
    path::{Path, PathBuf},
};
use taskbay_core::{Artifact, ServerError};

/// Why a local file is no artifact.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LocalArtifactError {
    #[error(transparent)]
    File(#[from] StagingError),
    #[error(transparent)]
    ControlFile(#[from] ControlFileError),
    #[error("{} is missing, and {} names it; put it there", path.display(), named_by.display())]
    Missing { path: PathBuf, named_by: PathBuf },
    #[error(
        "{} has {found} bytes, and {} says {wanted}; it was cut short or replaced: fetch it anew",
        path.display(), named_by.display()
    )]
    Size {
        path: PathBuf,
        named_by: PathBuf,
        found: u64,
        wanted: u64,
    },
}

impl From<LocalArtifactError> for ServerError {
    fn from(error: LocalArtifactError) -> Self {
        Self(error.to_string())
    }
}

/// The artifact that the local file `path` stands for, with what belongs to it: a `.dsc` and `.changes` with the files
/// that they name.
///
/// # Errors
///
/// When it cannot be read, or one that it names is missing or another.
pub fn local_artifact(path: &Path) -> Result<Artifact, ServerError> {
    Ok(read(path)?)
}

/// The artifact that the file `path` stands for. Its files are `path` itself first, then those beside it.
///
/// | extension | category |
/// | --- | --- |
/// | `.dsc` | `debian:source-package`, with the files that it names |
/// | `.changes` | `debian:upload`, with the files that it names |
/// | `.deb`, `.udeb` | `debian:binary-package` |
/// | `.build` | `debian:package-build-log` |
/// | any other | `file` |
pub(crate) fn read(path: &Path) -> Result<Artifact, LocalArtifactError> {
    let extension = path.extension().and_then(|extension| extension.to_str());
    let artifact = |category, data, files| Ok(Artifact::new(category, data, files));
    match extension {
        Some("dsc") => {
            let dsc = ControlFile::read(path)?;
            let data = source_package(&dsc)?;
            artifact("debian:source-package", data, with_members(path, &dsc)?)
        }
        Some("changes") => {
            let changes = ControlFile::read(path)?;
            let data = json!({"type": "dpkg", "changes_fields": changes.fields()});
            artifact("debian:upload", data, with_members(path, &changes)?)
        }
        Some("deb" | "udeb") => artifact("debian:binary-package", json!({}), alone(path)?),
        Some("build") => artifact("debian:package-build-log", json!({}), alone(path)?),
        _ => artifact("file", json!({}), alone(path)?),
    }
}

fn source_package(dsc: &ControlFile) -> Result<Value, ControlFileError> {
    Ok(json!({
        "name": dsc.field("Source")?,
        "version": dsc.field("Version")?,
        "type": "dpkg",
        "dsc_fields": dsc.fields(),
    }))
}

fn alone(path: &Path) -> Result<Vec<PathBuf>, LocalArtifactError> {
    open(path)?;
    Ok(vec![path.to_owned()])
}

fn with_members(
    path: &Path,
    control_file: &ControlFile,
) -> Result<Vec<PathBuf>, LocalArtifactError> {
    let mut files = vec![path.to_owned()];
    for member in control_file.members()? {
        let file = path.with_file_name(&member.name);
        let found = size(&file, path)?;
        if found != member.size {
            let (named_by, wanted) = (path.to_owned(), member.size);
            return Err(LocalArtifactError::Size {
                path: file,
                named_by,
                found,
                wanted,
            });
        }
        if !files.contains(&file) {
            files.push(file);
        }
    }
    Ok(files)
}

fn size(file: &Path, named_by: &Path) -> Result<u64, LocalArtifactError> {
    let opened = open(file).map_err(|error| match error {
        StagingError::Read { path, error } if error.kind() == io::ErrorKind::NotFound => {
            LocalArtifactError::Missing {
                path,
                named_by: named_by.to_owned(),
            }
        }
        other => other.into(),
    })?;
    let metadata = opened.metadata();
    Ok(metadata
        .map_err(|error| StagingError::Read {
            path: file.to_owned(),
            error,
        })?
        .len())
}
