//! Artifacts in the engine's store.

use crate::{Lease, RequestId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
    fmt,
    fs::File,
    io::{self, Read},
    path::PathBuf,
};
use taskbay_core::{ArtifactId, Relation};

/// An artifact as it comes in. Its files are read to their ends, and never held in memory whole.
pub struct NewArtifact<'a> {
    /// What it is, in Debusine's words.
    pub category: String,
    /// What is known of it, at most 1 MiB of JSON.
    pub data: Value,
    /// Its files.
    pub files: Vec<NewFile<'a>>,
    /// The attempt that made it, whose lease has to hold; none where somebody imports it.
    pub made_by: Option<Lease>,
}

/// A file as it comes in.
pub struct NewFile<'a> {
    /// Its name in the artifact: a relative path of plain parts.
    pub name: String,
    /// Where its content comes from.
    pub content: Box<dyn Read + 'a>,
}

impl NewFile<'static> {
    /// A file of this machine, under that name. It is opened when it is read, so that an artifact can have more files than a
    /// process can have open.
    pub fn at(name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        let content = Unopened {
            path: path.into(),
            file: None,
        };
        Self {
            name: name.into(),
            content: Box::new(content),
        }
    }
}

/// A file that is opened when it is read.
struct Unopened {
    path: PathBuf,
    file: Option<File>,
}

impl Read for Unopened {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let file = match self.file.take() {
            Some(file) => file,
            None => File::open(&self.path)?,
        };
        self.file.insert(file).read(to)
    }
}

/// An artifact as it is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredArtifact {
    /// Its number.
    pub id: ArtifactId,
    /// What it is.
    pub category: String,
    /// What is known of it.
    pub data: Value,
    /// When it was stored.
    pub created_at: Timestamp,
    /// The request that made it, as long as it is known.
    pub request: Option<RequestId>,
    /// The number of the attempt that made it, in that request.
    pub attempt: Option<i64>,
    /// Its files, by name.
    pub files: Vec<StoredFile>,
    /// How it relates to others, and others to it.
    pub relations: Vec<Relation>,
}

/// A file as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredFile {
    /// Its name in the artifact.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// The SHA-256 of its content, in hexadecimal.
    pub sha256: String,
}

/// Which artifacts to list.
#[derive(Clone, Debug, PartialEq)]
pub struct ArtifactFilter {
    /// Only those of that category.
    pub category: Option<String>,
    /// Only those that this request resulted in: made by the attempt whose outcome is the request's result. What attempts
    /// left that were lost or handed back is not among them.
    pub request: Option<RequestId>,
    /// Only those with a lower number, to page on.
    pub before: Option<ArtifactId>,
    /// At most so many.
    pub limit: u32,
}

impl Default for ArtifactFilter {
    /// The newest 100.
    fn default() -> Self {
        Self {
            category: None,
            request: None,
            before: None,
            limit: 100,
        }
    }
}

impl fmt::Debug for NewArtifact<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewArtifact")
            .field("category", &self.category)
            .field("data", &self.data)
            .field("files", &self.files)
            .field("made_by", &self.made_by)
            .finish()
    }
}

impl fmt::Debug for NewFile<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewFile")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// An artifact whose files' contents are in the store already.
#[derive(Debug)]
pub(crate) struct Manifest {
    pub(crate) category: String,
    pub(crate) data: Value,
    pub(crate) files: Vec<ManifestFile>,
}

/// A file as the pieces that it consists of.
#[derive(Debug, Serialize)]
pub(crate) struct ManifestFile {
    pub(crate) name: String,
    pub(crate) size: u64,
    pub(crate) sha256: String,
    pub(crate) chunks: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_file_is_opened_when_it_is_read() {
        let top = tempfile::tempdir().unwrap();
        let path = top.path().join("late");
        let mut late = NewFile::at("x", &path);
        let mut text = String::new();
        assert!(late.content.read_to_string(&mut text).is_err());
        fs::write(&path, "late").unwrap();
        late.content.read_to_string(&mut text).unwrap();
        assert_eq!(text, "late");
    }
}
