//! Questions about plugins, answered in plugin hosts that are started, and ended, as needed.

use crate::{
    evidence,
    failure::Failure,
    host_process::{HostProcess, HostProgram},
    later::later,
    plugin_host::PluginHost,
    protocol::{Answer, Question},
    question::ask,
};
use serde_json::Value;
use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};
use taskbay_core::{Abort, Metadata, NoServer, Requirement, Server, Verdict};
use taskbay_loader::{Admissible, FileIdentity, Phase, Quarantine, Rejection};

/// Answers questions about plugins. Each plugin is its own fault domain: one that dies or hangs costs only its own
/// answer, and a new host takes over.
#[derive(Debug)]
pub struct Hosts {
    place: Place,
    /// The files, in the states, that a host has loaded without complaint: another one need not check their schemas.
    checked: HashSet<FileIdentity>,
    limit: Duration,
    abort: Abort,
    /// Where plugins are set aside that died or hung.
    quarantine: Option<Quarantine>,
}

/// Where plugin code runs.
#[derive(Debug)]
enum Place {
    Children {
        program: HostProgram,
        host: Option<Box<Running>>,
    },
    Here(Box<PluginHost>),
}

/// A host, and the tasks that it has loaded.
#[derive(Debug)]
struct Running {
    process: HostProcess,
    loaded: BTreeSet<String>,
}

/// A plugin that was loaded.
#[derive(Clone, Debug, PartialEq)]
pub struct Described {
    /// The task's version.
    pub version: u32,
    /// The JSON Schema of its task data; none takes any JSON value.
    pub schema: Option<Value>,
}

/// Task data that is valid.
#[derive(Clone, Debug, PartialEq)]
pub struct Configured {
    /// The data as JSON text, defaults filled in.
    pub data: String,
    /// What a worker must fulfil.
    pub requirements: Vec<Requirement>,
}

