//! Which server a worker works for, and where it keeps what is its own.

use crate::{
    config_ini::{self, ConfigIni},
    fault::Fault,
    record::{Shelf, make_folder},
    server_url::ServerUrl,
};
use rustix::fs::{FlockOperation, flock};
use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};
use taskbay_engine::EngineError;

/// Where Debusine's own worker of the machine has its configuration.
const OF_MACHINE: &str = "/etc/debusine/worker";
/// Where that of a user has it, in their folder.
const OF_USER: &str = ".config/debusine/worker";

/// Which server a worker works for, and where it keeps what is its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workplace {
    url: ServerUrl,
    /// Where the tokens are.
    tokens: PathBuf,
    /// Where results are kept.
    state: PathBuf,
}

/// What a workplace is found by.
#[derive(Clone, Debug, Default)]
pub struct Finding {
    /// The user's folder.
    pub home: Option<PathBuf>,
    /// Where a program may keep what it has.
    pub state: PathBuf,
    /// The folder with the tokens, where somebody said so.
    pub tokens: Option<PathBuf>,
    /// Whether a server elsewhere may be spoken to in plain text.
    pub allow_http: bool,
}

/// Whether a URL names a Debusine server as the engine.
pub fn is_debusine(url: &str) -> bool {
    url == "debusine" || url.starts_with("debusine:") || url.starts_with("debusine+")
}

impl Workplace {
    /// The workplace that a URL names:
    ///
    /// - `debusine+https://host/api`: that server. Where Debusine's own worker is configured for the same server
    ///   (`~/.config/debusine/worker`, `/etc/debusine/worker`), its token is used, and so its place taken; else tokens are
    ///   kept in `state`.
    /// - `debusine:`: the server for which Debusine's own worker is configured.
    /// - `debusine:/folder`: that for which it is configured in that folder.
    ///
    /// # Errors
    ///
    /// When it names none, or a configuration cannot be read.
    pub fn find(url: &str, finding: &Finding) -> Result<Self, EngineError> {
        let (url, configured) = match url
            .strip_prefix("debusine")
            .map(|rest| rest.trim_start_matches(':'))
        {
            Some(rest) if !rest.starts_with('+') => {
                let folder = rest.strip_prefix("//").unwrap_or(rest);
                let (folder, config) = configuration(folder, finding)?;
                let url = ServerUrl::parse(&config.api_url, finding.allow_http)?;
                (url, Some(folder))
            }
            _ => {
                let url = ServerUrl::parse(url, finding.allow_http)?;
                let configured = folders(finding).find(|folder| is_about(folder, &url, finding));
                (url, configured)
            }
        };
        let state = finding.state.join("debusine").join(url.slug());
        let tokens = finding.tokens.clone().or(configured);
        Ok(Self {
            tokens: tokens.unwrap_or_else(|| state.clone()),
            url,
            state,
        })
    }

    /// The server.
    pub fn url(&self) -> &ServerUrl {
        &self.url
    }

    /// The file with the token of the seat of that number: the first has that of Debusine's own worker.
    pub(crate) fn token_file(&self, number: usize) -> PathBuf {
        self.tokens.join(numbered("token", number))
    }

    /// The file with the token that enables the seat of that number.
    pub(crate) fn activation_file(&self, number: usize) -> PathBuf {
        self.tokens.join(numbered("activation-token", number))
    }

    /// Where the seat of that number keeps what it executes.
    pub(crate) fn shelf(&self, number: usize) -> Result<Shelf, Fault> {
        Shelf::at(self.state.join(numbered("seat", number)))
    }

    /// Makes the folder with the tokens.
    pub(crate) fn make_folder(&self) -> Result<(), Fault> {
        make_folder(&self.tokens).map_err(|error| Fault::local(&self.tokens, error))
    }

    /// Makes this process the worker, as long as the file is held.
    pub(crate) fn lock(&self) -> Result<File, EngineError> {
        make_folder(&self.state).map_err(|error| Fault::local(&self.state, error))?;
        let path = self.state.join("lock");
        let mut options = OpenOptions::new();
        let file = options
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path);
        locked(file, &path)
    }

    /// The same for the token of a seat, which processes with different folders may share: a server takes the request of one
    /// away when the other asks for work.
    pub(crate) fn lock_token(&self, number: usize) -> Result<File, EngineError> {
        let path = self.token_file(number);
        locked(File::open(&path), &path)
    }
}

fn locked(file: io::Result<File>, path: &Path) -> Result<File, EngineError> {
    let file = file.map_err(|error| Fault::local(path, error))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(_) => Err(EngineError::Refused {
            reason: format!(
                "another process is this worker already: it holds {}",
                path.display()
            ),
        }),
    }
}

fn numbered(name: &str, number: usize) -> String {
    match number {
        1 => name.to_owned(),
        number => format!("{name}-{number}"),
    }
}

