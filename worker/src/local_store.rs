//! The artifacts of a local run: their numbers, their relations, their places in the output directory.

use std::{
    collections::HashSet,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};
use taskbay_core::{Artifact, ArtifactId, Relation, ServerError};

/// An artifact that a task gave.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredArtifact {
    /// Its number in this run.
    pub id: ArtifactId,
    /// The artifact; its files are paths in the output directory.
    pub artifact: Artifact,
    /// How it relates to other artifacts of this run.
    pub relations: Vec<Relation>,
}

/// The artifacts of a local run, by number, and where the next one goes.
#[derive(Debug, Default)]
pub(crate) struct LocalStore {
    /// All artifacts, in the order of their numbers.
    known: Vec<Known>,
    /// What this run has put into the output directory itself.
    taken: HashSet<OsString>,
}

#[derive(Debug)]
struct Known {
    stored: StoredArtifact,
    is_output: bool,
}

impl LocalStore {
    pub(crate) fn artifact(&self, id: ArtifactId) -> Result<Artifact, ServerError> {
        Ok(self.known[self.position(id)?].stored.artifact.clone())
    }

    fn position(&self, id: ArtifactId) -> Result<usize, ServerError> {
        let position = self.known.iter().position(|known| known.stored.id == id);
        position.ok_or_else(|| {
            ServerError(format!(
                "there is no artifact {id} in this run: a local run has no store, and knows only what it resolved or \
                 uploaded itself; name a file by its path, as in `./x.dsc`"
            ))
        })
    }

    /// All outputs, in their order.
    pub(crate) fn outputs(&self) -> Vec<StoredArtifact> {
        let outputs = self.known.iter().filter(|known| known.is_output);
        outputs.map(|known| known.stored.clone()).collect()
    }

    /// The number of an input: the same artifact always has the same.
    pub(crate) fn number(&mut self, artifact: &Artifact) -> ArtifactId {
        let same = |known: &&Known| !known.is_output && known.stored.artifact == *artifact;
        match self.known.iter().find(same) {
            Some(known) => known.stored.id,
            None => self.add(artifact.clone(), false),
        }
    }

    /// The number of an output, which takes names that [`place`](Self::place) said.
    pub(crate) fn add_output(&mut self, artifact: Artifact, taken: Vec<OsString>) -> ArtifactId {
        self.taken.extend(taken);
        self.add(artifact, true)
    }

    fn add(&mut self, artifact: Artifact, is_output: bool) -> ArtifactId {
        let id = self.known.len() as ArtifactId + 1;
        let stored = StoredArtifact {
            id,
            artifact,
            relations: Vec::new(),
        };
        self.known.push(Known { stored, is_output });
        id
    }

    pub(crate) fn relate(&mut self, relation: Relation) -> Result<(), ServerError> {
        self.position(relation.target)?;
        let at = self.position(relation.artifact)?;
        self.known[at].stored.relations.push(relation);
        Ok(())
    }

    /// Where files of these names go, and what that takes of the output directory: a directory of their own when an
    /// earlier upload has one of the names.
    pub(crate) fn place<'a>(
        &self,
        output: &Path,
        category: &str,
        names: impl Iterator<Item = &'a OsStr>,
    ) -> (PathBuf, Vec<OsString>) {
        let names: Vec<_> = names.map(OsStr::to_owned).collect();
        if !names.iter().any(|name| self.taken.contains(name)) {
            return (output.to_owned(), names);
        }
        let suffix = category.rsplit(':').next().unwrap_or_default();
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
        let suffix: String = suffix.chars().filter(|letter| is_plain(*letter)).collect();
        let mut number = 2;
        loop {
            let name = OsString::from(format!("{suffix}-{number}"));
            if !self.taken.contains(&name) {
                return (output.join(&name), vec![name]);
            }
            number += 1;
        }
    }
}
