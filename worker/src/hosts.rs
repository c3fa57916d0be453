//! Questions about plugins, answered in plugin hosts that are started, and ended, as needed.

use crate::{
    described::Described,
    failure::Failure,
    host_process::HostProgram,
    place::Place,
    prepared::Prepared,
    protocol::{Answer, Question},
};
use std::{collections::HashSet, time::Duration};
use taskbay_core::{Abort, Configured, Metadata, Verdict};
use taskbay_loader::{Admissible, FileIdentity, LoadError, Phase, Quarantine, Store};

/// Answers questions about plugins. Each plugin is its own fault domain: one that dies or hangs costs only its own
/// answer, and a new host takes over.
#[derive(Debug)]
pub struct Hosts {
    place: Place,
    /// The attempt that the place is confined for, while what it is to execute is found out there.
    prepared: Option<Prepared>,
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
            prepared: None,
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
            prepared: None,
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
        if self.is_prepared() {
            let asked = self.ask_to_analyze(file, known);
            if !matches!(&asked, Err(failure) if failure.may_be_of_another()) {
                return asked;
            }
            self.is_not_prepared();
        }
        self.ask_to_analyze(file, known)
    }

    fn ask_to_analyze(
        &mut self,
        file: &Admissible,
        known: &Metadata,
    ) -> Result<(Metadata, Vec<String>), Failure> {
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
                if self.is_prepared() {
                    self.store.note_fit(identity);
                }
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

    /// The attempt that the place is confined for, while what it is to execute is found out there.
    pub(crate) fn prepared(&mut self) -> &mut Option<Prepared> {
        &mut self.prepared
    }

    /// The private copies that hosts load.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// Where plugins are set aside that died or hung.
    pub(crate) fn quarantine(&self) -> Option<&Quarantine> {
        self.quarantine.as_ref()
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
