//! How little of a machine a task can live with.

use serde::{Deserialize, Serialize};
use std::{borrow::Cow, fmt};

/// How little of the machine a task can live with as it executes. Each holds for all that it starts, and no longer than the
/// attempt.
///
/// | | `None` | `Limits` | `Strict` |
/// | --- | --- | --- | --- |
/// | temporary files go to a directory of the attempt's own: `TMPDIR`, `TMP`, `TEMP` | | yes | yes |
/// | no core dumps, and at most 65536 open files a process | | yes | yes |
/// | nothing gains privileges: programs that are setuid, or have capabilities, run without | | | yes |
/// | files are made, written, renamed and removed in the work directory alone | | | yes |
/// | signals reach only what the attempt started | | | yes |
///
/// With `Strict`, `/dev/null` and its like can still be written to, other devices cannot, nor can devices be made. Pipes work
/// among what the attempt started, and none outside the work directory can be written to. The network is there, and so are
/// sockets outside that have a path; those without, abstract ones, are out of reach. Modes, owners and times of other files
/// can still be changed where the user may, which root may everywhere, and everything can be read that the user may read.
///
/// The last two rows need Landlock: from Linux 5.19 on for files, which can be cut short until 6.2; from 6.12 on for signals
/// and abstract sockets. Where the kernel lacks it, the worker says so and the rest holds. A task that is executed in the
/// caller's own process is not confined, other than in what it fetches and uploads: that is the work directory's for all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "Cow<'_, str>", into = "&'static str")]
pub enum Confinement {
    /// Nothing is kept from it that the worker's user may do.
    #[default]
    None,
    /// What it needs are programs that gain privileges, or namespaces: such as unpacking a system as another user.
    Limits,
    /// What it needs is its work directory, and to read.
    Strict,
}

impl Confinement {
    /// As it is written: `none`, `limits` or `strict`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Limits => "limits",
            Self::Strict => "strict",
        }
    }
}

impl From<&str> for Confinement {
    /// One that is not known here is `Limits`: a newer plugin asks for some confinement, and this takes nothing that it needs.
    fn from(text: &str) -> Self {
        let all = [Self::None, Self::Limits, Self::Strict];
        let known = all.into_iter().find(|each| each.as_str() == text);
        known.unwrap_or(Self::Limits)
    }
}

impl From<Cow<'_, str>> for Confinement {
    fn from(text: Cow<'_, str>) -> Self {
        Self::from(&*text)
    }
}

impl From<Confinement> for &'static str {
    fn from(confinement: Confinement) -> Self {
        confinement.as_str()
    }
}

impl fmt::Display for Confinement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_text_and_an_unknown_one_is_limits() {
        for each in [Confinement::None, Confinement::Limits, Confinement::Strict] {
            let text = serde_json::to_string(&each).unwrap();
            assert_eq!(text, format!("\"{each}\""));
            assert_eq!(serde_json::from_str::<Confinement>(&text).unwrap(), each);
        }
        let unknown: Confinement = serde_json::from_str("\"without-network\"").unwrap();
        assert_eq!(unknown, Confinement::Limits);
    }
}
