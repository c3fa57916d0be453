//! What a task is called in the languages that its project is written in.

use taskbay_core::TaskName;

/// The Rust type: `my-task` is `MyTaskTask`, so that no name is one that the file imports.
pub(crate) fn type_name(name: &TaskName) -> String {
    let mut text = String::new();
    for word in name.as_str().split(['-', '_']) {
        let mut letters = word.chars();
        text.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        text.push_str(letters.as_str());
    }
    // A type starts with a letter, and `Task` alone is the trait.
    let is_letter = |first: char| first.is_ascii_alphabetic();
    let prefix = if text.starts_with(is_letter) {
        ""
    } else {
        "The"
    };
    format!("{prefix}{text}Task")
}

/// A part of the library's file name: cargo writes `_` for `-`.
pub(crate) fn file_name(name: &TaskName) -> String {
    name.as_str().replace('-', "_")
}

/// The Debian package of a task, whose name has no `_`: tasks with `_` and `-` in the same places have one package, and one
/// library.
pub fn package(name: &TaskName) -> String {
    format!("taskbay-task-{}", name.as_str().replace('_', "-"))
}

/// An argument of a command: after `--` nothing is a flag.
pub(crate) fn argument(name: &TaskName) -> String {
    let name = name.as_str();
    let marked = if name.starts_with('-') { "-- " } else { "" };
    format!("{marked}{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn are_what_the_languages_allow() {
        let name = |text| TaskName::fold(text).unwrap();
        for (task, wanted) in [
            ("noop", "NoopTask"),
            ("my-own_task", "MyOwnTaskTask"),
            ("2to3", "The2to3Task"),
            ("_", "TheTask"),
            ("-a--b-", "ABTask"),
        ] {
            assert_eq!(type_name(&name(task)), wanted);
        }
        assert_eq!(file_name(&name("a-b_c")), "a_b_c");
        assert_eq!(argument(&name("a-b")), "a-b");
        assert_eq!(argument(&name("-a")), "-- -a");
        assert_eq!(package(&name("a-b_c")), "taskbay-task-a-b-c");
    }
}
