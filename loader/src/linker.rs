//! Where the dynamic linker looks for libraries (`ld.so(8)`).

use std::{env, fs, path::PathBuf};

/// What the linker says when a library is not there.
const NOT_FOUND: &str = ": cannot open shared object file: No such file or directory";

/// The library that a message of the linker says is missing.
pub(crate) fn missing_library(message: &str) -> Option<&str> {
    let (before, _) = message.split_once(NOT_FOUND)?;
    Some(before.rsplit(": ").next().unwrap_or(before))
}

/// Whether a library of that name lies where the linker looks. Its cache is not read, nor a plugin's own run path: what
/// lies nowhere else is found only once the plugin's record is cleared.
pub(crate) fn can_find(library: &str) -> bool {
    find(library).is_some()
}

/// Where it lies.
pub(crate) fn find(library: &str) -> Option<PathBuf> {
    if library.contains('/') {
        return Some(PathBuf::from(library)).filter(|path| path.exists());
    }
    let mut paths = directories().into_iter().map(|each| each.join(library));
    paths.find(|path| path.exists())
}

/// What the linker puts in for `$LIB` in a run path: `lib/x86_64-linux-gnu`, `lib64` or the like, as wherever the C library
/// lies. None where it lies in no such place.
pub(crate) fn library_directory() -> Option<String> {
    let library = find("libc.so.6")?;
    let directory = library.parent()?;
    let named = directory
        .strip_prefix("/usr")
        .or_else(|_| directory.strip_prefix("/"));
    let named = named.ok()?.to_str()?.trim_start_matches('/');
    named.starts_with("lib").then(|| named.to_owned())
}

fn directories() -> Vec<PathBuf> {
    let named = env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
    let mut directories: Vec<PathBuf> = env::split_paths(&named)
        .filter(|path| path.is_absolute())
        .collect();
    let standard = ["/lib", "/usr/lib", "/lib64", "/usr/lib64"];
    directories.extend(standard.iter().map(PathBuf::from));
    let mut files = vec![PathBuf::from("/etc/ld.so.conf")];
    let more = fs::read_dir("/etc/ld.so.conf.d").into_iter().flatten();
    files.extend(more.filter_map(|entry| Some(entry.ok()?.path())));
    for file in files {
        let text = fs::read_to_string(file).unwrap_or_default();
        let lines = text.lines().map(str::trim);
        directories.extend(
            lines
                .filter(|line| line.starts_with('/'))
                .map(PathBuf::from),
        );
    }
    directories
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_library_that_is_missing() {
        let message = "libgone.so.1: cannot open shared object file: No such file or directory";
        assert_eq!(missing_library(message), Some("libgone.so.1"));
        assert_eq!(missing_library("undefined symbol: gone"), None);
    }

    #[test]
    fn finds_what_is_there() {
        assert!(can_find("libc.so.6"));
        assert!(!can_find("libtaskbay-gone.so.1"));
    }
}
