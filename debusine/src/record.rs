//! What a seat was executing, and how it ended, on disk: both outlive the process.

use crate::{completion::Completion, fault::Fault, work_request::WorkRequest};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};
use taskbay_core::ArtifactId;

const FILE: &str = "request.json";
/// The folder beside those of seats with what the server does not take.
const APART: &str = "untold";
/// The longest record that is read, in bytes.
const LONGEST: u64 = 8 << 20;

/// What a seat was executing, and how it ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The work request.
    pub(crate) request: i64,
    pub(crate) task_name: String,
    /// The hash of the task's data, by which the same request is known under another number.
    pub(crate) data_hash: String,
    pub(crate) workspace: String,
    /// The token of the work request alone, where it has one.
    pub(crate) token: Option<String>,
    /// The scope that the workspace is in, where it is known.
    pub(crate) scope: Option<String>,
    /// The artifacts that the task was about.
    pub(crate) about: Vec<ArtifactId>,
    /// Whether its debug logs are on the server.
    pub(crate) are_logs_sent: bool,
    /// How often the server failed at taking them.
    pub(crate) log_tries: u32,
    /// The artifact that has them, once the server has begun with it.
    #[serde(default)]
    pub(crate) log_artifact: Option<ArtifactId>,
    /// How often the server did not take the result although it takes this worker's word otherwise.
    #[serde(default)]
    pub(crate) refusals: u32,
    /// How often it, or its logs, got no answer of the server's own although the server answers else.
    #[serde(default)]
    pub(crate) losses: u32,
    /// How it ended; none while it is executed.
    pub(crate) completion: Option<Completion>,
}

impl Record {
    /// One of a request that begins.
    pub(crate) fn of(request: &WorkRequest) -> Self {
        Self {
            request: request.id,
            task_name: request.task_name(),
            data_hash: request.data_hash(),
            workspace: request.workspace.clone(),
            token: request.token().map(|token| token.as_str().to_owned()),
            scope: request.scope.clone(),
            about: Vec::new(),
            are_logs_sent: false,
            log_tries: 0,
            log_artifact: None,
            refusals: 0,
            losses: 0,
            completion: None,
        }
    }

    /// One of a request that a test is about.
    #[cfg(test)]
    pub(crate) fn of_noop(request: i64) -> Self {
        let request = serde_json::json!({
            "id": request, "task_name": "noop", "task_type": "Worker", "task_data": {}, "workspace": "System",
        });
        Self::of(&serde_json::from_value(request).unwrap())
    }
}

/// Where a seat's record is kept, with the logs of what it executes.
#[derive(Clone, Debug)]
pub(crate) struct Shelf(PathBuf);

impl Shelf {
    /// In that folder, which is made for its owner alone.
    pub(crate) fn at(folder: PathBuf) -> Result<Self, Fault> {
        make_folder(&folder).map_err(|error| Fault::local(&folder, error))?;
        Ok(Self(folder))
    }

    /// Where it is.
    pub(crate) fn folder(&self) -> &Path {
        &self.0
    }

    /// A file in it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// What is kept. What cannot be read is told, and is none: it must not keep a worker from working.
    pub(crate) fn read(&self) -> Option<Record> {
        let path = self.file(FILE);
        let read = || -> io::Result<Record> {
            if fs::metadata(&path)?.len() > LONGEST {
                return Err(io::Error::other("it is too long"));
            }
            Ok(serde_json::from_slice(&fs::read(&path)?)?)
        };
        match read() {
            Ok(record) => Some(record),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                log::error!(
                    "{} cannot be read, so what was executed last is not known: {error}",
                    path.display()
                );
                None
            }
        }
    }

    /// Keeps it, in the place of what there was: whatever interrupts it, one of both is there whole.
    pub(crate) fn keep(&self, record: &Record) -> Result<(), Fault> {
        let path = self.file(FILE);
        let part = self.file("request.json.part");
        let keep = || -> io::Result<()> {
            make_folder(&self.0)?;
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&part)?;
            file.write_all(&serde_json::to_vec(record)?)?;
            // A result must outlast a power cut; what is executed is executed again then.
            if record.completion.is_some() {
                file.sync_data()?;
            }
            fs::rename(&part, &path)?;
            if record.completion.is_some() {
                File::open(&self.0)?.sync_all()?;
            }
            Ok(())
        };
        keep().map_err(|error| Fault::local(&path, error))
    }

    /// Forgets it.
    pub(crate) fn forget(&self) {
        let path = self.file(FILE);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                log::error!("{} cannot be removed: {error}", path.display());
            }
            _ => {}
        }
    }

    /// Puts the record of the seat of that number, with its logs, where no other attempt writes over them.
    pub(crate) fn set_aside(&self, number: usize, record: &Record) -> Result<Self, Fault> {
        self.keep(record)?;
        let apart = self.0.with_file_name(APART);
        let move_there = || -> io::Result<PathBuf> {
            make_folder(&apart)?;
            let folder = free(&apart, &format!("{number}-{}", record.request));
            fs::rename(&self.0, &folder)?;
            Ok(folder)
        };
        Ok(Self(
            move_there().map_err(|error| Fault::local(&apart, error))?,
        ))
    }

    /// What was set aside beside this: the number of the seat, and where it is now.
    pub(crate) fn apart(&self) -> Vec<(usize, Self)> {
        let Ok(entries) = fs::read_dir(self.0.with_file_name(APART)) else {
            return Vec::new();
        };
        let of_seat = |entry: fs::DirEntry| {
            let name = entry.file_name();
            let (number, _) = name.to_str()?.split_once('-')?;
            Some((number.parse().ok()?, Self(entry.path())))
        };
        entries.flatten().filter_map(of_seat).collect()
    }

    /// Removes it with all that is in it.
    pub(crate) fn remove(&self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            log::error!("{} cannot be removed: {error}", self.0.display());
        }
    }
}

/// A folder of that name in another, or, since a server that was set back gives out numbers anew, of that name and a number.
fn free(folder: &Path, name: &str) -> PathBuf {
    let mut free = folder.join(name);
    let mut n = 1;
    while free.exists() {
        n += 1;
        free = folder.join(format!("{name}-{n}"));
    }
    free
}

/// Makes a folder with those above it, for its owner alone.
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::completion::Completion;
    use taskbay_core::{ErrorCode, Outcome, TaskName};

    #[test]
    fn a_record_outlives_its_process() {
        let top = tempfile::tempdir().unwrap();
        let folder = top.path().join("a/b");
        let shelf = Shelf::at(folder.clone()).unwrap();
        assert_eq!(shelf.read(), None);
        let task = TaskName::fold("noop").unwrap();
        let outcome = Outcome::error(ErrorCode::ExecuteFailed, "oh");
        let mut record = Record::of_noop(7);
        record.about.push(1);
        shelf.keep(&record).unwrap();
        assert_eq!(shelf.read().as_ref(), Some(&record));
        record.completion = Some(Completion::of(&task, &outcome, std::time::Duration::ZERO));
        shelf.keep(&record).unwrap();
        assert_eq!(Shelf::at(folder).unwrap().read(), Some(record));
        shelf.forget();
        shelf.forget();
        assert_eq!(shelf.read(), None);
        fs::write(shelf.file(FILE), "{").unwrap();
        assert_eq!(shelf.read(), None);
    }
}
