//! What all commands work with: the search path, the plugins on it, plugin hosts, the abort latch.

use crate::{
    args::Global,
    error::CommandError,
    exit::Exit,
    host,
    report::{Report, note},
};
use log::LevelFilter;
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    flag,
    iterator::Signals,
    low_level::emulate_default_handler,
};
use std::{
    env, fs, io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};
use taskbay_core::Abort;
use taskbay_loader::{
    Admissible, Catalog, PLUGIN_PATH_VARIABLE, Quarantine, SearchPath, Store, TrustPolicy,
};
use taskbay_scheduler::NotAsked;
use taskbay_service::Stop;
use taskbay_worker::{Failure, HostProgram, Hosts, LiveCatalog, first_loading};

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
    /// What a command works with. One that runs `for_long` is told to end in its own way.
    pub(crate) fn new(global: Global, for_long: bool) -> Self {
        let environment = env::var_os(PLUGIN_PATH_VARIABLE);
        Self {
            report: Report::new(global.json),
            path: SearchPath::new(global.plugin_dir.iter().cloned(), environment.as_deref()),
            policy: if global.allow_insecure {
                TrustPolicy::Anyone
            } else {
                TrustPolicy::OwnerOnly
            },
            abort: if for_long {
                Abort::new()
            } else {
                abort_on_signals()
            },
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
        self.hosts_maker()(self.abort.clone())
    }

    /// What makes plugin hosts that end with a latch of their own.
    pub(crate) fn hosts_maker(&self) -> impl Fn(Abort) -> Hosts + Send + Sync + use<> {
        self.hosts_maker_for(host::program())
    }

    /// What makes the plugin hosts of a service's attempts, whose log is kept whatever this process logs itself.
    pub(crate) fn attempt_hosts_maker(&self) -> impl Fn(Abort) -> Hosts + Send + Sync + use<> {
        let mut program = host::program();
        program.surroundings.level = Some(log::max_level().max(LevelFilter::Info));
        self.hosts_maker_for(program)
    }

    fn hosts_maker_for(
        &self,
        program: HostProgram,
    ) -> impl Fn(Abort) -> Hosts + Send + Sync + use<> {
        let (in_process, limit) = (self.global.in_process, self.global.plugin_timeout);
        let quarantine = self.quarantine();
        move |abort| {
            if in_process {
                return Hosts::in_process(abort);
            }
            let hosts = Hosts::new(program.clone(), limit, abort);
            match &quarantine {
                Some(quarantine) => hosts.with_quarantine(quarantine.clone()),
                None => hosts,
            }
        }
    }

    /// What it means that no plugin can be asked: it was told to end, or the machine lacks something.
    pub(crate) fn not_asked(&self, error: &NotAsked) -> CommandError {
        let exit = if self.abort.is_set() {
            Exit::Stopped
        } else {
            Exit::Unavailable
        };
        CommandError::new(exit, error.to_string())
            .help("see whether this user may start processes, and run it again")
    }

    /// Gives back why the plugins of this machine cannot judge, unless that is since it was told to end.
    pub(crate) fn unjudged(&self, why: String) -> Result<String, CommandError> {
        if self.abort.is_set() {
            return Err(self.not_asked(&NotAsked(why)));
        }
        Ok(why)
    }

    /// Ends a service at SIGINT, SIGTERM and, unless it is ignored as below `nohup`, SIGHUP: the first has it finish what it
    /// has, the second do so at once, and a third ends the process.
    pub(crate) fn stop_on_signals(&self) -> Result<Stop, CommandError> {
        let failed = |error: io::Error| {
            CommandError::new(Exit::Unavailable, "signals cannot be heard").cause(&error)
        };
        let hangup = (!is_ignored(SIGHUP)).then_some(SIGHUP);
        let heard = [SIGINT, SIGTERM].into_iter().chain(hangup);
        let mut signals = Signals::new(heard).map_err(failed)?;
        let (stop, abort) = (Stop::new(), self.abort.clone());
        let told = stop.clone();
        let listen = move || {
            for (count, signal) in signals.forever().enumerate() {
                told.tell();
                // What only describes this machine need not be waited for.
                abort.set();
                if count >= 2 {
                    let _ = emulate_default_handler(signal);
                }
            }
        };
        thread::Builder::new()
            .name("signals".into())
            .spawn(listen)
            .map_err(failed)?;
        Ok(stop)
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

/// Whether whoever started this process has it ignore a signal.
fn is_ignored(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    ignored.is_some_and(|mask| (mask >> (signal - 1)) & 1 == 1)
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
