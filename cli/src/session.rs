//! What all commands work with: the search path, the plugins on it, plugin hosts, the abort latch.

use crate::{
    args::Global,
    error::CommandError,
    exit::Exit,
    host,
    report::{Report, note},
};
use signal_hook::{
    consts::{SIGINT, SIGTERM},
    flag,
};
use std::{
    env,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use taskbay_core::Abort;
use taskbay_loader::{
    Admissible, Catalog, PLUGIN_PATH_VARIABLE, Quarantine, SearchPath, Store, TrustPolicy,
};
use taskbay_worker::{Failure, Hosts, LiveCatalog, first_loading};

/// What all commands work with.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) global: Global,
    pub(crate) report: Report,
    pub(crate) path: SearchPath,
    pub(crate) policy: TrustPolicy,
    pub(crate) abort: Abort,
}

impl Session {
    pub(crate) fn new(global: Global) -> Self {
        let environment = env::var_os(PLUGIN_PATH_VARIABLE);
        Self {
            report: Report::new(global.json),
            path: SearchPath::new(global.plugin_dir.iter().cloned(), environment.as_deref()),
            policy: if global.allow_insecure {
                TrustPolicy::Anyone
            } else {
                TrustPolicy::OwnerOnly
            },
            abort: abort_on_signals(),
            global,
        }
    }

    /// What is on the search path. Directories that could not be read are noted on standard error.
    pub(crate) fn catalog(&self) -> Catalog {
        let mut catalog = Catalog::read(&self.path, self.policy);
        if let Some(quarantine) = self.quarantine() {
            quarantine.apply(&mut catalog);
        }
        for finding in &catalog.findings {
            note(&format!(
                "warning: {finding}: {}; {}",
                finding.reason,
                finding.help()
            ));
        }
        catalog
    }

    /// Where plugins are set aside. In this process none is: whoever runs a debugger wants to see it crash.
    pub(crate) fn quarantine(&self) -> Option<Quarantine> {
        (!self.global.in_process).then(Quarantine::of_this_user)
    }

    /// The plugins on the search path, watched.
    pub(crate) fn live(&self) -> Result<LiveCatalog, CommandError> {
        let store = Store::of_this_user();
        LiveCatalog::watch(self.path.clone(), self.policy, store, self.quarantine()).map_err(
            |error| {
                CommandError::new(Exit::Unavailable, "the directories cannot be watched")
                    .cause(&error)
                    .help("allow more inotify instances (`sysctl fs.inotify.max_user_instances`)")
            },
        )
    }

    /// Plugin hosts, of which none runs yet.
    pub(crate) fn hosts(&self) -> Hosts {
        if self.global.in_process {
            return Hosts::in_process(self.abort.clone());
        }
        let program = host::program();
        let hosts = Hosts::new(program, self.global.plugin_timeout, self.abort.clone());
        match self.quarantine() {
            Some(quarantine) => hosts.with_quarantine(quarantine),
            None => hosts,
        }
    }
}

/// The plugin of that name. Where only refused files may have it, that is said with the error.
pub(crate) fn find<'c>(catalog: &'c Catalog, name: &str) -> Result<&'c Admissible, CommandError> {
    catalog.get(name).map_err(|unknown| {
        if let Some((file, rejection)) = catalog.refused(name) {
            return CommandError::rejected(file, rejection);
        }
        let refused = catalog.entries.len() - catalog.usable().count();
        let error = CommandError::from(unknown);
        match refused {
            0 => error,
            _ => error.cause(&format!(
                "of {} plugin files found, {refused} are not used; `taskbay list` says why",
                catalog.entries.len()
            )),
        }
    })
}

/// The plugin of that name, as [`find`] gives it. Where several files have the name, the first that loads: one bad file
/// hides no good one.
pub(crate) fn find_loading(
    catalog: &mut Catalog,
    hosts: &mut Hosts,
    name: &str,
) -> Result<Admissible, CommandError> {
    let told = |file: &Path, failure: &Failure| {
        let path = file.display();
        note(&format!(
            "warning: {path} is not used: {failure}; {}",
            failure.help()
        ));
    };
    // With a better error where there is none.
    first_loading(catalog, hosts, name, told).or_else(|_| find(catalog, name).cloned())
}

/// A latch that SIGINT and SIGTERM set. A second signal ends the process at once.
fn abort_on_signals() -> Abort {
    let set = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // Registering fails for signals that cannot be caught, which these two are not.
        let _ = flag::register_conditional_shutdown(signal, Exit::Stopped as i32, Arc::clone(&set));
        let _ = flag::register(signal, Arc::clone(&set));
    }
    Abort::watching(move || set.load(Ordering::Relaxed))
}
