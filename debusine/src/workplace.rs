//! Which server a worker works for, and where it keeps what is its own.

use crate::{
    config_ini::{self, ConfigIni},
    fault::Fault,
    record::{Shelf, make_folder},
    server_url::ServerUrl,
};
use rustix::{
    fs::{Access, FlockOperation, access, flock},
    io::Errno,
};
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

    /// The file with the token of the seat of that number: the first has that of Debusine's own worker. Those that cannot be kept
    /// beside it are kept with the results.
    pub(crate) fn token_file(&self, number: usize) -> PathBuf {
        let name = numbered("token", number);
        let (beside, with_results) = (self.tokens.join(&name), self.state.join(name));
        let has_room =
            || !with_results.exists() && may_hold_more(access(&self.tokens, Access::WRITE_OK));
        // One that there is stays where it is, whatever may be written to by now.
        if beside.exists() || has_room() {
            return beside;
        }
        with_results
    }

    /// The file with the token that enables the seat of that number.
    pub(crate) fn activation_file(&self, number: usize) -> PathBuf {
        self.tokens.join(numbered("activation-token", number))
    }

    /// Where the seat of that number keeps what it executes.
    pub(crate) fn shelf(&self, number: usize) -> Result<Shelf, Fault> {
        Shelf::at(self.state.join(numbered("seat", number)))
    }

    /// Makes the folder with that file.
    pub(crate) fn make_folder_of(file: &Path) -> Result<(), Fault> {
        let folder = file.parent().unwrap_or(file);
        make_folder(folder).map_err(|error| Fault::local(folder, error))
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

/// Whether a folder takes new files, as far as its rights tell. One that is not there yet is made.
fn may_hold_more(asked: Result<(), Errno>) -> bool {
    !matches!(asked, Err(Errno::ACCESS | Errno::ROFS))
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
mod tests;
