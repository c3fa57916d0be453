//! A temporary directory for tools that unpack systems as subordinate users.

use crate::environment::set_mode;
use std::path::PathBuf;
use taskbay_plugin_api::{Context, TaskError, make_directory};

/// Makes a directory in the work directory that every user can reach by its path, and nobody else can write to. What tools
/// leave there goes with the work directory, also when they are killed.
///
/// # Errors
///
/// When it cannot be made.
pub fn open_tmp(context: &Context) -> Result<PathBuf, TaskError> {
    let tmp = make_directory(context, "tmp")?;
    set_mode(context.work_directory(), 0o711)?;
    set_mode(&tmp, 0o755)?;
    Ok(tmp)
}
