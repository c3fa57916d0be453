//! Uploads that tasks make.

use crate::artifact_of_file;
use std::path::Path;
use taskbay_plugin_api::{ArtifactId, Context, Relation, RelationKind, TaskError};

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
    for target in parts {
        // Both, as a Debusine worker relates an upload.
        for kind in [RelationKind::Extends, RelationKind::RelatesTo] {
            server.relate(Relation {
                artifact,
                target: *target,
                kind,
            })?;
        }
    }
    Ok(artifact)
}
