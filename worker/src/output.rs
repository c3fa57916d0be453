//! What a host prints, line by line.

use log::Level;
use rustix::{
    event::{PollFd, PollFlags},
    io::{Errno, ioctl_fionbio, read},
};
use std::{collections::VecDeque, io, os::fd::OwnedFd};

/// How many of the last lines are kept.
const TAIL: usize = 20;
/// A line that is longer is logged in parts of this size, in bytes.
const LONGEST_LINE: usize = 16 * 1024;

/// One of a host's two output streams. Its lines are logged with the target `taskbay::output`.
#[derive(Debug)]
pub(crate) struct Output {
    name: &'static str,
    level: Level,
    task: Option<String>,
    pipe: Option<OwnedFd>,
    partial: Vec<u8>,
    tail: VecDeque<String>,
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
            pipe,
            partial: Vec::new(),
            tail: VecDeque::new(),
        })
    }

    /// From now on its lines are that task's, and information.
    pub(crate) fn becomes_output_of(&mut self, task: &str) {
        self.level = Level::Info;
        self.task = Some(task.to_owned());
    }

    /// What to wait for, while more may come.
    pub(crate) fn poll(&self) -> Option<PollFd<'_>> {
        let pipe = self.pipe.as_ref()?;
        Some(PollFd::new(pipe, PollFlags::IN))
    }

    /// Takes in all that is there, without waiting.
    pub(crate) fn read(&mut self) {
        let mut chunk = [0; 16 * 1024];
        while let Some(pipe) = &self.pipe {
            match read(pipe, &mut chunk) {
                Ok(0) => self.pipe = None,
                Ok(read) => self.take(&chunk[..read]),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                Err(_) => self.pipe = None,
            }
        }
    }

    /// Logs the last line, which may lack its end.
    pub(crate) fn finish(&mut self) {
        self.read();
        if !self.partial.is_empty() {
            self.line_is_whole();
        }
    }

    /// The last lines.
    pub(crate) fn tail(&self) -> Vec<String> {
        self.tail.iter().cloned().collect()
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
        let name = self.name;
        match &self.task {
            Some(task) => log::log!(target: "taskbay::output", self.level, task; "{name}: {line}"),
            None => log::log!(target: "taskbay::output", self.level, "{name}: {line}"),
        }
        if self.tail.len() == TAIL {
            self.tail.pop_front();
        }
        if !line.is_empty() {
            self.tail.push_back(line);
        }
    }
}
