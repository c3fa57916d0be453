//! What tells the bytes of one file from those of another.

use sha2::{Digest, Sha256};
use std::{
    fmt::Write,
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

/// The SHA-256 of a file, in hexadecimal digits.
///
/// # Errors
///
/// When it cannot be read.
pub fn sha256(file: &Path) -> io::Result<String> {
    sha256_of(File::open(file)?)
}

/// The SHA-256 of what is still to be read, in hexadecimal digits.
///
/// # Errors
///
/// When it cannot be read.
pub fn sha256_of(bytes: impl Read) -> io::Result<String> {
    let mut digest = Sha256::new();
    let mut bytes = BufReader::new(bytes);
    loop {
        let chunk = bytes.fill_buf()?;
        if chunk.is_empty() {
            break;
        }
        digest.update(chunk);
        let read = chunk.len();
        bytes.consume(read);
    }
    let mut text = String::new();
    for byte in digest.finalize() {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_one_of_the_standard() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "abc").unwrap();
        assert_eq!(
            sha256(file.path()).unwrap(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
