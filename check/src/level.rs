//! Levels: how far a plugin is tried.

use serde::{Serialize, Serializer};
use std::fmt;

/// How far a plugin is tried. Each level takes what those below it found out for granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The file is read; none of its code runs.
    Static = 0,
    /// It is loaded and describes itself.
    Loads = 1,
    /// It says what the worker has, takes task data and judges workers.
    Answers = 2,
    /// It executes one example.
    Executes = 3,
    /// It is aborted, killed, and given data that nobody thought of.
    Endures = 4,
}

impl Level {
    /// All levels, from the lowest on.
    pub const ALL: [Self; 5] = [
        Self::Static,
        Self::Loads,
        Self::Answers,
        Self::Executes,
        Self::Endures,
    ];

    /// The level of that number.
    pub fn of(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|level| *level as u8 == number)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", *self as u8)
    }
}

impl Serialize for Level {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(*self as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_levels_up_to_four() {
        for (number, level) in (0..).zip(Level::ALL) {
            assert_eq!(Level::of(number), Some(level));
            assert_eq!(level.to_string(), number.to_string());
        }
        assert_eq!(Level::of(5), None);
    }
}
