//! The engine that a command meets, and what its failures mean.

use crate::{error::CommandError, exit::Exit, report::note, session::Session};
use rustix::process::geteuid;
use std::{
    env,
    error::Error,
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt,
    path::PathBuf,
    sync::{
        Arc,
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::Duration,
};
use taskbay_core::with_sources;
use taskbay_engine::{Engine, EngineError, has_password};
use taskbay_service::{Config, ConfigError, Exposed};

/// The settings of this machine and user. Of a password that others can read it is warned.
pub(crate) fn config() -> Result<Config, CommandError> {
    let config = Config::read().map_err(|error: ConfigError| {
        CommandError::new(Exit::Unavailable, error.to_string()).help(error.help())
    })?;
    for Exposed { file, group } in &config.exposed {
        let file = file.display();
        note(&match group {
            None => format!(
                "warning: every user of this machine can read the engine's password in {file}; `chmod 640 {file}` helps"
            ),
            Some(group) => format!(
                "warning: everybody in the group {group} can read the engine's password in {file}; `chmod 600 {file}` helps"
            ),
        });
    }
    Ok(config)
}

/// The engine that the command line names, or the settings do; else a file of this user.
pub(crate) fn open(session: &Session, config: &Config) -> Result<Arc<dyn Engine>, CommandError> {
    let url = url(session, config)?;
    let opened = unless_told(session, move || taskbay_engine::open(&url))?;
    Ok(opened.ok_or_else(told)??)
}

/// That nobody waits for an engine's answer any more.
pub(crate) fn told() -> CommandError {
    CommandError::new(Exit::Stopped, "told to end before the engine answered")
}

/// What an engine answers, or none where this process is told to end before that: a server may leave it waiting for long.
pub(crate) fn unless_told<T: Send + 'static>(
    session: &Session,
    ask: impl FnOnce() -> T + Send + 'static,
) -> Result<Option<T>, CommandError> {
    const LOOK: Duration = Duration::from_millis(20);
    let (answer, answered) = mpsc::sync_channel(1);
    let ask = move || {
        // Nobody may be there for it any more.
        let _ = answer.send(ask());
    };
    let thread = thread::Builder::new().name("engine".into()).spawn(ask);
    thread.map_err(|error| {
        CommandError::new(Exit::Unavailable, "a thread cannot be started").cause(&error)
    })?;
    loop {
        match answered.recv_timeout(LOOK) {
            Ok(answer) => return Ok(Some(answer)),
            Err(RecvTimeoutError::Timeout) if !session.abort.is_set() => {}
            Err(RecvTimeoutError::Timeout) => return Ok(None),
            // The panic itself is told by its thread.
            Err(RecvTimeoutError::Disconnected) => {
                return Err(CommandError::new(
                    Exit::Crashed,
                    "what asked the engine has panicked; report it",
                ));
            }
        }
    }
}

/// The same for what runs for long, which waits for an engine that is away.
pub(crate) fn open_in_time(
    session: &Session,
    config: &Config,
) -> Result<Arc<dyn Engine>, CommandError> {
    let url = url(session, config)?;
    in_time(|| taskbay_engine::open(&url))
}

/// Opens an engine, again and again while it is away for a while.
pub(crate) fn in_time<T>(open: impl Fn() -> Result<T, EngineError>) -> Result<T, CommandError> {
    const LONGEST: Duration = Duration::from_secs(10);
    let mut pause = Duration::from_secs(1);
    loop {
        match open() {
            Err(error) if error.is_temporary() => {
                note(&format!("warning: {}; trying again", with_sources(&error)));
            }
            opened => return Ok(opened?),
        }
        thread::sleep(pause);
        pause = (pause * 2).min(LONGEST);
    }
}

/// Asks an engine, again and again while it is away for a while, which is told once. Whoever is told to end waits no more.
pub(crate) fn patiently<T>(
    session: &Session,
    mut ask: impl FnMut() -> Result<T, EngineError>,
) -> Result<T, CommandError> {
    const PAUSE: Duration = Duration::from_millis(500);
    let mut is_told = false;
    loop {
        match ask() {
            Err(error) if error.is_temporary() && !session.abort.is_set() => {
                if !is_told {
                    note(&format!("warning: {}; trying again", with_sources(&error)));
                }
                is_told = true;
            }
            answered => return Ok(answered?),
        }
        thread::sleep(PAUSE);
    }
}

