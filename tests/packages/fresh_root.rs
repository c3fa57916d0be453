//! A fresh Debian root, made of packages as a mirror has them.

use crate::farm::root;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};
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
    /// Makes one, with apt and what is essential.
    ///
    /// # Errors
    ///
    /// Why there can be none on this machine.
    pub(crate) fn new() -> Result<Self, String> {
        if !rustix::process::geteuid().is_root() {
            return Err("this user is not root".to_owned());
        }
        let mirror = Command::new(root().join("scripts/debian-mirror")).output();
        let mirror = String::from_utf8(mirror.unwrap().stdout).unwrap();
        let mirror = mirror.trim();
        if mirror.is_empty() {
            return Err("apt knows of no Debian mirror".to_owned());
        }
        let fresh = Self {
            top: tempfile::tempdir().unwrap(),
            mounts: String::new(),
        };
        let made = Command::new("mmdebstrap")
            .args(["--quiet", "--variant=apt", RELEASE])
            .arg(fresh.path())
            .arg(mirror)
            .output()
            .map_err(|error| format!("mmdebstrap: {error}"))?;
        if !made.status.success() {
            let said = String::from_utf8_lossy(&made.stderr).into_owned();
            return Err(format!("mmdebstrap ended with {}: {said}", made.status));
        }
        // Names are resolved as they are here.
        let _ = fs::copy("/etc/resolv.conf", fresh.path().join("etc/resolv.conf"));
        fs::create_dir(fresh.packages()).unwrap();
        Ok(fresh)
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
