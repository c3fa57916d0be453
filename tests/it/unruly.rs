//! Plugin files with faults, made from one that was built.

use crate::farm::built;
use std::{fs, path::Path, process::Command, sync::OnceLock};
use taskbay_fixture_hostile::Original;

pub(crate) use taskbay_fixture_hostile::replace;

/// The built file, without its debug information.
pub(crate) fn original() -> &'static Original {
    static ORIGINAL: OnceLock<Original> = OnceLock::new();
    ORIGINAL.get_or_init(|| {
        let stripped = tempfile::NamedTempFile::new().unwrap();
        let done = Command::new("strip")
            .arg("-o")
            .arg(stripped.path())
            .arg(built().join("libtaskbay_fixture_unruly.so"))
            .status();
        assert!(done.unwrap().success(), "strip failed");
        Original::read(stripped.path()).unwrap()
    })
}

/// The task's name of the plugin with that fault: as long as the original's.
pub(crate) fn name(fault: &str) -> String {
    Original::task_name(fault)
}

/// A plugin that has that fault and that name.
pub(crate) fn bytes(fault: &str) -> Vec<u8> {
    original().plugin(fault, fault)
}

/// Writes a plugin that has that fault.
pub(crate) fn write(file: &Path, fault: &str) {
    fs::write(file, bytes(fault)).unwrap();
}
