//! The packages to analyse, fetched.

use crate::{Input, kind::Kind};
use std::path::{Path, PathBuf};
use taskbay_debian::Executor;
use taskbay_plugin_api::{ArtifactId, Lookup, TaskConfigError, TaskError};

/// The packages to analyse.
#[derive(Debug, Default)]
pub(crate) struct Packages(Vec<Package>);

/// A file that lintian shall look at.
#[derive(Debug)]
pub(crate) struct Package {
    kind: Kind,
    file: PathBuf,
    artifact: ArtifactId,
}

/// What an artifact in one place of the task data must be.
struct Place {
    pointer: String,
    categories: &'static [&'static str],
    /// Which packages are wanted of it.
    wanted: &'static str,
    is_wanted: fn(Kind) -> bool,
}

impl Packages {
    /// Fetches all inputs, each into a directory of its own.
    pub(crate) fn fetch(executor: &Executor<'_>, input: &Input) -> Result<Self, TaskError> {
        let mut packages = Self::default();
        if let Some(lookup) = &input.source_artifact {
            packages.add(executor, lookup, &Place::source(), "source")?;
        }
        for (at, lookup) in input.binary_artifacts.iter().enumerate() {
            packages.add(
                executor,
                lookup,
                &Place::binary(at),
                &format!("binary-{at}"),
            )?;
        }
        Ok(packages)
    }

    /// The packages of that kind.
    pub(crate) fn of_kind(&self, kind: Kind) -> Vec<&Package> {
        let packages = self.0.iter();
        packages.filter(|package| package.kind == kind).collect()
    }

    fn add(
        &mut self,
        executor: &Executor<'_>,
        lookup: &Lookup,
        place: &Place,
        directory: &str,
    ) -> Result<(), TaskError> {
        let (id, artifact) = executor.fetch(lookup, Path::new("input").join(directory))?;
        if !place.categories.contains(&artifact.category.as_str()) {
            return Err(place.fault(format!(
                "`{lookup}` is an artifact of category `{}`, and must be one of these: {}",
                artifact.category,
                place.categories.join(", ")
            )));
        }
        let before = self.0.len();
        let kinds = artifact
            .files
            .into_iter()
            .map(|file| (Kind::of(&file), file));
        self.0.extend(kinds.filter_map(|(kind, file)| {
            let kind = kind.filter(|kind| (place.is_wanted)(*kind))?;
            Some(Package {
                kind,
                file,
                artifact: id,
            })
        }));
        if self.0.len() == before {
            return Err(place.fault(format!("`{lookup}` has no {} file", place.wanted)));
        }
        Ok(())
    }
}

impl Package {
    /// The file.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// The artifact that it came in.
    pub(crate) fn artifact(&self) -> ArtifactId {
        self.artifact
    }
}

impl Place {
    fn source() -> Self {
        Self {
            pointer: "/input/source_artifact".to_owned(),
            categories: &["debian:source-package", "debian:upload"],
            wanted: "`.dsc`",
            is_wanted: |kind| kind == Kind::Source,
        }
    }

    fn binary(at: usize) -> Self {
        Self {
            pointer: format!("/input/binary_artifacts/{at}"),
            categories: &[
                "debian:binary-package",
                "debian:binary-packages",
                "debian:upload",
            ],
            wanted: "`.deb` or `.udeb`",
            is_wanted: |kind| kind != Kind::Source,
        }
    }

    fn fault(&self, message: String) -> TaskError {
        TaskError::Config(TaskConfigError::new(&self.pointer, message))
    }
}
