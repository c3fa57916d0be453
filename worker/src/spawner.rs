//! Starting plugin hosts, and knowing which children they are.
//!
//! A child that asks to be told of its parent's death is told when the *thread* that started it ends, so a thread of some
//! pool must not be that one.

use crate::{
    process::children,
    tree::{self, Ended},
};
use rustix::{
    process::{Pid, getpid},
    thread::gettid,
};
use std::{
    io,
    process::{Child, Command, ExitStatus},
    sync::{LazyLock, Mutex, MutexGuard, OnceLock, PoisonError, mpsc},
    thread,
    time::Duration,
};

/// A plugin host that was started. It is killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Spawned(Child);

struct Job {
    command: Command,
    started: mpsc::Sender<io::Result<Child>>,
}

/// The hosts that run, or have ended and were not waited for. Who holds the lock can tell them from orphans.
static HOSTS: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

static SPAWNER: LazyLock<Mutex<mpsc::Sender<Job>>> = LazyLock::new(|| {
    let (jobs, received) = mpsc::channel::<Job>();
    // Without the thread, sending a job fails, and that is reported.
    let _ = thread::Builder::new()
        .name("spawner".into())
        .spawn(move || {
            for mut job in received {
                let _ = job.started.send(job.command.spawn());
            }
        });
    Mutex::new(jobs)
});

/// Starts `command` from a thread that lives as long as the process: the main thread where this is it, else one that is
/// kept for this.
pub(crate) fn spawn(command: Command) -> io::Result<Spawned> {
    strangers();
    let mut hosts = hosts();
    let child = start(command)?;
    hosts.push(Pid::from_child(&child));
    Ok(Spawned(child))
}

/// Ends what dead hosts left behind, with `grace` between TERM and KILL: all children of this process that are
/// no hosts and came after the first of these.
/// No host is started meanwhile.
pub(crate) fn end_orphans(grace: Duration) -> Ended {
    let hosts = hosts();
    let known: Vec<Pid> = hosts.iter().chain(strangers()).copied().collect();
    tree::end_orphans(&known, grace)
}

/// The children that this process had before its first host, as one has that a shell's `exec` made. Nobody waits for
/// them here, so their numbers stay theirs.
fn strangers() -> &'static [Pid] {
    static STRANGERS: OnceLock<Vec<Pid>> = OnceLock::new();
    STRANGERS.get_or_init(|| children(getpid()).unwrap_or_default())
}

fn hosts() -> MutexGuard<'static, Vec<Pid>> {
    HOSTS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn start(mut command: Command) -> io::Result<Child> {
    if gettid() == getpid() {
        return command.spawn();
    }
    let (started, answer) = mpsc::channel();
    SPAWNER
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .send(Job { command, started })
        .map_err(|_| io::Error::other("there is no thread to start processes from"))?;
    answer.recv().map_err(io::Error::other)?
}

impl Spawned {
    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.0
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.0)
    }

    /// Whether it runs; where not, its number may be another process's by now.
    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> io::Result<ExitStatus> {
        self.0.wait()
    }

    /// Kills it, if it still runs, and waits for its end.
    pub(crate) fn kill(&mut self) {
        if self.0.kill().is_ok() {
            let _ = self.0.wait();
        }
    }
}

impl Drop for Spawned {
    fn drop(&mut self) {
        self.kill();
        let pid = self.pid();
        hosts().retain(|host| *host != pid);
    }
}
