//! The plugins of a scheduler, kept up to date.

use std::{collections::HashMap, mem};
use taskbay_core::{Declared, Metadata, TaskName, Verdict};
use taskbay_loader::Catalog;
use taskbay_scheduler::{Judge, Matchable, NotAsked, Request};
use taskbay_worker::{Described, Hosts, Known, Matcher, Unmatchable};

/// How many signatures are remembered: with a task's own code, each request may have one of its own.
const MOST_KNOWN: usize = 10_000;
/// How many bytes of task data they may have together.
const MOST_DATA: usize = 64 << 20;

/// The plugins that a scheduler asks, and what it has heard from them.
#[derive(Debug)]
pub struct Plugins {
    matcher: Matcher,
    known: HashMap<String, Matchable>,
    /// How many bytes of task data those have.
    data: usize,
}

impl Plugins {
    /// Asks the plugins of that catalog, in these hosts.
    pub fn new(hosts: Hosts, catalog: Catalog) -> Self {
        Self {
            matcher: Matcher::new(hosts, catalog),
            known: HashMap::new(),
            data: 0,
        }
    }

    /// Asks those plugins of the catalog anew that could not be asked, of the tasks that are meant.
    pub fn forget_failed(&mut self, catalog: Catalog, is_meant: impl Fn(&str) -> bool) {
        self.matcher.forget_failed(catalog, is_meant);
    }

    /// Whether the plugin of that task is asked no more until [`forget_failed`](Self::forget_failed) is called.
    pub fn has_given_up(&self, task: &TaskName) -> bool {
        self.matcher.has_given_up(task)
    }

    /// What decides who may run a request.
    ///
    /// # Errors
    ///
    /// When there is no such task, the data is invalid, or the plugin cannot be asked.
    pub fn configure(&mut self, task: &str, data: &str) -> Result<Matchable, Unmatchable> {
        self.configure_whole(task, data)
            .map(|(matchable, _)| matchable)
    }

    /// What decides who may run a request, and what the task says of itself beside that.
    ///
    /// # Errors
    ///
    /// As [`configure`](Self::configure).
    pub fn configure_whole(
        &mut self,
        task: &str,
        data: &str,
    ) -> Result<(Matchable, Declared), Unmatchable> {
        let (
            Known {
                file,
                version,
                hash,
            },
            mut configured,
        ) = self.matcher.configure(task, data)?;
        let task = file.name().clone();
        let declared = mem::take(&mut configured.declared);
        let matchable = Matchable::new(Request {
            task,
            version,
            file: hash,
            configured,
        });
        if self.known.len() >= MOST_KNOWN || self.data >= MOST_DATA {
            // Whoever needs one again has it configured again.
            self.known.clear();
            self.data = 0;
        }
        let signature = matchable.signature().as_str().to_owned();
        if self.known.insert(signature, matchable.clone()).is_none() {
            self.data += matchable.data().len();
        }
        Ok((matchable, declared))
    }

    /// What the plugin of that task says of itself.
    ///
    /// # Errors
    ///
    /// When there is no such task, or the plugin cannot be asked.
    pub fn describe(&mut self, task: &str) -> Result<Described, Unmatchable> {
        self.matcher.describe(task)
    }

    /// What has that signature, if it is known here.
    pub fn known(&self, signature: &str) -> Option<&Matchable> {
        self.known.get(signature)
    }
}

impl Judge for Plugins {
    fn judge(&mut self, task: &Matchable, worker: &Metadata) -> Result<Verdict, NotAsked> {
        let name = task.conditions().task().as_str();
        let judged = self.matcher.can_run(name, task.data(), worker);
        judged.map_err(|failure| NotAsked(failure.to_string()))
    }
}
