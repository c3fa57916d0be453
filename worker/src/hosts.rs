//! Questions about plugins, answered in plugin hosts that are started, and ended, as needed.

use crate::{
    described::Described,
    evidence,
    failure::Failure,
    host_process::HostProgram,
    place::Place,
    protocol::{Answer, Question},
};
use std::{collections::HashSet, thread, time::Duration};
use taskbay_core::{Abort, Configured, Metadata, Verdict};
use taskbay_loader::{Admissible, FileIdentity, LoadError, Phase, Quarantine, Store};

/// How much later than a host its parent may be told to end.
const LATER_SIGNAL: Duration = Duration::from_millis(100);

/// Answers questions about plugins. Each plugin is its own fault domain: one that dies or hangs costs only its own
/// answer, and a new host takes over.
#[derive(Debug)]
pub struct Hosts {
    place: Place,
    /// The private copies that hosts load.
    store: Store,
    /// The files, in the states, that a host has loaded without complaint: another one need not check their schemas.
    checked: HashSet<FileIdentity>,
    limit: Duration,
    abort: Abort,
    /// Where plugins are set aside that died or hung.
    quarantine: Option<Quarantine>,
}

impl Hosts {
    /// Runs plugin code in child processes. A question that is not answered within `limit`, or when `abort` is set, is
    /// given up.
    pub fn new(program: HostProgram, limit: Duration, abort: Abort) -> Self {
        Self {
            store: program.surroundings.store(),
            place: Place::child(program),
            checked: HashSet::new(),
            limit,
            abort,
            quarantine: None,
        }
    }

    /// Sets plugins aside that die or hang as they are loaded or describe the worker. What a request may be to blame for,
    /// configuring, judging and executing, sets none aside.
    #[must_use]
    pub fn with_quarantine(mut self, quarantine: Quarantine) -> Self {
        self.quarantine = Some(quarantine);
        self
    }

    /// Runs plugin code in this process, for debuggers and for plugins that are trusted not to crash or hang. No task is
    /// confined there.
    pub fn in_process(abort: Abort) -> Self {
        Self {
            place: Place::here(),
            store: Store::of_this_user(),
            checked: HashSet::new(),
            limit: Duration::MAX,
            abort,
            quarantine: None,
        }
    }

    /// Loads a plugin.
    ///
    /// # Errors
    ///
    /// When it is refused, dies or hangs.
    pub fn describe(&mut self, file: &Admissible) -> Result<Described, Failure> {
        self.alone_if_it_fails(
            file,
            |hosts| hosts.load(file),
            |asked| matches!(asked, Err(failure) if failure.may_be_of_another()),
        )
    }

    /// What a worker's metadata says of the plugin's task, and the keys that were dropped since they are others'. It is
    /// asked in a host of its own, since an environment that another plugin changed would have it tell what is not so.
    ///
    /// # Errors
    ///
    /// When it is refused, fails, dies or hangs.
    pub fn analyze(
        &mut self,
        file: &Admissible,
        known: &Metadata,
    ) -> Result<(Metadata, Vec<String>), Failure> {
        if self.place.has_others_than(file.identity()) {
            self.close();
        }
        self.load(file)?;
        let question = Question::Analyze {
            plugin: file.identity(),
            known: known.clone(),
        };
        let asked = self.blaming(file, Phase::Analyze, |hosts| {
            // Where the host is another one by now.
            hosts.load(file)?;
            hosts.put(question.clone())
        });
        match asked? {
            Answer::Analyzed { metadata, dropped } => Ok((metadata, dropped)),
            other => Err(Failure::unexpected(&other)),
        }
    }

    /// Whether task data, as JSON text, is valid.
    ///
    /// # Errors
    ///
    /// When it is not, or the plugin is refused, fails, dies or hangs.
    pub fn configure(&mut self, file: &Admissible, data: &str) -> Result<Configured, Failure> {
        let question = || Question::Configure {
            plugin: file.identity(),
            data: data.to_owned(),
        };
        match self.ask(file, question)? {
            // Whatever the host is by now, it makes up no line.
            Answer::Configured(configured) => Ok(configured.readable()),
            other => Err(Failure::unexpected(&other)),
        }
    }

    /// Whether a worker may execute the task with data that [`configure`](Self::configure) gave.
    ///
    /// # Errors
    ///
    /// When the plugin is refused, fails, dies or hangs.
    pub fn can_run(
        &mut self,
        file: &Admissible,
        configured: &Configured,
        worker: &Metadata,
    ) -> Result<Verdict, Failure> {
        let question = || Question::CanRun {
            plugin: file.identity(),
            data: configured.data.clone(),
            worker: worker.clone(),
        };
        self.ask_for_verdict(file, question)
    }

