//! A real environment, for tests that run tools in one.

use crate::{debian_mirror, has_tools, is_full, tools::native_architecture};
use serde_json::json;
use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};
use taskbay_plugin_api::Artifact;

/// A small Debian system in which packages are built, as the task `mmdebstrap` makes it. Making it takes minutes, so all
/// tests of a project share one, which is kept in its target directory for a week. None where the test has to be skipped.
pub fn environment() -> Option<Artifact> {
    if !is_full() || !has_tools(&["mmdebstrap", "newuidmap", "dpkg"]) {
        return None;
    }
    let directory = target_directory().join("environments");
    fs::create_dir_all(&directory).unwrap();
    // Whoever comes meanwhile waits for it.
    let lock = File::create(directory.join("lock")).unwrap();
    lock.lock().unwrap();
    let tarball = directory.join("system.tar.xz");
    let architecture = native_architecture();
    let mirror = debian_mirror()?;
    if !is_fresh(&tarball) {
        let unfinished = directory.join("unfinished.tar.xz");
        let made = Command::new("mmdebstrap")
            .env("XZ_DEFAULTS", "-1")
            .args([
                "--mode=unshare",
                "--variant=buildd",
                "--format=tar",
                "bookworm",
            ])
            .arg(&unfinished)
            .arg(&mirror)
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        fs::rename(&unfinished, &tarball).unwrap();
    }
    let data = json!({
        "filename": "system.tar.xz", "vendor": "debian", "codename": "bookworm", "mirror": mirror, "variant": "buildd",
        "pkglist": {}, "architecture": architecture, "with_dev": true, "with_init": false,
    });
    Some(Artifact::new("debian:system-tarball", data, vec![tarball]))
}

/// The target directory of whatever is tested: this very program is in `PROFILE/deps` below it.
fn target_directory() -> PathBuf {
    let program = env::current_exe().unwrap();
    let mut folders = program.ancestors().skip(1);
    let deps = folders.find(|folder| folder.ends_with("deps"));
    let target = deps.and_then(|deps| deps.parent()?.parent());
    // Only a test that cargo builds into a file of its own has one.
    target
        .unwrap_or_else(|| panic!("{} is in no target directory", program.display()))
        .to_owned()
}

fn is_fresh(file: &Path) -> bool {
    let modified = file.metadata().and_then(|metadata| metadata.modified());
    let age = modified.map(|modified| modified.elapsed().unwrap_or_default());
    age.is_ok_and(|age| age.as_secs() < 7 * 24 * 3600)
}
