//! What is on the search path, usable or not, and why not. No plugin code runs for it.

use crate::{
    Admissible, Candidate, Finding, Rejection, SearchPath, TrustPolicy, UnknownTask, discover,
    inspect,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};
use taskbay_core::{Manifest, TaskName};
use taskbay_plugin_api::host::api_version;

/// Every file on the search path that may be a plugin, and the directories that could not be read.
#[derive(Debug, Default)]
pub struct Catalog {
    /// A row for each file, in search order.
    pub entries: Vec<Entry>,
    /// The directories that could not be read.
    pub findings: Vec<Finding>,
    /// Where the usable file of each name stands among the entries.
    by_name: HashMap<TaskName, usize>,
}

/// A file, and what became of it.
#[derive(Debug)]
pub struct Entry {
    /// The path as found.
    pub path: PathBuf,
    /// What its manifest says that it is, where that could be read.
    pub claim: Option<Claim>,
    /// What became of it.
    pub state: State,
}

/// What a file says that it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The task's name.
    pub name: TaskName,
    /// The task's version.
    pub version: u32,
}

/// What became of a file.
#[derive(Debug)]
pub enum State {
    /// It may be loaded, or was.
    Usable(Admissible),
    /// An earlier file has its task's name.
    Shadowed {
        /// This file.
        admissible: Admissible,
        /// The earlier file.
        by: PathBuf,
    },
    /// It is not used.
    Rejected(Rejection),
}

/// A file as `taskbay list --json` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The task's name, where it is known.
    pub name: Option<String>,
    /// The task's version, where it is known.
    pub version: Option<u32>,
    /// What became of the file.
    pub status: Status,
    /// The path as found.
    pub file: String,
    /// Why it is not used; null where it is.
    pub reason: Option<String>,
    /// What to do about it; null where it is used.
    pub help: Option<String>,
}

/// What became of a file, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It may be loaded, or was.
    Ok,
    /// It is refused.
    Rejected,
    /// An earlier file has its task's name.
    Shadowed,
    /// It crashed or hung before, and has not changed since.
    Quarantined,
}

impl Catalog {
    /// Looks at every file on the search path.
    pub fn read(path: &SearchPath, policy: TrustPolicy) -> Self {
        let discovery = discover(path, policy);
        let mut catalog = Self {
            findings: discovery.findings,
            ..Self::default()
        };
        for candidate in discovery.candidates {
            catalog.add(candidate, policy);
        }
        catalog
    }

    /// Looks at one file alone.
    pub fn of_file(path: &Path, policy: TrustPolicy) -> Self {
        let mut catalog = Self::default();
        catalog.add(Candidate::at(path, policy), policy);
        catalog
    }

    fn add(&mut self, candidate: Candidate, policy: TrustPolicy) {
        let mut claim = None;
        let admitted = inspect(&candidate, policy)
            .map_err(Rejection::from)
            .and_then(|inspected| {
                claim = Claim::of(inspected.manifest());
                Ok(inspected.accept(api_version())?)
            });
        let state = match admitted {
            Err(rejection) => State::Rejected(rejection),
            Ok(admissible) => match self.first(admissible.name()) {
                // The same file under two paths is one plugin.
                Some(first) if first.identity.is_same_file(&admissible.identity) => return,
                Some(first) => State::Shadowed {
                    by: first.path().to_owned(),
                    admissible,
                },
                None => {
                    let name = admissible.name().clone();
                    self.by_name.insert(name, self.entries.len());
                    State::Usable(admissible)
                }
            },
        };
        self.entries.push(Entry {
            path: candidate.path,
            claim,
            state,
        });
    }

    fn first(&self, name: &TaskName) -> Option<&Admissible> {
        match &self.entries[*self.by_name.get(name)?].state {
            State::Usable(admissible) => Some(admissible),
            _ => None,
        }
    }

    /// The files that may be loaded.
    pub fn usable(&self) -> impl Iterator<Item = &Admissible> {
        self.entries.iter().filter_map(|entry| match &entry.state {
            State::Usable(admissible) => Some(admissible),
            _ => None,
        })
    }

