//! Files that commands and packages wrote, read with no more memory than they are worth.

use crate::{open, regular_file::read_at_most};
use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
};
use taskbay_plugin_api::TaskError;

/// A longer line comes in pieces.
const LONGEST_LINE: u64 = 64 << 10;

/// Reads a text of at most `limit` bytes, which no link leads to. What is no text in it is replaced.
///
/// # Errors
///
/// When it is longer, no regular file, or cannot be read; the error names it.
pub fn read_bounded(file: &Path, limit: u64) -> Result<String, TaskError> {
    let bytes = read_at_most(file, limit).map_err(|error| TaskError::new(error.to_string()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Gives each line of a file to `hear`, however long the file is.
///
/// # Errors
///
/// When it is no regular file, or cannot be read; the error names it.
pub fn each_line(file: &Path, mut hear: impl FnMut(&str)) -> Result<(), TaskError> {
    let mut reader = BufReader::new(opened(file)?);
    let mut line = Vec::new();
    loop {
        line.clear();
        let mut piece = reader.by_ref().take(LONGEST_LINE);
        let read = piece.read_until(b'\n', &mut line);
        if read.map_err(|error| unreadable(file, &error))? == 0 {
            return Ok(());
        }
        hear(String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']));
    }
}

fn opened(file: &Path) -> Result<std::fs::File, TaskError> {
    open(file).map_err(|error| TaskError::new(error.to_string()))
}

fn unreadable(file: &Path, error: &std::io::Error) -> TaskError {
    TaskError::new(format!("cannot read {}: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, path::PathBuf};

    fn message<T>(result: Result<T, TaskError>) -> String {
        result.err().map(|error| error.message()).unwrap()
    }

    #[test]
    fn what_is_too_long_or_not_there_is_an_error_that_names_it() {
        let top = tempfile::tempdir().unwrap();
        let file = top.path().join("said");
        fs::write(&file, b"12\xff4").unwrap();
        assert_eq!(read_bounded(&file, 4).unwrap(), "12\u{fffd}4");
        let long = message(read_bounded(&file, 3));
        assert!(
            long.contains("said") && long.contains("more than the 3 bytes"),
            "{long}"
        );
        // It never ends.
        let device = message(read_bounded(Path::new("/dev/zero"), 3));
        assert!(device.starts_with("/dev/zero is a device"), "{device}");
        let missing: PathBuf = top.path().join("none");
        for message in [
            message(read_bounded(&missing, 3)),
            message(each_line(&missing, |_| {})),
        ] {
            assert!(message.contains(missing.to_str().unwrap()), "{message}");
        }
    }

    #[test]
    fn a_line_that_does_not_end_comes_in_pieces() {
        let top = tempfile::tempdir().unwrap();
        let file = top.path().join("log");
        let endless = "x".repeat(3 * usize::try_from(LONGEST_LINE).unwrap());
        fs::write(&file, format!("a\r\n\n{endless}\nStatus: b")).unwrap();
        let mut lines = Vec::new();
        each_line(&file, |line| lines.push(line.to_owned())).unwrap();
        let longest = lines.iter().map(String::len).max().unwrap();
        assert_eq!(longest as u64, LONGEST_LINE);
        assert_eq!(lines.concat(), format!("a{endless}Status: b"));
        assert_eq!(
            [&lines[0], &lines[1], &lines[lines.len() - 1]],
            ["a", "", "Status: b"]
        );
    }
}