/// The URL of the engine that the command line names, or the settings do.
pub(crate) fn url(session: &Session, config: &Config) -> Result<String, CommandError> {
    let url = match &session.global.engine {
        Some(url) if has_password(url) => {
            let message = "`--engine` has a password, which everybody on this machine could read";
            return Err(CommandError::new(Exit::Usage, message).help(
                "give it as TASKBAY_ENGINE, in a configuration file that only its readers can read, or in ~/.pgpass",
            ));
        }
        Some(url) => url.clone(),
        None => match &config.engine {
            Some(url) => url.clone(),
            None => default_url(|name| env::var_os(name), geteuid().is_root())?,
        },
    };
    Ok(url)
}

/// A database file: that of the machine for root, else of the user.
fn default_url(
    variable: impl Fn(&str) -> Option<OsString>,
    is_root: bool,
) -> Result<String, CommandError> {
    let directory = state_directory(variable, is_root)?;
    Ok(format!(
        "sqlite://{}",
        directory.join("taskbay.db").display()
    ))
}

/// Where this program keeps what it has: a folder of the machine for root, else of the user.
pub(crate) fn state_directory(
    variable: impl Fn(&str) -> Option<OsString>,
    is_root: bool,
) -> Result<PathBuf, CommandError> {
    let variable = |name| variable(name).filter(|value| !value.is_empty());
    if let Some(state) = variable("STATE_DIRECTORY") {
        // Of the service that this is; of several folders the first.
        let first = state.as_bytes().split(|byte| *byte == b':').next();
        return Ok(PathBuf::from(OsStr::from_bytes(first.unwrap_or_default())));
    }
    if is_root {
        return Ok(PathBuf::from("/var/lib/taskbay"));
    }
    let data = variable("XDG_DATA_HOME").map(PathBuf::from);
    let of_home = || variable("HOME").map(|home| PathBuf::from(home).join(".local/share"));
    // No folder that everybody can write to: whoever came first would decide what is executed.
    let data = data.or_else(of_home).ok_or_else(|| {
        let message = "it is not known where requests wait: this user has no HOME";
        CommandError::new(Exit::Unavailable, message)
            .help("set HOME, or name the engine: `--engine`, TASKBAY_ENGINE, or `engine` in the configuration")
    })?;
    Ok(data.join("taskbay"))
}

impl From<EngineError> for CommandError {
    fn from(error: EngineError) -> Self {
        let exit = match &error {
            EngineError::UnknownScheme { .. } | EngineError::BadUrl { .. } => Exit::Usage,
            EngineError::NotFound { .. } => Exit::Unknown,
            EngineError::WrongState { .. }
            | EngineError::Busy { .. }
            | EngineError::TooLarge { .. }
            | EngineError::Invalid { .. }
            | EngineError::Stale { .. } => Exit::No,
            _ => Exit::Unavailable,
        };
        let mut failed = Self::new(exit, error.to_string());
        if let Some(source) = error.source() {
            failed = failed.cause(&with_sources(source));
        }
        match error.help() {
            Some(help) => failed.help(help),
            None => failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Not even where nothing says where: whoever came first would decide what is executed.
    #[test]
    fn requests_wait_where_others_cannot_write() {
        let url = |set: &[(&str, &str)], is_root| {
            let variable = |name: &str| {
                let found = set.iter().find(|(set, _)| *set == name);
                found.map(|(_, value)| OsString::from(value))
            };
            default_url(variable, is_root)
        };
        let of_home = url(&[("HOME", "/home/u"), ("XDG_DATA_HOME", "")], false);
        assert_eq!(
            of_home.unwrap(),
            "sqlite:///home/u/.local/share/taskbay/taskbay.db"
        );
        assert_eq!(
            url(&[], true).unwrap(),
            "sqlite:///var/lib/taskbay/taskbay.db"
        );
        let service = [
            ("STATE_DIRECTORY", "/var/lib/private/taskbay"),
            ("HOME", "/"),
        ];
        assert_eq!(
            url(&service, false).unwrap(),
            "sqlite:///var/lib/private/taskbay/taskbay.db"
        );
        let homeless = url(&[("HOME", ""), ("TMPDIR", "/tmp")], false).unwrap_err();
        assert!(homeless.message.contains("no HOME"));
        assert!(homeless.help.is_some());
    }

    #[test]
    fn of_several_folders_the_first_is_the_services() {
        let url = |state: &str| {
            let variable = |name: &str| (name == "STATE_DIRECTORY").then(|| state.into());
            default_url(variable, true).unwrap()
        };
        assert_eq!(url("/var/lib/a"), "sqlite:///var/lib/a/taskbay.db");
        assert_eq!(url("/var/lib/a:/var/lib/b"), url("/var/lib/a"));
    }
}