    /// Asks a question that a verdict answers.
    pub(crate) fn ask_for_verdict(
        &mut self,
        file: &Admissible,
        question: impl Fn() -> Question,
    ) -> Result<Verdict, Failure> {
        match self.ask(file, question)? {
            Answer::Verdict(verdict) => Ok(verdict),
            other => Err(Failure::unexpected(&other)),
        }
    }

    fn ask(
        &mut self,
        file: &Admissible,
        question: impl Fn() -> Question,
    ) -> Result<Answer, Failure> {
        let put = |hosts: &mut Self| {
            hosts.load(file)?;
            hosts.put(question())
        };
        self.alone_if_it_fails(file, put, |asked| match asked {
            Ok(Answer::Verdict(verdict)) => verdict.has_failed(),
            Ok(_) => false,
            Err(failure) => failure.may_be_of_another(),
        })
    }

    /// Puts a question again, to a host of its own, when it failed in one that was asked something before: another plugin
    /// may have killed or stopped it, or have left it without memory, descriptors or rights; and task data may have had
    /// this very plugin panic, after which it answers nothing more.
    fn alone_if_it_fails<T>(
        &mut self,
        file: &Admissible,
        question: impl Fn(&mut Self) -> Result<T, Failure>,
        has_failed: impl Fn(&Result<T, Failure>) -> bool,
    ) -> Result<T, Failure> {
        let is_fresh = self.is_fresh_for(file);
        let answer = question(self);
        if is_fresh || !has_failed(&answer) {
            return answer;
        }
        log::debug!(
            "in a plugin host that was asked before, {} failed; asking again in a host of its own",
            file.path().display()
        );
        self.close();
        question(self)
    }

    /// Whether nobody but this plugin can be to blame for what it does next, and no task data.
    fn is_fresh_for(&self, file: &Admissible) -> bool {
        self.place.is_here()
            || !self.place.has_others_than(file.identity()) && !self.place.had_task_data()
    }

    /// Puts a question that no request is to blame for. A plugin that dies of it, or hangs, is set aside, if nobody else
    /// can have done that, and no confinement.
    fn blaming<T>(
        &mut self,
        file: &Admissible,
        phase: Phase,
        question: impl Fn(&mut Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let is_fresh = self.is_fresh_for(file);
        let mut answer = question(self);
        if let Err(Failure::Died(death)) = &answer
            && death.was_told_to_end()
        {
            // Whoever stops a service signals all of its processes, in any order: this one may be told in a moment.
            thread::sleep(LATER_SIGNAL);
            if !self.abort.is_set() {
                self.close();
                answer = question(self);
            }
        }
        if answer.is_err() && self.abort.is_set() {
            return Err(Failure::Interrupted);
        }
        if let (Err(failure), Some(quarantine)) = (&answer, &self.quarantine)
            && is_fresh
            && !self.place.is_confined()
        {
            evidence::keep(quarantine, &self.store, file, phase, failure);
        }
        answer
    }

    /// Has the plugin loaded, in whichever host runs.
    pub(crate) fn load(&mut self, file: &Admissible) -> Result<Described, Failure> {
        if let Some(described) = self.place.loaded(file.identity()) {
            return Ok(described.clone());
        }
        self.blaming(file, Phase::Load, |hosts| hosts.load_anew(file))
    }

    fn load_anew(&mut self, file: &Admissible) -> Result<Described, Failure> {
        let identity = file.identity();
        // Here, since a slow disk would use up the plugin's time in a host.
        self.store
            .keep(file.resolved(), identity)
            .map_err(|error| Failure::Rejected(LoadError::Store(error).into()))?;
        let question = Question::Load {
            file: file.resolved().to_owned(),
            identity,
            checked: self.checked.contains(&identity),
        };
        match self.put(question)? {
            Answer::Loaded { version, schema } => {
                let schema = schema
                    .map(|schema| serde_json::from_str(&schema))
                    .transpose();
                let schema = schema.map_err(|error| Failure::Garbled(error.to_string()))?;
                let described = Described { version, schema };
                self.checked.insert(identity);
                self.place.has_loaded(identity, described.clone());
                Ok(described)
            }
            other => Err(Failure::unexpected(&other)),
        }
    }

    fn put(&mut self, question: Question) -> Result<Answer, Failure> {
        let answer = self.place.put(question, self.limit, &self.abort)?;
        if answer.tells_of_panic() {
            // What it was in the middle of may be broken for whoever asks next.
            self.place.close();
        }
        Failure::if_told(answer)
    }

    /// The place where plugin code runs.
    pub(crate) fn place(&mut self) -> &mut Place {
        &mut self.place
    }

    /// The private copies that hosts load.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn limit(&self) -> Duration {
        self.limit
    }

    pub(crate) fn abort(&self) -> &Abort {
        &self.abort
    }

    /// Ends the host, with whatever runs in it.
    pub(crate) fn close(&mut self) {
        self.place.close();
    }
}
