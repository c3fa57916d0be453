//! Why a file is not used, whichever stage it did not pass.

use crate::{Evidence, InspectError, LoadError};
use taskbay_core::Incompatible;

/// Why a file is not used. Its text is the reason; the file's name and the remedy are said beside it.
#[derive(Debug, thiserror::Error)]
pub enum Rejection {
    /// It could not be inspected.
    #[error(transparent)]
    Inspect(#[from] InspectError),
    /// Its versions do not fit.
    #[error(transparent)]
    Incompatible(#[from] Incompatible),
    /// It could not be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// Somebody is writing to it.
    #[error("somebody is writing to it")]
    Unfinished,
    /// It failed before, and has not changed since.
    #[error("{}", .0.summary())]
    Quarantined(Box<Evidence>),
    /// It could not be loaded in another process, which told why.
    #[error("{reason}")]
    Elsewhere {
        /// Why.
        reason: String,
        /// What to do about it.
        help: String,
        /// Whether it died, hung or panicked.
        crashed: bool,
        /// The shared library that it needs and that was not found.
        missing: Option<String>,
    },
}

impl Rejection {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Inspect(error) => error.help(),
            Self::Incompatible(error) => error.help(),
            Self::Load(error) => error.help(),
            Self::Unfinished => "wait until its writer closes it".to_owned(),
            Self::Quarantined(evidence) => evidence.help(),
            Self::Elsewhere { help, .. } => help.clone(),
        }
    }

    /// The same once more, for another look at the same file.
    #[must_use]
    pub fn again(&self) -> Self {
        Self::Elsewhere {
            reason: self.to_string(),
            help: self.help(),
            crashed: matches!(self, Self::Elsewhere { crashed: true, .. }),
            missing: self.missing_library().map(ToOwned::to_owned),
        }
    }

    /// The shared library that it needs and that was not found.
    pub fn missing_library(&self) -> Option<&str> {
        match self {
            Self::Load(error) => error.missing_library(),
            Self::Elsewhere { missing, .. } => missing.as_deref(),
            Self::Quarantined(evidence) => evidence.missing.as_deref(),
            _ => None,
        }
    }

    /// More than a message should hold, where there is more.
    pub fn details(&self) -> Option<&str> {
        match self {
            Self::Load(error) => error.details(),
            _ => None,
        }
    }
}
