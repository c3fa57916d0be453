//! A tag: one thing that lintian has to say about a package.

use crate::severity::Severity;
use serde::Serialize;

/// One thing that lintian has to say, as it stands in `analysis.json`. The order is that of the file: all that is about
/// one package together, the gravest first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Tag {
    /// The package, and after a space its type, unless that is a plain binary package.
    pub(crate) package: String,
    pub(crate) severity: Severity,
    #[serde(rename = "tag")]
    pub(crate) name: String,
    /// What more lintian says of this case.
    pub(crate) note: String,
    /// Where in the package it is: a file, maybe with a line.
    pub(crate) pointer: String,
    /// What the tag means, whatever the case.
    pub(crate) explanation: String,
    /// Why the maintainer overrode it.
    pub(crate) comment: String,
}
