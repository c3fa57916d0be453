//! Starting children from a thread that lives as long as the process.
//!
//! A child that asks to be told of its parent's death is told when the *thread* that started it ends, so a thread of some
//! pool must not be that one.

use rustix::{process::getpid, thread::gettid};
use std::{
    io,
    process::{Child, Command},
    sync::{LazyLock, Mutex, PoisonError, mpsc},
    thread,
};

struct Job {
    command: Command,
    started: mpsc::Sender<io::Result<Child>>,
}

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
pub(crate) fn spawn(mut command: Command) -> io::Result<Child> {
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
