//! The options of debdiff that a work request may give.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An option of debdiff.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
pub(crate) enum Flag {
    /// Compare directories too.
    #[serde(rename = "--dirs")]
    Dirs,
    /// Do not compare control files.
    #[serde(rename = "--nocontrol")]
    Nocontrol,
    /// Compare the control files of source packages with wdiff.
    #[serde(rename = "--wdiff-source-control")]
    WdiffSourceControl,
    /// Show which files moved between packages.
    #[serde(rename = "--show-moved")]
    ShowMoved,
    /// Put the result of diffstat before the differences.
    #[serde(rename = "--diffstat")]
    Diffstat,
    /// Apply the patches of a `3.0 (quilt)` package before the comparison.
    #[serde(rename = "--apply-patches")]
    ApplyPatches,
    /// Ignore changes of white space in source packages.
    #[serde(rename = "--ignore-space")]
    IgnoreSpace,
}

impl Flag {
    /// The tools that options need besides debdiff.
    pub(crate) const TOOLS: [&str; 2] = ["diffstat", "wdiff"];

    /// The one that this needs.
    pub(crate) fn tool(self) -> Option<&'static str> {
        match self {
            Self::Diffstat => Some("diffstat"),
            Self::WdiffSourceControl => Some("wdiff"),
            _ => None,
        }
    }

    /// The option as it is typed.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Dirs => "--dirs",
            Self::Nocontrol => "--nocontrol",
            Self::WdiffSourceControl => "--wdiff-source-control",
            Self::ShowMoved => "--show-moved",
            Self::Diffstat => "--diffstat",
            Self::ApplyPatches => "--apply-patches",
            Self::IgnoreSpace => "--ignore-space",
        }
    }
}
