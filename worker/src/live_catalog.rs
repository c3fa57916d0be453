//! A plugin directory that is watched: tasks come, go, and are replaced, while what runs goes on.

use crate::watch::Watch;
use std::{
    collections::{BTreeMap, HashMap},
    fmt, io,
    sync::Arc,
    time::{Duration, Instant},
};
use taskbay_core::TaskName;
use taskbay_loader::{
    Admissible, Catalog, FileIdentity, LoadError, Quarantine, Rejection, SearchPath, Store,
    TrustPolicy,
};

/// How often the directories are looked at although nothing was noticed: not every file system tells.
const REGULARLY: Duration = Duration::from_secs(30);

/// The tasks on a search path, kept up to date.
///
/// Of each file that a task has, the private copy is made when it is found. So an attempt on it can still be started
/// when the file has been replaced, and nothing that is loaded is ever unloaded.
pub struct LiveCatalog {
    path: SearchPath,
    policy: TrustPolicy,
    store: Store,
    quarantine: Option<Quarantine>,
    watch: Watch,
    looked: Instant,
    tasks: BTreeMap<TaskName, Arc<Admissible>>,
    /// The files, in the states, that are not used for what loading them told.
    refused: HashMap<FileIdentity, Rejection>,
    /// What the last look found, also what is not used.
    catalog: Catalog,
}

/// What became of a task.
#[derive(Clone, Debug)]
pub enum Change {
    /// There is a file for it now.
    Added(Arc<Admissible>),
    /// There is another file for it, or the file has changed. What runs on the old one goes on.
    Replaced {
        /// What it was.
        old: Arc<Admissible>,
        /// What it is now.
        new: Arc<Admissible>,
    },
    /// There is no file for it any more, or none that may be used. What runs on it goes on.
    Removed(Arc<Admissible>),
}

impl LiveCatalog {
    /// Watches the search path. The first [`wait`](Self::wait) gives what is there already.
    ///
    /// # Errors
    ///
    /// When the system watches nothing for this process.
    pub fn watch(
        path: SearchPath,
        policy: TrustPolicy,
        store: Store,
        quarantine: Option<Quarantine>,
    ) -> io::Result<Self> {
        let directories = path.directories().iter().map(|directory| {
            let whole = std::path::absolute(&directory.path);
            whole.unwrap_or_else(|_| directory.path.clone())
        });
        let watch = Watch::new(directories.collect()).map_err(io::Error::other)?;
        // Long enough ago to be looked at at once.
        let looked = Instant::now()
            .checked_sub(REGULARLY)
            .unwrap_or_else(Instant::now);
        Ok(Self {
            path,
            policy,
            store,
            quarantine,
            watch,
            looked,
            tasks: BTreeMap::new(),
            refused: HashMap::new(),
            catalog: Catalog::default(),
        })
    }

    /// The tasks that there are, sorted by name.
    pub fn tasks(&self) -> impl Iterator<Item = &Admissible> {
        self.tasks.values().map(Arc::as_ref)
    }

    /// All files that the last look found, and why those are not used that are not.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// Reads the directories now, whatever the last look found.
    fn read_catalog(&self) -> Catalog {
        let mut catalog = Catalog::read(&self.path, self.policy);
        if let Some(quarantine) = &self.quarantine {
            quarantine.apply(&mut catalog);
        }
        catalog
    }

    /// Reads the directories now, as a look does: without the files that are being written or were refused.
    pub fn current_catalog(&mut self) -> Catalog {
        let mut catalog = self.read_catalog();
        catalog.reject_each(|admissible| self.why_not(admissible));
        catalog
    }

    /// When the directories were last looked at.
    pub fn last_look(&self) -> Instant {
        self.looked
    }

    /// Waits for changes, for that long at most. A file that is being written is left alone until its writer closes it.
    /// Where nobody could see who writes, as before the watch began, it is left alone until it has not changed for half
    /// a second.
    pub fn wait(&mut self, most: Duration) -> Vec<Change> {
        let until = Instant::now() + most;
        loop {
            let regularly = self.looked + REGULARLY;
            let has_happened = self.watch.wait(until.min(regularly));
            let now = Instant::now();
            if has_happened || now >= regularly {
                let changes = self.look();
                if !changes.is_empty() {
                    return changes;
                }
            }
            if now >= until {
                return Vec::new();
            }
        }
    }

