//! Artifacts: what tasks take and make.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::{Component, Path, PathBuf};

/// The number of an artifact in the store of the server at hand.
pub type ArtifactId = u64;

/// A set of files of one category, with data on them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Artifact {
    /// What it is, in Debusine's words: `debian:source-package`, `debian:lintian`, …
    pub category: String,
    /// What is known of it, as the category says.
    #[serde(default)]
    pub data: Value,
    /// Its files.
    #[serde(default, with = "crate::any_path::list")]
    pub files: Vec<PathBuf>,
    /// The directory below which the files lie with the names that they have in the artifact, folders and all. Without it
    /// the name of a file is the last part of its path.
    #[serde(
        default,
        with = "crate::any_path::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub root: Option<PathBuf>,
}

/// How one artifact relates to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relation {
    /// The artifact that relates.
    pub artifact: ArtifactId,
    /// The artifact that it relates to.
    pub target: ArtifactId,
    /// How.
    pub kind: RelationKind,
}

/// The kinds of relations, with Debusine's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RelationKind {
    /// The artifact adds to the target, and is incomplete without it.
    Extends,
    /// The artifact is about the target.
    RelatesTo,
    /// The artifact was built with the target.
    BuiltUsing,
}

impl Artifact {
    /// An artifact of that category with these files.
    pub fn new(category: &str, data: Value, files: Vec<PathBuf>) -> Self {
        Self {
            category: category.to_owned(),
            data,
            files,
            root: None,
        }
    }

    /// The artifact, with the files in it named by their paths below `root`.
    #[must_use]
    pub fn with_root(mut self, root: impl Into<PathBuf>) -> Self {
        self.root = Some(root.into());
        self
    }

    /// The name in the artifact of that one of its files: a relative path of plain parts. None where it can have none.
    pub fn name<'a>(&self, file: &'a Path) -> Option<&'a Path> {
        let name = match &self.root {
            Some(root) => file.strip_prefix(root).ok()?,
            None => Path::new(file.file_name()?),
        };
        let mut parts = name.components();
        let is_plain = parts.all(|part| matches!(part, Component::Normal(_)));
        (is_plain && !name.as_os_str().is_empty()).then_some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn artifact() -> Artifact {
        Artifact::new("file", Value::Null, Vec::new())
    }

    #[test]
    fn a_name_has_folders_where_the_artifact_has_a_root() {
        let name = |artifact: &Artifact, file: &str| {
            let name = artifact.name(Path::new(file));
            name.map(|name| name.display().to_string())
        };
        let plain = artifact();
        assert_eq!(name(&plain, "/w/a/b").as_deref(), Some("b"));
        assert_eq!(name(&plain, "/w/.."), None);
        let rooted = artifact().with_root("/w");
        assert_eq!(name(&rooted, "/w/a/b").as_deref(), Some("a/b"));
        for elsewhere in ["/x/a", "/w", "/w/../x", "/w/a/../../x", "a"] {
            assert_eq!(name(&rooted, elsewhere), None, "{elsewhere}");
        }
    }

    /// Plugins and hosts of either age understand each other, where no folders are.
    #[test]
    fn a_root_is_written_where_there_is_one() {
        let text = |artifact: &Artifact| serde_json::to_string(artifact).unwrap();
        let plain = r#"{"category":"file","data":null,"files":[]}"#;
        assert_eq!(text(&artifact()), plain);
        assert_eq!(serde_json::from_str::<Artifact>(plain).unwrap(), artifact());
        let rooted = artifact().with_root("/w");
        let written = text(&rooted);
        assert!(written.contains(r#""root":"/w""#), "{written}");
        assert_eq!(serde_json::from_str::<Artifact>(&written).unwrap(), rooted);
    }
}
