//! One process, known by its number and its start time, so that a later one of the same number is never taken for it.

use rustix::{
    io::Errno,
    process::{
        Pid, PidfdFlags, Signal, WaitOptions, getpid, pidfd_open, pidfd_send_signal, waitpid,
    },
};
use std::fs;

/// A process, told apart from a later one of the same number by its start time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Process {
    /// Its number.
    pub pid: Pid,
    /// When it started, in clock ticks since the machine did.
    pub start_time: u64,
}

/// What `/proc` says of a process at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) process: Process,
    /// `None` for a process whose parent is outside this namespace.
    pub(crate) parent: Option<Pid>,
    /// The command name, shortened to 15 bytes by the kernel.
    pub(crate) command: String,
    /// Whether it has ended, and only waits for its parent to notice.
    pub(crate) ended: bool,
}

impl Process {
    /// The process that has the number `pid` now, also one that has ended and was not reaped yet.
    pub fn find(pid: Pid) -> Option<Self> {
        Stat::read(pid).map(|stat| stat.process)
    }

    /// Whether it still runs; one that has ended and was not reaped yet does not.
    pub fn is_alive(&self) -> bool {
        self.stat().is_some_and(|stat| !stat.ended)
    }

    /// Whether it runs, or has ended and was not reaped yet.
    pub(crate) fn exists(&self) -> bool {
        self.stat().is_some()
    }

    /// Its command name, while it has one.
    pub fn command(&self) -> Option<String> {
        self.stat().map(|stat| stat.command)
    }

    /// Sends it `signal`, and says whether that worked. Never signals this very process, nor a later one of its number.
    pub fn signal(&self, signal: Signal) -> bool {
        if self.pid == getpid() {
            return false;
        }
        // The handle stays with the process that had the number when it was opened. If the one asked for still has the
        // number after that, the handle is its own.
        let Ok(handle) = pidfd_open(self.pid, PidfdFlags::empty()) else {
            return false;
        };
        self.stat().is_some() && pidfd_send_signal(handle, signal).is_ok()
    }

    fn stat(&self) -> Option<Stat> {
        Stat::read(self.pid).filter(|stat| stat.process == *self)
    }
}

/// Takes note of the end of `process`, an ended child of this process that nobody else waits for. Never waits; says
/// whether it is gone now.
pub fn reap(process: &Process) -> bool {
    if process.stat().is_none_or(|stat| !stat.ended) {
        return false;
    }
    loop {
        match waitpid(Some(process.pid), WaitOptions::NOHANG) {
            Err(Errno::INTR) => {}
            reaped => return reaped.is_ok_and(|status| status.is_some()),
        }
    }
}

/// All processes, as one pass over `/proc` finds them.
pub(crate) fn all() -> Vec<Stat> {
    let entries = fs::read_dir("/proc").map_err(|error| {
        log::error!(
            "/proc cannot be read, so processes that a task leaves behind cannot be found: {error}; mount it"
        );
    });
    let names = entries
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.file_name()));
    let pids = names.filter_map(|name| Pid::from_raw(name.to_str()?.parse().ok()?));
    pids.filter_map(Stat::read).collect()
}

/// The children of `parent`, those of each of its threads from the oldest to the youngest. `None` where the kernel
/// does not list them, or there is no such process. One that comes or goes meanwhile may hide others.
pub(crate) fn children(parent: Pid) -> Option<Vec<Pid>> {
    let mut children = Vec::new();
    let mut is_listed = false;
    for thread in fs::read_dir(format!("/proc/{parent}/task")).ok()?.flatten() {
        // A thread may end meanwhile, and its children are another's then.
        let Ok(list) = fs::read_to_string(thread.path().join("children")) else {
            continue;
        };
        is_listed = true;
        let pids = list
            .split_ascii_whitespace()
            .filter_map(|pid| pid.parse().ok());
        children.extend(pids.filter_map(Pid::from_raw));
    }
    is_listed.then_some(children)
}

impl Stat {
    pub(crate) fn read(pid: Pid) -> Option<Self> {
        Self::parse(&fs::read(format!("/proc/{pid}/stat")).ok()?)
    }