impl Hosts {
    /// Runs plugin code in child processes. A question that is not answered within `limit`, or when `abort` is set, is
    /// given up.
    pub fn new(program: HostProgram, limit: Duration, abort: Abort) -> Self {
        Self {
            place: Place::Children {
                program,
                host: None,
            },
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

    /// Runs plugin code in this process, for debuggers and for plugins that are trusted not to crash or hang.
    pub fn in_process(abort: Abort) -> Self {
        Self {
            place: Place::Here(Box::new(PluginHost::new())),
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
        match self.alone_if_it_dies(|hosts| hosts.load(file))? {
            Answer::Loaded {
                version, schema, ..
            } => Ok(Described { version, schema }),
            other => Err(Failure::unexpected(&other)),
        }
    }

    /// What a worker's metadata says of the plugin's task, and the keys that were dropped since they are others'.
    ///
    /// # Errors
    ///
    /// When it is refused, fails, dies or hangs.
    pub fn analyze(
        &mut self,
        file: &Admissible,
        known: &Metadata,
    ) -> Result<(Metadata, Vec<String>), Failure> {
        let question = |name| Question::Analyze {
            name,
            known: known.clone(),
        };
        let answer = self.alone_if_it_dies(|hosts| {
            hosts.load(file)?;
            hosts.blaming(file, Phase::Analyze, |hosts| {
                hosts.put(question(file.name().to_string()))
            })
        });
        match answer? {
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
        let question = |name| Question::Configure {
            name,
            data: data.to_owned(),
        };
        match self.ask(file, question)? {
            Answer::Configured { data, requirements } => Ok(Configured { data, requirements }),
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
        let question = |name| Question::CanRun {
            name,
            data: configured.data.clone(),
            worker: worker.clone(),
        };
        match self.ask(file, question)? {
            Answer::Verdict(verdict) => Ok(verdict),
            other => Err(Failure::unexpected(&other)),
        }
    }

    fn ask(
        &mut self,
        file: &Admissible,
        question: impl Fn(String) -> Question,
    ) -> Result<Answer, Failure> {
        self.alone_if_it_dies(|hosts| {
            hosts.load(file)?;
            hosts.put(question(file.name().to_string()))
        })
    }

    /// Puts a question again, to a host of its own, when the host died that other plugins were loaded in too: one of
    /// them may have killed it.
    fn alone_if_it_dies(
        &mut self,
        question: impl Fn(&mut Self) -> Result<Answer, Failure>,
    ) -> Result<Answer, Failure> {
        let had_others = match &self.place {
            Place::Children {
                host: Some(host), ..
            } => !host.loaded.is_empty(),
            _ => false,
        };
        match question(self) {
            Err(failure @ (Failure::Died(_) | Failure::Garbled(_))) if had_others => {
                log::debug!(
                    "a plugin host of several plugins failed: {failure}; asking again in a host of its own"
                );
                let answer = question(self);
                self.close();
                answer
            }
            answer => answer,
        }
    }

    /// Puts a question that no request is to blame for. A plugin that dies of it, or hangs, is set aside.
    fn blaming(
        &mut self,
        file: &Admissible,
        phase: Phase,
        question: impl FnOnce(&mut Self) -> Result<Answer, Failure>,
    ) -> Result<Answer, Failure> {
        let is_alone = match &self.place {
            Place::Children {
                host: Some(host), ..
            } => host.loaded.iter().all(|name| *name == file.name().as_str()),
            _ => true,
        };
        let answer = question(self);
        if let (Err(failure), Some(quarantine)) = (&answer, &self.quarantine) {
            evidence::keep(quarantine, file, phase, failure, is_alone);
        }
        answer
    }

    /// Has the plugin loaded, in whichever host runs.
    pub(crate) fn load(&mut self, file: &Admissible) -> Result<Answer, Failure> {
        self.blaming(file, Phase::Load, |hosts| hosts.load_unblamed(file))
    }

    fn load_unblamed(&mut self, file: &Admissible) -> Result<Answer, Failure> {
        let name = file.name().to_string();
        if let Place::Children {
            host: Some(host), ..
        } = &self.place
            && host.loaded.contains(&name)
        {
            return Ok(Answer::Loaded {
                name,
                version: file.manifest().version,
                schema: None,
            });
        }
        let question = Question::Load {
            file: file.resolved().to_owned(),
            identity: file.identity(),
            checked: self.checked.contains(&file.identity()),
        };
        match self.put(question)? {
            Answer::Loaded { name: loaded, .. } if loaded != name => {
                Err(Failure::Rejected(Rejection::Elsewhere {
                    reason: "it changed while it was being loaded".to_owned(),
                    help: "try again once it is written".to_owned(),
                    crashed: false,
                    missing: None,
                }))
            }
            answer @ Answer::Loaded { .. } => {
                self.checked.insert(file.identity());
                if let Place::Children {
                    host: Some(host), ..
                } = &mut self.place
                {
                    host.loaded.insert(name);
                }
                Ok(answer)
            }
            other => Ok(other),
        }
    }

    fn put(&mut self, question: Question) -> Result<Answer, Failure> {
        let answer = match &mut self.place {
            Place::Here(host) => {
                let server: Arc<dyn Server> = Arc::new(NoServer);
                host.answer(question, &self.abort, &server)
            }
            Place::Children { .. } => self.put_to_child(question)?,
        };
        match answer {
            Answer::Rejected {
                reason,
                help,
                details,
                panicked,
                missing,
            } => {
                if let Some(details) = details {
                    log::debug!("{details}");
                }
                Err(Failure::Rejected(Rejection::Elsewhere {
                    reason,
                    help,
                    crashed: panicked,
                    missing,
                }))
            }
            Answer::Invalid(errors) => Err(Failure::Invalid(errors)),
            Answer::Failed(fault) => Err(Failure::Fault(fault)),
            answer => Ok(answer),
        }
    }

    fn put_to_child(&mut self, question: Question) -> Result<Answer, Failure> {
        let until = later(Instant::now(), self.limit);
        let abort = self.abort.clone();
        let process = self.process()?;
        let answered = ask(process, question, until, &abort);
        if answered.is_err() {
            self.close();
        }
        answered.map_err(|failure| match failure {
            Failure::Hung { .. } => Failure::Hung { after: self.limit },
            other => other,
        })
    }

    /// The host that runs, or a new one.
    pub(crate) fn process(&mut self) -> Result<&mut HostProcess, Failure> {
        let Place::Children { program, host } = &mut self.place else {
            return Err(Failure::NoHost("plugins run in this process".to_owned()));
        };
        if host.is_none() {
            let process = HostProcess::start(program, log::Level::Debug)
                .map_err(|error| Failure::NoHost(error.to_string()))?;
            *host = Some(Box::new(Running {
                process,
                loaded: BTreeSet::new(),
            }));
        }
        match host {
            Some(host) => Ok(&mut host.process),
            None => Err(Failure::NoHost("it could not be started".to_owned())),
        }
    }

    /// The host in this process, where plugin code runs here.
    pub(crate) fn here(&mut self) -> Option<&mut PluginHost> {
        match &mut self.place {
            Place::Here(host) => Some(host),
            Place::Children { .. } => None,
        }
    }

    pub(crate) fn abort(&self) -> &Abort {
        &self.abort
    }

    /// Ends the host, with whatever runs in it.
    pub(crate) fn close(&mut self) {
        if let Place::Children { host, .. } = &mut self.place {
            *host = None;
        }
    }
}
