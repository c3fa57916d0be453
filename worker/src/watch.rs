//! Noticing that something happened in a set of directories, which need not exist.

use crate::ways::Ways;
use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher,
    event::{AccessKind, AccessMode, ModifyKind},
};
use std::{
    collections::{HashMap, HashSet},
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError, TrySendError},
    },
    time::{Duration, Instant, SystemTime},
};

/// How long nothing must have happened before what happened is looked at.
const QUIET: Duration = Duration::from_millis(200);
/// How long it is put off at most when things go on happening.
const LATEST: Duration = Duration::from_millis(500);
/// How old the last write to a file must be if whoever closed it may have gone unseen.
const UNSEEN: Duration = Duration::from_millis(500);
/// How many events are kept that nobody has looked at; when there are more, anything may have happened.
const MOST_EVENTS: usize = 4096;
/// How often the ways are gone again at once, while each time shows other folders.
const AGAIN: usize = 8;

/// Directories, and what happens in them.
///
/// A file is being written from the first write that is seen until its writer closes it. Writes go unseen before a
/// folder is watched, and when the system lost events. So a file also counts as being written while its last write is
/// younger than [`QUIET`], or than [`UNSEEN`] where that write is from before everything was seen.
pub(crate) struct Watch {
    directories: Vec<PathBuf>,
    watcher: RecommendedWatcher,
    /// The folders that are to be watched, and which folder stood at that path then.
    watched: HashMap<PathBuf, (u64, u64)>,
    /// The ways to the directories, and to what the links in them stand for.
    ways: Ways,
    /// The directories as they are without links.
    real: HashSet<PathBuf>,
    events: Receiver<notify::Result<Event>>,
    /// Whether events came when as many were kept already.
    overflow: Arc<AtomicBool>,
    /// When the first and the last of the events came that nobody has looked at.
    unseen: Option<(Instant, Instant)>,
    /// The files that somebody writes to and has not closed yet.
    writing: HashSet<PathBuf>,
    /// Since when every write is seen.
    seeing: SystemTime,
}

impl Watch {
    /// Watches these directories, what the links in them lead to, and whatever is on the way there.
    pub(crate) fn new(directories: Vec<PathBuf>) -> notify::Result<Self> {
        let (sender, events) = mpsc::sync_channel(MOST_EVENTS);
        let overflow = Arc::new(AtomicBool::new(false));
        let overflows = Arc::clone(&overflow);
        // Nobody may look for long, and others may write as much as they like meanwhile.
        let keep = move |event| {
            if let Err(TrySendError::Full(_)) = sender.try_send(event) {
                overflows.store(true, Ordering::Relaxed);
            }
        };
        let mut watch = Self {
            directories,
            watcher: notify::recommended_watcher(keep)?,
            watched: HashMap::new(),
            ways: Ways::default(),
            real: HashSet::new(),
            events,
            overflow,
            unseen: None,
            writing: HashSet::new(),
            seeing: SystemTime::now(),
        };
        watch.renew();
        Ok(watch)
    }

    /// Whether somebody is writing to that file. If only its age says so, it is time to look again soon.
    pub(crate) fn is_being_written(&mut self, file: &Path) -> bool {
        let Ok(file) = file.canonicalize() else {
            return false;
        };
        if self.writing.contains(&file) {
            return true;
        }
        let Ok(written) = file.metadata().and_then(|found| found.modified()) else {
            return false;
        };
        let is_young = self.is_young(written, SystemTime::now());
        if is_young {
            self.happened();
        }
        is_young
    }

    /// Whether the last write to a file is so young that another may follow.
    fn is_young(&self, written: SystemTime, now: SystemTime) -> bool {
        let needed = if written < self.seeing { UNSEEN } else { QUIET };
        // A time that is yet to come says nothing.
        now.duration_since(written).is_ok_and(|age| age < needed)
    }