    /// The file whose task has that name, in any case.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn get(&self, name: &str) -> Result<&Admissible, UnknownTask> {
        let known = TaskName::fold(name).ok();
        known.and_then(|name| self.first(&name)).ok_or_else(|| {
            let names = self.usable().map(|each| each.name().as_str());
            UnknownTask::new(name.to_ascii_lowercase(), names)
        })
    }

    /// The files that are refused.
    pub fn rejected(&self) -> impl Iterator<Item = (&Path, &Rejection)> {
        self.entries.iter().filter_map(|entry| match &entry.state {
            State::Rejected(rejection) => Some((entry.path.as_path(), rejection)),
            _ => None,
        })
    }

    /// The first file that says it has a task of that name, in any case, and is refused.
    pub fn refused(&self, name: &str) -> Option<(&Path, &Rejection)> {
        let name = TaskName::fold(name).ok()?;
        self.entries.iter().find_map(|entry| match &entry.state {
            State::Rejected(rejection) if entry.claim.as_ref()?.name == name => {
                Some((entry.path.as_path(), rejection))
            }
            _ => None,
        })
    }

    /// Where the usable file of that name stands among the entries, if a later file of the name would take its place.
    pub fn with_successor(&self, name: &TaskName) -> Option<usize> {
        let index = *self.by_name.get(name)?;
        let path = &self.entries[index].path;
        let is_next =
            |entry: &Entry| matches!(&entry.state, State::Shadowed { by, .. } if by == path);
        self.entries.iter().any(is_next).then_some(index)
    }

    /// The names and reasons of the files that are refused, where no file of the name is usable.
    pub fn refused_names(&self) -> impl Iterator<Item = (&TaskName, &Rejection)> {
        self.entries.iter().filter_map(|entry| match &entry.state {
            State::Rejected(rejection) => {
                let name = &entry.claim.as_ref()?.name;
                self.first(name).is_none().then_some((name, rejection))
            }
            _ => None,
        })
    }

    /// Sets each usable file aside for which `why_not` gives a reason. The next file of the task's name takes its place,
    /// if that one is not set aside too.
    pub fn reject_each(&mut self, mut why_not: impl FnMut(&Admissible) -> Option<Rejection>) {
        for index in 0..self.entries.len() {
            // One that takes another's place comes after it.
            let State::Usable(admissible) = &self.entries[index].state else {
                continue;
            };
            if let Some(rejection) = why_not(admissible) {
                self.reject(index, rejection);
            }
        }
    }

    /// Sets a file aside for a reason that only loading it told. The next file of the task's name takes its place.
    pub fn reject(&mut self, index: usize, rejection: Rejection) {
        let Some(entry) = self.entries.get_mut(index) else {
            return;
        };
        let path = entry.path.clone();
        entry.state = State::Rejected(rejection);
        let mut successor: Option<PathBuf> = None;
        for (index, entry) in self.entries.iter_mut().enumerate() {
            let State::Shadowed { admissible, by } = &mut entry.state else {
                continue;
            };
            if *by != path {
                continue;
            }
            if let Some(successor) = &successor {
                by.clone_from(successor);
            } else {
                successor = Some(entry.path.clone());
                self.by_name.insert(admissible.name().clone(), index);
                entry.state = State::Usable(admissible.clone());
            }
        }
    }
}

impl Claim {
    fn of(manifest: &Manifest) -> Option<Self> {
        Some(Self {
            name: TaskName::fold(&manifest.name).ok()?,
            version: manifest.version,
        })
    }
}

impl Entry {
    /// The file as a row.
    pub fn row(&self) -> Row {
        let (status, reason, help) = match &self.state {
            State::Usable(_) => (Status::Ok, None, None),
            State::Shadowed { admissible, by } => (
                Status::Shadowed,
                Some(format!(
                    "the task `{}` is taken by {}",
                    admissible.name(),
                    by.display()
                )),
                Some("remove one of the two files".to_owned()),
            ),
            State::Rejected(rejection) => (
                match rejection {
                    Rejection::Quarantined(_) => Status::Quarantined,
                    _ => Status::Rejected,
                },
                Some(rejection.to_string()),
                Some(rejection.help()),
            ),
        };
        Row {
            name: self.claim.as_ref().map(|claim| claim.name.to_string()),
            version: self.claim.as_ref().map(|claim| claim.version),
            status,
            file: self.path.display().to_string(),
            reason,
            help,
        }
    }
}
