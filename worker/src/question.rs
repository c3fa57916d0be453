//! A question to a plugin host, and the wait for its answer.

use crate::{
    failure::Failure,
    host_process::{Event, HostProcess},
    protocol::{Answer, FromHost, Question, ToHost},
};
use std::{
    hash::{BuildHasher, Hasher, RandomState},
    time::{Duration, Instant},
};
use taskbay_core::Abort;

/// How often the abort latch is looked at.
pub(crate) const LOOK: Duration = Duration::from_millis(50);

/// Puts a question to a host and waits for the answer; what is no answer to it is dealt with.
pub(crate) fn ask(
    process: &mut HostProcess,
    question: Question,
    until: Instant,
    abort: &Abort,
) -> Result<Answer, Failure> {
    let nonce = nonce();
    process
        .send(&ToHost::Ask { nonce, question })
        .map_err(|error| Failure::unsendable(&error))?;
    loop {
        if abort.is_set() {
            return Err(Failure::Interrupted);
        }
        let look = until.min(Instant::now() + LOOK);
        match process
            .next(look)
            .map_err(|error| Failure::NoHost(error.to_string()))?
        {
            Event::Message(FromHost::Answer {
                nonce: answered,
                answer,
            }) if answered == nonce => {
                return Ok(answer);
            }
            Event::Message(FromHost::Call { call, .. }) => {
                let reply = Err("there is no server outside an execution".to_owned());
                process.reply(call, reply);
            }
            Event::Message(_) => log::warn!("a plugin host said something that nobody asked for"),
            Event::Died(death) => return Err(Failure::Died(death)),
            Event::Garbled(what) => return Err(Failure::Garbled(what)),
            Event::Nothing if Instant::now() >= until => {
                let after = Duration::ZERO;
                return Err(Failure::Hung { after });
            }
            Event::Nothing => {}
        }
    }
}

/// A number that cannot be guessed, so that an answer proves that its question was read.
pub(crate) fn nonce() -> u64 {
    RandomState::new().build_hasher().finish()
}
