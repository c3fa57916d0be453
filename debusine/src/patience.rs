//! Asking a server that is away again.

use crate::fault::Fault;
use std::{
    thread,
    time::{Duration, Instant},
};
use taskbay_core::{Abort, with_sources};

const PAUSE: Duration = Duration::from_millis(if cfg!(test) { 1 } else { 1000 });
/// How often it is told that a server is still away.
const TELL: Duration = Duration::from_mins(1);
/// For how long a server is asked again that does other things well.
const FAILING: Duration = Duration::from_millis(if cfg!(test) { 50 } else { 600_000 });

/// Asks a server until it answers: as long as that takes while it is away, and for some time where it fails at this alone, or
/// what stands before it does. `is_well` says whether it does other things well.
///
/// # Errors
///
/// When it refuses, or `abort` is set first.
pub(crate) fn patiently<T>(
    abort: &Abort,
    is_well: impl Fn() -> bool,
    mut ask: impl FnMut() -> Result<T, Fault>,
) -> Result<T, Fault> {
    let mut failing: Option<Instant> = None;
    let mut told: Option<Instant> = None;
    loop {
        let asked = Instant::now();
        let fault = match ask() {
            Err(fault) if fault.is_passing() => fault,
            answer => return answer,
        };
        // What took so long, such as a large file, got on meanwhile.
        let is_getting_on = asked.elapsed() >= FAILING;
        failing = match fault {
            _ if is_getting_on || fault.is_unreached() => None,
            Fault::Unavailable { .. } if !is_well() => None,
            _ => failing.or(Some(asked)),
        };
        if failing.is_some_and(|since| since.elapsed() >= FAILING) {
            return Err(fault);
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    fn unavailable(kind: io::ErrorKind) -> Fault {
        Fault::Unavailable {
            place: "here".to_owned(),
            source: kind.into(),
        }
    }

    fn failing() -> Fault {
        Fault::Failing {
            place: "here".to_owned(),
            what: "this".to_owned(),
            problem: "oh".to_owned(),
        }
    }

    /// Asks what fails so for that long, and is answered then.
    fn asks(is_well: bool, long: Duration, fault: impl Fn() -> Fault) -> Result<(), Fault> {
        let begun = Instant::now();
        let ask = || match begun.elapsed() {
            now if now >= long => Ok(()),
            _ => Err(fault()),
        };
        patiently(&Abort::new(), || is_well, ask)
    }

    /// What stands before a server may answer in its place.
    #[test]
    fn a_server_that_fails_at_this_alone_is_given_up() {
        let lost = || unavailable(io::ErrorKind::Other);
        let unreached = || unavailable(io::ErrorKind::ConnectionRefused);
        asks(true, FAILING * 200, lost).unwrap_err();
        asks(true, FAILING * 200, failing).unwrap_err();
        asks(false, FAILING * 200, failing).unwrap_err();
        asks(false, FAILING * 5, lost).unwrap();
        asks(true, FAILING * 5, unreached).unwrap();
    }

    /// As with a large file: what went on until it failed has not failed all the while.
    #[test]
    fn what_got_on_is_not_given_up() {
        let mut asked = 0;
        let answer = patiently(
            &Abort::new(),
            || true,
            || {
                asked += 1;
                if asked > 3 {
                    return Ok(asked);
                }
                thread::sleep(FAILING);
                Err(failing())
            },
        );
        assert_eq!(answer.unwrap(), 4);
    }
}
