//! One side of a comparison, fetched.

use crate::input::{Kind, SideLookups};
use std::path::Path;
use taskbay_debian::{Executor, Input, some};
use taskbay_plugin_api::{Artifact, ArtifactId, TaskConfigError, TaskError};

/// One side of a comparison: what its artifacts brought.
#[derive(Debug)]
pub(crate) struct Side {
    pointer: String,
    inputs: Vec<Input>,
}

impl Side {
    /// Fetches the artifacts of the side which stands at that place in the task data, each into a directory of its own.
    pub(crate) fn fetch(
        executor: &Executor<'_>,
        kind: Kind,
        at: usize,
        selected: SideLookups<'_>,
    ) -> Result<Self, TaskError> {
        let pointer = kind.pointer_to(at);
        let (categories, directory) = (kind.categories(), format!("side-{at}"));
        let inputs = match selected {
            SideLookups::One(lookup) => {
                let place = (&*pointer, lookup);
                vec![Input::fetch_for(executor, place, categories, directory)?]
            }
            SideLookups::Many(lookups) => {
                let named = (&*pointer, lookups);
                let found = Input::fetch_all_for(executor, named, categories, directory)?;
                some(&pointer, found)?
            }
        };
        Ok(Self { pointer, inputs })
    }

    /// The artifacts.
    pub(crate) fn artifacts(&self) -> impl Iterator<Item = ArtifactId> {
        self.inputs.iter().map(|input| input.id)
    }

    /// The artifacts with what they say of themselves.
    pub(crate) fn fetched(&self) -> Vec<&Artifact> {
        self.inputs.iter().map(|input| &input.artifact).collect()
    }

    /// The files whose names end so, after a dot.
    pub(crate) fn files(&self, endings: &[&str]) -> Vec<&Path> {
        let files = self.inputs.iter().map(|input| input.files(endings));
        files.flatten().collect()
    }

    /// A fault of this side.
    pub(crate) fn fault(&self, message: impl Into<String>) -> TaskConfigError {
        TaskConfigError::new(&self.pointer, message)
    }
}
