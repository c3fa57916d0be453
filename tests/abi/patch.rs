//! Unified diffs, applied where their lines are found, whatever line numbers they give.

use std::{collections::BTreeMap, mem};

/// Applies the diff to these files. A hunk whose old lines are not in its file exactly once fails the test: the source
/// has moved on, and the diff must follow.
pub(crate) fn apply(diff: &str, files: &mut BTreeMap<String, String>) {
    let mut file = "";
    let mut hunk = Hunk::default();
    for line in diff.lines() {
        if let Some(name) = line.strip_prefix("--- ") {
            mem::take(&mut hunk).apply(file, files);
            file = name;
        } else if line.starts_with("@@") {
            mem::take(&mut hunk).apply(file, files);
        } else if !line.starts_with("+++ ") {
            hunk.add(line);
        }
    }
    hunk.apply(file, files);
}

/// The lines that are there before, and those that are there after.
#[derive(Default)]
struct Hunk {
    old: String,
    new: String,
}

impl Hunk {
    fn add(&mut self, line: &str) {
        let (sign, text) = line.split_at(line.len().min(1));
        if sign != "+" {
            self.old.extend([text, "\n"]);
        }
        if sign != "-" {
            self.new.extend([text, "\n"]);
        }
    }

    fn apply(self, name: &str, files: &mut BTreeMap<String, String>) {
        if self.old.is_empty() {
            return;
        }
        let text = files
            .get_mut(name)
            .unwrap_or_else(|| panic!("{name}, which a diff changes, is no longer there"));
        let count = text.matches(&self.old).count();
        assert_eq!(
            count, 1,
            "{name} has moved on: a diff expects this in it once:\n{}",
            self.old
        );
        *text = text.replace(&self.old, &self.new);
    }
}
