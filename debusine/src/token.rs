//! The tokens by which a server knows a worker.

use crate::hashed::Hashed;
use rustix::process::geteuid;
use std::{
    fmt::{self, Write as _},
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::Path,
};
use taskbay_engine::EngineError;

/// The longest token that a server takes, in characters.
const LONGEST: usize = 64;

/// By which a server knows a worker. It is shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Token(String);

impl Token {
    /// A new one, that nobody can guess.
    pub(crate) fn random() -> io::Result<Self> {
        let mut bytes = [0; LONGEST / 2];
        File::open("/dev/urandom")?.read_exact(&mut bytes)?;
        let mut text = String::with_capacity(LONGEST);
        for byte in bytes {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        Ok(Self(text))
    }

    /// What a server or a file says; none where it cannot be one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let is_token = !text.is_empty()
            && text.len() <= LONGEST
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        is_token.then(|| Self(text.to_owned()))
    }

    /// As the server is told it.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Its hash, which is no secret: all that a server keeps of it.
    pub(crate) fn hash(&self) -> String {
        let mut hash = Hashed::new(io::sink());
        // A sink takes all.
        let _ = hash.write_all(self.0.as_bytes());
        hash.sha256()
    }

    /// Reads a file that its owner alone can read; none where there is none.
    ///
    /// # Errors
    ///
    /// When others can read it, it belongs to somebody else, or it holds no token.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, EngineError> {
        let unreadable = |source| EngineError::Content {
            name: path.display().to_string(),
            source,
        };
        let file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(unreadable)?,
        };
        let status = file.metadata().map_err(unreadable)?;
        let shown = path.display();
        let untrusted = |reason: String, remedy: String| EngineError::Exposed {
            file: shown.to_string(),
            reason,
            remedy,
        };
        if status.mode() & 0o077 != 0 {
            let reason = format!(
                "others can read it (its mode is {:o})",
                status.mode() & 0o777
            );
            return Err(untrusted(reason, format!("chmod 600 {shown}")));
        }
        let user = geteuid().as_raw();
        if status.uid() != user && status.uid() != 0 {
            let reason = format!("it belongs to user {}", status.uid());
            return Err(untrusted(reason, format!("chown {user} {shown}")));
        }
        let mut text = String::new();
        file.take(4096)
            .read_to_string(&mut text)
            .map_err(unreadable)?;
        Self::parse(&text).map(Some).ok_or_else(|| {
            let reason = format!("{shown} holds none: 1 to {LONGEST} letters and digits");
            EngineError::Invalid {
                what: "token",
                reason,
            }
        })
    }

    /// Writes it into a new file that its owner alone can read.
    pub(crate) fn write(&self, path: &Path) -> io::Result<()> {
        let _ = fs::remove_file(path);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        file.write_all(self.0.as_bytes())?;
        file.sync_all()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_token_is_written_for_its_owner_alone() {
        let top = tempfile::tempdir().unwrap();
        let path = top.path().join("token");
        assert_eq!(Token::read(&path).unwrap(), None);
        let token = Token::random().unwrap();
        assert_eq!(token.as_str().len(), 64);
        assert_ne!(token, Token::random().unwrap());
        token.write(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(Token::read(&path).unwrap(), Some(token.clone()));
        assert!(!format!("{token:?}").contains(token.as_str()));
    }

    #[test]
    fn a_token_that_others_can_read_is_refused() {
        let top = tempfile::tempdir().unwrap();
        let path = top.path().join("token");
        Token::random().unwrap().write(&path).unwrap();
        for mode in [0o640, 0o604, 0o610] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = Token::read(&path).unwrap_err();
            assert!(error.to_string().contains("others can read it"), "{error}");
            assert!(error.help().unwrap().contains("chmod 600"));
        }
    }

    #[test]
    fn what_is_no_token_is_none() {
        for text in ["", "\n", "a b", "a/b", &"a".repeat(65)] {
            assert_eq!(Token::parse(text), None, "{text}");
        }
        assert_eq!(Token::parse("ab1\n").unwrap().as_str(), "ab1");
    }
}
