//! A Debusine server of one test's own.

use crate::{
    records::Records,
    system::{Release, System},
};
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Stdio},
    sync::Mutex,
};
use tempfile::TempDir;

/// A stock server on a port of its own. It ends when it is dropped, and with the tests however they end.
pub(crate) struct Server {
    pub(crate) system: &'static System,
    pub(crate) records: Records,
    url: String,
    token: String,
    control: Mutex<Control>,
    process: Child,
    folder: TempDir,
}

/// What is said to the process that watches over the server's parts, and what it answers.
struct Control {
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Server {
    /// A fresh one, for a test that takes minutes. None also where such tests are not wanted, which is said.
    pub(crate) fn start_in_full() -> Option<Self> {
        taskbay_test::is_full().then(Self::start).flatten()
    }

    /// A fresh one of 0.11.3. None where there can be none, which is said.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// The same with these Debian packages in its system.
    pub(crate) fn start_with(packages: &[PathBuf]) -> Option<Self> {
        System::get(Release::Trixie).map(|system| Self::start_in(system, packages))
    }

    /// A fresh one of 0.16.2, or of what Debian's sid has by now. None where there can be none, or tests that take minutes are
    /// not wanted, which is said.
    pub(crate) fn start_newer() -> Option<Self> {
        taskbay_test::is_full()
            .then(|| System::get(Release::Sid).map(|system| Self::start_in(system, &[])))
            .flatten()
    }

    fn start_in(system: &'static System, packages: &[PathBuf]) -> Self {
        // The path of a socket in it must be short.
        let folder = tempfile::Builder::new().prefix("tb-ds-").tempdir_in("/tmp");
        let folder = folder.unwrap();
        system.copy_fresh_server(folder.path());
        if !packages.is_empty() {
            system.install(folder.path(), packages);
        }
        let supervise = ["python3", "/mnt/server/supervise.py", "run"];
        let mut process = system
            .command_apart(folder.path(), &supervise)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut control = Control {
            commands: process.stdin.take(),
            answers: BufReader::new(process.stdout.take().unwrap()),
        };
        control.is_done();
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        Self {
            system,
            records: Records::of(folder.path()),
            url: read("url"),
            token: read("token"),
            control: Mutex::new(control),
            process,
            folder,
        }
    }

    /// Where it is: `http://…/api`.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The port that it listens on.
    pub(crate) fn port(&self) -> u16 {
        let address = self.url.trim_end_matches("/api");
        address.rsplit(':').next().unwrap().parse().unwrap()
    }

    /// The token of a user who may do everything.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// The folder with all its files.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts, stops or kills a part of it: `database`, `redis`, `scheduler`, `server`.
    #[track_caller]
    pub(crate) fn tell(&self, command: &str) {
        let mut control = self.control.lock().unwrap();
        writeln!(control.commands.as_mut().unwrap(), "{command}").unwrap();
        control.is_done();
    }

    /// What its parts said.
    pub(crate) fn log(&self) -> String {
        let parts = fs::read_dir(self.folder.path().join("log")).unwrap();
        let said = parts.map(|entry| fs::read(entry.unwrap().path()).unwrap());
        String::from_utf8_lossy(&said.collect::<Vec<_>>().concat()).into_owned()
    }
}

impl Control {
    #[track_caller]
    fn is_done(&mut self) {
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        assert_eq!(answer.trim(), "ok");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Ok(control) = self.control.get_mut() {
            // The end of its standard input.
            control.commands = None;
        }
        let _ = self.process.wait();
    }
}
