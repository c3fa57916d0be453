//! What a host prints, line by line.

use crate::AttemptLog;
use log::Level;
use rustix::{
    event::{PollFd, PollFlags},
    io::{Errno, ioctl_fionbio, read},
};
use std::{collections::VecDeque, io, os::fd::OwnedFd, sync::Arc};

/// How many of the last lines are kept.
const TAIL: usize = 20;
/// How many times a pipe is read when its writer is gone: a pipe holds a mebibyte at most, where nobody but root set more.
const MOST_LEFT: usize = 64;
/// A line that is longer is logged in parts of this size, in bytes.
const LONGEST_LINE: usize = 16 * 1024;

/// One of a host's two output streams. Its lines are logged with the target `taskbay::output`.
#[derive(Debug)]
pub(crate) struct Output {
    name: &'static str,
    level: Level,
    task: Option<String>,
    log: Option<Arc<dyn AttemptLog>>,
    pipe: Option<OwnedFd>,
    partial: Vec<u8>,
    tail: VecDeque<String>,
    lines: usize,
}

impl Output {
    pub(crate) fn new(name: &'static str, level: Level, pipe: Option<OwnedFd>) -> io::Result<Self> {
        if let Some(pipe) = &pipe {
            ioctl_fionbio(pipe, true)?;
        }
        Ok(Self {
            name,
            level,
            task: None,
            log: None,
            pipe,
            partial: Vec::new(),
            tail: VecDeque::new(),
            lines: 0,
        })
    }

    /// From now on its lines are that task's, and information.
    pub(crate) fn becomes_output_of(&mut self, task: &str, log: Option<&Arc<dyn AttemptLog>>) {
        self.log = log.map(Arc::clone);
        self.level = Level::Info;
        self.task = Some(task.to_owned());
    }

    /// What to wait for, while more may come.
    pub(crate) fn poll(&self) -> Option<PollFd<'_>> {
        let pipe = self.pipe.as_ref()?;
        Some(PollFd::new(pipe, PollFlags::IN))
    }

    /// Takes in some of what is there, without waiting: who prints faster than it can be logged must not keep whoever
    /// reads from looking at the time. Says whether there may be more.
    pub(crate) fn read(&mut self) -> bool {
        let mut chunk = [0; 16 * 1024];
        let Some(pipe) = &self.pipe else {
            return false;
        };
        match read(pipe, &mut chunk) {
            Ok(0) => self.pipe = None,
            Ok(read) => {
                self.take(&chunk[..read]);
                return true;
            }
            Err(Errno::INTR) => return true,
            Err(Errno::AGAIN) => return false,
            Err(_) => self.pipe = None,
        }
        false
    }

    /// Takes in what a pipe may still hold, and logs the last line, which may lack its end.
    pub(crate) fn finish(&mut self) {
        for _ in 0..MOST_LEFT {
            if !self.read() {
                break;
            }
        }
        if !self.partial.is_empty() {
            self.line_is_whole();
        }
    }

    /// The last lines.
    pub(crate) fn tail(&self) -> Vec<String> {
        self.tail.iter().cloned().collect()
    }

    /// How many lines there were.
    pub(crate) fn lines(&self) -> usize {
        self.lines
    }

    fn take(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if *byte != b'\n' {
                self.partial.push(*byte);
            }
            if *byte == b'\n' || self.partial.len() >= LONGEST_LINE {
                self.line_is_whole();
            }
        }
    }

    fn line_is_whole(&mut self) {
        let line = String::from_utf8_lossy(&self.partial).trim_end().to_owned();
        self.partial.clear();
        self.lines += 1;
        let name = self.name;
        match &self.task {
            Some(task) => log::log!(target: "taskbay::output", self.level, task; "{name}: {line}"),
            None => log::log!(target: "taskbay::output", self.level, "{name}: {line}"),
        }
        if let Some(log) = &self.log {
            log.printed(name, &line);
        }
        if self.tail.len() == TAIL {
            self.tail.pop_front();
        }
        if !line.is_empty() {
            self.tail.push_back(line);
        }
    }
}
