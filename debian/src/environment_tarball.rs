//! The tarball of an environment, fetched.

use crate::{EnvironmentLookup, environment::set_mode, environment_lookup::with_architecture};
use std::path::{Path, PathBuf};
use taskbay_plugin_api::{
    Artifact, ArtifactId, Context, Lookup, TaskConfigError, TaskError, make_directory,
};

/// The tarball of a system, for tools that unpack it themselves.
#[derive(Debug)]
pub struct EnvironmentTarball {
    id: ArtifactId,
    file: PathBuf,
    codename: Option<String>,
}

impl EnvironmentTarball {
    /// Fetches the system that `lookup` names into `directory`, in the work directory. Where it says no architecture, it is
    /// `architecture`. Every user who reaches the file may read it.
    ///
    /// # Errors
    ///
    /// When there is none, or it is no tarball.
    pub fn fetch(
        context: &Context,
        lookup: &Lookup,
        architecture: Option<&str>,
        directory: impl AsRef<Path>,
    ) -> Result<Self, TaskError> {
        let directory = make_directory(context, directory)?;
        let lookup = with_architecture(lookup, architecture);
        let (id, artifact) = context.server().fetch(&lookup, &directory)?;
        let file = tarball(&lookup, &artifact)?.to_owned();
        set_mode(&file, 0o644)?;
        let codename = artifact.data["codename"].as_str().map(str::to_owned);
        Ok(Self { id, file, codename })
    }

    /// The artifact.
    pub fn artifact(&self) -> ArtifactId {
        self.id
    }

    /// The file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Its code name, where it is known: of a local file it is not.
    pub fn codename(&self) -> Option<&str> {
        self.codename.as_deref()
    }
}

/// The tarball in an artifact.
fn tarball<'a>(lookup: &Lookup, artifact: &'a Artifact) -> Result<&'a Path, TaskConfigError> {
    let fault = |message: String| Err(TaskConfigError::new("/environment", message));
    // A local file has no other category.
    if ![EnvironmentLookup::CATEGORY, "file"].contains(&artifact.category.as_str()) {
        return fault(format!(
            "needs an artifact of category `{}`, and `{lookup}` is a `{}`",
            EnvironmentLookup::CATEGORY,
            artifact.category
        ));
    }
    let is_tarball = |file: &&PathBuf| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        name.ends_with(".tar") || name.contains(".tar.")
    };
    match artifact.files.iter().find(is_tarball) {
        Some(file) => Ok(file),
        None => fault(format!("`{lookup}` has no `.tar` or `.tar.*` file")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use taskbay_test::artifact;

    #[test]
    fn says_what_is_no_environment() {
        let log = artifact("debian:package-build-log", vec!["/x.build".into()]);
        let error = tarball(&Lookup::Id(7), &log).unwrap_err();
        assert_eq!(
            error.to_string(),
            "/environment: needs an artifact of category `debian:system-tarball`, and `7` is a `debian:package-build-log`"
        );
        let other = artifact("file", vec!["/x.iso".into()]);
        let error = tarball(&Lookup::Id(7), &other).unwrap_err().to_string();
        assert!(error.contains("`7` has no `.tar`"), "{error}");
        let good = artifact("file", vec!["/x.txt".into(), "/x.tar.zst".into()]);
        assert_eq!(
            tarball(&Lookup::Id(7), &good).unwrap(),
            Path::new("/x.tar.zst")
        );
    }
}