    /// Waits until something has happened and it is quiet again, or `until`. Says whether something has.
    pub(crate) fn wait(&mut self, until: Instant) -> bool {
        loop {
            // First, so that one who does not wait at all sees what there is, too.
            while let Ok(event) = self.events.try_recv() {
                self.take(event);
            }
            let due = self
                .unseen
                .map(|(first, last)| (first + LATEST).min(last + QUIET));
            if self.overflow.swap(false, Ordering::Relaxed) {
                // What is kept is from before, so it must not say who writes now.
                while self.events.try_recv().is_ok() {}
                self.is_blind();
                self.happened();
                continue;
            }
            let now = Instant::now();
            if due.is_some_and(|due| due <= now) {
                self.unseen = None;
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
                Err(RecvTimeoutError::Disconnected) => {
                    self.is_blind();
                    std::thread::sleep(QUIET);
                }
            }
        }
    }

    fn take(&mut self, event: notify::Result<Event>) {
        let event = match event {
            Ok(event) if !event.need_rescan() => event,
            // Events were lost, so anything may have happened.
            _ => {
                self.is_blind();
                self.happened();
                return;
            }
        };
        let about = |path: &&PathBuf| self.is_about(path);
        let paths: Vec<_> = event.paths.iter().filter(about).cloned().collect();
        if paths.is_empty() {
            return;
        }
        match event.kind {
            EventKind::Modify(ModifyKind::Data(_)) => self.writing.extend(paths),
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => {
                self.writing.retain(|path| !paths.contains(path));
            }
            EventKind::Access(_) => return,
            // What is moved or removed, or was in a folder that is, is not what was written to any more.
            EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)) => {
                let is_in = |file: &Path| paths.iter().any(|path| file.starts_with(path));
                self.writing.retain(|file| !is_in(file));
            }
            _ => {}
        }
        self.happened();
    }

    /// Whether it is a file in one of the directories, or a name on the way to one or to what a link in it stands for.
    fn is_about(&self, path: &Path) -> bool {
        let is_in = path
            .parent()
            .is_some_and(|folder| self.real.contains(folder));
        is_in || self.ways.names.contains(path)
    }

    fn happened(&mut self) {
        let now = Instant::now();
        let first = self.unseen.map_or(now, |(first, _)| first);
        self.unseen = Some((first, now));
    }

    /// Who writes to what is not known any more, since the close of a file may have gone unseen.
    fn is_blind(&mut self) {
        self.writing.clear();
        self.seeing = SystemTime::now();
    }

    /// Watches what there is to be watched now. Call it before each look at the directories.
    pub(crate) fn renew(&mut self) {
        for _ in 0..AGAIN {
            self.go();
            // What became of a folder before it was watched shows only when its way is gone once more.
            if !self.watch_folders() {
                return;
            }
        }
    }

    /// Goes the ways to the directories, and to what the links in them stand for.
    fn go(&mut self) {
        let mut ways = Ways::default();
        let ends = self.directories.iter().map(|path| ways.go(path));
        self.real = ends.flatten().collect();
        for directory in &self.real {
            ways.folders.insert(directory.clone());
            for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
                if entry.file_type().is_ok_and(|kind| kind.is_symlink()) {
                    ways.go(&entry.path());
                }
            }
        }
        self.ways = ways;
    }

    /// Watches the folders on the ways, and no others. Says whether one is new.
    fn watch_folders(&mut self) -> bool {
        let identity = |path: &PathBuf| {
            let found = path.metadata().ok().filter(fs::Metadata::is_dir)?;
            Some((path.clone(), (found.dev(), found.ino())))
        };
        let wanted: HashMap<_, _> = self.ways.folders.iter().filter_map(identity).collect();
        for (path, identity) in &self.watched {
            if wanted.get(path) != Some(identity) {
                // Fails where the watch went with the folder.
                let _ = self.watcher.unwatch(path);
                self.writing.retain(|file| file.parent() != Some(path));
            }
        }
        let mut has_new = false;
        for (path, identity) in &wanted {
            let is_new = self.watched.get(path) != Some(identity);
            has_new |= is_new;
            // Another folder may have got the number of one that was removed, with which its watch went. What is
            // watched already stays so.
            match self.watcher.watch(path, RecursiveMode::NonRecursive) {
                Err(error) if is_new => {
                    log::warn!("{} cannot be watched: {error}", path.display());
                }
                _ => {}
            }
        }
        self.watched = wanted;
        if has_new {
            self.seeing = SystemTime::now();
        }
        has_new
    }
}

#[cfg(test)]
mod tests;
