//! Debusine's own configuration of a worker.

use std::{fs, io, path::Path};
use taskbay_engine::EngineError;

/// The file's name in its folder.
pub(crate) const FILE: &str = "config.ini";
/// The longest file that is read, in bytes.
const LONGEST: usize = 64 << 10;

/// What `config.ini` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ConfigIni {
    /// The address of the server's API.
    pub(crate) api_url: String,
    /// What is there that a worker here does otherwise.
    pub(crate) unused: Vec<String>,
}

impl ConfigIni {
    /// Reads that folder's; none where it has none.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or does not name a server.
    pub(crate) fn read(folder: &Path) -> Result<Option<Self>, EngineError> {
        let file = folder.join(FILE);
        let unreadable = |source| EngineError::Content {
            name: file.display().to_string(),
            source,
        };
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => return Err(unreadable(error)),
        };
        let parsed = Self::parse(&text);
        parsed.map(Some).map_err(|reason| EngineError::Invalid {
            what: "configuration of Debusine's worker",
            reason: format!("{}: {reason}", file.display()),
        })
    }

    /// Reads the text: sections in brackets, `key = value` or `key: value`, comments after `#` or `;` at the start of a line.
    fn parse(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("it is longer than {LONGEST} bytes"));
        }
        let mut config = Self::default();
        let mut section = String::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            if let Some(name) = line
                .strip_prefix('[')
                .and_then(|rest| rest.strip_suffix(']'))
            {
                name.clone_into(&mut section);
                continue;
            }
            let (key, value) = line
                .split_once(['=', ':'])
                .ok_or_else(|| format!("line {} is no `key = value`", number + 1))?;
            let (key, value) = (key.trim().to_ascii_lowercase(), value.trim());
            match (section.as_str(), key.as_str()) {
                ("General", "api-url") => value.clone_into(&mut config.api_url),
                ("General", key) => config.unused.push(key.to_owned()),
                (section, key) => config.unused.push(format!("{key} in [{section}]")),
            }
        }
        if config.api_url.is_empty() {
            return Err("it has no `api-url` in `[General]`".to_owned());
        }
        Ok(config)
    }
}

/// Whether there is no such file, or none that this user can know of.
fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_found_in_what_debusine_reads() {
        let text = "\
# Of the worker
[General]
api-url = https://debusine.example/api
log-file = /var/log/debusine/worker/worker.log
Log-Level: INFO

[Environment]
X = y
";
        let config = ConfigIni::parse(text).unwrap();
        assert_eq!(config.api_url, "https://debusine.example/api");
        assert_eq!(
            config.unused,
            ["log-file", "log-level", "x in [Environment]"]
        );
    }

    #[test]
    fn what_names_no_server_is_refused() {
        for (text, words) in [
            ("", "no `api-url`"),
            ("api-url = https://h/api", "no `api-url`"),
            ("[Other]\napi-url = https://h/api", "no `api-url`"),
            ("[General]\nnonsense", "line 2"),
        ] {
            assert!(
                ConfigIni::parse(text).unwrap_err().contains(words),
                "{text}"
            );
        }
        let long = format!("[General]\napi-url = {}", "x".repeat(LONGEST));
        assert!(ConfigIni::parse(&long).is_err());
    }

    #[test]
    fn a_folder_may_have_none() {
        let top = tempfile::tempdir().unwrap();
        assert_eq!(ConfigIni::read(top.path()).unwrap(), None);
        assert_eq!(ConfigIni::read(&top.path().join("no")).unwrap(), None);
        fs::write(
            top.path().join(FILE),
            "[General]\napi-url=http://localhost/api",
        )
        .unwrap();
        let config = ConfigIni::read(top.path()).unwrap().unwrap();
        assert_eq!(config.api_url, "http://localhost/api");
    }
}
