//! The artifact that a file stands for, with what belongs to it.

use crate::{
    ControlFile, ControlFileError, Member, RegularFileError, binary_package::local_binary_package,
    build_log::build_log, open, sha256,
};
use serde_json::{Value, json};
use std::{
    io,
    path::{Path, PathBuf},
};
use taskbay_core::{Artifact, ServerError};

/// Why a file stands for no artifact.
#[derive(Debug, thiserror::Error)]
pub enum PackageFilesError {
    /// It cannot be read.
    #[error(transparent)]
    File(#[from] RegularFileError),
    /// It names other files, and does so wrongly.
    #[error(transparent)]
    ControlFile(#[from] ControlFileError),
    /// A file that it names is not there.
    #[error("{} is missing, and {} names it; put it there", path.display(), named_by.display())]
    Missing {
        /// The file that is missing.
        path: PathBuf,
        /// The file that names it.
        named_by: PathBuf,
    },
    /// A file that it names has another size.
    #[error(
        "{} has {found} bytes, and {} says {wanted}; it was cut short or replaced: fetch it anew",
        path.display(), named_by.display()
    )]
    Size {
        /// The file that is another.
        path: PathBuf,
        /// The file that names it.
        named_by: PathBuf,
        /// Its size.
        found: u64,
        /// The size that it should have.
        wanted: u64,
    },
    /// A file that it names has another content.
    #[error(
        "{} has the SHA-256 {found}, and {} says {wanted}; it was replaced: fetch it anew",
        path.display(), named_by.display()
    )]
    Content {
        /// The file that is another.
        path: PathBuf,
        /// The file that names it.
        named_by: PathBuf,
        /// The hash of its content.
        found: String,
        /// The hash that it should have.
        wanted: String,
    },
}

impl From<PackageFilesError> for ServerError {
    fn from(error: PackageFilesError) -> Self {
        Self(error.to_string())
    }
}

/// The artifact that the file `path` stands for, with the data that Debusine has of such ones. Its files are `path` itself
/// first, then those beside it.
///
/// | extension | category |
/// | --- | --- |
/// | `.dsc` | `debian:source-package`, with the files that it names |
/// | `.changes` | `debian:upload`, with the files that it names |
/// | `.deb`, `.udeb` | `debian:binary-package` |
/// | `.build` | `debian:package-build-log` |
/// | any other | `file` |
///
/// # Errors
///
/// When it cannot be read, or one that it names is missing or another.
pub fn artifact_of_file(path: &Path) -> Result<Artifact, PackageFilesError> {
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
        Some("deb" | "udeb") => {
            open(path)?;
            Ok(local_binary_package(path))
        }
        Some("build") => Ok(build_log(path)?),
        _ => {
            open(path)?;
            artifact("file", json!({}), vec![path.to_owned()])
        }
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

fn with_members(
    path: &Path,
    control_file: &ControlFile,
) -> Result<Vec<PathBuf>, PackageFilesError> {
    let mut files = vec![path.to_owned()];
    for member in control_file.members()? {
        let file = path.with_file_name(&member.name);
        check(&file, path, member)?;
        if !files.contains(&file) {
            files.push(file);
        }
    }
    Ok(files)
}

/// Whether `file` is the one that `named_by` means.
fn check(file: &Path, named_by: &Path, member: Member) -> Result<(), PackageFilesError> {
    let (path, named_by) = (file.to_owned(), named_by.to_owned());
    let opened = match open(file) {
        Err(RegularFileError::Read { error, .. }) if error.kind() == io::ErrorKind::NotFound => {
            return Err(PackageFilesError::Missing { path, named_by });
        }
        other => other?,
    };
    let found = opened.metadata().map_err(|error| RegularFileError::Read {
        path: path.clone(),
        error,
    })?;
    let (found, wanted) = (found.len(), member.size);
    if found != wanted {
        return Err(PackageFilesError::Size {
            path,
            named_by,
            found,
            wanted,
        });
    }
    let Some(wanted) = member.sha256 else {
        return Ok(());
    };
    let found = sha256(file)?;
    if found == wanted {
        return Ok(());
    }
    Err(PackageFilesError::Content {
        path,
        named_by,
        found,
        wanted,
    })
}
