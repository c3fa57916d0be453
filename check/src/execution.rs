//! An execution that is looked at from outside, and maybe disturbed.

use crate::{
    Options, answering::Answered, inputs::Inputs, process_state::ProcessState, refuge::Refuge,
    shared_places::SharedPlaces,
};
use rustix::process::Signal;
use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use taskbay_core::{Abort, Server};
use taskbay_worker::{
    AttemptOptions, AttemptReport, Failure, Glimpse, Hosts, Process, Surroundings, Witness,
};

/// What happens to an execution that has run for that long.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Disturbance {
    /// It is aborted.
    Abort(Duration),
    /// Its process is killed.
    Kill(Duration),
}

/// An execution, and what was seen of it.
#[derive(Debug)]
pub(crate) struct Execution {
    pub(crate) report: AttemptReport,
    /// The inputs that it asked for and that are not here.
    pub(crate) missing: Vec<String>,
    /// What the process was like when the task had answered.
    pub(crate) after: Option<After>,
    /// What it left where temporary files are made, and in its home.
    pub(crate) left: Vec<String>,
    /// What came meanwhile, be it from this or from others, to the places that all programs share; or why that is not known.
    pub(crate) came: Result<BTreeSet<PathBuf>, String>,
    /// How long the task itself took.
    pub(crate) took: Duration,
    /// How long it went on once it was disturbed, where it was.
    pub(crate) latency: Option<Duration>,
}

/// What a process was like when the task had answered, against what it was like before.
#[derive(Debug)]
pub(crate) struct After {
    pub(crate) changes: Vec<String>,
    pub(crate) processes: Vec<String>,
    /// What it had said before, and since.
    pub(crate) said: (Glimpse, Glimpse),
}

impl Execution {
    /// Executes the task on this machine.
    pub(crate) fn run(
        answered: &Answered,
        options: &Options,
        disturbance: Option<Disturbance>,
    ) -> Result<Self, Failure> {
        Self::with(answered, options, Watcher::new(disturbance))
    }

    /// Executes it once more, to see whether what `came` to the places that all programs share comes there again.
    pub(crate) fn again(
        answered: &Answered,
        options: &Options,
        came: &BTreeSet<PathBuf>,
    ) -> Result<Self, Failure> {
        let mut watcher = Watcher::new(None);
        watcher.suspects.clone_from(came);
        Self::with(answered, options, watcher)
    }

    fn with(answered: &Answered, options: &Options, mut watcher: Watcher) -> Result<Self, Failure> {
        let refuge = Refuge::new().map_err(|error| {
            Failure::NoHost(format!("there is no temporary directory: {error}"))
        })?;
        let inputs = Arc::new(Inputs::new(&options.base, &refuge.output()));
        let server: Arc<dyn Server> = Arc::clone(&inputs) as _;
        let mut hosts = watcher.hosts(options, &refuge);
        let attempt = AttemptOptions {
            timeout: Some(options.timeout),
            grace: options.grace,
            keep: false,
            log: None,
        };
        let file = &answered.loaded.file;
        let configured = &answered.configured;
        let report =
            hosts.execute_watched(Some(&mut watcher), file, configured, &server, &attempt)?;
        let ended = watcher.ended.unwrap_or_else(Instant::now);
        let since = |start: &Instant| ended.saturating_duration_since(*start);
        Ok(Self {
            took: watcher.begun.as_ref().map(since).unwrap_or_default(),
            latency: watcher.disturbed.get().map(since),
            missing: inputs.missing(),
            after: watcher.after.take(),
            left: refuge.left(),
            came: watcher.places.map_or_else(
                || Ok(BTreeSet::new()),
                |places| {
                    places
                        .map(SharedPlaces::came)
                        .map_err(|error| error.to_string())
                },
            ),
            report,
        })
    }
}

/// Looks on, and disturbs the execution when its time has come.
struct Watcher {
    disturbance: Option<Disturbance>,
    abort: Arc<AtomicBool>,
    /// When the execution was disturbed.
    disturbed: Arc<OnceLock<Instant>>,
    begun: Option<Instant>,
    /// When the task answered, if it did.
    ended: Option<Instant>,
    before: Option<(Glimpse, ProcessState)>,
    after: Option<After>,
    /// What came to the places that all programs share as the task was executed before.
    suspects: BTreeSet<PathBuf>,
    places: Option<io::Result<SharedPlaces>>,
}

impl Watcher {
    fn new(disturbance: Option<Disturbance>) -> Self {
        Self {
            disturbance,
            suspects: BTreeSet::new(),
            places: None,
            abort: Arc::default(),
            disturbed: Arc::default(),
            begun: None,
            ended: None,
            before: None,
            after: None,
        }
    }

    /// Plugin hosts that are at home there, and end when the execution is to be aborted.
    fn hosts(&self, options: &Options, refuge: &Refuge) -> Hosts {
        let surroundings = Surroundings {
            environment: refuge.environment(),
            ..Surroundings::default()
        };
        let (outer, inner) = (options.abort.clone(), Arc::clone(&self.abort));
        let abort = Abort::watching(move || outer.is_set() || inner.load(Ordering::Acquire));
        options.hosts_that_end(surroundings, abort)
    }
}

impl Witness for Watcher {
    fn begins(&mut self, host: &Glimpse, work_directory: &Path) {
        let state = ProcessState::of(host).in_directory(work_directory);
        self.before = Some((host.clone(), state));
        self.places = Some(SharedPlaces::watch(&self.suspects));
        self.begun = Some(Instant::now());
        let (Some(disturbance), Some(process)) = (self.disturbance, Process::find(host.pid)) else {
            return;
        };
        let (abort, disturbed) = (Arc::clone(&self.abort), Arc::clone(&self.disturbed));
        thread::spawn(move || match disturbance {
            Disturbance::Abort(after) => {
                thread::sleep(after);
                // Whoever waits for it must not see it earlier than it is noted.
                let _ = disturbed.set(Instant::now());
                abort.store(true, Ordering::Release);
            }
            Disturbance::Kill(after) => {
                thread::sleep(after);
                if process.signal(Signal::KILL) {
                    let _ = disturbed.set(Instant::now());
                }
            }
        });
    }

    fn answered(&mut self, host: &Glimpse) {
        self.ended = Some(Instant::now());
        self.after = self.before.as_ref().map(|(before, state)| After {
            changes: state.changes_of(host),
            processes: state.left_by(host),
            said: (before.clone(), host.clone()),
        });
    }
}
