//! Plugins that were set aside, with the evidence.
//!
//! A plugin that died or hung where no request was to blame, or lacks a library, is not asked again, for as long as its
//! file stays as it is. One that panicked is: that costs nobody a process. Each record is a file of its own, named by the
//! state of the plugin file: writing one replaces it whole, so a process that is killed in the middle leaves the old
//! record or the new one, and processes that write at once do not disturb each other. A directory that others can write
//! to is not believed, and not written to.

use crate::{
    Catalog, FileIdentity, Rejection, cache_directory, fresh_file, linker,
    private_directory::{NotPrivate, PrivateDirectory},
};
use rustix::{
    fs::{OFlags, stat},
    process::geteuid,
};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// The largest record that is read, in bytes.
const LARGEST: u64 = 1024 * 1024;

/// A directory with the records of plugins that were set aside.
#[derive(Clone, Debug)]
pub struct Quarantine {
    directory: PrivateDirectory,
}

/// What happened to a plugin, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The task's name, as the manifest says it.
    pub name: String,
    /// The plugin file, links resolved.
    #[serde(with = "taskbay_core::any_path")]
    pub file: PathBuf,
    /// The state of the file.
    pub identity: FileIdentity,
    /// The SHA-256 of the file, in hexadecimal digits; none where it had changed before it could be read.
    pub sha256: Option<String>,
    /// What it was asked.
    pub phase: Phase,
    /// What happened, in words.
    pub reason: String,
    /// The signal that killed its process.
    pub signal: Option<String>,
    /// The exit status that its process ended with.
    pub status: Option<i32>,
    /// The last lines that its process wrote to standard error.
    pub stderr: Vec<String>,
    /// When, in UTC as RFC 3339 writes it.
    pub time: String,
    /// The shared library that it needs and that was not found.
    pub missing: Option<String>,
}

/// What a plugin was asked when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// To be loaded and to describe itself.
    Load,
    /// To describe the worker.
    Analyze,
}

impl Phase {
    /// As a part of a sentence.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Load => "as it was loaded",
            Self::Analyze => "as it described the worker",
        }
    }
}

impl Evidence {
    /// Why the plugin is not used.
    pub fn summary(&self) -> String {
        format!(
            "it was set aside at {} {}: {}",
            self.time,
            self.phase.describe(),
            self.reason
        )
    }

    /// What to do about it.
    pub fn help(&self) -> String {
        match &self.missing {
            Some(library) => {
                format!("install the package that has {library}; then it is tried again")
            }
            None => format!(
                "`taskbay quarantine why {0}` shows the evidence; replace the file, or `taskbay quarantine clear {0}`",
                self.name
            ),
        }
    }

    /// Whether what it says is out of date: the file is another now, or the library that it lacked has come.
    fn is_over(&self) -> bool {
        let now = stat(&self.file).map(|status| FileIdentity::of(&status));
        now != Ok(self.identity) || self.missing.as_deref().is_some_and(linker::can_find)
    }
}

impl Quarantine {
    /// The records in `directory`, which is made when there is one to be kept.
    pub fn in_directory(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: PrivateDirectory::at(directory),
        }
    }

    /// The records of this user, in its [cache directory](cache_directory).
    pub fn of_this_user() -> Self {
        Self::in_directory(cache_directory().join("quarantine"))
    }

    /// Sets a plugin aside.
    ///
    /// # Errors
    ///
    /// When the record cannot be written; what there was before stays.
    pub fn add(&self, evidence: &Evidence) -> io::Result<()> {
        self.directory.make()?;
        let mut file = fresh_file::begin(self.directory.path())?;
        file.write_all(&serde_json::to_vec_pretty(evidence)?)?;
        file.as_file().sync_all()?;
        file.persist(self.record(evidence.identity))?;
        File::open(self.directory.path())?.sync_all()
    }

    /// What is known against a file in that state.
    pub fn get(&self, identity: FileIdentity) -> Option<Evidence> {
        let record = self.record(identity);
        if !record.exists() {
            return None;
        }
        if let Err(error) = self.directory.check() {
            log::warn!(
                "what is set aside is not known: {error}; {}",
                NotPrivate::HELP
            );
            return None;
        }
        let evidence = read(&record)?;
        (evidence.identity == identity && !evidence.is_over()).then_some(evidence)
    }

    /// Everything that is set aside, sorted by name and file. Records that are out of date are removed.
    ///
    /// # Errors
    ///
    /// When the directory cannot be read.
    pub fn all(&self) -> io::Result<Vec<Evidence>> {
        let entries = match fs::read_dir(self.directory.path()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        self.directory.check()?;
        let mut all = Vec::new();
        for entry in entries.flatten() {
            let path = entry.path();
            match read(&path) {
                // It says nothing any more, whether it can be removed or not.
                Some(evidence) if evidence.is_over() => drop(forget(&path)),
                Some(evidence) => all.push(evidence),
                None => {}
            }
        }
        all.sort_by(|a, b| (&a.name, &a.file).cmp(&(&b.name, &b.file)));
        Ok(all)
    }

    /// Forgets what is known against the plugins of that name, in any case, or of that file. Says how many there were.
    ///
    /// # Errors
    ///
    /// When the directory cannot be read or written.
    pub fn clear(&self, name: &str) -> io::Result<usize> {
        let mut cleared = 0;
        for evidence in self.all()? {
            if evidence.is_about(name) {
                forget(&self.record(evidence.identity))?;
                cleared += 1;
            }
        }
        Ok(cleared)
    }

    /// Sets aside what is known to be bad: a row of it gets the evidence as its reason.
    pub fn apply(&self, catalog: &mut Catalog) {
        // Most of the time there is no such directory.
        if !self.directory.path().exists() {
            return;
        }
        catalog.reject_each(|admissible| {
            let evidence = self.get(admissible.identity())?;
            Some(Rejection::Quarantined(Box::new(evidence)))
        });
    }

    fn record(&self, identity: FileIdentity) -> PathBuf {
        self.directory.path().join(format!("{identity}.json"))
    }
}

impl Evidence {
    /// Whether it is about the task of that name, in any case, or about that file.
    pub fn is_about(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name) || self.file == Path::new(name)
    }
}

/// The record in that file. One that cannot be read is none: then the plugin is tried again.
fn read(path: &Path) -> Option<Evidence> {
    let is_record = path
        .extension()
        .is_some_and(|extension| extension == "json");
    if !is_record {
        return None;
    }
    // Opening must not wait, and reading must end, whatever stands there.
    let flags = OFlags::NONBLOCK | OFlags::NOFOLLOW;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)
        .ok()?;
    let found = file.metadata().ok()?;
    let is_ours = found.uid() == geteuid().as_raw();
    if !found.is_file() || !is_ours || found.len() > LARGEST {
        return None;
    }
    let mut text = Vec::new();
    file.take(LARGEST).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

/// Removes a record, which another process may have done before.
fn forget(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
