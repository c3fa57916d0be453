//! Noticing that something happened in a set of directories, which need not exist.

use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher,
    event::{AccessKind, AccessMode, ModifyKind},
};
use std::{
    collections::{HashMap, HashSet},
    fs::Metadata,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    time::{Duration, Instant},
};

/// How long nothing must have happened before what happened is looked at.
const QUIET: Duration = Duration::from_millis(200);
/// How long it is put off at most when things go on happening.
const LATEST: Duration = Duration::from_millis(700);

/// Directories, and what happens in them.
pub(crate) struct Watch {
    directories: Vec<PathBuf>,
    watcher: RecommendedWatcher,
    /// What is watched: a path is watched again when another directory has come to stand there.
    watched: HashMap<PathBuf, (u64, u64)>,
    events: Receiver<notify::Result<Event>>,
    /// When the first and the last of the events came that nobody has looked at.
    unseen: Option<(Instant, Instant)>,
    /// The files that somebody writes to and has not closed yet.
    writing: HashSet<PathBuf>,
}

impl Watch {
    /// Watches these directories, and those above them for when one comes or goes.
    pub(crate) fn new(directories: Vec<PathBuf>) -> notify::Result<Self> {
        let (sender, events) = mpsc::channel();
        let mut watch = Self {
            directories,
            watcher: notify::recommended_watcher(sender)?,
            watched: HashMap::new(),
            events,
            unseen: None,
            writing: HashSet::new(),
        };
        watch.renew();
        Ok(watch)
    }

    /// Whether somebody is writing to that file.
    pub(crate) fn is_being_written(&self, file: &Path) -> bool {
        self.writing.contains(file)
    }

    /// Waits until something has happened and it is quiet again, or `until`. Says whether something has.
    pub(crate) fn wait(&mut self, until: Instant) -> bool {
        loop {
            let due = self
                .unseen
                .map(|(first, last)| (first + LATEST).min(last + QUIET));
            let now = Instant::now();
            if due.is_some_and(|due| due <= now) {
                self.unseen = None;
                self.renew();
                return true;
            }
            if now >= until {
                return false;
            }
            let next = due.map_or(until, |due| due.min(until));
            match self
                .events
                .recv_timeout(next.saturating_duration_since(now))
            {
                Ok(event) => self.take(event),
                Err(RecvTimeoutError::Timeout) => {}
                // The watcher's thread is gone; whoever looks now and then still sees what is there.
                Err(RecvTimeoutError::Disconnected) => std::thread::sleep(QUIET),
            }
        }
    }

    fn take(&mut self, event: notify::Result<Event>) {
        let Ok(event) = event else {
            // Events were lost, so anything may have happened.
            self.happened();
            return;
        };
        let about = |path: &PathBuf| self.is_about(path);
        let paths: Vec<_> = event
            .paths
            .iter()
            .filter(|path| about(path))
            .cloned()
            .collect();
        if paths.is_empty() && !event.need_rescan() {
            return;
        }
        match event.kind {
            EventKind::Modify(ModifyKind::Data(_)) => self.writing.extend(paths),
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => {
                self.writing.retain(|path| !paths.contains(path));
            }
            EventKind::Access(_) => return,
            // What is moved or removed is not what was written to any more.
            EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)) => {
                self.writing.retain(|path| !paths.contains(path));
            }
            _ => {}
        }
        self.happened();
    }

    /// Whether it is a file in one of the directories, or above one.
    fn is_about(&self, path: &Path) -> bool {
        self.directories.iter().any(|directory| {
            directory.starts_with(path) || path.parent() == Some(directory.as_path())
        })
    }

    fn happened(&mut self) {
        let now = Instant::now();
        let first = self.unseen.map_or(now, |(first, _)| first);
        self.unseen = Some((first, now));
    }

    /// Watches what there is to be watched now. A directory that was moved away or removed takes its watch with it.
    fn renew(&mut self) {
        let mut wanted = HashMap::new();
        for directory in &self.directories {
            // The folder above tells when the directory comes or goes.
            let existing = directory.ancestors().filter_map(|path| {
                let found = path.metadata().ok().filter(Metadata::is_dir)?;
                Some((path.to_owned(), (found.dev(), found.ino())))
            });
            wanted.extend(existing.take(2));
        }
        self.watched.retain(|path, identity| {
            let stays = wanted.get(path) == Some(identity);
            if !stays {
                // Fails where the watch went with the directory.
                let _ = self.watcher.unwatch(path);
            }
            stays
        });
        for (path, identity) in wanted {
            if self.watched.contains_key(&path) {
                continue;
            }
            match self.watcher.watch(&path, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    self.watched.insert(path, identity);
                }
                Err(error) => log::warn!("{} cannot be watched: {error}", path.display()),
            }
        }
    }
}
