//! What is installed on a server beside Debusine.

use crate::{
    farm::{built, root},
    system::last_line,
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// The exit code of the scripts where the packages cannot be built.
const IMPOSSIBLE: i32 = 77;

/// The Python module and the app in a folder for a `PYTHONPATH`. None where they cannot be, or tests that take minutes are not
/// wanted, which is said.
pub(crate) fn python_packages() -> Option<&'static Path> {
    static PACKAGES: OnceLock<Option<PathBuf>> = OnceLock::new();
    if !taskbay_test::is_full() {
        return None;
    }
    PACKAGES
        .get_or_init(|| made_by("debusine-app", "packages"))
        .as_deref()
}

/// The Debian packages of the command, of the task `sleep`, of the module and of the app. None as above.
pub(crate) fn debian_packages() -> Option<Vec<PathBuf>> {
    if !taskbay_test::is_full() {
        return None;
    }
    let asked = Command::new("cargo").args(["deb", "--version"]).output();
    if !asked.is_ok_and(|asked| asked.status.success()) {
        taskbay_test::skip_not_installed("cargo-deb is not installed; `make test` installs it");
        return None;
    }
    let folder = made_by("debusine-packages", "debian-packages")?;
    let packed = Command::new(root().join("scripts/packages"))
        .arg("--built")
        .arg(built().file_name().unwrap())
        .arg(&folder)
        .env("CARGO_TARGET_DIR", target())
        .output()
        .unwrap();
    assert!(packed.status.success(), "{packed:?}");
    let names = [
        "taskbay_",
        "taskbay-task-sleep_",
        "python3-taskbay_",
        "taskbay-debusine_",
    ];
    let files = fs::read_dir(folder).unwrap();
    let files = files.map(|file| file.unwrap().path());
    let is_wanted = |file: &PathBuf| {
        let file = file.file_name().unwrap().to_str().unwrap();
        names.iter().any(|name| file.starts_with(name))
    };
    let wanted: Vec<_> = files.filter(is_wanted).collect();
    assert_eq!(wanted.len(), names.len(), "{wanted:?}");
    Some(wanted)
}

fn target() -> &'static Path {
    built().parent().unwrap()
}

/// The folder into which that script has put something.
fn made_by(script: &str, folder: &str) -> Option<PathBuf> {
    let folder = target().join("python").join(folder);
    let made = Command::new(root().join("scripts").join(script))
        .arg(&folder)
        .env("CARGO_TARGET_DIR", target())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&made.stderr).into_owned();
    if made.status.code() == Some(IMPOSSIBLE) {
        taskbay_test::skip(last_line(&said));
        return None;
    }
    assert!(made.status.success(), "{said}");
    Some(folder)
}
