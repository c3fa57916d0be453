//! What a template package says is to be signed.

use serde::Deserialize;
use std::{collections::BTreeMap, path::Path};
use taskbay_plugin_api::TaskError;

/// `files.json` of a template: what of which packages is to be signed. It may say more, which is for others.
#[derive(Debug, Deserialize)]
pub(crate) struct FilesJson {
    /// The packages, by their names.
    pub(crate) packages: BTreeMap<String, Package>,
}

/// What of one package is to be signed.
#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    /// Hashes of the certificates that what is signed trusts.
    #[serde(default)]
    pub(crate) trusted_certs: Option<Vec<String>>,
    files: Vec<File>,
}

#[derive(Debug, Deserialize)]
struct File {
    file: String,
}

impl FilesJson {
    /// Reads one, and refuses names that lead elsewhere.
    pub(crate) fn parse(text: &str) -> Result<Self, TaskError> {
        let error = |why: String| {
            TaskError::new(format!(
                "the template's files.json {why}; correct the template package"
            ))
        };
        let parsed: Self =
            serde_json::from_str(text).map_err(|why| error(format!("cannot be read: {why}")))?;
        for (name, package) in &parsed.packages {
            if !is_package_name(name) {
                return Err(error(format!("names a package {name:?}")));
            }
            let mut names = Vec::new();
            for path in package.paths() {
                if !is_below(path) {
                    let why = format!("names {path:?} in `{name}`, which could lead elsewhere");
                    return Err(error(why));
                }
                names.push(Path::new(path).file_name());
            }
            names.sort();
            if names.windows(2).any(|pair| pair[0] == pair[1]) {
                let why = "names two files of one name in different directories of";
                return Err(error(format!(
                    "{why} `{name}`, and an artifact has no directories"
                )));
            }
        }
        Ok(parsed)
    }
}

impl Package {
    /// The paths of the files in the package, without a slash at their start.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|file| file.file.as_str())
    }
}

/// Whether it is the name of a package, and can be that of a directory.
pub(crate) fn is_package_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

/// Whether it leads from a directory to something in it, symbolic links aside.
fn is_below(path: &str) -> bool {
    !path.contains('\0') && path.split('/').all(|part| !["", ".", ".."].contains(&part))
}
