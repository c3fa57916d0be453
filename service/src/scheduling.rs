//! A scheduler: it finds out what requests demand, and judges workers.

mod check;
mod circle;
mod failed;
mod foreign;
mod judging;
mod pile;
mod signed;
mod signing;

use self::{
    check::Check, circle::Circle, failed::Failed, foreign::Foreign, pile::Pile, signed::Signed,
};
use crate::{Plugins, Stop, Supervisor, setbacks::Setbacks, supervisor::Part};
use std::{
    collections::{BTreeSet, HashSet},
    fmt,
    time::{Duration, Instant},
};
use taskbay_core::{TaskName, with_sources};
use taskbay_engine::{Engine, EngineError, Seen};
use taskbay_worker::{Change, Hosts, LiveCatalog, Unmatchable};

/// How long it waits for a change.
const LOOK: Duration = Duration::from_millis(500);
/// How many requests, or verdicts, are dealt with at a time.
const BATCH: u32 = 256;
/// How long one part of a round takes at most, but for a single slow answer, before there is a look at all else.
const LONG: Duration = Duration::from_secs(1);
/// How often failed verdicts are forgotten, whoever recorded them: he may be gone, or have a bad plugin where this scheduler
/// has a good one.
const FORGET_EVERY: Duration = Duration::from_mins(5);
/// How long it waits after no plugin could be asked, or the engine failed.
const RETRY: Duration = Duration::from_secs(2);

/// A scheduler of an engine, with the plugins that are watched.
///
/// Several may work on one engine: what one does twice is the same twice.
pub struct Scheduling<'e> {
    engine: &'e dyn Engine,
    live: LiveCatalog,
    make_hosts: Box<dyn Fn() -> Hosts + Send + 'e>,
    plugins: Plugins,
    /// The tasks whose requests cannot be configured, and those whose verdicts cannot be given.
    signing: Setbacks,
    judging: Setbacks,
    failed: Failed,
    check: Check,
    foreign: Foreign,
    circle: Circle,
    /// What was signed and not looked at since, and what lacks a verdict of what was.
    signed: Signed,
    to_judge: Pile,
    /// When the next time is that what failed is forgotten, whoever recorded it.
    forgets_at: Instant,
    /// What the engine is still to be told: the tasks whose plugins are others now, and those whose failed verdicts are to
    /// be forgotten.
    to_unsign: BTreeSet<TaskName>,
    to_forget: BTreeSet<TaskName>,
    /// The tasks that workers offer, once that was asked for in this round.
    offered: Option<HashSet<String>>,
    /// The loop, as the service manager sees it.
    part: Part,
}

impl fmt::Debug for Scheduling<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scheduling")
            .field("engine", &self.engine)
            .field("plugins", &self.plugins)
            .finish_non_exhaustive()
    }
}

impl<'e> Scheduling<'e> {
    /// A scheduler of that engine.
    pub fn new(
        engine: &'e dyn Engine,
        mut live: LiveCatalog,
        make_hosts: impl Fn() -> Hosts + Send + 'e,
        supervisor: &Supervisor,
    ) -> Self {
        Self {
            engine,
            part: supervisor.part(),
            plugins: Plugins::new(make_hosts(), live.current_catalog()),
            signing: Setbacks::default(),
            judging: Setbacks::default(),
            failed: Failed::default(),
            check: Check::default(),
            foreign: Foreign::default(),
            circle: Circle::default(),
            signed: Signed::default(),
            to_judge: Pile::default(),
            forgets_at: Instant::now() + FORGET_EVERY,
            to_unsign: BTreeSet::new(),
            to_forget: BTreeSet::new(),
            offered: None,
            live,
            make_hosts: Box::new(make_hosts),
        }
    }

