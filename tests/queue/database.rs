//! A PostgreSQL server that a test kills and starts again.

use crate::server::{self, Server};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use std::{
    fs,
    io::Write,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

/// A server of one test's own.
pub(crate) struct Database {
    server: Server,
    options: String,
}

impl Database {
    /// None where PostgreSQL is not installed.
    pub(crate) fn start(options: &str) -> Option<Self> {
        Self::in_folder(server::folder(), options)
    }

    /// One with these variables in its environment.
    pub(crate) fn with_variables(folder: PathBuf, variables: &str) -> Option<Self> {
        let server = Server::with_variables(folder, "", variables)?;
        assert!(server.is_ready(1), "{}", server.log());
        let options = String::new();
        Some(Self { server, options })
    }

    /// One whose files are in that folder, or in what is mounted on `data` in it.
    pub(crate) fn in_folder(folder: PathBuf, options: &str) -> Option<Self> {
        let server = Server::in_folder(folder, options)?;
        assert!(server.is_ready(1), "{}", server.log());
        Some(Self {
            server,
            options: options.to_owned(),
        })
    }

    pub(crate) fn url(&self, database: &str) -> String {
        self.url_of("postgres", database)
    }

    pub(crate) fn url_of(&self, role: &str, database: &str) -> String {
        self.server.url(role, database)
    }

    /// Kills the process that listens; the others find out, and end.
    pub(crate) fn kill(&self) {
        kill(self.postmaster());
    }

    /// Kills all its processes at once.
    pub(crate) fn crash(&self) {
        let postmaster = self.postmaster();
        let children = format!("/proc/{postmaster}/task/{postmaster}/children");
        let children = fs::read_to_string(children).unwrap_or_default();
        kill(postmaster);
        children
            .split_whitespace()
            .for_each(|child| kill(child.parse().unwrap()));
    }

    /// Starts it again, after it was killed.
    pub(crate) fn restart(&mut self) {
        while !self.try_restart() {
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// It refuses to start while a process of its predecessor's is left.
    fn try_restart(&mut self) -> bool {
        let guard = &mut self.server.guard;
        // The files are the next one's.
        let _ = writeln!(guard.stdin.take().unwrap(), "leave");
        let _ = guard.wait();
        let before = self.server.log().len();
        let bin = server::installed().unwrap();
        self.server.guard = server::run(&bin, &self.server.folder, &self.options, "");
        let until = Instant::now() + Duration::from_mins(1);
        loop {
            let said = self.server.log().split_off(before);
            if said.contains("ready to accept connections") {
                return true;
            }
            if said.contains("shared memory block") || said.contains("lock file") {
                return false;
            }
            assert!(Instant::now() < until, "{said}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Starts it again where it ended by itself.
    pub(crate) fn restart_if_dead(&mut self) {
        let postmaster = Pid::from_raw(self.postmaster()).unwrap();
        if test_kill_process(postmaster).is_err() {
            self.restart();
        }
    }

    /// Ends it, and waits for that.
    pub(crate) fn stop(mut self) {
        drop(self.server.guard.stdin.take());
        let _ = self.server.guard.wait();
    }

    fn postmaster(&self) -> i32 {
        let file = self.server.folder.join("data/postmaster.pid");
        let text = fs::read_to_string(file).unwrap();
        text.lines().next().unwrap().parse().unwrap()
    }
}

fn kill(process: i32) {
    // It may have ended by itself just then.
    let _ = kill_process(Pid::from_raw(process).unwrap(), Signal::KILL);
}
