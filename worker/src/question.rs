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
                ..
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{HostProgram, host_process::HostProcess};
    use std::thread;
    use taskbay_loader::FileIdentity;

    /// Longer than is waited for a host that does not read, however it does not.
    const LONG: Duration = Duration::from_secs(8);

    /// Asks a host that is that shell script, for half a second, something that no socket holds.
    fn ask_script(script: &str, abort: &Abort) -> Result<Answer, Failure> {
        let program = HostProgram {
            program: "sh".into(),
            arguments: ["-c", script, "sh"].map(Into::into).into(),
            has_only_hosts: false,
            surroundings: crate::Surroundings::default(),
        };
        let mut process = HostProcess::start(&program, log::Level::Debug, None).unwrap();
        let question = Question::Configure {
            plugin: FileIdentity::of(&rustix::fs::stat("/").unwrap()),
            data: "x".repeat(8 << 20),
        };
        let until = Instant::now() + if abort.is_set() { LONG } else { LOOK * 10 };
        ask(&mut process, question, until, abort)
    }

    #[test]
    fn who_reads_nothing_or_little_is_given_up_in_time() {
        let little = "while dd bs=100 count=1 status=none of=/dev/null; do sleep 0.01; done";
        for script in ["sleep 600", little] {
            let since = Instant::now();
            let answer = ask_script(script, &Abort::new());
            assert!(matches!(answer, Err(Failure::Hung { .. })), "{answer:?}");
            assert!(since.elapsed() < LONG, "{:?}", since.elapsed());
        }
    }

    #[test]
    fn an_abort_is_seen_while_a_question_is_put() {
        let abort = Abort::new();
        abort.set();
        let since = Instant::now();
        let answer = thread::spawn(move || ask_script("sleep 600", &abort))
            .join()
            .unwrap();
        assert!(matches!(answer, Err(Failure::Interrupted)), "{answer:?}");
        assert!(since.elapsed() < LONG, "{:?}", since.elapsed());
    }
}
