//! What a figure is held against.

use crate::{measure::Pair, report::time};
use serde::Serialize;

/// What a figure is held against. A goal that is missed fails nothing.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Goal {
    /// At most so many times the reference.
    Ratio(f64),
    /// At most so many nanoseconds more than the reference.
    MoreThanReference(f64),
    /// At most so many nanoseconds.
    Nanoseconds(f64),
    /// It is there to be known.
    None,
}

impl Goal {
    /// Whether it is met, where there is one.
    pub(crate) fn is_met(self, pair: &Pair) -> Option<bool> {
        match self {
            Self::Ratio(most) => Some(pair.ratio.median <= most),
            Self::MoreThanReference(most) => Some(pair.difference.median <= most),
            Self::Nanoseconds(most) => Some(pair.ours.median <= most),
            Self::None => None,
        }
    }

    /// As text.
    pub(crate) fn text(self) -> String {
        match self {
            Self::Ratio(most) => format!("{most} x"),
            Self::MoreThanReference(most) => format!("+{}", time(most)),
            Self::Nanoseconds(most) => time(most),
            Self::None => "-".to_owned(),
        }
    }
}
