//! One side of a comparison, fetched.

use crate::input::Kind;
use std::path::{Path, PathBuf};
use taskbay_debian::Executor;
use taskbay_plugin_api::{Artifact, ArtifactId, Lookup, TaskConfigError, TaskError};

/// One side of a comparison: what its artifacts brought.
#[derive(Debug)]
pub(crate) struct Side {
    pointer: String,
    artifacts: Vec<ArtifactId>,
    files: Vec<PathBuf>,
}

impl Side {
    /// Fetches the artifacts of the side which stands at that place in the task data, each into a directory of its own.
    pub(crate) fn fetch(
        executor: &Executor<'_>,
        kind: Kind,
        at: usize,
        lookups: &[Lookup],
    ) -> Result<Self, TaskError> {
        let mut side = Self {
            pointer: kind.pointer_to(at),
            artifacts: Vec::new(),
            files: Vec::new(),
        };
        for (number, lookup) in lookups.iter().enumerate() {
            let (id, artifact) = executor.fetch(lookup, format!("side-{at}/{number}"))?;
            side.check_category(kind, lookup, &artifact)?;
            side.artifacts.push(id);
            side.files.extend(artifact.files);
        }
        Ok(side)
    }

    /// The artifacts.
    pub(crate) fn artifacts(&self) -> impl Iterator<Item = ArtifactId> {
        self.artifacts.iter().copied()
    }

    /// The files whose names end so, after a dot.
    pub(crate) fn files(&self, endings: &[&str]) -> Vec<&Path> {
        let files = self.files.iter().map(PathBuf::as_path);
        let ends_so = |file: &&Path| {
            let end = file.extension();
            end.is_some_and(|end| endings.iter().any(|ending| end == *ending))
        };
        files.filter(ends_so).collect()
    }

    /// A fault of this side.
    pub(crate) fn fault(&self, message: impl Into<String>) -> TaskConfigError {
        TaskConfigError::new(&self.pointer, message)
    }

    fn check_category(
        &self,
        kind: Kind,
        lookup: &Lookup,
        artifact: &Artifact,
    ) -> Result<(), TaskConfigError> {
        let allowed = kind.categories();
        if allowed.contains(&artifact.category.as_str()) {
            return Ok(());
        }
        Err(self.fault(format!(
            "`{lookup}` is an artifact of category `{}`, and only these can be compared here: {}",
            artifact.category,
            allowed.join(", ")
        )))
    }
}
