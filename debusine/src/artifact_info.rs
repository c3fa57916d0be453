//! An artifact, as a server describes it.

use crate::fault::Fault;
use serde::Deserialize;
use serde_json::Value;
use std::{collections::BTreeMap, path::Path};
use taskbay_core::{Artifact, ArtifactId};
use taskbay_engine::limits::{LONGEST_NAME, MOST_FILES};

/// The largest file that is fetched, in bytes.
pub(crate) const LARGEST_FILE: u64 = 100 << 30;
/// What is fetched as one tarball at most, in bytes: more is fetched file by file, and so resumed.
const LARGEST_TARBALL: u64 = 100 << 20;
/// The largest file in a tarball, in bytes.
const LARGEST_TARRED: u64 = 20 << 20;

/// An artifact, as a server describes it.
#[derive(Debug, Deserialize)]
pub(crate) struct ArtifactInfo {
    pub(crate) id: ArtifactId,
    pub(crate) category: String,
    data: Value,
    /// Where all its files come from at once.
    pub(crate) download_tar_gz_url: Option<String>,
    /// Its files by name.
    pub(crate) files: BTreeMap<String, FileInfo>,
    /// The files that the server has not got yet.
    #[serde(default)]
    pub(crate) files_to_upload: Vec<String>,
}

/// A file, as a server describes it.
#[derive(Debug, Deserialize)]
pub(crate) struct FileInfo {
    pub(crate) size: u64,
    #[serde(default)]
    checksums: BTreeMap<String, String>,
    #[serde(rename = "type")]
    kind: String,
    pub(crate) url: Option<String>,
}

impl ArtifactInfo {
    /// The address of its `.dsc` file, where it has one.
    pub(crate) fn source_url(&self) -> Option<&str> {
        let is_source = |name: &str| Path::new(name).extension().is_some_and(|end| end == "dsc");
        let mut sources = self.files.iter().filter(|(name, _)| is_source(name));
        sources.next()?.1.url.as_deref()
    }

    /// Refuses what would lead out of a folder, fill a disk, or is not whole.
    pub(crate) fn checked(self) -> Result<Self, Fault> {
        let fault = |reason: String| Fault::malformed(format!("artifact {}", self.id), reason);
        if self.category.is_empty() || self.category.len() > LONGEST_NAME {
            return Err(fault("its category has no usable name".to_owned()));
        }
        if self.files.len() > MOST_FILES {
            let count = self.files.len();
            return Err(fault(format!(
                "it has {count} files, and at most {MOST_FILES} are taken"
            )));
        }
        for (name, file) in &self.files {
            let shown = taskbay_core::shorten(name, 200);
            if !is_plain(name) {
                return Err(fault(format!(
                    "`{shown}` is no relative path of plain parts"
                )));
            }
            if file.size > LARGEST_FILE {
                let size = file.size;
                return Err(fault(format!(
                    "`{shown}` has {size} bytes, and at most {LARGEST_FILE} are taken"
                )));
            }
            if file.kind != "file" {
                return Err(fault(format!("`{shown}` is no regular file")));
            }
        }
        Ok(self)
    }

    /// Refuses an artifact whose files cannot be fetched yet.
    pub(crate) fn whole(self) -> Result<Self, Fault> {
        if self.files_to_upload.is_empty() {
            return Ok(self);
        }
        let missing = self.files_to_upload.len();
        let reason = format!("{missing} of its files are not on the server yet");
        Err(Fault::malformed(format!("artifact {}", self.id), reason))
    }

    /// Whether its files are fetched at once.
    pub(crate) fn is_fetched_at_once(&self) -> bool {
        let sizes = || self.files.values().map(|file| file.size);
        self.download_tar_gz_url.is_some()
            && self.files.len() > 1
            && sizes().all(|size| size <= LARGEST_TARRED)
            && sizes().fold(0, u64::saturating_add) < LARGEST_TARBALL
    }

    /// The artifact, with its files in that directory.
    pub(crate) fn artifact(&self, directory: &Path) -> Artifact {
        let files = self.files.keys().map(|name| directory.join(name)).collect();
        Artifact::new(&self.category, self.data.clone(), files)
    }
}

impl FileInfo {
    /// The hash of its content, in hexadecimal, where the server says it.
    pub(crate) fn sha256(&self) -> Option<&str> {
        self.checksums.get("sha256").map(String::as_str)
    }
}

/// Whether the name leads nowhere else.
pub(crate) fn is_plain(name: &str) -> bool {
    name.len() <= LONGEST_NAME
        && !name.contains(char::is_control)
        && name.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a server gave it.
    const GIVEN: &str = r#"{"id":65,"workspace":"System","category":"debian:source-package","data":{"name":"tiny"},"created_at":"2026-11-24T04:38:50.775420Z","expire_at":null,"download_tar_gz_url":"http://127.0.0.1:8171/debusine/System/artifact/65/download/?archive=tar.gz","files_to_upload":[],"files":{"tiny_1.0.dsc":{"size":423,"checksums":{"sha256":"64e2932c2ab5aed4fd7853784929eeb00b1ecc10908770b5079db893598dc232"},"type":"file","url":"http://127.0.0.1:8171/debusine/System/artifact/65/download/tiny_1.0.dsc"},"tiny_1.0.tar.xz":{"size":920,"checksums":{"sha256":"177811d9ffea2540af23d2191ba3379a8f5cb498cb10ceb80d9e6982a65d4bbf"},"type":"file","url":"http://127.0.0.1:8171/debusine/System/artifact/65/download/tiny_1.0.tar.xz"}}}"#;

    fn parse(text: &str) -> Result<ArtifactInfo, String> {
        let info: ArtifactInfo = serde_json::from_str(text).map_err(|error| error.to_string())?;
        info.checked()
            .and_then(ArtifactInfo::whole)
            .map_err(|fault| fault.to_string())
    }

    #[test]
    fn an_artifact_is_read() {
        let info = parse(GIVEN).unwrap();
        assert_eq!(info.files["tiny_1.0.dsc"].size, 423);
        assert!(
            info.files["tiny_1.0.dsc"]
                .sha256()
                .unwrap()
                .starts_with("64e2")
        );
        assert!(info.is_fetched_at_once());
        let artifact = info.artifact(Path::new("/w"));
        assert_eq!(artifact.files[0], Path::new("/w/tiny_1.0.dsc"));
        assert_eq!(artifact.data["name"], "tiny");
    }

    #[test]
    fn a_bad_artifact_is_refused() {
        for (from, to, words) in [
            ("tiny_1.0.dsc\":{", "../x\":{", "plain parts"),
            ("tiny_1.0.dsc\":{", "/x\":{", "plain parts"),
            ("tiny_1.0.dsc\":{", "a\\u001bb\":{", "plain parts"),
            ("423", "999999999999", "at most"),
            (r#""type":"file""#, r#""type":"link""#, "no regular file"),
            (
                r#""files_to_upload":[]"#,
                r#""files_to_upload":["x"]"#,
                "not on the server yet",
            ),
            ("423", "-1", "invalid"),
            ("debian:source-package", "", "category"),
        ] {
            let error = parse(&GIVEN.replace(from, to)).unwrap_err();
            assert!(error.contains(words), "{to}: {error}");
        }
    }

    #[test]
    fn what_is_large_is_fetched_file_by_file() {
        let at_once = |text: String| parse(&text).unwrap().is_fetched_at_once();
        assert!(!at_once(GIVEN.replace("423", "20971521")));
        assert!(!at_once(GIVEN.replace("download_tar_gz_url", "other_url")));
    }
}
