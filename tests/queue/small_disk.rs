//! A file system that a test fills up.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};
use taskbay_test::skip;

/// Unmounts it at the end of its standard input, which is the end of the test, even a violent one.
const SCRIPT: &str = r#"
mount -t tmpfs -o "size=$2,mode=755" tmpfs "$1" || exit 1
echo mounted
cat >/dev/null
umount -l "$1"
"#;

/// A mounted file system of that size, in memory.
pub(crate) struct SmallDisk {
    place: PathBuf,
    guard: Child,
}

impl SmallDisk {
    /// Mounts one on that folder. None where this user may not.
    pub(crate) fn on(place: &Path, size: &str) -> Option<Self> {
        let mut guard = Command::new("sh")
            .args(["-c", SCRIPT, "sh"])
            .arg(place)
            .arg(size)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut said = [0; 7];
        let is_mounted = std::io::Read::read_exact(&mut guard.stdout.take().unwrap(), &mut said);
        if is_mounted.is_err() {
            let _ = guard.wait();
            skip("this user may not mount a file system to be filled up");
            return None;
        }
        Some(Self {
            place: place.to_owned(),
            guard,
        })
    }

    /// Takes all room that is left.
    pub(crate) fn fill(&self) {
        let mut file = File::options()
            .create(true)
            .append(true)
            .open(self.ballast())
            .unwrap();
        for piece in [64 * 1024, 4096, 1] {
            while file.write_all(&vec![0; piece]).is_ok() {}
        }
    }

    /// Makes room again.
    pub(crate) fn clear(&self) {
        fs::remove_file(self.ballast()).unwrap();
    }

    fn ballast(&self) -> PathBuf {
        self.place.join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}
