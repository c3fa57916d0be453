//! Files that a command is called with.

use std::{ffi::OsString, fs, path::Path};
use taskbay_plugin_api::TaskError;

/// An option with a path, as one word: `--option=` and then the path.
pub fn option_with_path(option: &str, path: &Path) -> OsString {
    let mut word = OsString::from(option);
    word.push(path);
    word
}

/// Writes a file that a command reads.
///
/// # Errors
///
/// When it cannot be written; the error names it.
pub fn write_file(file: &Path, text: &str) -> Result<(), TaskError> {
    fs::write(file, text)
        .map_err(|error| TaskError::new(format!("cannot write {}: {error}", file.display())))
}
