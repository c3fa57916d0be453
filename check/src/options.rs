//! How plugins are checked.

use crate::{Level, elsewhere};
use log::LevelFilter;
use std::{ffi::OsString, path::PathBuf, time::Duration};
use taskbay_core::Abort;
use taskbay_loader::{TrustPolicy, cache_directory};
use taskbay_worker::{HostProgram, Hosts, Surroundings};

/// How plugins are checked.
#[derive(Clone, Debug)]
pub struct Options {
    /// The highest level that is tried.
    pub level: Level,
    /// Which files are loaded.
    pub policy: TrustPolicy,
    /// What runs plugin code.
    pub program: HostProgram,
    /// How long a plugin may take to answer.
    pub limit: Duration,
    /// How long an execution may take.
    pub timeout: Duration,
    /// How long an execution may take to end when it is aborted.
    pub grace: Duration,
    /// Task data as JSON text, in the place of the declared example.
    pub data: Option<String>,
    /// Where relative paths in task data lead from.
    pub base: PathBuf,
    /// The seed of the one case of made-up task data that is tried, and nothing else.
    pub reproduce: Option<u32>,
    /// Ends all.
    pub abort: Abort,
}

impl Options {
    /// Plugin hosts, of which none runs yet.
    pub(crate) fn hosts(&self) -> Hosts {
        self.hosts_in(Surroundings::default())
    }

    /// Plugin hosts that find that around them.
    pub(crate) fn hosts_in(&self, surroundings: Surroundings) -> Hosts {
        self.hosts_that_end(surroundings, self.abort.clone())
    }

    /// Plugin hosts that end by that latch.
    pub(crate) fn hosts_that_end(&self, surroundings: Surroundings, abort: Abort) -> Hosts {
        Hosts::new(self.program_in(surroundings), self.limit, abort)
    }

    /// Plugin hosts on what is another machine to them. Where none can be made, they do not start.
    pub(crate) fn hosts_elsewhere(&self) -> Hosts {
        let program = self.program_in(Surroundings::default());
        // The copies that they load are where they are otherwise.
        let program = elsewhere::program(&program, cache_directory().into_os_string());
        Hosts::new(program, self.limit, self.abort.clone())
    }

    fn program_in(&self, surroundings: Surroundings) -> HostProgram {
        // Whatever is logged is made up and sent, whether anybody reads it or not.
        let surroundings = Surroundings {
            level: Some(LevelFilter::Trace),
            ..surroundings
        };
        HostProgram {
            surroundings,
            ..self.program.clone()
        }
    }
}

/// Surroundings in which no program can be found, and no home.
pub(crate) fn bare() -> Surroundings {
    let set = |name: &str, value: &str| (OsString::from(name), Some(OsString::from(value)));
    let removed = ["HOME", "USER", "LOGNAME", "SHELL", "TERM"];
    let removed = removed.map(|name| (OsString::from(name), None));
    let set = [
        set("PATH", "/nonexistent"),
        set("LC_ALL", "C"),
        set("TZ", "Asia/Tokyo"),
    ];
    Surroundings {
        environment: removed.into_iter().chain(set).collect(),
        directory: Some(PathBuf::from("/proc")),
        cache: None,
        level: None,
    }
}
