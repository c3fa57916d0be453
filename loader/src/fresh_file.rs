//! Files that are there whole or not at all: each is written under another name, and renamed once it is whole.

use std::{fs, io, path::Path, time::Duration};
use tempfile::NamedTempFile;

/// What the names of those that are not whole yet start with.
const PREFIX: &str = "new-";
/// Nobody writes at one file for so long: its writer was killed.
const ABANDONED: Duration = Duration::from_hours(1);

/// Begins a file in that directory. Removes those that were begun there and never will be whole.
pub(crate) fn begin(directory: &Path) -> io::Result<NamedTempFile> {
    remove_abandoned(directory);
    tempfile::Builder::new()
        .prefix(PREFIX)
        .tempfile_in(directory)
}

fn remove_abandoned(directory: &Path) {
    let is_abandoned = |entry: &fs::DirEntry| {
        let name = entry.file_name();
        name.as_encoded_bytes().starts_with(PREFIX.as_bytes())
            && entry
                .metadata()
                .and_then(|metadata| metadata.modified())
                .is_ok_and(|written| written.elapsed().is_ok_and(|age| age > ABANDONED))
    };
    // Where it cannot be done now it will be another time.
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if is_abandoned(&entry) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    #[test]
    fn those_that_were_abandoned_go_and_no_others() {
        let top = tempfile::tempdir().unwrap();
        let path = |name: &str| top.path().join(name);
        let aged = |name: &str, age: Duration| {
            let file = fs::File::create(path(name)).unwrap();
            file.set_modified(SystemTime::now() - age).unwrap();
        };
        aged("new-old", ABANDONED * 2);
        aged("new-recent", ABANDONED / 2);
        aged("whole.json", ABANDONED * 100);
        let from_the_future = fs::File::create(path("new-future")).unwrap();
        let tomorrow = SystemTime::now() + Duration::from_hours(24);
        from_the_future.set_modified(tomorrow).unwrap();
        begin(top.path()).unwrap().persist(path("done")).unwrap();
        let mut left: Vec<_> = fs::read_dir(top.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, ["done", "new-future", "new-recent", "whole.json"]);
    }
}
