//! The Debian system in which Debusine is installed.

use crate::farm::{built, root};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

/// The exit code of `root` where there can be no such system.
const IMPOSSIBLE: i32 = 77;

/// A release of Debian, and so a version of Debusine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Release {
    /// With Debusine 0.11.3.
    Trixie,
    /// With Debusine 0.16.2, or a later one.
    Sid,
}

/// A Debian system with a stock Debusine. Nobody changes it; the next run of the tests finds it again.
#[derive(Debug)]
pub(crate) struct System {
    release: Release,
    folder: PathBuf,
}

impl System {
    /// The only one of its release, made by whoever asks first. None where there can be none, which is said.
    pub(crate) fn get(release: Release) -> Option<&'static Self> {
        static SYSTEMS: [OnceLock<Option<System>>; 2] = [OnceLock::new(), OnceLock::new()];
        SYSTEMS[release as usize]
            .get_or_init(|| Self::make(release))
            .as_ref()
    }

    fn make(release: Release) -> Option<Self> {
        let made = script("root")
            .arg(built().parent().unwrap().join("debusine"))
            .arg(match release {
                Release::Trixie => "trixie",
                Release::Sid => "sid",
            })
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&made.stderr).into_owned();
        let is_impossible = made.status.code() == Some(IMPOSSIBLE);
        // In a short run a machine that is unlike others costs no more than this test.
        if is_impossible || !(made.status.success() || is_asked_for()) {
            taskbay_test::skip(last_line(&said));
            return None;
        }
        assert!(made.status.success(), "{said}");
        let folder = String::from_utf8(made.stdout).unwrap();
        Some(Self {
            release,
            folder: folder.trim().into(),
        })
    }

    pub(crate) fn release(&self) -> Release {
        self.release
    }

    /// Makes the files of a new server in that folder.
    pub(crate) fn copy_fresh_server(&self, folder: &Path) {
        let copied = Command::new("cp")
            .arg("-a")
            .arg(self.folder.join("fresh/."))
            .arg(folder)
            .status();
        assert!(copied.unwrap().success());
    }

    /// Installs Debian packages for those that have that folder as their `/srv` from now on.
    pub(crate) fn install(&self, folder: &Path, packages: &[PathBuf]) {
        let mut words = vec!["dpkg".to_owned(), "--install".to_owned()];
        for package in packages {
            let name = package.file_name().unwrap().to_str().unwrap();
            fs::copy(package, folder.join(name)).unwrap();
            words.push(format!("/srv/{name}"));
        }
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let installed = self.command(folder, &words).env("INSTALL", "1").output();
        let installed = installed.unwrap();
        assert!(installed.status.success(), "{installed:?}");
    }

    /// A command in the system, with that folder as its `/srv`, whose processes end with it.
    pub(crate) fn command_apart(&self, folder: &Path, words: &[&str]) -> Command {
        let mut command = script("enter");
        command.arg("--apart");
        self.enter(command, folder, words)
    }

    /// A command in the system, with that folder as its `/srv`. Its process is that of the command itself.
    pub(crate) fn command(&self, folder: &Path, words: &[&str]) -> Command {
        self.enter(script("enter"), folder, words)
    }

    fn enter(&self, mut command: Command, folder: &Path, words: &[&str]) -> Command {
        command
            .arg(self.folder.join("root"))
            .arg(folder)
            .args(words)
            .stdin(Stdio::null());
        command
    }
}

/// Whether the tests that take minutes are wanted too: then a server that cannot be made is a fault.
fn is_asked_for() -> bool {
    env::var_os("TASKBAY_TEST_FULL").is_some()
}

/// Why a script does not go on, which it says last.
pub(crate) fn last_line(said: &str) -> &str {
    let line = said.trim_end().lines().last().unwrap_or_default();
    line.split_once(": ").map_or(line, |(_, why)| why)
}

/// A script of the server's.
fn script(name: &str) -> Command {
    Command::new(root().join("tests/debusine/server").join(name))
}
