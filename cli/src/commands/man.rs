//! `taskbay man`: the manual pages, one for each command.

use crate::{args, error::CommandError, exit::Exit};
use std::{fs, path::Path};

pub(crate) fn run(directory: &Path) -> Result<Exit, CommandError> {
    fs::create_dir_all(directory)
        .and_then(|()| clap_mangen::generate_to(args::command(), directory))
        .map_err(|error| {
            CommandError::new(
                Exit::Unavailable,
                format!("cannot write to {}", directory.display()),
            )
            .cause(&error)
        })?;
    Ok(Exit::Success)
}
