//! `taskbay worker`, `scheduler` and `serve`: what runs for long.

use crate::{
    args::WorkerArgs,
    commands::analyze::note_failed,
    debusine,
    error::CommandError,
    exit::Exit,
    report::{note, plain},
    session::Session,
};
use rustix::system::uname;
use serde_json::json;
use std::{
    collections::HashSet,
    io,
    num::NonZero,
    sync::Arc,
    thread::{self, Builder, Scope},
    time::Duration,
};
use taskbay_core::Metadata;
use taskbay_engine::{Engine, WorkerEngine};
use taskbay_loader::{Catalog, Rejection};
use taskbay_service::{
    Config, Expiry, MakeHosts, MakeServer, OfferHeard, Scheduling, Stop, Supervisor, WorkerOptions,
    WorkerService, store_servers, tidy,
};
use taskbay_worker::{Offer, WorkerAnalysis};

/// How long a lease holds.
const LEASE: Duration = Duration::from_mins(1);
/// How long attempts may go on after the worker was told to end: less than a service manager waits.
const DRAIN: Duration = Duration::from_mins(1);
const GRACE: Duration = Duration::from_secs(10);

pub(crate) fn worker(
    session: &Session,
    engine: Arc<dyn Engine>,
    config: &Config,
    args: &WorkerArgs,
) -> Result<Exit, CommandError> {
    let make_server = make_server(config, &engine);
    work(session, engine, make_server, options(config, args))
}

/// The same for a Debusine server.
pub(crate) fn debusine_worker(
    session: &Session,
    config: &Config,
    args: &WorkerArgs,
    url: &str,
) -> Result<Exit, CommandError> {
    let mut options = options(config, args);
    // Each slot is a worker of the server, which somebody has to enable.
    options.slots = args.slots.or(config.worker.slots).unwrap_or(1);
    let engine = debusine::open(config, url, &options)?;
    let servers = Arc::clone(&engine);
    let make_server = Arc::new(move |lease, abort| servers.server(lease, abort));
    work(session, engine, make_server, options)
}

/// Works for an engine, until told to end.
fn work(
    session: &Session,
    engine: Arc<dyn WorkerEngine>,
    make_server: MakeServer,
    options: WorkerOptions,
) -> Result<Exit, CommandError> {
    let stop = session.stop_on_signals()?;
    let offer = Offer::new(session.live()?, session.hosts());
    let supervisor = Supervisor::new();
    let name = options.name.clone();
    let service = WorkerService::new(
        engine,
        make_hosts(session),
        make_server,
        options,
        &supervisor,
    )
    .map_err(|error| no_threads(&error))?;
    let _watch = supervisor
        .watch(&stop)
        .map_err(|error| no_threads(&error))?;
    let mut telling = Telling::new(session, name);
    service
        .run(offer, &stop, &mut telling)
        .map_err(|error| no_threads(&error))?;
    telling.failed.map_or(Ok(Exit::Success), Err)
}

pub(crate) fn scheduler(
    session: &Session,
    engine: &dyn Engine,
    config: &Config,
) -> Result<Exit, CommandError> {
    let stop = session.stop_on_signals()?;
    let supervisor = Supervisor::new();
    let expiry = Expiry::new(&supervisor);
    let mut scheduling = Scheduling::new(engine, session.live()?, || session.hosts(), &supervisor);
    let _watch = supervisor
        .watch(&stop)
        .map_err(|error| no_threads(&error))?;
    thread::scope(|scope| {
        let parts = Parts { scope, stop: &stop };
        parts.start(named("upkeep"), || tidy(engine, &config.scheduler, &stop))?;
        parts.start(named("leases"), || expiry.run(engine, &stop))?;
        scheduling.run(&stop);
        Ok(Exit::Success)
    })
    .map_err(|error| no_threads(&error))
}

pub(crate) fn serve(
    session: &Session,
    engine: &Arc<dyn Engine>,
    config: &Config,
    args: &WorkerArgs,
) -> Result<Exit, CommandError> {
    let live = session.live()?;
    let stop = session.stop_on_signals()?;
    let options = options(config, args);
    let offer = Offer::new(session.live()?, session.hosts());
    let supervisor = Supervisor::new();
    let service = WorkerService::new(
        Arc::clone(engine) as Arc<dyn WorkerEngine>,
        make_hosts(session),
        make_server(config, engine),
        options.clone(),
        &supervisor,
    )
    .map_err(|error| no_threads(&error))?;
    let expiry = Expiry::new(&supervisor);
    let mut scheduling = Scheduling::new(&**engine, live, || session.hosts(), &supervisor);
    let _watch = supervisor
        .watch(&stop)
        .map_err(|error| no_threads(&error))?;
    let mut telling = Telling::new(session, options.name);
    thread::scope(|scope| {
        let parts = Parts { scope, stop: &stop };
        parts.start(named("scheduler"), || scheduling.run(&stop))?;
        parts.start(named("upkeep"), || {
            tidy(&**engine, &config.scheduler, &stop);
        })?;
        parts.start(named("leases"), || expiry.run(&**engine, &stop))?;
        // A scheduler alone is not what was asked for.
        service
            .run(offer, &stop, &mut telling)
            .inspect_err(|_| stop.tell())
    })
    .map_err(|error| no_threads(&error))?;
    telling.failed.map_or(Ok(Exit::Success), Err)
}

