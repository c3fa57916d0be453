//! The packages to analyse, fetched.

use crate::kind::Kind;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};
use taskbay_debian::{BINARIES, Executor, Input, SOURCES, some};
use taskbay_plugin_api::{ArtifactId, TaskError};

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

impl Packages {
    /// Fetches all inputs, each into a directory of its own.
    pub(crate) fn fetch(executor: &Executor<'_>, named: &crate::Input) -> Result<Self, TaskError> {
        let mut packages = Self::default();
        if let Some(lookup) = &named.source_artifact {
            let source = ("/input/source_artifact", lookup);
            let source = Input::fetch_for(executor, source, SOURCES, "input/source")?;
            packages.add(source.id, &[source.dsc()?]);
        }
        let binary = ("/input/binary_artifacts", &named.binary_artifacts);
        let mut binaries = Input::fetch_all_for(executor, binary, BINARIES, "input/binary")?;
        if named.source_artifact.is_none() {
            binaries = some(binary.0, binaries)?;
        }
        for binary in binaries {
            packages.add(binary.id, &binary.packages()?);
        }
        Ok(packages)
    }

    /// What kinds of packages they are.
    pub(crate) fn kinds(&self) -> BTreeSet<&Kind> {
        self.0.iter().map(|package| &package.kind).collect()
    }

    /// The files of the packages of that kind.
    pub(crate) fn of_kind(&self, kind: &Kind) -> Vec<&Path> {
        let packages = self.0.iter().filter(|package| package.kind == *kind);
        packages.map(|package| package.file.as_path()).collect()
    }

    /// The artifacts that they came in.
    pub(crate) fn artifacts(&self) -> impl Iterator<Item = ArtifactId> {
        self.0.iter().map(|package| package.artifact)
    }

    fn add(&mut self, artifact: ArtifactId, files: &[&Path]) {
        self.0.extend(files.iter().filter_map(|file| {
            Some(Package {
                kind: Kind::of(file)?,
                file: file.to_path_buf(),
                artifact,
            })
        }));
    }
}
