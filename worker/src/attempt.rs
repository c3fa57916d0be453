//! One try to execute a task.

use crate::{
    AttemptLog,
    confine::tell_of_what_is_lacking,
    ending::{Stop, outcome_of},
    failure::Failure,
    gate::Gate,
    host_process::{Event, HostProcess},
    hosts::Hosts,
    later::later,
    protocol::{Answer, FromHost, Question, ToHost},
    question::{LOOK, nonce},
    tree::{self, Survivor},
    witness::{Glimpse, Witness},
    work_directory::WorkDirectory,
};
use log::Level;
use rustix::process::Signal;
use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};
use taskbay_core::{Abort, Configured, Confinement, Outcome, Server, ServerError};
use taskbay_loader::Admissible;

/// How to execute a task.
#[derive(Clone, Debug)]
pub struct AttemptOptions {
    /// How long it may take; none is without limit.
    pub timeout: Option<Duration>,
    /// How long processes have between TERM and KILL when they are told to end.
    pub grace: Duration,
    /// Whether the work directory stays.
    pub keep: bool,
    /// Who takes what it logs and prints, beside this process' own log.
    pub log: Option<Arc<dyn AttemptLog>>,
}

/// What an attempt came to.
#[derive(Debug)]
pub struct AttemptReport {
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took.
    pub duration: Duration,
    /// The work directory, where it was kept.
    pub work_directory: Option<PathBuf>,
    /// Processes that not even KILL ended.
    pub survivors: Vec<Survivor>,
    /// Files that it wanted to upload and that do not lie in its work directory, which is refused.
    pub strays: Vec<PathBuf>,
}

impl AttemptReport {
    /// An attempt that was not made.
    pub(crate) fn not_made(outcome: Outcome) -> Self {
        Self {
            outcome,
            duration: Duration::ZERO,
            work_directory: None,
            survivors: Vec::new(),
            strays: Vec::new(),
        }
    }
}

impl Hosts {
    /// Executes the task of `file` as [`configure`](Self::configure) gave it, in a work directory of its own and confined
    /// as it says. Stops when the abort latch is set. Every process that the task started has ended when this returns, but
    /// for the survivors that are reported.
    ///
    /// # Errors
    ///
    /// When the attempt cannot begin: no work directory, no plugin, no host.
    pub fn execute(
        &mut self,
        file: &Admissible,
        configured: &Configured,
        server: &Arc<dyn Server>,
        options: &AttemptOptions,
    ) -> Result<AttemptReport, Failure> {
        self.execute_watched(None, file, configured, server, options)
    }

    /// Executes the task as [`execute`](Self::execute) does, with somebody looking on where it runs in a plugin host.
    ///
    /// # Errors
    ///
    /// As [`execute`](Self::execute).
    pub fn execute_watched(
        &mut self,
        witness: Option<&mut dyn Witness>,
        file: &Admissible,
        configured: &Configured,
        server: &Arc<dyn Server>,
        options: &AttemptOptions,
    ) -> Result<AttemptReport, Failure> {
        let confinement = configured.declared.confinement;
        let unusable = |error| Failure::NoHost(format!("there is no work directory: {error}"));
        let name = file.name().as_str();
        log::info!(task = name; "{}", configured.label(name));
        if let (Some(log), Some(label)) = (&options.log, &configured.declared.label) {
            log.logged(Level::Info, module_path!(), label);
        }
        let work = WorkDirectory::new(file.name()).map_err(unusable)?;
        let mut room = None;
        if !self.place().is_here() {
            room = work.room(confinement).map_err(unusable)?;
            if confinement == Confinement::Strict {
                tell_of_what_is_lacking();
            }
        } else if confinement != Confinement::None {
            log::warn!("the task `{name}` is not confined: it runs in this process");
        }
        let gate = Arc::new(Gate::new(work.path(), Arc::clone(server)).map_err(unusable)?);
        self.place().confine(room);
        let gated: Arc<dyn Server> = Arc::clone(&gate) as _;
        let executed = self.execute_in(
            work.path(),
            witness,
            file,
            &configured.data,
            &gated,
            options,
        );
        self.place().confine(None);
        let Executed {
            outcome,
            duration,
            survivors,
        } = executed?;
        report_survivors(&survivors);
        Ok(AttemptReport {
            outcome,
            duration,
            work_directory: work.put_away(options.keep),
            survivors,
            strays: gate.strays(),
        })
    }

