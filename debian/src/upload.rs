//! Uploads that tasks make.

use crate::{ControlFile, ControlFileError, artifact_of_file};
use std::path::Path;
use taskbay_plugin_api::{ArtifactId, Context, RelationKind, TaskError};

/// Gives the upload of a `.changes` file to the server, which was made from the artifacts `parts`.
///
/// # Errors
///
/// When a file that it names is missing or another, or the server does not take it.
pub fn give_upload(
    context: &Context,
    changes: &Path,
    parts: &[ArtifactId],
) -> Result<ArtifactId, TaskError> {
    let server = context.server();
    let artifact = server.upload(artifact_of_file(changes)?)?;
    // Both, as a Debusine worker relates an upload.
    for kind in [RelationKind::Extends, RelationKind::RelatesTo] {
        server.relate_all(artifact, kind, parts.iter().copied())?;
    }
    Ok(artifact)
}

/// The name of the `.changes` file of what `control_file` is about: `NAME_VERSION_SUFFIX.changes`, without the epoch of the
/// version, as all names of Debian's files are.
///
/// # Errors
///
/// When its name and version could name a file elsewhere.
pub fn changes_name(control_file: &ControlFile, suffix: &str) -> Result<String, ControlFileError> {
    // The version of the source follows where it is another than that of the packages.
    let source = control_file.field("Source")?.split_whitespace().next();
    let version = control_file.field("Version")?;
    let version = version.split_once(':').map_or(version, |(_, rest)| rest);
    let name = format!("{}_{version}_{suffix}.changes", source.unwrap_or_default());
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "+-.~_".contains(c);
    if name.starts_with('.') || !name.chars().all(is_plain) {
        let reason = "it has no name and version that can name a file";
        return Err(control_file.malformed(reason.to_owned()));
    }
    Ok(name)
}
