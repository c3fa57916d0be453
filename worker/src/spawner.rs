//! Starting plugin hosts, and knowing which children they are.
//!
//! A child that asks to be told of its parent's death is told when the *thread* that started it ends, so a thread of some
//! pool must not be that one.

use crate::{
    process::{self, Process, children},
    tree::{self, Ended, KILL_LIMIT, Survivor},
};
use rustix::{
    event::{PollFd, PollFlags, poll},
    process::{Pid, PidfdFlags, getpid, pidfd_open},
    thread::gettid,
};
use std::{
    io,
    os::fd::OwnedFd,
    process::{Child, Command, ExitStatus},
    sync::{Mutex, MutexGuard, OnceLock, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

/// A plugin host, or another child, that was started. It is killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Spawned {
    child: Child,
    /// Readable when it has ended.
    handle: OwnedFd,
}

struct Job {
    command: Command,
    started: mpsc::Sender<io::Result<Child>>,
}

/// The hosts that run, or have ended and were not waited for. No host is started while somebody holds the lock, so
/// whoever holds it can tell them from orphans.
static HOSTS: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// The orphans that not even KILL ended. To wait for them once is enough.
static SURVIVORS: Mutex<Vec<Process>> = Mutex::new(Vec::new());

/// The thread that starts hosts, once there is one.
static SPAWNER: Mutex<Option<mpsc::Sender<Job>>> = Mutex::new(None);

/// Starts `command` from a thread that lives as long as the process: the main thread where this is it, else one that is
/// kept for this.
pub(crate) fn spawn(command: Command) -> io::Result<Spawned> {
    strangers();
    let mut hosts = lock(&HOSTS);
    let mut child = start(command)?;
    let pid = Pid::from_child(&child);
    let handle = pidfd_open(pid, PidfdFlags::empty()).inspect_err(|_| {
        // One that nobody can watch must not run.
        let _ = child.kill();
        let _ = child.wait();
    })?;
    hosts.push(pid);
    Ok(Spawned { child, handle })
}

/// Ends what dead hosts left behind, with `grace` between TERM and KILL: all children of this process that are
/// no hosts and came after the first of these. Those that survive are left alone from then on.
pub(crate) fn end_orphans(grace: Duration) -> Ended {
    let ended = tree::end_orphans(is_known, grace);
    spare(&ended.survivors);
    ended
}

/// Whether this process has children, living or not, of whom it is not known what they are.
pub(crate) fn has_orphans() -> bool {
    if tree::is_childless() {
        return false;
    }
    // Where the kernel does not list them, the long way must tell. A host of another thread that ends meanwhile may hide one:
    // it is looked at twice.
    let has_unknown = || {
        children(getpid()).is_none_or(|children| children.into_iter().any(|child| !is_known(child)))
    };
    has_unknown() || has_unknown()
}

/// Whether that child of this process is a host, or one that is left alone.
fn is_known(pid: Pid) -> bool {
    lock(&HOSTS).contains(&pid) || strangers().contains(&pid) || {
        let mut survivors = lock(&SURVIVORS);
        survivors.retain(Process::exists);
        survivors.iter().any(|survivor| survivor.pid == pid)
    }
}

fn spare(survivors: &[Survivor]) {
    let still_there = survivors.iter().filter_map(|each| Process::find(each.pid));
    lock(&SURVIVORS).extend(still_there);
}

/// The children that this process had before its first host, as one has that a shell's `exec` made. Nobody waits for
/// them here, so their numbers stay theirs.
fn strangers() -> &'static [Pid] {
    static STRANGERS: OnceLock<Vec<Pid>> = OnceLock::new();
    STRANGERS.get_or_init(|| {
        let this = getpid();
        // Not every kernel lists them.
        children(this).unwrap_or_else(|| {
            let all = process::all().into_iter();
            let ours = all.filter(|stat| stat.parent == Some(this));
            ours.map(|stat| stat.process.pid).collect()
        })
    })
}

fn lock<T>(shared: &'static Mutex<T>) -> MutexGuard<'static, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn start(mut command: Command) -> io::Result<Child> {
    if gettid() == getpid() {
        return command.spawn();
    }
    let (started, answer) = mpsc::channel();
    let mut spawner = lock(&SPAWNER);
    let jobs = match spawner.take() {
        Some(jobs) => jobs,
        // Where it fails, the next host may get one.
        None => start_spawner()?,
    };
    let sent = jobs.send(Job { command, started });
    sent.map_err(|_| io::Error::other("the thread that starts processes has ended"))?;
    *spawner = Some(jobs);
    answer.recv().map_err(io::Error::other)?
}

fn start_spawner() -> io::Result<mpsc::Sender<Job>> {
    let (jobs, received) = mpsc::channel::<Job>();
    thread::Builder::new()
        .name("spawner".into())
        .spawn(move || {
            for mut job in received {
                let _ = job.started.send(job.command.spawn());
            }
        })?;
    Ok(jobs)
}

impl Spawned {
    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Readable when it has ended.
    pub(crate) fn handle(&self) -> &OwnedFd {
        &self.handle
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Whether it runs; where not, its number may be another process's by now.
    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait()
    }

    /// Kills it, if it still runs, and waits for its end: where that does not come, as in a hung file system, only for a
    /// while. Says whether it has ended.
    pub(crate) fn kill(&mut self) -> bool {
        let until = Instant::now() + KILL_LIMIT;
        let mut is_killed = self.child.kill().is_ok();
        while is_killed && matches!(self.child.try_wait(), Ok(None)) {
            let left = until.saturating_duration_since(Instant::now());
            let left = left.try_into().unwrap_or_default();
            let _ = poll(&mut [PollFd::new(&self.handle, PollFlags::IN)], Some(&left));
            is_killed = Instant::now() < until;
        }
        is_killed
    }
}

impl Drop for Spawned {
    fn drop(&mut self) {
        // One that does not end stays known, so that it is not waited for again.
        if self.kill() {
            let pid = self.pid();
            lock(&HOSTS).retain(|host| *host != pid);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_survivor_is_left_alone_until_it_is_gone() {
        // What is there before the first host is none of theirs.
        strangers();
        let mut child = Command::new("sleep").arg("600").spawn().unwrap();
        let pid = Pid::from_child(&child);
        assert!(!is_known(pid));
        let command = "sleep".to_owned();
        spare(&[Survivor { pid, command }]);
        assert!(is_known(pid));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!is_known(pid));
    }
}
