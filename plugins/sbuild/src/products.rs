//! What comes out of a build.

use crate::debug_symbols;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};
use taskbay_debian::{Input, SourcePackage, binary_package, give_upload};
use taskbay_plugin_api::{Artifact, ArtifactId, Context, RelationKind, Server, TaskError};

/// The directory that sbuild wrote to, and what it built from.
#[derive(Debug)]
pub(crate) struct Products<'a> {
    pub(crate) context: &'a Context,
    pub(crate) directory: &'a Path,
    /// Where it wrote its log, and nothing else did.
    pub(crate) log_directory: &'a Path,
    pub(crate) source: &'a Input,
    pub(crate) package: &'a SourcePackage,
    /// What the build is for.
    pub(crate) target: &'a str,
}

impl Products<'_> {
    /// The build log, where there is one.
    pub(crate) fn log(&self) -> Result<Option<PathBuf>, TaskError> {
        Ok(files(self.log_directory, "build")?.pop())
    }

    /// Gives the log to the server, with why build dependencies could not be installed.
    pub(crate) fn upload_log(
        &self,
        log: &Path,
        bd_uninstallable: Option<&Value>,
    ) -> Result<ArtifactId, TaskError> {
        let data = json!({
            "source": self.package.name,
            "version": self.package.version,
            "architecture": self.target,
            "filename": log.file_name().unwrap_or_default().to_string_lossy(),
            "bd_uninstallable": bd_uninstallable,
        });
        let artifact = Artifact::new("debian:package-build-log", data, vec![log.to_owned()]);
        let id = self.server().upload(artifact)?;
        self.server()
            .relate_all(id, RelationKind::RelatesTo, [self.source.id])?;
        Ok(id)
    }

    /// Gives the packages to the server, each for itself and together, then the upload and what of it is to be signed.
    pub(crate) fn upload_packages(&self, log: ArtifactId) -> Result<(), TaskError> {
        let mut built = Vec::new();
        let mut debug = Vec::new();
        let mut by_architecture: BTreeMap<String, Vec<Artifact>> = BTreeMap::new();
        let mut packages = files(self.directory, "deb")?;
        packages.extend(files(self.directory, "udeb")?);
        for deb in packages {
            let package = binary_package(self.context, &deb)?;
            let architecture = text(&package.data["deb_fields"]["Architecture"]);
            let id = self.server().upload(package.clone())?;
            built.push(id);
            debug.extend(debug_symbols::package_of(&deb).map(|symbols| (symbols, id)));
            by_architecture
                .entry(architecture)
                .or_default()
                .push(package);
        }
        for (architecture, packages) in by_architecture {
            built.push(self.server().upload(together(&architecture, &packages))?);
        }
        let mut uploads = Vec::new();
        for changes in files(self.directory, "changes")? {
            let upload = give_upload(self.context, &changes, &built)?;
            let data = json!({"trusted_certs": null, "binary_package_name": null});
            let to_sign = Artifact::new("debusine:signing-input", data, vec![changes]);
            let to_sign = self.server().upload(to_sign)?;
            self.server()
                .relate_all(to_sign, RelationKind::RelatesTo, [upload])?;
            uploads.push(upload);
        }
        for package in &built {
            self.server()
                .relate_all(*package, RelationKind::BuiltUsing, [self.source.id])?;
        }
        // As with Debusine, the log is of packages, and so of no upload that has none.
        let uploads = uploads.into_iter().filter(|_| !built.is_empty());
        let told = built.iter().copied().chain(uploads);
        self.server()
            .relate_all(log, RelationKind::RelatesTo, told)?;
        // Last, since much less depends on them.
        for (symbols, package) in debug {
            self.upload_symbols(&symbols, package)?;
        }
        Ok(())
    }

    /// Gives the debug symbols of that package, which are in another one, to the server.
    fn upload_symbols(&self, symbols: &Path, package: ArtifactId) -> Result<(), TaskError> {
        let Some(symbols) = debug_symbols::artifact(self.context, symbols)? else {
            return Ok(());
        };
        let symbols = self.server().upload(symbols)?;
        self.server()
            .relate_all(symbols, RelationKind::RelatesTo, [package])?;
        Ok(())
    }

    fn server(&self) -> &(dyn Server + 'static) {
        self.context.server()
    }
}

/// The regular files with that ending, sorted.
fn files(directory: &Path, ending: &str) -> Result<Vec<PathBuf>, TaskError> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_file() && path.extension().is_some_and(|end| end == ending) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// All packages of one architecture in one artifact.
fn together(architecture: &str, packages: &[Artifact]) -> Artifact {
    let first = &packages[0].data;
    let names = packages
        .iter()
        .map(|package| &package.data["deb_fields"]["Package"]);
    let data = json!({
        "srcpkg_name": first["srcpkg_name"],
        "srcpkg_version": first["srcpkg_version"],
        "version": first["deb_fields"]["Version"],
        "architecture": architecture,
        "packages": names.collect::<Vec<_>>(),
    });
    let files = packages.iter().flat_map(|package| package.files.clone());
    Artifact::new("debian:binary-packages", data, files.collect())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
