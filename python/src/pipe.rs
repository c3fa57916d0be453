//! The pipes to helpers, which a forked process has too, and closes: a helper ends with the process that started it.

use pyo3::{Python, prelude::*};
use std::{
    io::{self, Write},
    os::fd::{AsRawFd, RawFd},
    process::ChildStdin,
    sync::atomic::{AtomicI32, Ordering},
};

/// The pipes that are open. Whoever forks may do so while others open and close some, so no lock is waited for; and of a
/// process with more helpers those beyond outlive it as long as its forks live.
static OPEN: [AtomicI32; 64] = [const { AtomicI32::new(CLOSED) }; 64];
const CLOSED: RawFd = -1;

/// A pipe to a helper.
#[derive(Debug)]
pub(crate) struct Pipe(ChildStdin);

impl Pipe {
    pub(crate) fn new(pipe: ChildStdin) -> Self {
        exchange(CLOSED, pipe.as_raw_fd());
        Self(pipe)
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        // It is closed after this.
        exchange(self.0.as_raw_fd(), CLOSED);
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn exchange(old: RawFd, new: RawFd) {
    let is_exchanged = |slot: &AtomicI32| {
        slot.compare_exchange(old, new, Ordering::SeqCst, Ordering::SeqCst)
            .is_ok()
    };
    OPEN.iter().any(is_exchanged);
}

/// Closes what the process that this was forked from has open.
pub(crate) fn close_all(py: Python<'_>) -> PyResult<()> {
    let os = py.import("os")?;
    for slot in &OPEN {
        let pipe = slot.swap(CLOSED, Ordering::SeqCst);
        if pipe != CLOSED {
            // One that was closed meanwhile is no fault.
            let _ = os.call_method1("close", (pipe,));
        }
    }
    Ok(())
}
