//! Why a server did not do what was asked.

use std::{io, path::PathBuf};
use taskbay_engine::EngineError;

/// What a server says to a result of a request that is not this worker's.
const ANOTHERS: &str = "Invalid worker";

/// Why a server did not do what was asked. No text of it contains a token.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// It cannot be reached, does not answer in time, or says that it cannot answer now.
    #[error("the server `{place}` is not available")]
    Unavailable { place: String, source: io::Error },
    /// It answered that something in it went wrong, which may pass.
    #[error("the server `{place}` failed at {what}: {problem}")]
    Failing {
        place: String,
        what: String,
        problem: String,
    },
    /// It does not permit or know what was asked.
    #[error("the server refuses {what} ({status}): {problem}")]
    Refused {
        what: String,
        status: u16,
        problem: String,
    },
    /// It is not what this worker can serve.
    #[error("`{place}` is no Debusine server that this worker can serve: {reason}")]
    Foreign { place: String, reason: String },
    /// It said something that cannot be used.
    #[error("the server's answer to {what} cannot be used: {reason}")]
    Malformed { what: String, reason: String },
    /// A file of this machine cannot be read or written.
    #[error("{} cannot be used", path.display())]
    Local { path: PathBuf, source: io::Error },
    /// The attempt that asked was told to end.
    #[error("told to end before the server answered")]
    Aborted,
}

impl Fault {
    pub(crate) fn malformed(what: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Malformed {
            what: what.into(),
            reason: reason.into(),
        }
    }

    pub(crate) fn local(path: impl Into<PathBuf>, source: impl Into<io::Error>) -> Self {
        Self::Local {
            path: path.into(),
            source: source.into(),
        }
    }

    /// Whether the same may go well in a while, without anybody doing anything about it here.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Failing { .. })
    }

    /// Whether the request is another worker's by now.
    pub(crate) fn is_anothers(&self) -> bool {
        matches!(self, Self::Refused { problem, .. } if self.is_denied() && problem.contains(ANOTHERS))
    }

    /// Whether nothing was reached that could have answered.
    pub(crate) fn is_unreached(&self) -> bool {
        let Self::Unavailable { source, .. } = self else {
            return false;
        };
        matches!(
            source.kind(),
            io::ErrorKind::ConnectionRefused
                | io::ErrorKind::HostUnreachable
                | io::ErrorKind::NetworkUnreachable
        )
    }

    /// Whether what was asked may be done all the same: the server was reached, and its answer was not.
    pub(crate) fn may_be_done(&self) -> bool {
        let Self::Unavailable { source, .. } = self else {
            return false;
        };
        !self.is_unreached() && source.kind() != io::ErrorKind::ResourceBusy
    }

    /// Whether the server does not take the token, or not any more.
    pub(crate) fn is_denied(&self) -> bool {
        matches!(
            self,
            Self::Refused {
                status: 401 | 403,
                ..
            }
        )
    }
}

impl From<Fault> for EngineError {
    fn from(fault: Fault) -> Self {
        let text = fault.to_string();
        match fault {
            Fault::Unavailable { place, source } => Self::Unavailable {
                place,
                source: source.into(),
            },
            Fault::Failing { place, .. } => Self::Unavailable {
                place,
                source: io::Error::other(text).into(),
            },
            Fault::Foreign { place, reason } => Self::Foreign { place, reason },
            Fault::Refused {
                what, status: 404, ..
            } => Self::NotFound {
                what: "such thing on the server, asked by",
                name: what,
            },
            Fault::Local { path, source } => Self::Content {
                name: path.display().to_string(),
                source,
            },
            Fault::Refused { .. } | Fault::Malformed { .. } | Fault::Aborted => {
                Self::Refused { reason: text }
            }
        }
    }
}