    /// Uses a file, in that state, no more from the next look on, for a reason that only loading it told. The next file of
    /// the task's name takes its place.
    pub fn refuse(&mut self, file: FileIdentity, rejection: Rejection) {
        self.refused.insert(file, rejection);
    }

    /// Uses the files again, from the next look on, that were [refused](Self::refuse): their reasons may be gone.
    pub fn forgive(&mut self) {
        self.refused.clear();
    }

    /// Looks at the directories now, without waiting for anything to happen.
    pub fn look(&mut self) -> Vec<Change> {
        self.looked = Instant::now();
        // First, so that nothing can happen unseen after the look.
        self.watch.renew();
        let catalog = self.current_catalog();
        let named = |admissible: &Admissible| {
            let name = admissible.name().clone();
            (name, Arc::new(admissible.clone()))
        };
        let mut found: BTreeMap<_, _> = catalog.usable().map(named).collect();
        for (name, old) in &self.tasks {
            let is_refused = self.refused.contains_key(&old.identity());
            if !is_refused && self.watch.is_being_written(old.path()) {
                found.insert(name.clone(), Arc::clone(old));
            }
        }
        let changes = changes(&self.tasks, &found);
        self.tasks = found;
        self.catalog = catalog;
        changes
    }

    /// Why a file is not used: somebody is writing to it, there is no copy of it, or loading it has told why.
    fn why_not(&mut self, admissible: &Admissible) -> Option<Rejection> {
        if let Some(rejection) = self.refused.get(&admissible.identity()) {
            return Some(rejection.again());
        }
        if self.watch.is_being_written(admissible.path()) {
            return Some(Rejection::Unfinished);
        }
        let copy = self
            .store
            .keep(admissible.resolved(), admissible.identity());
        let error = copy.err()?;
        Some(Rejection::Load(LoadError::Store(error)))
    }
}

/// What is different, sorted by name.
fn changes(
    old: &BTreeMap<TaskName, Arc<Admissible>>,
    new: &BTreeMap<TaskName, Arc<Admissible>>,
) -> Vec<Change> {
    let mut changes = Vec::new();
    for (name, before) in old {
        match new.get(name) {
            None => changes.push(Change::Removed(Arc::clone(before))),
            Some(now) if now.identity() != before.identity() => changes.push(Change::Replaced {
                old: Arc::clone(before),
                new: Arc::clone(now),
            }),
            Some(_) => {}
        }
    }
    let added = new.iter().filter(|(name, _)| !old.contains_key(*name));
    changes.extend(added.map(|(_, admissible)| Change::Added(Arc::clone(admissible))));
    changes
}

impl Change {
    /// What it is about, as it is now, or was last.
    pub fn plugin(&self) -> &Admissible {
        match self {
            Self::Added(plugin) | Self::Removed(plugin) | Self::Replaced { new: plugin, .. } => {
                plugin
            }
        }
    }

    /// What became of it, in a word.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Added(_) => "added",
            Self::Replaced { .. } => "replaced",
            Self::Removed(_) => "removed",
        }
    }
}

impl fmt::Debug for LiveCatalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveCatalog")
            .field("path", &self.path)
            .field("tasks", &self.tasks.keys())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_that_tells_nothing_is_asked() {
        let top = tempfile::tempdir().unwrap();
        let path = SearchPath::only([top.path().to_owned()]);
        let store = Store::in_directory(top.path().join("copies"));
        let mut live = LiveCatalog::watch(path, TrustPolicy::OwnerOnly, store, None).unwrap();
        let long_ago = live.looked;
        live.wait(Duration::ZERO);
        let first = live.looked;
        assert!(first > long_ago);
        live.wait(Duration::ZERO);
        assert_eq!(live.looked, first, "it is not time yet");
        live.looked = long_ago;
        live.wait(Duration::ZERO);
        assert!(live.looked > first);
    }
}
