//! `taskbay completions`: a completion script for a shell.

use crate::{args::Args, error::CommandError, exit::Exit};
use clap::CommandFactory;
use std::io;

pub(crate) fn run(shell: clap_complete::Shell) -> Result<Exit, CommandError> {
    let mut command = Args::command();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "taskbay", &mut script);
    io::Write::write_all(&mut io::stdout(), &script).map_err(|error| {
        CommandError::new(Exit::Unavailable, "cannot write to standard output").cause(&error)
    })?;
    Ok(Exit::Success)
}
