//! What a worker offers, kept up to date while its plugins come, are replaced, and go.

use crate::{Failure, Hosts, LiveCatalog, WorkerAnalysis};
use std::{
    collections::{BTreeMap, HashSet},
    time::{Duration, Instant},
};
use taskbay_core::TaskName;
use taskbay_loader::{Admissible, Catalog, FileIdentity};

/// How often the worker is described anew although no plugin changed: a tool may have been installed, or removed.
const REGULARLY: Duration = Duration::from_hours(1);

/// What a worker offers.
#[derive(Debug)]
pub struct Offer {
    live: LiveCatalog,
    hosts: Hosts,
    /// When the worker was last described.
    described: Option<Instant>,
    /// The look at the directories that the refusals are of, and what they were.
    refusals: (Instant, BTreeMap<TaskName, String>),
}

impl Offer {
    /// The offer of this machine with the plugins that are watched. They are asked in `hosts`.
    pub fn new(live: LiveCatalog, hosts: Hosts) -> Self {
        Self {
            refusals: (live.last_look(), BTreeMap::new()),
            live,
            hosts,
            described: None,
        }
    }

    /// All plugin files, and why those are not used that are not.
    pub fn catalog(&self) -> &Catalog {
        self.live.catalog()
    }

    /// The files of the tasks that are offered, by name.
    pub fn files(&self) -> BTreeMap<TaskName, Admissible> {
        let named = |file: &Admissible| (file.name().clone(), file.clone());
        self.live.tasks().map(named).collect()
    }

    /// Waits, for that long at most, until there is something new to say, and describes this worker then: at first, when
    /// the plugins have changed, and every hour.
    ///
    /// # Errors
    ///
    /// When no plugin can be asked any more, for which none of them is to blame.
    pub fn wait(&mut self, most: Duration) -> Result<Option<WorkerAnalysis>, Failure> {
        let mut has_changed = !self.live.wait(most).is_empty();
        has_changed |= self.has_other_refusals();
        let is_due = |described: Instant| described.elapsed() >= REGULARLY;
        if !has_changed && !self.described.is_none_or(is_due) {
            return Ok(None);
        }
        if !has_changed {
            self.live.forgive();
            self.live.look();
        }
        // Until it has been described, it is due.
        self.described = None;
        let mut analysis = loop {
            self.refuse_what_hides()?;
            let analysis = WorkerAnalysis::of_this_machine(&mut self.hosts, self.live.tasks())?;
            if !self.refuse_failed(&analysis) {
                break analysis;
            }
        };
        let offered: HashSet<_> = self.live.tasks().map(Admissible::name).collect();
        analysis.add_refused(self.live.catalog(), |name| offered.contains(name));
        self.has_other_refusals();
        self.described = Some(Instant::now());
        // Between changes there is nothing to do for a host.
        self.hosts.close();
        Ok(Some(analysis))
    }

    /// Refuses files that cannot be loaded where a later one of the task's name would take their place: one bad file hides
    /// no good one.
    fn refuse_what_hides(&mut self) -> Result<(), Failure> {
        while let Some((file, failure)) = self.hiding()? {
            self.refuse(file, failure);
        }
        Ok(())
    }

    /// Refuses a file in that state, until somebody finds out more.
    fn refuse(&mut self, file: FileIdentity, failure: Failure) {
        self.live.look();
        // What has been set aside for it is not used any more, and is again once that is forgotten.
        if self.live.tasks().any(|used| used.identity() == file) {
            self.live.refuse(file, failure.into_rejection());
            self.live.look();
        }
    }

    /// Refuses the files whose code failed to describe the worker, where a later one would take their place. Says whether
    /// there were any.
    fn refuse_failed(&mut self, analysis: &WorkerAnalysis) -> bool {
        let hiding = self.live.tasks().filter(|file| {
            let name = file.name();
            self.live.catalog().with_successor(name).is_some()
        });
        let failed = hiding.filter_map(|file| {
            let is_it = |(name, _): &&(String, Failure)| name == file.name().as_str();
            let (_, failure) = analysis.failed.iter().find(is_it)?;
            Some((file.identity(), failure.as_rejection()))
        });
        let failed: Vec<_> = failed.collect();
        if failed.is_empty() {
            return false;
        }
        for (file, rejection) in failed {
            self.live.refuse(file, rejection);
        }
        self.live.look();
        true
    }

    /// Whether other files are refused than when this was last asked, or for other reasons.
    fn has_other_refusals(&mut self) -> bool {
        let look = self.live.last_look();
        if look == self.refusals.0 {
            return false;
        }
        let refused = self.live.catalog().refused_names();
        let refused = refused.map(|(name, why)| (name.clone(), why.to_string()));
        let now = (look, refused.collect());
        let is_other = now.1 != self.refusals.1;
        self.refusals = now;
        is_other
    }

    fn hiding(&mut self) -> Result<Option<(FileIdentity, Failure)>, Failure> {
        for file in self.live.tasks() {
            if self.live.catalog().with_successor(file.name()).is_none() {
                continue;
            }
            match self.hosts.describe(file) {
                Err(failure) if failure.is_of_plugin() => {
                    return Ok(Some((file.identity(), failure)));
                }
                Err(failure) => return Err(failure),
                Ok(_) => {}
            }
        }
        Ok(None)
    }
}
