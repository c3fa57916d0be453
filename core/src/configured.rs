//! What a plugin says of task data that is valid.

use crate::{Confinement, Requirement, shorten::cut, shorten::escape};
use serde::{Deserialize, Serialize};

/// What a plugin says of task data that is valid.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Configured {
    /// The data as JSON text, defaults filled in.
    pub data: String,
    /// What a worker must fulfil: the declared requirements, and the implied one on the architecture.
    pub requirements: Vec<Requirement>,
    /// How the task's own code decides, where it has some.
    pub own_code: Option<OwnCode>,
    /// What the task says of itself beside that.
    #[serde(default)]
    pub declared: Declared,
}

/// A task that decides with code of its own, after its requirements are fulfilled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnCode {
    /// Data with the same key is decided in the same way. Without one, each data may be another case.
    pub match_key: Option<String>,
}

/// What a configured task says of itself, beside its data and what decides who may execute it.
///
/// A key that is not there, as of an older plugin, has its default; one that is not known here is a newer plugin's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Declared {
    /// How little of the machine it can live with as it executes.
    pub confinement: Confinement,
    /// What this very request has it do, in a line; none says no more than the task's name does.
    pub label: Option<String>,
}

impl Declared {
    /// The most characters of a label that is kept.
    pub const LONGEST_LABEL: usize = 200;

    /// The same with a label that can be shown as it is: one line, not too long, and nothing that a terminal would obey.
    #[must_use]
    pub fn readable(mut self) -> Self {
        self.label = self.label.and_then(|label| {
            let plain: String = label.chars().filter(|each| !is_invisible(*each)).collect();
            let plain = plain.replace(is_blank, " ");
            let line = escape(plain.trim());
            (!line.is_empty()).then(|| cut(&line, Self::LONGEST_LABEL).into_owned())
        });
        self
    }
}

/// What makes no line of its own here, and would elsewhere, or jumps.
fn is_blank(each: char) -> bool {
    matches!(each, '\t' | '\u{2028}' | '\u{2029}')
}

/// What shows nothing itself, and turns around or hides what comes after it.
fn is_invisible(each: char) -> bool {
    matches!(each, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

impl Configured {
    /// The same with a label that can be shown as it is.
    #[must_use]
    pub fn readable(mut self) -> Self {
        self.declared = self.declared.readable();
        self
    }

    /// What this very request has the task of that name do, in a line: the task's own words, or else the name.
    pub fn label<'a>(&'a self, task: &'a str) -> &'a str {
        self.declared.label.as_deref().unwrap_or(task)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_one_readable_line() {
        let readable = |label: &str| {
            let declared = Declared {
                label: Some(label.to_owned()),
                ..Declared::default()
            };
            declared.readable().label
        };
        assert_eq!(readable(" build hello\n").unwrap(), "build hello");
        assert_eq!(readable("a\nb\u{1b}[2J").unwrap(), "a\\nb\\u{1b}[2J");
        assert_eq!(readable("a\tb\u{2028}c"), Some("a b c".to_owned()));
        assert_eq!(readable("a\u{202e}b\u{2066}c\u{200b}").unwrap(), "abc");
        assert_eq!(readable(" \n\u{202e}"), None);
        let long = readable(&"x".repeat(1 << 20)).unwrap();
        assert_eq!(long.chars().count(), Declared::LONGEST_LABEL + 1);
        let escaped = readable(&"\u{9b}".repeat(Declared::LONGEST_LABEL)).unwrap();
        assert_eq!(escaped.chars().count(), Declared::LONGEST_LABEL + 1);
        assert_eq!(readable(&escaped), Some(escaped), "what is readable stays");
        assert_eq!(Declared::default().readable(), Declared::default());
    }
}
