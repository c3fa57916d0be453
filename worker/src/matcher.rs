//! What a scheduler asks plugins, in plugin hosts that live long.

use crate::{Described, Failure, Hosts, first_loading};
use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
};
use taskbay_core::{
    Configured, ErrorCode, Metadata, Reason, ReasonCode, TaskConfigError, TaskName, Verdict,
};
use taskbay_loader::{Admissible, Catalog, UnknownTask, sha256};

/// Asks plugins for a scheduler: what their tasks demand, and whether workers suit.
#[derive(Debug)]
pub struct Matcher {
    hosts: Hosts,
    catalog: Catalog,
    /// The plugins that were asked before, or why they cannot be.
    known: HashMap<String, Result<Known, (PathBuf, String)>>,
    /// How often the plugins of tasks have died or hung.
    crashes: HashMap<String, u32>,
}

/// How often a plugin may die or hang before it is asked no more: each time costs its whole time to answer.
const MOST_CRASHES: u32 = 3;

/// A plugin that answers.
#[derive(Clone, Debug)]
pub struct Known {
    /// Its file.
    pub file: Admissible,
    /// The task's version.
    pub version: u32,
    /// The hash of the file.
    pub hash: String,
}

/// Why a request cannot be matched.
#[derive(Debug, thiserror::Error)]
pub enum Unmatchable {
    /// There is no plugin for its task.
    #[error(transparent)]
    Unknown(#[from] UnknownTask),
    /// Its task data is invalid: every fault found.
    #[error("the task data is invalid")]
    Invalid(Vec<TaskConfigError>),
    /// The plugin is refused, or failed when it was asked.
    #[error("{} cannot be asked: {why}", file.display())]
    Failed {
        /// Its file.
        file: PathBuf,
        /// Why.
        why: String,
        /// What it is as an error of this request, where it was asked about that; none where it can be asked nothing.
        code: Option<ErrorCode>,
        /// Whether its code panicked.
        panicked: bool,
    },
    /// No plugin can be asked, for which none is to blame.
    #[error(transparent)]
    NotAsked(Failure),
}

impl Matcher {
    /// Asks the plugins of that catalog, in these hosts.
    pub fn new(hosts: Hosts, catalog: Catalog) -> Self {
        Self {
            hosts,
            catalog,
            known: HashMap::new(),
            crashes: HashMap::new(),
        }
    }

    /// Configures a request's task with its data, as JSON text, and gives the plugin that did.
    ///
    /// # Errors
    ///
    /// When there is no such task, the data is invalid, or the plugin cannot be asked.
    pub fn configure(
        &mut self,
        task: &str,
        data: &str,
    ) -> Result<(Known, Configured), Unmatchable> {
        let known = self.known(task)?;
        match self.hosts.configure(&known.file, data) {
            Ok(configured) => Ok((known, configured)),
            Err(Failure::Invalid(faults)) => Err(Unmatchable::Invalid(faults)),
            Err(failure) => Err(self.failed(&known.file, failure)),
        }
    }

    /// What the plugin of that task says of itself.
    ///
    /// # Errors
    ///
    /// When there is no such task, or the plugin cannot be asked.
    pub fn describe(&mut self, task: &str) -> Result<Described, Unmatchable> {
        let known = self.known(task)?;
        let described = self.hosts.describe(&known.file);
        described.map_err(|failure| self.failed(&known.file, failure))
    }

    /// Whether a worker may execute a task with data that [`configure`](Self::configure) gave. That the plugin failed is a
    /// reason why not.
    ///
    /// # Errors
    ///
    /// When no plugin can be asked, for which none is to blame.
    pub fn can_run(
        &mut self,
        task: &str,
        data: &str,
        worker: &Metadata,
    ) -> Result<Verdict, Failure> {
        let asked = self.known(task).and_then(|known| {
            let configured = Configured {
                data: data.to_owned(),
                ..Configured::default()
            };
            let judged = self.hosts.can_run(&known.file, &configured, worker);
            judged.map_err(|failure| self.failed(&known.file, failure))
        });
        match asked {
            Ok(verdict) => Ok(verdict),
            Err(Unmatchable::NotAsked(failure)) => Err(failure),
            Err(error) => Ok(Verdict {
                reasons: vec![Reason::new(ReasonCode::PluginFailed, error.to_string())],
            }),
        }
    }

