//! How grave a tag is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How grave a tag is, the gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    Error,
    Warning,
    Info,
    Pedantic,
    Experimental,
    Overridden,
    Classification,
}

impl Severity {
    pub(crate) const ALL: [Self; 7] = [
        Self::Error,
        Self::Warning,
        Self::Info,
        Self::Pedantic,
        Self::Experimental,
        Self::Overridden,
        Self::Classification,
    ];

    /// The severity of lintian's letter.
    pub(crate) fn of_letter(letter: &str) -> Option<Self> {
        Some(match letter {
            "E" => Self::Error,
            "W" => Self::Warning,
            "I" => Self::Info,
            "P" => Self::Pedantic,
            "X" => Self::Experimental,
            "O" => Self::Overridden,
            "C" => Self::Classification,
            _ => return None,
        })
    }
}

/// From which severity on a tag makes the task fail.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Threshold {
    /// Errors.
    Error,
    /// Warnings, and what is graver.
    Warning,
    /// Informational tags, and what is graver.
    Info,
    /// Pedantic tags, and what is graver.
    Pedantic,
    /// Experimental tags, and what is graver.
    Experimental,
    /// Any tag but classifications, also one that the maintainer has overridden.
    Overridden,
    /// No tag makes the task fail.
    #[default]
    None,
}

impl Threshold {
    /// Whether a tag of that severity makes the task fail. A classification never does: it finds no fault.
    pub(crate) fn is_reached_by(self, severity: Severity) -> bool {
        let least = match self {
            Self::Error => Severity::Error,
            Self::Warning => Severity::Warning,
            Self::Info => Severity::Info,
            Self::Pedantic => Severity::Pedantic,
            Self::Experimental => Severity::Experimental,
            Self::Overridden => Severity::Overridden,
            Self::None => return false,
        };
        severity <= least
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_is_reached_at_and_above_it() {
        use Severity::{Classification, Error, Experimental, Overridden};
        for (threshold, count) in [
            (Threshold::Error, 1),
            (Threshold::Warning, 2),
            (Threshold::Info, 3),
            (Threshold::Pedantic, 4),
            (Threshold::Experimental, 5),
            (Threshold::Overridden, 6),
            (Threshold::None, 0),
        ] {
            let reached = Severity::ALL.map(|severity| threshold.is_reached_by(severity));
            let mut expected = [false; 7];
            expected[..count].fill(true);
            assert_eq!(reached, expected, "{threshold:?}");
        }
        assert!(!Threshold::Experimental.is_reached_by(Overridden));
        assert!(Threshold::Overridden.is_reached_by(Experimental));
        assert!(!Threshold::Overridden.is_reached_by(Classification));
        assert!(Threshold::default() as u8 == Threshold::None as u8);
        assert!(Error < Overridden);
    }
}
