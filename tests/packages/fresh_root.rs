//! A fresh Debian root, made of packages as a mirror has them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use taskbay_test::{debian_mirror, has_tools, skip};
use tempfile::TempDir;

/// The release that the packages are for.
const RELEASE: &str = "bookworm";

/// A fresh Debian root. It is removed when it is dropped.
pub(crate) struct FreshRoot {
    top: TempDir,
    /// The commands that mount what is bound.
    mounts: String,
}

impl FreshRoot {
    /// Makes one, with apt and what is essential. Where this machine can have none, that is said.
    pub(crate) fn new() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            skip("only root can make a fresh Debian root");
            return None;
        }
        if !has_tools(&["mmdebstrap", "dpkg-scanpackages", "unshare"]) {
            return None;
        }
        let mirror = debian_mirror()?;
        let fresh = Self {
            top: tempfile::tempdir().unwrap(),
            mounts: String::new(),
        };
        let made = Command::new("mmdebstrap")
            .args(["--quiet", "--variant=apt", RELEASE])
            .arg(fresh.path())
            .arg(mirror)
            .output()
            .unwrap();
        if !made.status.success() {
            let said = String::from_utf8_lossy(&made.stderr);
            skip(format_args!(
                "mmdebstrap ended with {}: {said}",
                made.status
            ));
            return None;
        }
        // Names are resolved as they are here.
        let _ = fs::copy("/etc/resolv.conf", fresh.path().join("etc/resolv.conf"));
        fs::create_dir(fresh.packages()).unwrap();
        Some(fresh)
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.top.path().join("root")
    }

    /// The folder for packages, `/packages` in the root.
    pub(crate) fn packages(&self) -> PathBuf {
        self.path().join("packages")
    }

    /// Lets apt know of the packages.
    pub(crate) fn index_packages(&self) {
        let index = Command::new("dpkg-scanpackages")
            .arg(".")
            .current_dir(self.packages())
            .output()
            .unwrap();
        assert!(index.status.success(), "{index:?}");
        fs::write(self.packages().join("Packages"), index.stdout).unwrap();
        let list = self.path().join("etc/apt/sources.list.d/packages.list");
        fs::write(list, "deb [trusted=yes] file:/packages ./\n").unwrap();
    }

    /// Has a directory of this machine at that place while scripts run.
    pub(crate) fn bind(&mut self, directory: &Path, inside: &str) {
        let place = self.path().join(inside);
        fs::create_dir_all(&place).unwrap();
        let words = format!(
            "mount --bind '{}' '{}' && ",
            directory.display(),
            place.display()
        );
        self.mounts.push_str(&words);
    }

    /// Runs a script in it, with processes of its own, and gives what it printed.
    pub(crate) fn run(&self, script: &str) -> String {
        fs::write(self.path().join("tmp/script"), script).unwrap();
        let root = self.path();
        let root = root.to_str().unwrap();
        let mounts = &self.mounts;
        let enter =
            format!("{mounts}mount -t proc proc {root}/proc && exec chroot {root} sh /tmp/script");
        let ran = Command::new("unshare")
            .args(["--mount", "--pid", "--fork", "--kill-child", "sh", "-c"])
            .arg(enter)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ran.stdout).into_owned();
        assert!(
            ran.status.success(),
            "{said}{}",
            String::from_utf8_lossy(&ran.stderr)
        );
        said
    }
}
