//! Looking on, from outside, as a plugin host works.

use crate::{
    failure::Failure,
    host_process::HostProcess,
    hosts::Hosts,
    later::later,
    protocol::{Answer, Question},
    question::ask,
};
use rustix::process::Pid;
use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, Instant},
};
use taskbay_core::Abort;

/// Looks on as a task is executed in a plugin host.
pub trait Witness {
    /// The task is about to be executed in that process, and in that directory.
    fn begins(&mut self, host: &Glimpse, work_directory: &Path);

    /// The task has answered, and its process still runs.
    fn answered(&mut self, host: &Glimpse);
}

/// A plugin host at one moment, ready for questions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glimpse {
    /// Its process.
    pub pid: Pid,
    /// Its environment variables, as near as text can say them.
    pub environment: BTreeMap<String, String>,
    /// How many log records plugins have sent so far.
    pub logged: usize,
    /// How many lines were printed so far on its standard output and error, past the log.
    pub printed: usize,
    /// The last of these lines.
    pub last_printed: Vec<String>,
}

impl Glimpse {
    pub(crate) fn of(
        process: &mut HostProcess,
        limit: Duration,
        abort: &Abort,
    ) -> Result<Self, Failure> {
        let until = later(Instant::now(), limit);
        match ask(process, Question::Ready, until, abort)? {
            Answer::Ready { environment } => Ok(process.glimpse(environment)),
            other => Err(Failure::unexpected(&other)),
        }
    }
}

impl Hosts {
    /// The process that plugin code runs in, a new one where none runs.
    ///
    /// # Errors
    ///
    /// When there is none, or it is not ready in time.
    pub fn glimpse(&mut self) -> Result<Glimpse, Failure> {
        let (limit, abort) = (self.limit(), self.abort().clone());
        Glimpse::of(self.place().process()?, limit, &abort)
    }
}
