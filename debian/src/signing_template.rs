//! What a template package says is to be signed.

use crate::{Executor, Input, UnpackedPackage, is_package_name, read_bounded};
use serde::Deserialize;
use std::collections::BTreeMap;
use taskbay_plugin_api::{Lookup, TaskConfigError, TaskError};

/// More than any `files.json` has, in bytes.
const LIMIT: u64 = 16 << 20;

/// A template package, unpacked, whose `files.json` names files of other packages that are to be signed.
#[derive(Debug)]
pub struct SigningTemplate {
    /// The package.
    pub package: UnpackedPackage,
    /// What of which packages is to be signed, by their names.
    pub packages: BTreeMap<String, ToSign>,
}

/// What of one package is to be signed.
#[derive(Debug, Deserialize)]
pub struct ToSign {
    /// Hashes of the certificates that what is signed trusts.
    #[serde(default)]
    pub trusted_certs: Option<Vec<String>>,
    /// The files.
    pub files: Vec<FileToSign>,
}

/// A file that is to be signed.
#[derive(Debug, Deserialize)]
pub struct FileToSign {
    /// Its path in the package, without a slash at its start.
    pub file: String,
    /// How it is to be signed, as `efi`.
    #[serde(default)]
    pub sig_type: Option<String>,
}

/// It may say more, which is for others.
#[derive(Deserialize)]
struct FilesJson {
    packages: BTreeMap<String, ToSign>,
}

impl SigningTemplate {
    /// Fetches the template that stands at `pointer` in the task data, and reads what it says.
    ///
    /// # Errors
    ///
    /// When it is no template package, or names what could lead elsewhere.
    pub fn fetch(
        executor: &Executor<'_>,
        (pointer, lookup): (&str, &Lookup),
    ) -> Result<Self, TaskError> {
        let categories = ["debian:binary-package"];
        let input = Input::fetch_for(executor, (pointer, lookup), &categories, "template")?;
        let [deb] = input.packages()?[..] else {
            let message = "has more than one package, and must have the template alone";
            return Err(TaskConfigError::new(pointer, message).into());
        };
        let name = UnpackedPackage::name_in(executor, pointer, deb)?;
        let package = UnpackedPackage::unpack(executor, (input.id, name, deb), "template")?;
        let path = format!("usr/share/code-signing/{}/files.json", package.name);
        let files = package.take(executor, &path, "files.json")?;
        let packages = parse(&read_bounded(&files, LIMIT)?)?;
        Ok(Self { package, packages })
    }

    /// The path in the package of something that belongs to the template, beside `files.json`.
    pub fn path(&self, name: &str) -> String {
        format!("usr/share/code-signing/{}/{name}", self.package.name)
    }
}

fn parse(text: &str) -> Result<BTreeMap<String, ToSign>, TaskError> {
    let error = |why: String| {
        TaskError::new(format!(
            "the template's files.json {why}; correct the template package"
        ))
    };
    let parsed: FilesJson =
        serde_json::from_str(text).map_err(|why| error(format!("cannot be read: {why}")))?;
    for (name, package) in &parsed.packages {
        if !is_package_name(name) {
            return Err(error(format!("names a package {name:?}")));
        }
        let mut paths = Vec::new();
        for FileToSign { file, .. } in &package.files {
            if !is_below(file) {
                let why = format!("names {file:?} in `{name}`, which could lead elsewhere");
                return Err(error(why));
            }
            if paths.contains(&file) {
                return Err(error(format!("names {file:?} in `{name}` twice")));
            }
            paths.push(file);
        }
    }
    Ok(parsed.packages)
}

/// Whether it leads from a directory to something in it, symbolic links aside.
fn is_below(path: &str) -> bool {
    !path.contains(char::is_control) && path.split('/').all(|part| !["", ".", ".."].contains(&part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_followed_is_refused() {
        let refused = |text: &str| parse(text).unwrap_err().message();
        assert!(refused("{}").contains("cannot be read: missing field `packages`"));
        let named = refused(r#"{"packages": {"../x": {"files": []}}}"#);
        assert!(named.contains("names a package \"../x\""), "{named}");
        let twice = r#"{"packages": {"a": {"files": [{"file": "a/x"}, {"file": "a/x"}]}}}"#;
        assert!(refused(twice).contains("names \"a/x\" in `a` twice"));
    }

    #[test]
    fn more_than_is_known_may_be_said() {
        let text = r#"{"more": 1, "packages": {"a": {"more": 2, "trusted_certs": ["f"], "files": [
            {"file": "a/x", "sig_type": "efi", "more": 3}, {"file": "b/x"}]}}}"#;
        let packages = parse(text).unwrap();
        let [x, other] = &packages["a"].files[..] else {
            panic!("{packages:?}");
        };
        assert_eq!((x.sig_type.as_deref(), &*other.file), (Some("efi"), "b/x"));
        assert_eq!(packages["a"].trusted_certs, Some(vec!["f".to_owned()]));
    }
}