/// The folders in which Debusine's own worker looks for its configuration, in this order.
fn folders(finding: &Finding) -> impl Iterator<Item = PathBuf> {
    let of_user = finding.home.as_ref().map(|home| home.join(OF_USER));
    of_user.into_iter().chain([PathBuf::from(OF_MACHINE)])
}

/// The configuration in that folder, or in the first that has one.
fn configuration(folder: &str, finding: &Finding) -> Result<(PathBuf, ConfigIni), EngineError> {
    let looked: Vec<_> = match folder {
        "" => folders(finding).collect(),
        folder => vec![PathBuf::from(folder)],
    };
    for folder in &looked {
        if let Some(config) = ConfigIni::read(folder)? {
            note_unused(folder, &config);
            return Ok((folder.clone(), config));
        }
    }
    let looked: Vec<_> = looked
        .iter()
        .map(|folder| folder.display().to_string())
        .collect();
    Err(EngineError::Invalid {
        what: "address `debusine:`",
        reason: format!(
            "there is no {} in {}; write `debusine+https://host/api`",
            config_ini::FILE,
            looked.join(" or ")
        ),
    })
}

fn note_unused(folder: &Path, config: &ConfigIni) {
    if !config.unused.is_empty() {
        log::info!(
            "{}: {} does not count here; what is logged goes to standard error",
            folder.join(config_ini::FILE).display(),
            config.unused.join(", ")
        );
    }
}

/// Whether Debusine's own worker is configured there for that server. What cannot be read is not.
fn is_about(folder: &Path, url: &ServerUrl, finding: &Finding) -> bool {
    let config = match ConfigIni::read(folder) {
        Ok(config) => config,
        Err(error) => {
            log::warn!("{}", taskbay_core::with_sources(&error));
            None
        }
    };
    config.is_some_and(|config| {
        let theirs = ServerUrl::parse(&config.api_url, finding.allow_http);
        theirs.is_ok_and(|theirs| theirs == *url)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn finding(top: &Path) -> Finding {
        Finding {
            home: Some(top.join("home")),
            state: top.join("state"),
            tokens: None,
            allow_http: false,
        }
    }

    #[test]
    fn debusines_own_worker_is_replaced_in_place() {
        let top = tempfile::tempdir().unwrap();
        let finding = finding(top.path());
        let folder = top.path().join("home").join(OF_USER);
        let find = |url: &str| Workplace::find(url, &finding);
        let before = find("debusine+http://localhost:1/api").unwrap();
        let state = top.path().join("state/debusine/localhost-1-api");
        assert_eq!(before.token_file(1), state.join("token"));
        assert!(find("debusine:").is_err() || Path::new(OF_MACHINE).exists());
        fs::create_dir_all(&folder).unwrap();
        let config = "[General]\napi-url = http://localhost:1/api\n";
        fs::write(folder.join(config_ini::FILE), config).unwrap();
        let named = format!("debusine:{}", folder.display());
        for url in [
            "debusine+http://localhost:1/api/",
            "debusine:",
            "debusine",
            &named,
        ] {
            let found = find(url).unwrap();
            assert_eq!(found.token_file(1), folder.join("token"), "{url}");
            assert_eq!(found.token_file(2), folder.join("token-2"));
            assert_eq!(found.activation_file(1), folder.join("activation-token"));
            assert_eq!(found.url().to_string(), "debusine+http://localhost:1/api");
        }
        let other = find("debusine+http://localhost:2/api").unwrap();
        assert!(other.token_file(1).starts_with(top.path().join("state")));
    }

    #[test]
    fn one_process_is_a_worker() {
        let top = tempfile::tempdir().unwrap();
        let workplace = Workplace::find("debusine+http://[::1]/api", &finding(top.path())).unwrap();
        let lock = workplace.lock().unwrap();
        let error = workplace.lock().unwrap_err().to_string();
        assert!(error.contains("another process"), "{error}");
        drop(lock);
        workplace.lock().unwrap();
    }

    #[test]
    fn one_process_uses_a_token() {
        let top = tempfile::tempdir().unwrap();
        let [one, other] = ["one", "other"].map(|state| {
            let mut finding = finding(top.path());
            finding.state = top.path().join(state);
            finding.tokens = Some(top.path().join("tokens"));
            Workplace::find("debusine+http://localhost:1/api", &finding).unwrap()
        });
        fs::create_dir(top.path().join("tokens")).unwrap();
        fs::write(one.token_file(1), "secret").unwrap();
        let _lock = (one.lock().unwrap(), one.lock_token(1).unwrap());
        other.lock().unwrap();
        let error = other.lock_token(1).unwrap_err().to_string();
        assert!(error.contains("another process"), "{error}");
    }

    #[test]
    fn engines_are_told_apart() {
        for url in [
            "debusine:",
            "debusine",
            "debusine+https://h/api",
            "debusine+http://x",
            "debusine:/etc",
        ] {
            assert!(is_debusine(url), "{url}");
        }
        assert!(!is_debusine("sqlite:///debusine") && !is_debusine("debusined"));
    }
}
