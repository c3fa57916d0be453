//! The places that all programs of a machine share, and what comes there.

use rustix::{
    fd::OwnedFd,
    fs::inotify::{CreateFlags, Reader, WatchFlags, add_watch, init},
    io::Errno,
    process::geteuid,
};
use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs, io,
    mem::MaybeUninit,
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::{Path, PathBuf},
};

/// Where programs make files by name that belong in a work directory.
const PLACES: [&str; 3] = ["/tmp", "/var/tmp", "/dev/shm"];

/// How the usual makers of temporary names begin them, and how many random letters they end with: Rust's `tempfile`,
/// `mktemp`, and attempts. A file of such a name is nobody's twice.
const RANDOM: [(&str, usize); 3] = [(".tmp", 6), ("tmp.", 10), ("taskbay-", 6)];

/// The most directories below them that are watched.
const MOST_WATCHED: usize = 200;

/// Places that all programs share, watched for files that are made or written. Nobody can tell whose these are: see
/// whether they come each time.
#[derive(Debug)]
pub(crate) struct SharedPlaces {
    handle: OwnedFd,
    watched: Vec<(i32, Watched)>,
}

/// What is watched.
#[derive(Debug)]
enum Watched {
    /// One of the places, for what comes into it.
    Place(&'static Path),
    /// A directory in that one, which had come to a place: it is made once, and what comes into it comes to this.
    Within(PathBuf),
}

impl SharedPlaces {
    /// Watches those of them that there are, and the directories that `came` before.
    ///
    /// # Errors
    ///
    /// When the system does not let it.
    pub(crate) fn watch(came: &BTreeSet<PathBuf>) -> io::Result<Self> {
        let mut places = Self {
            handle: init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?,
            watched: Vec::new(),
        };
        for place in PLACES.map(Path::new) {
            places.add(place, Watched::Place(place))?;
        }
        for top in came {
            for directory in directories(top) {
                places.add(&directory, Watched::Within(top.clone()))?;
            }
        }
        Ok(places)
    }

    fn add(&mut self, directory: &Path, watched: Watched) -> io::Result<()> {
        let events = WatchFlags::CREATE
            | WatchFlags::MOVED_TO
            | WatchFlags::CLOSE_WRITE
            | WatchFlags::ONLYDIR;
        match add_watch(&self.handle, directory, events) {
            Ok(number) => self.watched.push((number, watched)),
            // It is not there, or not any more, or another user's.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::ACCESS) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// The paths of what came so far, but for names that are made anew each time, and for what is another user's.
    pub(crate) fn came(self) -> BTreeSet<PathBuf> {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = Reader::new(&self.handle, &mut buffer);
        let mut came = BTreeSet::new();
        // The end is an error: nothing more is there just now.
        while let Ok(event) = reader.next() {
            let watched = self.watched.iter().find(|(at, _)| *at == event.wd());
            let name = event
                .file_name()
                .map(|name| OsStr::from_bytes(name.to_bytes()));
            match (watched, name) {
                (Some((_, Watched::Place(place))), Some(name))
                    if !is_random(name) && !is_of_another(&place.join(name)) =>
                {
                    came.insert(place.join(name));
                }
                (Some((_, Watched::Within(top))), Some(_)) => {
                    came.insert(top.clone());
                }
                _ => {}
            }
        }
        came
    }
}

/// A directory and those below it, as far as this user may look; none where it is no directory.
fn directories(top: &Path) -> Vec<PathBuf> {
    let is_directory = |path: &Path| path.symlink_metadata().is_ok_and(|found| found.is_dir());
    let mut found = Vec::new();
    let mut waiting = vec![top.to_owned()];
    while let Some(next) = waiting.pop().filter(|_| found.len() < MOST_WATCHED) {
        if is_directory(&next) {
            let entries = fs::read_dir(&next).into_iter().flatten().flatten();
            waiting.extend(entries.map(|entry| entry.path()));
            found.push(next);
        }
    }
    found
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

    #[test]
    fn what_comes_and_goes_is_seen_and_random_names_are_not() {
        let places = SharedPlaces::watch(&BTreeSet::new()).unwrap();
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

    /// It is made but once, and nothing comes to the place itself any more.
    #[test]
    fn what_comes_into_a_directory_that_came_before_is_seen_as_that() {
        let top = PathBuf::from(format!(
            "/tmp/taskbay_check_directory_{}",
            std::process::id()
        ));
        fs::create_dir_all(top.join("deep")).unwrap();
        let suspects = BTreeSet::from([top.clone()]);
        let places = SharedPlaces::watch(&suspects).unwrap();
        assert!(!places.came().contains(&top));
        let places = SharedPlaces::watch(&suspects).unwrap();
        fs::write(top.join("deep/file"), "").unwrap();
        let came = places.came();
        fs::remove_dir_all(&top).unwrap();
        assert!(came.contains(&top), "{came:?}");
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
