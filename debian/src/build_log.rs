//! The artifact of a build log that somebody has.

use crate::{RegularFileError, open};
use serde_json::{Map, Value};
use std::{io::Read, path::Path};
use taskbay_core::Artifact;

/// How much of a log is looked at: more than stands above what is looked for, in bytes.
const LIMIT: u64 = 16 << 20;
/// What dpkg-buildpackage says of what it builds, whoever calls it.
const SOURCE: &str = "dpkg-buildpackage: info: source package ";
const VERSION: &str = "dpkg-buildpackage: info: source version ";

/// The artifact `debian:package-build-log` of a `.build` file, with what it says that was built, or else what its name says.
///
/// # Errors
///
/// When it is no regular file, or cannot be read.
pub(crate) fn build_log(file: &Path) -> Result<Artifact, RegularFileError> {
    let mut start = Vec::new();
    let read = open(file)?.take(LIMIT).read_to_end(&mut start);
    read.map_err(|error| RegularFileError::Read {
        path: file.to_owned(),
        error,
    })?;
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let data = data(&name, &String::from_utf8_lossy(&start));
    Ok(Artifact::new(
        "debian:package-build-log",
        data,
        vec![file.to_owned()],
    ))
}

fn data(name: &str, log: &str) -> Value {
    let said = |what: &str| log.lines().find_map(|line| line.strip_prefix(what));
    // As sbuild and debuild name it: HELLO_1.0-1_ARCHITECTURE.build.
    let mut words = name.split('_');
    let named = match (words.next(), words.next(), words.next()) {
        (Some(source), Some(version), Some(_)) => [Some(source), Some(version)],
        _ => [None, None],
    };
    let known = [
        ("source", said(SOURCE).or(named[0])),
        ("version", said(VERSION).or(named[1])),
        ("filename", Some(name)),
    ];
    let known = known.into_iter().filter_map(|(key, value)| {
        let value = value?.trim();
        Some((key.to_owned(), value.into()))
    });
    Value::Object(known.collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_log_or_its_name_says_what_was_built() {
        let log = "x\n\
            dpkg-buildpackage: info: source package hello\n\
            dpkg-buildpackage: info: source version 1:1.0-1\n\
            dpkg-buildpackage: info: source package other\n";
        for (name, log, source, version) in [
            ("x.build", log, json!("hello"), json!("1:1.0-1")),
            (
                "hello_1.0-1_amd64.build",
                log,
                json!("hello"),
                json!("1:1.0-1"),
            ),
            (
                "hello_1.0-1_amd64.build",
                "x\n",
                json!("hello"),
                json!("1.0-1"),
            ),
            ("hello.build", "", Value::Null, Value::Null),
        ] {
            let data = data(name, log);
            assert_eq!(data["filename"], name);
            assert_eq!([&data["source"], &data["version"]], [&source, &version]);
        }
    }
}
