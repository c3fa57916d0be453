//! Which bytes are checked: their digest, and whether they still are what the path leads to.

use rustix::fs::{FileType, Mode, OFlags, Stat, fstat, open, stat};
use std::{
    fs::File,
    path::{Path, PathBuf},
};
use taskbay_loader::{Admissible, FileIdentity, sha256_of};

/// The largest plugin, in bytes. Each is copied, and each host maps it.
pub(crate) const LARGEST: u64 = 64 << 20;

/// A file in the state in which all of it was read.
#[derive(Debug)]
pub(crate) struct Bytes {
    path: PathBuf,
    identity: FileIdentity,
    /// In hexadecimal digits.
    pub(crate) sha256: String,
}

impl Bytes {
    /// Reads a file that can be a plugin: reading anything else may take for ever. None where it is none, or was changed
    /// meanwhile.
    pub(crate) fn read(path: &Path) -> Option<Self> {
        // Not blocking: opening a FIFO would wait for a writer.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
        let file = File::from(open(path, flags, Mode::empty()).ok()?);
        let status = fstat(&file).ok()?;
        let is_file =
            |status: &Stat| FileType::from_raw_mode(status.st_mode) == FileType::RegularFile;
        let identity = FileIdentity::of(&status);
        if !is_file(&status) || identity.size() > LARGEST {
            return None;
        }
        let sha256 = sha256_of(&file).ok()?;
        let is_unchanged = FileIdentity::of(&fstat(&file).ok()?) == identity;
        is_unchanged.then(|| Self {
            path: path.to_owned(),
            identity,
            sha256,
        })
    }

    /// Whether the path leads to them still, and what was looked at since, where that may be loaded, were they.
    pub(crate) fn are_still(&self, file: Option<&Admissible>) -> bool {
        let now = stat(&self.path).map(|status| FileIdentity::of(&status));
        now == Ok(self.identity) && file.is_none_or(|file| file.identity() == self.identity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_file_that_was_replaced_or_written_to_is_another() {
        let top = tempfile::tempdir().unwrap();
        let path = top.path().join("x.so");
        fs::write(&path, "abc").unwrap();
        let read = || Bytes::read(&path).unwrap();
        let first = read();
        assert!(first.sha256.starts_with("ba7816bf"), "{first:?}");
        assert!(first.are_still(None));
        fs::write(top.path().join("new"), "abc").unwrap();
        fs::rename(top.path().join("new"), &path).unwrap();
        assert!(!first.are_still(None) && read().are_still(None));
        let second = read();
        fs::write(&path, "abcd").unwrap();
        assert!(!second.are_still(None));
        fs::remove_file(&path).unwrap();
        assert!(!second.are_still(None));
    }

    #[test]
    fn what_can_be_no_plugin_is_not_read() {
        let top = tempfile::tempdir().unwrap();
        assert!(Bytes::read(top.path()).is_none());
        assert!(Bytes::read(Path::new("/dev/zero")).is_none());
        let large = top.path().join("large");
        File::create(&large).unwrap().set_len(LARGEST + 1).unwrap();
        assert!(Bytes::read(&large).is_none());
    }
}
