//! Plugin files with faults, made from one that was built.

use crate::farm::built;
use std::{fs, path::Path, process::Command, sync::OnceLock};

/// What the built file is called in its note and its code.
const NAME: &str = "unruly-fixture-0000000000";
/// What stands before the name of the fault.
const MARK: &str = "taskbay-fixture-fault:none";

/// The built file, without its debug information.
fn original() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    BYTES.get_or_init(|| {
        let stripped = tempfile::NamedTempFile::new().unwrap();
        let done = Command::new("strip")
            .arg("-o")
            .arg(stripped.path())
            .arg(built().join("libtaskbay_fixture_unruly.so"))
            .status();
        assert!(done.unwrap().success(), "strip failed");
        fs::read(stripped.path()).unwrap()
    })
}

/// The task's name of the plugin with that fault: as long as the original's.
pub(crate) fn name(fault: &str) -> String {
    format!("{fault:-<width$}", width = NAME.len())
}

/// A plugin that has that fault and that name.
pub(crate) fn bytes(fault: &str) -> Vec<u8> {
    let mut bytes = original().to_vec();
    assert!(fault.len() <= NAME.len(), "{fault} is too long");
    let marked = format!("taskbay-fixture-fault:{fault}");
    assert_eq!(replace(&mut bytes, MARK, &format!("{marked: <26}")), 1);
    assert!(
        replace(&mut bytes, NAME, &name(fault)) >= 2,
        "note and code both have the name"
    );
    bytes
}

/// Writes a plugin that has that fault.
pub(crate) fn write(file: &Path, fault: &str) {
    fs::write(file, bytes(fault)).unwrap();
}

/// Overwrites each occurrence of `old` by `new`, and says how many there were.
pub(crate) fn replace(bytes: &mut [u8], old: &str, new: &str) -> usize {
    assert!(new.len() >= old.len());
    let mut count = 0;
    let mut at = 0;
    while let Some(found) = bytes[at..]
        .windows(old.len())
        .position(|window| window == old.as_bytes())
    {
        let start = at + found;
        bytes[start..start + new.len()].copy_from_slice(new.as_bytes());
        at = start + new.len();
        count += 1;
    }
    count
}
