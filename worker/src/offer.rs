//! What a worker offers, kept up to date while its plugins come, are replaced, and go.

use crate::{Failure, Hosts, LiveCatalog, WorkerAnalysis};
use std::{
    collections::BTreeMap,
    thread,
    time::{Duration, Instant},
};
use taskbay_core::{Abort, TaskName};
use taskbay_loader::{Admissible, Catalog, FileIdentity};

/// How often the worker is described anew although no plugin changed: a tool may have been installed, or removed.
const REGULARLY: Duration = Duration::from_hours(1);

/// How long it waits after no plugin could be asked.
const RETRY: Duration = Duration::from_secs(5);
/// How often the abort latch is looked at meanwhile.
const LOOK: Duration = Duration::from_millis(100);

/// What a worker offers.
#[derive(Debug)]
pub struct Offer {
    live: LiveCatalog,
    hosts: Hosts,
    /// When the worker was last described.
    described: Option<Instant>,
}

impl Offer {
    /// The offer of this machine with the plugins that are watched. They are asked in `hosts`.
    pub fn new(live: LiveCatalog, hosts: Hosts) -> Self {
        Self {
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

    /// Waits as long as it makes sense to after no plugin could be asked, or until `abort` is set.
    pub fn wait_before_retry(abort: &Abort) {
        let until = Instant::now() + RETRY;
        while !abort.is_set() && Instant::now() < until {
            thread::sleep(LOOK);
        }
    }

    /// Waits, for that long at most, until there is something new to say, and describes this worker then: at first, when
    /// the plugins have changed, and every hour.
    ///
    /// # Errors
    ///
    /// When no plugin can be asked any more, for which none of them is to blame.
    pub fn wait(&mut self, most: Duration) -> Result<Option<WorkerAnalysis>, Failure> {
        let has_changed = !self.live.wait(most).is_empty();
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
        self.refuse_what_hides()?;
        let mut analysis = WorkerAnalysis::of_this_machine(&mut self.hosts, self.live.tasks())?;
        analysis.add_refused(self.live.catalog());
        self.described = Some(Instant::now());
        // Between changes there is nothing to do for a host.
        self.hosts.close();
        Ok(Some(analysis))
    }

    /// Refuses files that cannot be loaded where a later one of the task's name would take their place: one bad file hides
    /// no good one.
    fn refuse_what_hides(&mut self) -> Result<(), Failure> {
        while let Some((file, failure)) = self.hiding()? {
            self.live.refuse(file, failure.into_rejection());
            self.live.look();
        }
        Ok(())
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
