//! `taskbay logs`: what a request's attempts said.

use crate::{
    error::CommandError,
    exit::Exit,
    queue::patiently,
    report::{has_reader, plain},
    session::Session,
};
use std::time::Duration;
use taskbay_engine::{Engine, LogLevel, LogPosition, Request, RequestId, Seen, Status};

/// How many lines are asked for at a time.
const BATCH: u32 = 1000;
/// How often it is looked for lines that nobody told of.
const LOOK: Duration = Duration::from_millis(300);

pub(crate) fn run(
    session: &Session,
    engine: &dyn Engine,
    id: RequestId,
    follow: bool,
) -> Result<Exit, CommandError> {
    let mut follower = Follower::new(id);
    loop {
        // Before the lines, so that what it said last is read.
        let request = patiently(session, || engine.request(id))?.request;
        follower.write_new(session, engine)?;
        if !follow || is_over(&request) || session.abort.is_set() || !has_reader() {
            return Ok(Exit::Success);
        }
        follower.wait(session, engine)?;
    }
}

/// Whether nothing more is to be expected.
pub(crate) fn is_over(request: &Request) -> bool {
    matches!(request.status, Status::Completed | Status::Held)
}

/// Reads a request's log as it grows.
pub(crate) struct Follower {
    id: RequestId,
    position: LogPosition,
    seen: Seen,
}

impl Follower {
    pub(crate) fn new(id: RequestId) -> Self {
        Self {
            id,
            position: LogPosition::default(),
            seen: Seen::default(),
        }
    }

    /// Waits until there may be more.
    pub(crate) fn wait(
        &mut self,
        session: &Session,
        engine: &dyn Engine,
    ) -> Result<(), CommandError> {
        patiently(session, || engine.wait(&mut self.seen, LOOK))?;
        Ok(())
    }

    /// Writes the lines that are new.
    pub(crate) fn write_new(
        &mut self,
        session: &Session,
        engine: &dyn Engine,
    ) -> Result<(), CommandError> {
        loop {
            let lines = patiently(session, || engine.log(self.id, self.position, BATCH))?;
            for line in &lines {
                session.report.data(line, |out| {
                    let level = match line.level {
                        LogLevel::Output => "     ",
                        LogLevel::Error => "ERROR",
                        LogLevel::Warn => "WARN ",
                        LogLevel::Info => "INFO ",
                        LogLevel::Debug => "DEBUG",
                        LogLevel::Trace => "TRACE",
                    };
                    writeln!(out, "{} {level} {}", line.time, plain(&line.message))?;
                    out.flush()
                })?;
            }
            match lines.last() {
                Some(last) => self.position = last.position,
                None => return Ok(()),
            }
        }
    }
}