/// What runs beside what was asked for, until that ends.
struct Parts<'scope, 'env> {
    scope: &'scope Scope<'scope, 'env>,
    stop: &'env Stop,
}

impl<'scope> Parts<'scope, '_> {
    /// Starts one of them. Where that cannot be done those that run are told to end: nobody else would.
    fn start(&self, thread: Builder, part: impl FnOnce() + Send + 'scope) -> io::Result<()> {
        let started = thread.spawn_scoped(self.scope, part);
        started.map(drop).inspect_err(|_| self.stop.tell())
    }
}

fn named(part: &str) -> Builder {
    Builder::new().name(part.to_owned())
}

fn options(config: &Config, args: &WorkerArgs) -> WorkerOptions {
    let of_machine = || uname().nodename().to_string_lossy().into_owned();
    let settings = &config.worker;
    let name = args.name.clone().or_else(|| settings.name.clone());
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    WorkerOptions {
        name: name.unwrap_or_else(of_machine),
        slots: args
            .slots
            .or(settings.slots)
            .unwrap_or_else(|| processors.try_into().unwrap_or(1)),
        lease: args.lease.or(settings.lease).unwrap_or(LEASE),
        drain: args.drain.or(settings.drain).unwrap_or(DRAIN),
        grace: args.grace.or(settings.grace).unwrap_or(GRACE),
    }
}

fn make_server(config: &Config, engine: &Arc<dyn Engine>) -> MakeServer {
    // Whoever can write to a local file may be here already; whoever reaches a server need not.
    let has_local_files = config.worker.local_files;
    let has_local_files = has_local_files.unwrap_or_else(|| engine.place().starts_with("sqlite:"));
    store_servers(Arc::clone(engine), has_local_files)
}

fn make_hosts(session: &Session) -> MakeHosts {
    Arc::new(session.attempt_hosts_maker())
}

fn no_threads(error: &io::Error) -> CommandError {
    CommandError::new(Exit::Unavailable, "a thread cannot be started")
        .cause(error)
        .help("see whether this user may start more threads")
}

/// Says what the worker offers, and what it does not.
struct Telling<'s> {
    session: &'s Session,
    name: String,
    noted: HashSet<String>,
    failed: Option<CommandError>,
}

impl<'s> Telling<'s> {
    fn new(session: &'s Session, name: String) -> Self {
        Self {
            session,
            name,
            noted: HashSet::new(),
            failed: None,
        }
    }

    /// Says why files are not used, and directories not read: each once.
    fn note_refused(&mut self, catalog: &Catalog) {
        // What is being written is whole in a moment.
        let is_final = |rejection: &Rejection| !matches!(rejection, Rejection::Unfinished);
        let rejected = catalog.rejected().filter(|(_, why)| is_final(why));
        let refused = rejected.map(|(file, rejection)| {
            let file = file.display();
            let help = rejection.help();
            format!("warning: {file} is not used: {rejection}; {help}")
        });
        let findings = catalog
            .findings
            .iter()
            .map(|finding| format!("warning: {finding}: {}; {}", finding.reason, finding.help()));
        let now: HashSet<String> = refused.chain(findings).collect();
        for message in now.difference(&self.noted) {
            note(message);
        }
        self.noted = now;
    }
}

impl OfferHeard for Telling<'_> {
    fn offers(&mut self, offer: &Offer, analysis: &WorkerAnalysis) {
        self.note_refused(offer.catalog());
        note_failed(analysis);
        if let Err(error) = write(self.session, &self.name, &analysis.metadata) {
            self.failed = Some(error);
        }
    }
}

fn write(session: &Session, name: &str, metadata: &Metadata) -> Result<(), CommandError> {
    let json = json!({"schema": "taskbay.worker/1", "name": name, "metadata": metadata});
    session.report.data(&json, |out| {
        let offered: Vec<_> = metadata
            .iter()
            .filter_map(|(key, version)| {
                Some(format!("{} {version}", key.strip_suffix(":version")?))
            })
            .collect();
        let offered = match offered.join(", ") {
            nothing if nothing.is_empty() => "nothing".to_owned(),
            offered => offered,
        };
        writeln!(out, "{} offers {}", plain(name), plain(&offered))?;
        out.flush()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Else the command would wait for them for ever.
    #[test]
    fn what_runs_ends_where_the_rest_cannot_be_started() {
        let stop = Stop::new();
        let failed = thread::scope(|scope| {
            let parts = Parts { scope, stop: &stop };
            parts.start(named("first"), || {
                let until = std::time::Instant::now() + Duration::from_secs(10);
                while !stop.is_told() && std::time::Instant::now() < until {
                    thread::sleep(Duration::from_millis(10));
                }
            })?;
            // No address space has room for its stack.
            let large = named("second").stack_size(usize::MAX / 4);
            parts.start(large, || ())
        });
        failed.unwrap_err();
        assert!(stop.is_told());
    }
}