    /// Asks the plugins of those tasks anew that are asked no more, as the catalog has them now. Others that died or hung may
    /// do so no more often than before.
    pub fn forget_failed(&mut self, catalog: Catalog, is_meant: impl Fn(&str) -> bool) {
        self.catalog = catalog;
        self.known
            .retain(|task, known| known.is_ok() || !is_meant(task));
        self.crashes.retain(|task, _| !is_meant(task));
    }

    /// Whether the plugin of that task is asked no more until [`forget_failed`](Self::forget_failed) is called.
    pub fn has_given_up(&self, task: &TaskName) -> bool {
        self.known.get(task.as_str()).is_some_and(Result::is_err)
    }

    /// What a failure means. A plugin that dies or hangs again and again is asked no more.
    fn failed(&mut self, file: &Admissible, failure: Failure) -> Unmatchable {
        if failure.is_crash() {
            let task = file.name().as_str();
            let crashes = self.crashes.entry(task.to_owned()).or_default();
            *crashes += 1;
            if *crashes >= MOST_CRASHES {
                let why = format!("it failed {crashes} times, the last time since {failure}");
                let why = (file.path().to_owned(), why);
                self.known.insert(task.to_owned(), Err(why));
            }
        }
        Unmatchable::of(file.path(), failure)
    }

    fn known(&mut self, task: &str) -> Result<Known, Unmatchable> {
        let name = task.to_ascii_lowercase();
        if let Some(known) = self.known.get(&name) {
            return known.clone().map_err(Unmatchable::unusable);
        }
        let told = |file: &Path, failure: &Failure| {
            let file = file.display();
            log::warn!("{file} is not used: {failure}; {}", failure.help());
        };
        let found = first_loading(&mut self.catalog, &mut self.hosts, task, told);
        let file = found.map_err(|unknown| match self.catalog.refused(task) {
            Some((file, rejection)) => Unmatchable::Failed {
                file: file.to_owned(),
                why: format!("{rejection}; {}", rejection.help()),
                code: None,
                panicked: false,
            },
            None => unknown.into(),
        })?;
        let known = match self.hosts.describe(&file) {
            Ok(described) => hash(&self.hosts, &file)
                .map(|hash| Known {
                    version: described.version,
                    hash,
                    file: file.clone(),
                })
                .map_err(|error| (file.path().to_owned(), error.to_string())),
            Err(failure) if !failure.is_of_plugin() => return Err(Unmatchable::NotAsked(failure)),
            Err(failure) => Err((file.path().to_owned(), failure.to_string())),
        };
        self.known.insert(name, known.clone());
        known.map_err(Unmatchable::unusable)
    }
}

/// The hash of the bytes that were loaded, which are those of the private copy.
fn hash(hosts: &Hosts, file: &Admissible) -> io::Result<String> {
    let copy = hosts.store().keep(file.resolved(), file.identity());
    sha256(&copy.map_err(io::Error::other)?)
}

impl Unmatchable {
    /// Of a plugin that can be asked nothing.
    fn unusable((file, why): (PathBuf, String)) -> Self {
        Self::Failed {
            file,
            why,
            code: None,
            panicked: false,
        }
    }

    fn of(file: &Path, failure: Failure) -> Self {
        if failure.is_of_plugin() {
            // A host that cannot load it says so in the place of an answer.
            let is_refused = matches!(failure, Failure::Rejected(_));
            Self::Failed {
                file: file.to_owned(),
                why: failure.to_string(),
                code: (!is_refused).then(|| failure.error_code()),
                panicked: failure.is_panic(),
            }
        } else {
            Self::NotAsked(failure)
        }
    }

    /// Whether the plugin's code panicked when it was asked.
    pub fn is_panic(&self) -> bool {
        matches!(self, Self::Failed { panicked: true, .. })
    }

    /// As the reason why no worker runs the request.
    pub fn reason(&self) -> Reason {
        let code = match self {
            Self::Unknown(_) => ReasonCode::TaskMissing,
            Self::Invalid(_) => ReasonCode::InvalidData,
            Self::Failed { .. } | Self::NotAsked(_) => ReasonCode::PluginFailed,
        };
        let mut message = self.to_string();
        if let Self::Invalid(faults) = self {
            for fault in faults {
                message.push_str("; ");
                message.push_str(&fault.to_string());
            }
        }
        Reason::new(code, message)
    }
}