    /// Reads the one line of `/proc/PID/stat`. The command name in it stands in parentheses, and may hold any byte:
    /// spaces, line ends and parentheses too. What follows its last `)` holds none of these.
    fn parse(line: &[u8]) -> Option<Self> {
        let open = line.iter().position(|byte| *byte == b'(')?;
        let close = line.iter().rposition(|byte| *byte == b')')?;
        let pid = str::from_utf8(&line[..open]).ok()?.trim().parse().ok()?;
        let command = line.get(open + 1..close)?;
        let rest = str::from_utf8(&line[close + 1..]).ok()?;
        // These are numbered from 3 in proc(5).
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        let threads: u64 = fields.get(17)?.parse().ok()?;
        Some(Self {
            process: Process {
                pid: Pid::from_raw(pid)?,
                start_time: fields.get(19)?.parse().ok()?,
            },
            parent: Pid::from_raw(fields.get(1)?.parse().ok()?),
            command: String::from_utf8_lossy(command).into_owned(),
            // A process whose first thread has ended is shown as a zombie, and runs on while it has others.
            ended: matches!(*fields.first()?, "Z" | "X" | "x") && threads <= 1,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    fn parse(command: &str, state: &str, threads: u32) -> Stat {
        let line = format!(
            "42 ({command}) {state} 7 42 42 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 {threads} 0 1234 99 1 18 0\n"
        );
        Stat::parse(line.as_bytes()).unwrap()
    }

    #[test]
    fn a_command_name_may_hold_anything() {
        for command in ["sh", "a b", ") (", "x) S 1 (y", "", "a\nb", "((", "))"] {
            let stat = parse(command, "S", 1);
            assert_eq!(stat.command, command);
            assert_eq!(stat.process.pid.as_raw_pid(), 42);
            assert_eq!(stat.parent, Pid::from_raw(7));
            assert_eq!(stat.process.start_time, 1234);
        }
        assert_eq!(
            Stat::parse(b"42 (\xff) S 0 1 1 0 -1 0 1 0 0 0 0 0 0 0 20 0 1 0 5 9")
                .map(|stat| (stat.command, stat.parent)),
            Some(("\u{fffd}".to_owned(), None))
        );
    }

    #[test]
    fn a_zombie_with_threads_still_runs() {
        assert!(parse("x", "Z", 1).ended);
        assert!(parse("x", "X", 0).ended);
        assert!(!parse("x", "Z", 2).ended);
        assert!(!parse("x", "T", 1).ended);
    }

    #[test]
    fn a_broken_line_is_no_process() {
        let lines: [&[u8]; 8] = [
            b"",
            b"42",
            b"42 (x",
            b")(",
            b"42 (x)",
            b"0 (x) S 1 1 1 0 -1 0 1 0 0 0 0 0 0 0 20 0 1 0 5 9",
            b"x (x) S 1 1 1 0 -1 0 1 0 0 0 0 0 0 0 20 0 1 0 5 9",
            b"42 (x) S 1 1 1 0 -1 0 1 0 0 0 0 0 0 0 20 0 1 0",
        ];
        for line in lines {
            assert_eq!(
                Stat::parse(line),
                None,
                "{:?}",
                String::from_utf8_lossy(line)
            );
        }
    }

    #[test]
    fn a_later_process_of_the_number_is_never_signalled() {
        let mut child = Command::new("sleep")
            .arg("600")
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let process = Process::find(Pid::from_child(&child)).unwrap();
        let earlier = Process {
            start_time: process.start_time - 1,
            ..process
        };
        assert!(!earlier.signal(Signal::KILL));
        assert!(!earlier.is_alive());
        assert!(!reap(&process));
        assert!(process.is_alive());
        assert!(process.signal(Signal::KILL));
        child.wait().unwrap();
        assert!(!process.is_alive());
        assert!(!process.signal(Signal::KILL));
    }

    #[test]
    fn this_process_never_signals_itself() {
        let this = Process::find(getpid()).unwrap();
        assert!(this.is_alive());
        assert!(!this.signal(Signal::KILL));
    }
}
