//! `taskbay answer`: answers a scheduler of another make, line by line.

use crate::{error::CommandError, exit::Exit, report::written, session::Session};
use std::io::{self, BufRead, Write};
use taskbay_service::Answering;

pub(crate) fn run(session: &Session) -> Result<Exit, CommandError> {
    let mut answering = Answering::new(session.live()?, || session.hosts());
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let line = line.map_err(|error| {
            CommandError::new(Exit::Unavailable, "cannot read standard input").cause(&error)
        })?;
        let answer = answering.answer(&line);
        written(writeln!(out, "{answer}").and_then(|()| out.flush()))?;
    }
    Ok(Exit::Success)
}
