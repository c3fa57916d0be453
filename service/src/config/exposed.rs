//! Files with a password that others can read.

use rustix::process::{getegid, geteuid, getgroups};
use std::{
    fs,
    ops::RangeInclusive,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// A file with a password that others can read.
#[derive(Clone, Debug, PartialEq)]
pub struct Exposed {
    /// The file.
    pub file: PathBuf,
    /// The number of the group that can read it; none where every user of this machine can.
    pub group: Option<u32>,
}

impl Exposed {
    /// That others can read a file, if so.
    pub(super) fn of(file: &Path) -> Option<Self> {
        let metadata = fs::metadata(file).ok()?;
        let (mode, group) = (metadata.permissions().mode(), metadata.gid());
        let group = match mode {
            _ if mode & 0o004 != 0 => None,
            _ if mode & 0o040 != 0 && is_foreign(group) => Some(group),
            _ => return None,
        };
        let file = file.to_owned();
        Some(Self { file, group })
    }
}

/// Whether a group is neither root's nor one of this process. To root those of services are not foreign: whoever keeps their
/// settings gives them to their groups.
fn is_foreign(group: u32) -> bool {
    /// Debian's, of those that are made for packages, and systemd's, of those that are made as a service starts.
    const OF_SERVICES: [RangeInclusive<u32>; 2] = [101..=999, 61_184..=65_519];
    let is_own = group == 0
        || group == getegid().as_raw()
        || getgroups().is_ok_and(|own| own.iter().any(|own| own.as_raw() == group));
    let is_of_service = OF_SERVICES.iter().any(|range| range.contains(&group));
    !(is_own || geteuid().is_root() && is_of_service)
}
