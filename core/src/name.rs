//! The name of a task.

use crate::shorten;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The longest name, in bytes: it becomes part of file names, package names and metadata keys.
const LONGEST: usize = 64;

/// A task's name: ASCII lower case letters, digits, `_` and `-`, at most 64 of them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TaskName(String);

/// Why a text is no task name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{}` is no task name: 1 to {LONGEST} ASCII letters, digits, `_` or `-`",
    shorten(.0, 2 * LONGEST)
)]
pub struct NameError(String);

impl TaskName {
    /// Makes a name of `text`, with ASCII upper case folded to lower case and nothing trimmed.
    ///
    /// # Errors
    ///
    /// When a character is not allowed, or there are none or too many.
    pub fn fold(text: &str) -> Result<Self, NameError> {
        let folded = text.to_ascii_lowercase();
        if is_task_name(&folded) {
            Ok(Self(folded))
        } else {
            Err(NameError(text.to_owned()))
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The metadata key of this task that ends in `text`: `name:text`, joined by exactly one colon.
    pub fn prefix(&self, text: &str) -> String {
        format!("{}:{text}", self.0)
    }

    /// What follows `name:` in `key`, or `None` when the key is another's.
    pub fn strip_prefix<'a>(&self, key: &'a str) -> Option<&'a str> {
        key.strip_prefix(&self.0)?.strip_prefix(':')
    }
}

impl fmt::Display for TaskName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for TaskName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        Self::fold(&text)
    }
}

impl From<TaskName> for String {
    fn from(name: TaskName) -> Self {
        name.0
    }
}

/// Whether `text` is a task name already, with no folding. Usable in a constant, so that a wrong name does not compile.
pub const fn is_task_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.is_empty() || bytes.len() > LONGEST {
        return false;
    }
    let mut i = 0;
    while i < bytes.len() {
        if !matches!(bytes[i], b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-') {
            return false;
        }
        i += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(
            TaskName::fold(text).ok().as_ref().map(TaskName::as_str),
            expected,
            "{text:?}"
        );
    }

    /// Row `name`: lower case letters, digits, `_`, `-`; case is folded, the rest refused.
    #[test]
    fn name() {
        check("noop", Some("noop"));
        check("NoOp", Some("noop"));
        check("a_b-9", Some("a_b-9"));
        check(&"n".repeat(64), Some(&"n".repeat(64)));
        for refused in [
            "",
            " noop",
            "no op",
            "a:b",
            "ünïcode",
            "a/b",
            "a.b",
            "\u{212a}elvin",
        ] {
            check(refused, None);
        }
        check(&"n".repeat(65), None);
    }

    /// Row `prefix_with_task_name(text)`.
    #[test]
    fn prefix_with_task_name() {
        let name = TaskName::fold("Sbuild").unwrap();
        assert_eq!(name.prefix("version"), "sbuild:version");
        assert_eq!(name.strip_prefix("sbuild:version"), Some("version"));
        assert_eq!(name.strip_prefix("sbuildx:version"), None);
        assert_eq!(name.strip_prefix("sbuild"), None);
    }
}
