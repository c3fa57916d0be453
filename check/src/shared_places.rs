//! The places that all programs of a machine share, and what comes there.

use rustix::{
    fd::OwnedFd,
    fs::inotify::{CreateFlags, Reader, WatchFlags, add_watch, init},
    process::geteuid,
};
use std::{
    collections::BTreeSet,
    ffi::OsStr,
    mem::MaybeUninit,
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::{Path, PathBuf},
};

/// Where programs make files by name that belong in a work directory.
const PLACES: [&str; 3] = ["/tmp", "/var/tmp", "/dev/shm"];

/// How the usual makers of temporary names begin them, and how many random letters they end with: Rust's `tempfile`,
/// `mktemp`, and attempts. A file of such a name is nobody's twice.
const RANDOM: [(&str, usize); 3] = [(".tmp", 6), ("tmp.", 10), ("taskbay-", 6)];

/// Places that all programs share, watched for files that are made or written. Nobody can tell whose these are: see
/// whether they come each time.
#[derive(Debug)]
pub(crate) struct SharedPlaces {
    handle: OwnedFd,
    watched: Vec<(i32, &'static Path)>,
}

impl SharedPlaces {
    /// Watches those of them that there are; none where the system does not let it.
    pub(crate) fn watch() -> Option<Self> {
        let handle = init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).ok()?;
        let events = WatchFlags::CREATE | WatchFlags::MOVED_TO | WatchFlags::CLOSE_WRITE;
        let watched = PLACES.iter().filter_map(|place| {
            let number = add_watch(&handle, *place, events).ok()?;
            Some((number, Path::new(place)))
        });
        let watched = watched.collect();
        Some(Self { handle, watched })
    }

    /// The paths of what came so far, but for names that are made anew each time, and for what is another user's.
    pub(crate) fn came(self) -> BTreeSet<PathBuf> {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = Reader::new(&self.handle, &mut buffer);
        let mut came = BTreeSet::new();
        // The end is an error: nothing more is there just now.
        while let Ok(event) = reader.next() {
            let place = self.watched.iter().find(|(at, _)| *at == event.wd());
            let name = event
                .file_name()
                .map(|name| OsStr::from_bytes(name.to_bytes()));
            if let (Some((_, place)), Some(name)) = (place, name)
                && !is_random(name)
                && !is_of_another(&place.join(name))
            {
                came.insert(place.join(name));
            }
        }
        came
    }
}

/// Whether a file belongs to another user; one that is gone belongs to nobody.
fn is_of_another(path: &Path) -> bool {
    let found = path.symlink_metadata();
    found.is_ok_and(|found| found.uid() != geteuid().as_raw())
}

/// Whether a file is called as the usual makers of temporary names call one.
fn is_random(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    RANDOM.iter().any(|(start, letters)| {
        let rest = name.strip_prefix(start);
        let end = rest.and_then(|rest| rest.rsplit('-').next());
        end.is_some_and(|end| {
            end.len() == *letters && end.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_comes_and_goes_is_seen_and_random_names_are_not() {
        let places = SharedPlaces::watch().unwrap();
        let name = format!("taskbay_check_{}", std::process::id());
        let (file, other) = (
            Path::new("/tmp").join(&name),
            Path::new("/dev/shm").join(&name),
        );
        fs::write(&file, "").unwrap();
        fs::remove_file(&file).unwrap();
        fs::create_dir(&other).unwrap();
        fs::remove_dir(&other).unwrap();
        let random = tempfile::tempdir_in("/tmp").unwrap();
        let came = places.came();
        assert!(came.contains(&file) && came.contains(&other), "{came:?}");
        assert!(!came.contains(random.path()), "{came:?}");
    }

    #[test]
    fn a_name_is_random_by_how_it_begins_and_ends() {
        for name in [".tmpX7f3Qa", "tmp.aB3dE6gH9j", "taskbay-noop-X7f3Qa"] {
            assert!(is_random(OsStr::new(name)), "{name}");
        }
        for name in ["scratch-X7f3Qa", ".tmp-x", "taskbay-a-scratch", "tmp"] {
            assert!(!is_random(OsStr::new(name)), "{name}");
        }
    }
}
