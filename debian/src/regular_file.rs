//! Files that may be part of an artifact: regular ones.

use rustix::fs::{Mode, OFlags, PROC_SUPER_MAGIC, fstatfs};
use sha2::{Digest, Sha256};
use std::{
    fmt::Write,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};
use taskbay_core::ServerError;

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RegularFileError {
    /// The system says so.
    #[error("cannot read {}: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// It is something else than a regular file.
    #[error("{} is {kind}, and only a regular file can be part of an artifact; name one", path.display())]
    NotRegular {
        /// The file.
        path: PathBuf,
        /// What it is, with its article.
        kind: &'static str,
    },
    /// It has more than is read of such a file.
    #[error("{} has more than the {limit} bytes that are read of such a file; do not trust it", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// What is read of one, in bytes.
        limit: u64,
    },
}

impl From<RegularFileError> for ServerError {
    fn from(error: RegularFileError) -> Self {
        Self(error.to_string())
    }
}

impl RegularFileError {
    fn read(path: &Path, error: io::Error) -> Self {
        Self::Read {
            path: path.to_owned(),
            error,
        }
    }
}

/// Opens a regular file, also one behind a symbolic link. Nothing else is waited for: a FIFO would hold the caller.
///
/// # Errors
///
/// When it is none, or cannot be opened.
pub fn open(path: &Path) -> Result<File, RegularFileError> {
    let read = |error| RegularFileError::read(path, error);
    let kind = path.metadata().map_err(read)?.file_type();
    if !kind.is_file() {
        let kind = if kind.is_dir() {
            "a directory"
        } else {
            "a device, FIFO or socket"
        };
        return Err(RegularFileError::NotRegular {
            path: path.to_owned(),
            kind,
        });
    }
    // It may have been replaced since.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = rustix::fs::open(path, flags, Mode::empty()).map_err(|error| read(error.into()))?;
    // What the kernel tells of this process is nobody else's: the environment of a worker has its passwords.
    let system = fstatfs(&file).map_err(|error| read(error.into()))?;
    if system.f_type == PROC_SUPER_MAGIC {
        return Err(RegularFileError::NotRegular {
            path: path.to_owned(),
            kind: "what the kernel tells of a process",
        });
    }
    Ok(File::from(file))
}

/// The content of a regular file that something untrusted wrote: no symbolic link, and no more than `limit` bytes.
///
/// # Errors
///
/// When it is another kind of file or a larger one, or cannot be read.
pub(crate) fn read_at_most(path: &Path, limit: u64) -> Result<Vec<u8>, RegularFileError> {
    let read = |error| RegularFileError::read(path, error);
    if path.symlink_metadata().map_err(read)?.is_symlink() {
        return Err(RegularFileError::NotRegular {
            path: path.to_owned(),
            kind: "a symbolic link",
        });
    }
    let mut bytes = Vec::new();
    let file = open(path)?;
    file.take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(read)?;
    if bytes.len() as u64 > limit {
        return Err(RegularFileError::TooLarge {
            path: path.to_owned(),
            limit,
        });
    }
    Ok(bytes)
}

/// The SHA-256 of a regular file's content, in hexadecimal.
///
/// # Errors
///
/// When it cannot be read.
pub fn sha256(path: &Path) -> Result<String, RegularFileError> {
    let mut file = open(path)?;
    let mut hash = Sha256::new();
    let mut piece = vec![0; 64 * 1024];
    loop {
        let read = file
            .read(&mut piece)
            .map_err(|error| RegularFileError::read(path, error))?;
        if read == 0 {
            break;
        }
        hash.update(&piece[..read]);
    }
    let mut text = String::with_capacity(64);
    for byte in hash.finalize() {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::fd::AsRawFd};

    #[test]
    fn the_known_hash_of_abc() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("abc");
        fs::write(&path, "abc").unwrap();
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(&path).unwrap(), expected);
        let error = sha256(directory.path()).unwrap_err().to_string();
        assert!(error.contains("is a directory"), "{error}");
    }

    #[test]
    fn nothing_is_read_of_processes() {
        let error = open(Path::new("/proc/self/environ")).unwrap_err();
        assert!(
            error.to_string().contains("what the kernel tells"),
            "{error}"
        );
        // What it leads to is no part of it.
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("abc");
        fs::write(&path, "abc").unwrap();
        let held = File::open(&path).unwrap();
        let link = format!("/proc/self/fd/{}", held.as_raw_fd());
        open(Path::new(&link)).unwrap();
    }

    #[test]
    fn no_more_is_read_than_the_limit() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("abc");
        fs::write(&path, "abc").unwrap();
        assert_eq!(read_at_most(&path, 3).unwrap(), b"abc");
        let error = read_at_most(&path, 2).unwrap_err().to_string();
        assert!(error.contains("more than the 2 bytes"), "{error}");
    }
}