    /// Works until told to stop.
    pub fn run(&mut self, stop: &Stop) {
        let mut seen = Seen::default();
        while !stop.is_told() {
            self.part.beats();
            let has_more = match self.round(stop) {
                Ok(has_more) => has_more,
                Err(Setback::Engine(error)) => {
                    log::warn!("{}; trying again", with_sources(&error));
                    stop.pause(RETRY);
                    continue;
                }
                Err(Setback::NotAsked(failure)) => {
                    log::warn!("no plugin can be asked: {failure}; trying again");
                    stop.pause(RETRY);
                    continue;
                }
            };
            self.part.is_ready();
            if has_more {
                continue;
            }
            if let Err(error) = self.engine.wait(&mut seen, LOOK) {
                log::warn!("the engine is not heard: {}", with_sources(&error));
                stop.pause(RETRY);
            }
        }
    }

    /// Does some of what there is to do now: of each kind a part, so that none waits for all of another. Says whether there
    /// may be more.
    fn round(&mut self, stop: &Stop) -> Result<bool, Setback> {
        self.renew_plugins();
        self.tell_changes()?;
        // What one of them cannot do keeps none of the others from its part.
        let has_checked = self.check_signatures(stop);
        self.part.beats();
        let has_signed = self.sign(stop);
        self.part.beats();
        let has_judged = self.judge(stop);
        let (has_checked, has_signed) = (has_checked?, has_signed?);
        Ok(has_judged? || has_signed || has_checked)
    }

    /// Takes in that plugins came, went or were replaced: their requests are configured anew. And that it is time to ask
    /// those again that could not be asked.
    fn renew_plugins(&mut self) {
        self.offered = None;
        let now = Instant::now();
        let mut due: BTreeSet<_> = self.judging.release(now).into_iter().collect();
        self.to_forget.extend(due.iter().cloned());
        due.extend(self.signing.release(now));
        let changes = self.live.wait(Duration::ZERO);
        if !changes.is_empty() {
            self.plugins = Plugins::new((self.make_hosts)(), self.live.current_catalog());
            self.signing.forget();
            // What was recorded of those that failed is to be asked again, whichever plugins changed.
            self.to_forget.extend(self.judging.waiting());
            self.judging.forget();
            self.failed = Failed::default();
            self.check = Check::default();
            self.foreign.forget();
        }
        let is_time = now >= self.forgets_at;
        if is_time {
            self.forgets_at = now + FORGET_EVERY;
            let tasks = self.live.tasks().map(|plugin| plugin.name().clone());
            self.to_forget.extend(tasks);
        }
        if is_time || !due.is_empty() {
            let is_due = |task: &str| is_time || due.iter().any(|due| due.as_str() == task);
            self.plugins
                .forget_failed(self.live.current_catalog(), is_due);
            self.check.repeat();
        }
        for change in &changes {
            let task = change.plugin().name();
            self.to_forget.insert(task.clone());
            // The requests of one that is gone wait for it: it may be back in a moment.
            if matches!(change, Change::Replaced { .. }) {
                self.to_unsign.insert(task.clone());
            }
        }
        if self.failed.ask_again(|task| !self.judging.is_waiting(task)) {
            self.circle.again();
        }
    }

    /// Tells the engine what changed. What it does not take now is told later.
    fn tell_changes(&mut self) -> Result<(), EngineError> {
        while let Some(task) = self.to_unsign.first() {
            self.engine.unsign(task)?;
            self.to_unsign.pop_first();
        }
        while let Some(task) = self.to_forget.first() {
            if self.engine.forget_failed_verdicts(task)? > 0 {
                self.circle.again();
            }
            self.to_forget.pop_first();
        }
        Ok(())
    }
}

/// Why a round is not done.
#[derive(Debug)]
enum Setback {
    Engine(EngineError),
    /// No plugin can be asked, for which none is to blame.
    NotAsked(String),
}

impl From<EngineError> for Setback {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

impl From<Unmatchable> for Setback {
    fn from(error: Unmatchable) -> Self {
        Self::NotAsked(error.to_string())
    }
}

#[cfg(test)]
mod tests;
