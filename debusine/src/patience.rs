//! Asking a server that is away again.

use crate::fault::Fault;
use std::{
    thread,
    time::{Duration, Instant},
};
use taskbay_core::{Abort, with_sources};

const PAUSE: Duration = Duration::from_secs(1);
/// How often it is told that a server is still away.
const TELL: Duration = Duration::from_mins(1);
/// For how long a server is asked again that answers with errors of its own.
const FAILING: Duration = Duration::from_mins(10);

/// Asks a server until it answers, as long as that takes while it is away, and for some time while it fails.
///
/// # Errors
///
/// When it refuses, or `abort` is set first.
pub(crate) fn patiently<T>(
    abort: &Abort,
    mut ask: impl FnMut() -> Result<T, Fault>,
) -> Result<T, Fault> {
    let since = Instant::now();
    let mut told: Option<Instant> = None;
    loop {
        let fault = match ask() {
            Err(fault @ Fault::Unavailable { .. }) => fault,
            Err(fault @ Fault::Failing { .. }) if since.elapsed() < FAILING => fault,
            answer => return answer,
        };
        if told.is_none_or(|told| told.elapsed() >= TELL) {
            told = Some(Instant::now());
            log::warn!("{}; trying again", with_sources(&fault));
        }
        let until = Instant::now() + PAUSE;
        while Instant::now() < until {
            if abort.is_set() {
                return Err(Fault::Aborted);
            }
            thread::sleep(PAUSE / 20);
        }
    }
}
