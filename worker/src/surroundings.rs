//! What a plugin host finds around it, where that is not what its parent has.

use log::LevelFilter;
use std::{ffi::OsString, path::PathBuf, process::Command};
use taskbay_loader::{CACHE_VARIABLE, Store, cache_directory};

/// Environment variables that no plugin host gets, nor what tasks start: they are its parent's alone.
const WITHHELD: [&str; 7] = [
    // How to get into the engine.
    "TASKBAY_ENGINE",
    "TASKBAY_DEBUSINE_TOKEN",
    "PGPASSWORD",
    "PGPASSFILE",
    // How to speak to a service manager in its parent's name.
    "NOTIFY_SOCKET",
    "WATCHDOG_USEC",
    "WATCHDOG_PID",
];

/// What a plugin host finds around it, where that is not what its parent has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// Environment variables that are set; those without a value are removed.
    pub environment: Vec<(OsString, Option<OsString>)>,
    /// Where its private copies of plugins are; in this user's [cache directory](cache_directory) where nothing is said.
    pub cache: Option<PathBuf>,
    /// The directory that it starts in; the root directory where none is said.
    pub directory: Option<PathBuf>,
    /// Which log records it sends; those that this process logs where none is said.
    pub level: Option<LevelFilter>,
}

impl Surroundings {
    pub(crate) fn level(&self) -> LevelFilter {
        self.level.unwrap_or(log::max_level())
    }

    /// The private copies that it loads.
    pub(crate) fn store(&self) -> Store {
        Store::in_cache(self.cache())
    }

    fn cache(&self) -> PathBuf {
        self.cache.clone().unwrap_or_else(cache_directory)
    }

    pub(crate) fn apply(&self, command: &mut Command) {
        for variable in WITHHELD {
            command.env_remove(variable);
        }
        // Where the host is, a relative path would mean something else.
        command.env(CACHE_VARIABLE, self.cache());
        for (variable, value) in &self.environment {
            match value {
                Some(value) => command.env(variable, value),
                None => command.env_remove(variable),
            };
        }
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_removes_and_goes_there() {
        let surroundings = Surroundings {
            environment: vec![("HOME".into(), None), ("WHERE".into(), Some("here".into()))],
            directory: Some("/proc".into()),
            cache: None,
            level: None,
        };
        let mut command = Command::new("sh");
        command.args(["-c", "echo ${HOME-none} $WHERE; pwd"]);
        command.env("HOME", "/root");
        surroundings.apply(&mut command);
        let output = command.output().unwrap();
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            "none here\n/proc\n"
        );
    }
    /// A task shall not get into the engine, nor speak for the service.
    #[test]
    fn what_is_the_parents_alone_is_withheld() {
        let mut command = Command::new("env");
        command.env_clear();
        for variable in [
            "TASKBAY_ENGINE",
            "TASKBAY_DEBUSINE_TOKEN",
            "PGPASSWORD",
            "PGPASSFILE",
            "NOTIFY_SOCKET",
            "WATCHDOG_USEC",
            "WATCHDOG_PID",
            "LANG",
        ] {
            command.env(variable, "x");
        }
        Surroundings::default().apply(&mut command);
        let output = command.env_remove(CACHE_VARIABLE).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "LANG=x\n");
    }
}
