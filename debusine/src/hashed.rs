//! Content that is hashed on its way.

use sha2::{Digest as _, Sha256};
use std::{
    fmt::Write as _,
    io::{self, Read, Write},
};

/// Content that is hashed on its way.
#[derive(Debug)]
pub(crate) struct Hashed<T> {
    inner: T,
    hash: Sha256,
    size: u64,
}

impl<T> Hashed<T> {
    pub(crate) fn new(inner: T) -> Self {
        Self {
            inner,
            hash: Sha256::new(),
            size: 0,
        }
    }

    /// How many bytes went by.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// The hash of what went by, in hexadecimal.
    pub(crate) fn sha256(&self) -> String {
        let bytes = self.hash.clone().finalize();
        bytes
            .iter()
            .fold(String::with_capacity(64), |mut text, byte| {
                // Writing to a String cannot fail.
                let _ = write!(text, "{byte:02x}");
                text
            })
    }

    fn passes(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.size += bytes.len() as u64;
    }
}

impl<T: Write> Hashed<T> {
    pub(crate) fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.inner.write_all(bytes)?;
        self.passes(bytes);
        Ok(())
    }
}

impl<T: Read> Hashed<T> {
    /// Reads it to its end.
    pub(crate) fn read_to_end(&mut self) -> io::Result<()> {
        let mut buffer = vec![0; 64 << 10];
        loop {
            match self.inner.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => self.passes(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_known_hash_of_abc() {
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let mut read = Hashed::new(&b"abc"[..]);
        read.read_to_end().unwrap();
        assert_eq!((read.size(), read.sha256().as_str()), (3, known));
        let mut written = Hashed::new(Vec::new());
        written.write_all(b"a").unwrap();
        written.write_all(b"bc").unwrap();
        assert_eq!(written.sha256(), known);
    }
}
