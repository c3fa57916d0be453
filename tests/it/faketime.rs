//! What sets the clock of a process: libfaketime.

use std::{fs, path::PathBuf};
use taskbay_test::skip_not_installed;

/// Where Debian's `libfaketime` puts the library that answers what time it is.
pub(crate) fn library() -> Option<PathBuf> {
    let folders = fs::read_dir("/usr/lib").unwrap().flatten();
    let mut libraries = folders.map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"));
    let found = libraries.find(|library| library.exists());
    if found.is_none() {
        skip_not_installed("libfaketime is not installed; scripts/install-tools installs it");
    }
    found
}
