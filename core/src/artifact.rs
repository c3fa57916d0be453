//! Artifacts: what tasks take and make.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::PathBuf;

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
        }
    }
}
