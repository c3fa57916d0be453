//! The package `hello`, as the mirror of this machine has it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// Debian's keys, which sign what comes from a mirror.
const KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// The `.dsc` of its source package beside the files that it names, and the package that Debian built of it.
pub(crate) struct Hello {
    pub(crate) dsc: PathBuf,
    pub(crate) deb: PathBuf,
}

impl Hello {
    /// Fetches it into `folder`. The machine's own lists of sources may have no `deb-src`, and stay as they are.
    pub(crate) fn fetch(folder: &Path, mirror: &str) -> Self {
        for part in ["lists/partial", "cache/archives/partial", "parts"] {
            fs::create_dir_all(folder.join(part)).unwrap();
        }
        let line = |kind: &str| format!("{kind} [signed-by={KEYS}] {mirror} bookworm main\n");
        fs::write(folder.join("list"), line("deb") + &line("deb-src")).unwrap();
        apt_get(folder, &["update"]);
        apt_get(folder, &["source", "--download-only", "hello"]);
        apt_get(folder, &["download", "hello"]);
        Self {
            dsc: ending(folder, ".dsc"),
            deb: ending(folder, ".deb"),
        }
    }
}

fn apt_get(folder: &Path, arguments: &[&str]) {
    let mut apt_get = Command::new("apt-get");
    for (option, part) in [
        ("Dir::Etc::SourceList", "list"),
        ("Dir::Etc::SourceParts", "parts"),
        ("Dir::State::Lists", "lists"),
        ("Dir::Cache", "cache"),
    ] {
        let path = folder.join(part);
        apt_get
            .arg("-o")
            .arg(format!("{option}={}", path.display()));
    }
    let fetched: Output = apt_get
        .args([
            "-o",
            "APT::Sandbox::User=root",
            "-o",
            "Acquire::Languages=none",
        ])
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(fetched.status.success(), "{fetched:?}");
}

fn ending(folder: &Path, ending: &str) -> PathBuf {
    let files = fs::read_dir(folder).unwrap().flatten();
    let mut files = files.map(|entry| entry.path());
    let is_it = |file: &PathBuf| file.to_str().unwrap().ends_with(ending);
    files.find(is_it).unwrap()
}
