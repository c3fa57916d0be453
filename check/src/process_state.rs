//! What a process is like from outside: what a plugin may not change of the process that it is loaded in.

use rustix::process::Pid;
use signal_hook::low_level::signal_name;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};
use taskbay_worker::{Glimpse, Process, tree};

/// How long threads and processes that are just ending may take to be gone.
const SETTLE: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(20);

/// What is said of threads that a process did not have before.
const THREADS: &str = "threads that it started still run";

/// What to do about such changes, where `help` is about those that are not of threads.
pub(crate) fn mend(changes: &[String], help: &str) -> String {
    let join = "join each thread that it starts before it answers";
    let (threads, others): (Vec<_>, Vec<_>) = changes
        .iter()
        .partition(|change| change.starts_with(THREADS));
    match (threads.is_empty(), others.is_empty()) {
        (true, _) => help.to_owned(),
        (false, true) => join.to_owned(),
        (false, false) => format!("{join}; {help}"),
    }
}

/// What a process is like from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProcessState {
    directory: PathBuf,
    /// Some lines of `/proc/PID/status`, by name.
    status: HashMap<String, String>,
    /// The lines of `/proc/PID/limits`.
    limits: Vec<String>,
    descendants: Vec<Process>,
    environment: BTreeMap<String, String>,
}

impl ProcessState {
    pub(crate) fn of(host: &Glimpse) -> Self {
        let environment = host.environment.clone();
        Self {
            environment,
            ..Self::of_process(host.pid)
        }
    }

    /// What anybody can see of a process.
    fn of_process(pid: Pid) -> Self {
        let read = |name: &str| fs::read_to_string(format!("/proc/{pid}/{name}"));
        let status = read("status").unwrap_or_default();
        let status = status.lines().filter_map(|line| line.split_once(':'));
        Self {
            directory: fs::read_link(format!("/proc/{pid}/cwd")).unwrap_or_default(),
            status: status
                .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
                .collect(),
            limits: read("limits")
                .unwrap_or_default()
                .lines()
                .map(ToOwned::to_owned)
                .collect(),
            descendants: tree::descendants(pid),
            environment: BTreeMap::new(),
        }
    }

    /// The same, once the process has gone to that directory.
    pub(crate) fn in_directory(mut self, directory: &Path) -> Self {
        self.directory = directory.canonicalize().unwrap_or_default();
        self
    }

    /// The processes that it has started since and that still run; those that are ending get some time.
    pub(crate) fn left_by(&self, host: &Glimpse) -> Vec<String> {
        settled(|| self.new_descendants(host.pid))
    }

    /// What is another about the process itself now.
    pub(crate) fn changes_of(&self, host: &Glimpse) -> Vec<String> {
        settled(|| self.differences(&Self::of(host)))
    }

    fn new_descendants(&self, pid: Pid) -> Vec<String> {
        let now = tree::descendants(pid).into_iter();
        let new = now.filter(|each| !self.descendants.contains(each));
        let named = |process: Process| {
            let command = process.command()?;
            Some(format!("{} ({command})", process.pid.as_raw_nonzero()))
        };
        new.filter_map(named).collect()
    }

    fn differences(&self, now: &Self) -> Vec<String> {
        let mut found = Vec::new();
        if self.directory != now.directory {
            found.push(format!(
                "the current directory was {}, and is {}",
                self.directory.display(),
                now.directory.display()
            ));
        }
        if self.value("Umask") != now.value("Umask") {
            let (before, after) = (self.value("Umask"), now.value("Umask"));
            found.push(format!("the umask was {before}, and is {after}"));
        }
        for (name, what) in [
            ("SigBlk", "blocked"),
            ("SigIgn", "ignored"),
            ("SigCgt", "handled"),
        ] {
            let (before, after) = (self.mask(name), now.mask(name));
            if before != after {
                let signals = signals(before ^ after);
                found.push(format!("other signals are {what}: {signals}"));
            }
        }
        let threads = |state: &Self| state.value("Threads").parse().unwrap_or(0_usize);
        if threads(now) > threads(self) {
            let more = threads(now) - threads(self);
            found.push(format!("{THREADS}: {more}"));
        }
        let limits = self.limits.iter().zip(&now.limits);
        found.extend(
            limits
                .filter(|(before, after)| before != after)
                .map(|(_, after)| {
                    let words: Vec<_> = after.split_ascii_whitespace().collect();
                    format!("a resource limit is another: {}", words.join(" "))
                }),
        );
        found.extend(self.other_variables(now));
        found
    }

    fn other_variables(&self, now: &Self) -> Option<String> {
        let (before, after) = (&self.environment, &now.environment);
        let all: BTreeSet<_> = before.keys().chain(after.keys()).collect();
        let changed = all
            .into_iter()
            .filter(|name| before.get(*name) != after.get(*name));
        let changed: Vec<_> = changed.map(String::as_str).collect();
        let names = changed.join(", ");
        (!names.is_empty()).then(|| format!("environment variables are others: {names}"))
    }

    fn value(&self, name: &str) -> &str {
        self.status.get(name).map_or("", String::as_str)
    }

    fn mask(&self, name: &str) -> u64 {
        u64::from_str_radix(self.value(name), 16).unwrap_or(0)
    }
}

/// What `look` finds once there is nothing left, or time is over.
fn settled(look: impl Fn() -> Vec<String>) -> Vec<String> {
    let until = Instant::now() + SETTLE;
    loop {
        let found = look();
        if found.is_empty() || Instant::now() >= until {
            return found;
        }
        thread::sleep(LOOK);
    }
}

/// The names of the signals in a mask, whose lowest bit is signal 1.
fn signals(mask: u64) -> String {
    let set = (1..=64).filter(|signal| mask & (1 << (signal - 1)) != 0);
    let named = set.map(|signal| {
        signal_name(signal).map_or_else(|| format!("signal {signal}"), ToOwned::to_owned)
    });
    named.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::{Read, Write},
        process::{Command, Stdio},
    };

    #[test]
    fn a_shell_changes_its_directory_mask_and_signals() {
        let script = "echo; read go; cd /proc; umask 0777; trap '' USR1; sleep 60 & read end";
        let mut shell = Command::new("sh")
            .args(["-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // It is ready once it has said something.
        let mut line = [0];
        shell.stdout.take().unwrap().read_exact(&mut line).unwrap();
        let pid = Pid::from_child(&shell);
        let host = Glimpse {
            pid,
            environment: BTreeMap::new(),
            logged: 0,
            printed: 0,
            last_printed: Vec::new(),
        };
        let before = ProcessState::of(&host);
        assert_eq!(before.changes_of(&host), Vec::<String>::new());
        let mut stdin = shell.stdin.take().unwrap();
        stdin.write_all(b"go\n").unwrap();
        let until = Instant::now() + Duration::from_secs(10);
        while before.left_by(&host).is_empty() && Instant::now() < until {}
        let changes = before.changes_of(&host).join("; ");
        assert!(changes.contains("and is /proc"), "{changes}");
        assert!(changes.contains("and is 0777"), "{changes}");
        assert!(changes.contains("are ignored: SIGUSR1"), "{changes}");
        let left = before.left_by(&host);
        assert!(left[0].ends_with("(sleep)"), "{left:?}");
        tree::end(pid, true, Duration::ZERO);
        shell.wait().unwrap();
    }
}
