//! What tells one state of a file from another without reading it.

use rustix::fs::Stat;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A file in one state: another file, or the same one written to, is another identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FileIdentity {
    device: u64,
    inode: u64,
    size: u64,
    /// Seconds and nanoseconds of the last change of the content.
    modified: (i64, i64),
    /// Seconds and nanoseconds of the last change of the inode; nobody can set it back.
    changed: (i64, i64),
}

impl FileIdentity {
    /// The identity in a file's status.
    pub fn of(status: &Stat) -> Self {
        Self {
            device: status.st_dev,
            inode: status.st_ino,
            size: u64::try_from(status.st_size).unwrap_or(0),
            modified: (
                status.st_mtime,
                i64::try_from(status.st_mtime_nsec).unwrap_or(0),
            ),
            changed: (
                status.st_ctime,
                i64::try_from(status.st_ctime_nsec).unwrap_or(0),
            ),
        }
    }

    /// The file's size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Whether both are of one file, in whatever states.
    pub fn is_same_file(&self, other: &Self) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }
}

impl fmt::Display for FileIdentity {
    /// As part of a file name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:x}-{:x}-{:x}-{:x}.{:x}-{:x}.{:x}",
            self.device,
            self.inode,
            self.size,
            self.modified.0,
            self.modified.1,
            self.changed.0,
            self.changed.1
        )
    }
}
