//! What commands say: data to standard output, the rest to standard error.

use crate::{error::CommandError, exit::Exit};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::Serialize;
use std::{
    fmt::Display,
    io::{self, Write},
};
use taskbay_core::escape;

/// The two output streams, and in which form data is written.
#[derive(Debug)]
pub(crate) struct Report {
    json: bool,
}

impl Report {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Writes data: `json` as JSON, or else `text` for people.
    pub(crate) fn data(
        &self,
        json: &impl Serialize,
        text: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), CommandError> {
        if self.json {
            self.json(json)
        } else {
            written(text(&mut Plain(io::stdout().lock())))
        }
    }

    /// Writes data that is JSON for people, too.
    pub(crate) fn json(&self, json: &impl Serialize) -> Result<(), CommandError> {
        let mut out = io::stdout().lock();
        let written_json = if self.json {
            serde_json::to_writer(&mut out, json)
        } else {
            serde_json::to_writer_pretty(&mut out, json)
        };
        written(
            written_json
                .map_err(Into::into)
                .and_then(|()| writeln!(out)),
        )
    }

    /// Writes what failed, with cause and remedy; in JSON mode also to standard output.
    pub(crate) fn error(&self, error: &CommandError) {
        if self.json {
            // With the stream gone there is nobody to tell; the exit code still tells.
            let _ = self.json(&error.to_json());
        }
        explain(error);
    }
}

/// Text for people, in which a terminal finds nothing to obey: others wrote parts of it. Its lines stay lines, so what is
/// to be a part of one has to go through [`plain`].
#[derive(Debug)]
pub(crate) struct Plain<W>(pub(crate) W);

impl<W: Write> Write for Plain<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Texts are written as a whole, so no character is cut.
        for line in String::from_utf8_lossy(bytes).split_inclusive('\n') {
            match line.strip_suffix('\n') {
                Some(line) => writeln!(self.0, "{}", escape(line))?,
                None => write!(self.0, "{}", escape(line))?,
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Others' text as a part of a line for people.
pub(crate) fn plain(text: &(impl Display + ?Sized)) -> String {
    escape(&text.to_string()).into_owned()
}

/// Writes what failed, with cause and remedy, to standard error.
pub(crate) fn explain(error: &CommandError) {
    let _ = write_explained(error);
}

fn write_explained(error: &CommandError) -> io::Result<()> {
    let mut err = io::stderr().lock();
    writeln!(err, "error: {}", plain(&error.message))?;
    for fault in &error.faults {
        writeln!(err, "  {}", plain(fault))?;
    }
    if let Some(cause) = &error.cause {
        writeln!(err, "cause: {}", plain(cause))?;
    }
    if let Some(help) = &error.help {
        writeln!(err, "help:  {}", plain(help))?;
    }
    Ok(())
}

/// Writes a line about something that costs the command nothing to standard error.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", plain(text));
}

/// Whether standard output still leads somewhere: a pipe or a terminal that nobody holds does not.
///
/// Without a change there is nothing to write, so no failed write would tell.
pub(crate) fn has_reader() -> bool {
    let out = io::stdout();
    // Errors are told without being asked for.
    let mut polled = [PollFd::new(&out, PollFlags::empty())];
    match poll(&mut polled, Some(&Timespec::default())) {
        Ok(_) => !polled[0]
            .revents()
            .intersects(PollFlags::ERR | PollFlags::HUP),
        Err(_) => true,
    }
}

/// A reader that went away has what it wanted.
pub(crate) fn written(result: io::Result<()>) -> Result<(), CommandError> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(CommandError::new(
            Exit::Unavailable,
            "cannot write to standard output",
        )
        .cause(&error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A title of the window, a colour, a control sequence in one character, a line that somebody made up.
    #[test]
    fn terminals_get_nothing_to_obey() {
        let said = "\u{1b}]0;root\u{7}\u{1b}[31mred\u{9b}2J\tsaid\r";
        let shown = "\\u{1b}]0;root\\u{7}\\u{1b}[31mred\\u{9b}2J\tsaid\\r";
        let mut out = Plain(Vec::new());
        write!(out, "{said}\nnext\n{said}").unwrap();
        let written = String::from_utf8(out.0).unwrap();
        assert_eq!(written, format!("{shown}\nnext\n{shown}"));
        assert_eq!(plain("no\nerror: none"), "no\\nerror: none");
    }
}