    fn execute_in(
        &mut self,
        work: &Path,
        mut witness: Option<&mut dyn Witness>,
        file: &Admissible,
        data: &str,
        server: &Arc<dyn Server>,
        options: &AttemptOptions,
    ) -> Result<Executed, Failure> {
        if self.place().has_others_than(file.identity()) {
            self.close();
        }
        self.load(file)?;
        let started = Instant::now();
        let question = Question::Execute {
            plugin: file.identity(),
            data: data.to_owned(),
            work_directory: work.to_owned(),
        };
        let (limit, abort) = (self.limit(), self.abort().clone());
        let name = file.name().as_str();
        let (outcome, survivors) = if let Some(host) = self.place().in_process() {
            let answer = host.answer(question, &abort, server);
            let stopped = abort.is_set().then_some(Stop::Aborted);
            (outcome_of(name, Ok(answer), stopped), Vec::new())
        } else {
            let process = self.place().process()?;
            process.becomes_attempt_of(name, options.log.as_ref());
            let mut running = Execution {
                process,
                server,
                abort: &abort,
                options,
                stopped: None,
            };
            if let Some(witness) = &mut witness {
                witness.begins(&running.glimpse(limit)?, work);
            }
            let answer = running.run(question, started);
            // A host that does not answer would be waited for. One that has answered can be looked at, also where it was
            // aborted.
            if let (Some(witness), Ok(_)) = (witness, &answer)
                && let Ok(now) = Glimpse::of(running.process, limit, &Abort::new())
            {
                witness.answered(&now);
            }
            let survivors = running.process.end(options.grace);
            let stopped = running.stopped;
            // It was ended with the attempt, so whoever asks next needs a new one.
            self.close();
            (outcome_of(name, answer, stopped), survivors)
        };
        Ok(Executed {
            outcome,
            duration: started.elapsed(),
            survivors,
        })
    }
}

/// An attempt that was made, its work directory still being there.
struct Executed {
    outcome: Outcome,
    duration: Duration,
    survivors: Vec<Survivor>,
}

struct Execution<'a> {
    process: &'a mut HostProcess,
    server: &'a Arc<dyn Server>,
    abort: &'a Abort,
    options: &'a AttemptOptions,
    stopped: Option<Stop>,
}

impl Execution<'_> {
    fn glimpse(&mut self, limit: Duration) -> Result<Glimpse, Failure> {
        Glimpse::of(self.process, limit, self.abort)
    }

    /// Puts the question and serves the host until it answers, dies, or has had its grace.
    fn run(&mut self, question: Question, started: Instant) -> Result<Answer, Failure> {
        let nonce = nonce();
        let no_host = |error: io::Error| Failure::NoHost(error.to_string());
        self.process
            .send(&ToHost::Ask { nonce, question })
            .map_err(|error| Failure::unsendable(&error))?;
        let mut end = self.options.timeout.map(|timeout| later(started, timeout));
        loop {
            let now = Instant::now();
            let is_over = end.is_some_and(|end| now >= end);
            match self.stopped {
                Some(_) if is_over => return Err(Failure::Interrupted),
                None if self.abort.is_set() => end = Some(self.stop(Stop::Aborted)),
                None if is_over => {
                    let after = self.options.timeout.unwrap_or_default();
                    end = Some(self.stop(Stop::TimedOut { after }));
                }
                _ => {}
            }
            let look = now + LOOK;
            let until = end.map_or(look, |end| end.min(look));
            match self.process.next(until).map_err(no_host)? {
                Event::Message(FromHost::Answer {
                    nonce: answered,
                    answer,
                    ..
                }) if answered == nonce => {
                    return Ok(answer);
                }
                Event::Message(FromHost::Call { call, request }) => {
                    let reply = self
                        .server
                        .call(request)
                        .map_err(|ServerError(message)| message);
                    self.process.reply(call, reply);
                }
                Event::Message(_) => {
                    log::warn!("the plugin host said something that nobody asked for");
                }
                Event::Died(death) => return Err(Failure::Died(death)),
                Event::Garbled(what) => return Err(Failure::Garbled(what)),
                Event::Nothing => {}
            }
        }
    }

    /// Tells the task and all that it started to end, and says when the grace is over.
    fn stop(&mut self, stop: Stop) -> Instant {
        log::info!(
            "{}: ending the task",
            match stop {
                Stop::Aborted => "aborted",
                Stop::TimedOut { .. } => "timed out",
            }
        );
        self.stopped = Some(stop);
        let _ = self.process.send(&ToHost::Abort);
        for process in tree::descendants(self.process.pid()) {
            process.signal(Signal::TERM);
        }
        later(Instant::now(), self.options.grace)
    }
}

fn report_survivors(survivors: &[Survivor]) {
    for survivor in survivors {
        log::error!(
            "process {} ({}) survives: not even KILL ended it",
            survivor.pid.as_raw_nonzero(),
            survivor.command
        );
    }
}
