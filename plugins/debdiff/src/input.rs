//! What a work request names as the two sides of a comparison.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taskbay_debian::{BINARIES, SOURCES, all_in_words, each_in_words, in_words};
use taskbay_plugin_api::{Lookup, Lookups, TaskConfigError};

/// What is compared: either source packages or binary packages.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// Two artifacts of category `debian:source-package` or `debian:upload`: the original and the new one.
    #[serde(default)]
    source_artifacts: Option<Vec<Lookup>>,
    /// Two artifacts, or lists of them or queries, of category `debian:binary-package` or `debian:upload`: the original and
    /// the new ones.
    #[serde(default)]
    binary_artifacts: Option<Vec<Named>>,
}

/// Names the artifacts of one side.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Named {
    /// One artifact.
    One(Lookup),
    /// Several artifacts.
    Many(Lookups),
}

/// What kind of packages is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Source packages.
    Source,
    /// Binary packages.
    Binary,
}

/// What the work request names as one side.
#[derive(Clone, Copy, Debug)]
pub(crate) enum SideLookups<'a> {
    /// One artifact.
    One(&'a Lookup),
    /// Any number of them, and never surely none.
    Many(&'a Lookups),
}

/// The two sides of a comparison.
#[derive(Debug)]
pub(crate) struct Sides<'a> {
    /// What kind of packages they are.
    pub(crate) kind: Kind,
    /// The original.
    pub(crate) original: SideLookups<'a>,
    /// What came of it.
    pub(crate) new: SideLookups<'a>,
}

impl Input {
    /// The two sides, or all that is wrong with them.
    pub(crate) fn sides(&self) -> Result<Sides<'_>, Vec<TaskConfigError>> {
        let (kind, all): (_, Vec<_>) = match (&self.source_artifacts, &self.binary_artifacts) {
            (Some(sources), None) => (Kind::Source, sources.iter().map(SideLookups::One).collect()),
            (None, Some(binaries)) => {
                let binaries = binaries.iter().map(Named::selected).collect();
                (Kind::Binary, binaries)
            }
            (Some(_), Some(_)) => {
                return fault("give `source_artifacts` or `binary_artifacts`, not both");
            }
            (None, None) => return fault("needs `source_artifacts` or `binary_artifacts`"),
        };
        let mut faults = Vec::new();
        if all.len() != 2 {
            faults.push(TaskConfigError::new(
                kind.pointer(),
                format!(
                    "needs two entries, the original and the new one, and has {}",
                    all.len()
                ),
            ));
        }
        let empty = (0..).zip(&all).filter(|(_, side)| side.names_nothing());
        faults.extend(
            empty.map(|(at, _)| TaskConfigError::new(kind.pointer_to(at), "names no artifact")),
        );
        match all[..] {
            [original, new] if faults.is_empty() => Ok(Sides {
                kind,
                original,
                new,
            }),
            _ => Err(faults),
        }
    }
}

fn fault<T>(message: &str) -> Result<T, Vec<TaskConfigError>> {
    Err(vec![TaskConfigError::new("/input", message)])
}

impl Named {
    fn selected(&self) -> SideLookups<'_> {
        match self {
            Self::One(lookup) => SideLookups::One(lookup),
            Self::Many(lookups) => SideLookups::Many(lookups),
        }
    }
}

impl SideLookups<'_> {
    fn names_nothing(self) -> bool {
        matches!(self, Self::Many(lookups) if lookups.is_empty())
    }

    /// In the words of a label.
    pub(crate) fn in_words(self) -> String {
        match self {
            Self::One(lookup) => in_words(lookup),
            Self::Many(lookups) => all_in_words(each_in_words(lookups)),
        }
    }
}

impl Kind {
    /// The categories of artifacts that may be compared.
    pub(crate) fn categories(self) -> &'static [&'static str] {
        match self {
            Self::Source => SOURCES,
            Self::Binary => BINARIES,
        }
    }

    /// Where in the task data that side stands.
    pub(crate) fn pointer_to(self, at: usize) -> String {
        format!("{}/{at}", self.pointer())
    }

    /// Where in the task data the sides stand.
    fn pointer(self) -> &'static str {
        match self {
            Self::Source => "/input/source_artifacts",
            Self::Binary => "/input/binary_artifacts",
        }
    }
}
