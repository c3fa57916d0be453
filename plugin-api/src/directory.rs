//! Directories in the work directory.

use std::{
    fs,
    path::{Path, PathBuf},
};
use taskbay_core::{Context, TaskError};

/// Makes a directory in the work directory, and those above it, where they are missing.
///
/// # Errors
///
/// When it cannot be made; the error names it.
pub fn make_directory(context: &Context, name: impl AsRef<Path>) -> Result<PathBuf, TaskError> {
    let directory = context.work_directory().join(name);
    match fs::create_dir_all(&directory) {
        Ok(()) => Ok(directory),
        Err(error) => Err(TaskError::new(format!(
            "cannot make {}: {error}",
            directory.display()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use taskbay_core::Abort;

    #[test]
    fn makes_directories_and_names_one_that_it_cannot_make() {
        let work = tempfile::tempdir().unwrap();
        let context = Context::new(work.path(), Abort::new());
        for _ in 0..2 {
            let made = make_directory(&context, "input/0").unwrap();
            assert_eq!(made, work.path().join("input/0"));
            assert!(made.is_dir());
        }
        let file = work.path().join("file");
        fs::write(&file, "").unwrap();
        let message = make_directory(&context, "file/0").unwrap_err().message();
        let wanted = format!("cannot make {}/0: ", file.display());
        assert!(message.starts_with(&wanted), "{message}");
    }
}
