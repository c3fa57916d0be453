//! Level 2: the plugin says what the worker has and takes task data; no request is executed.

use crate::{
    Options, configuring, judging,
    loading::{Loaded, silent, unchanged},
    options::bare,
    record::Record,
    test::{Tried, fault, found, passed},
};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};
use taskbay_core::{Configured, Metadata};
use taskbay_worker::{Failure, Hosts, system};

/// The tests of this level.
pub(crate) const TESTS: &[&str] = &[
    "analyze",
    "analyze-prefix",
    "analyze-again",
    "analyze-bare",
    "configure",
    "configure-mutations",
    "configure-keys",
    "configure-unknown",
    "requirements",
    "verdict-code",
    "verdict",
    "verdict-facts",
    "verdict-elsewhere",
    "answer-state",
    "answer-log",
];

/// The longest that a plugin should take to look at the worker.
const FAST: Duration = Duration::from_secs(2);

/// How often it is asked: that the machine is busy with something else is not its fault.
const TRIES: usize = 3;

/// A task with data that it can be executed with.
#[derive(Debug)]
pub(crate) struct Answered<'a> {
    pub(crate) loaded: &'a Loaded,
    pub(crate) configured: Configured,
    /// Whether the data is an example that its author declared.
    pub(crate) is_declared: bool,
    /// What this worker says of itself.
    pub(crate) worker: Metadata,
}

/// Asks the plugin; what it can be executed with.
pub(crate) fn run<'a>(
    loaded: &'a Loaded,
    options: &Options,
    record: &mut Record,
) -> Option<Answered<'a>> {
    let (worker, dropped) = record.test("analyze", || analyze(loaded, options))?;
    record.test("analyze-prefix", || prefix(loaded, &dropped));
    record.test("analyze-again", || again(loaded, &worker, options));
    record.test("analyze-bare", || {
        let (found, _) = options
            .hosts_in(bare())
            .analyze(&loaded.file, &system::quick())?;
        passed(format!(
            "keys where PATH leads nowhere and there is no HOME: {}",
            found.len()
        ))
    });
    let chosen = configuring::run(loaded, &worker, options, record)?;
    let answered = Answered {
        loaded,
        configured: chosen.configured,
        is_declared: chosen.is_declared,
        worker,
    };
    judging::run(&answered, options, record)?;
    let ask = |hosts: &mut Hosts| ask_everything(&answered, hosts);
    record.test("answer-state", || {
        unchanged(&mut loaded.hosts(options)?, ask)
    });
    record.test("answer-log", || silent(&mut loaded.hosts(options)?, ask));
    Some(answered)
}

fn analyze(loaded: &Loaded, options: &Options) -> Tried<(Metadata, Vec<String>)> {
    let known = system::quick();
    let mut slow = Vec::new();
    while slow.len() < TRIES {
        // Each worker asks a new host.
        let mut hosts = loaded.hosts(options)?;
        let started = Instant::now();
        let (said, dropped) = hosts.analyze(&loaded.file, &known)?;
        let took = started.elapsed();
        let time = format!("{:.3} s", took.as_secs_f64());
        if took > FAST {
            slow.push(time);
            continue;
        }
        let before = if slow.is_empty() {
            String::new()
        } else {
            format!("; before that {}", slow.join(", "))
        };
        let message = format!("keys: {}, after {time}{before}", said.len());
        let mut worker = known;
        worker.extend(said);
        return found((worker, dropped), message);
    }
    fault(
        format!(
            "it took {}, and {} s are the most that it should take",
            slow.join(", "),
            FAST.as_secs()
        ),
        "look for what is there, and leave trying it out to `execute`",
    )
}

fn prefix(loaded: &Loaded, dropped: &[String]) -> Tried<()> {
    let name = loaded.file.name();
    match dropped {
        [] => passed(format!("every key starts with `{name}:`")),
        dropped => fault(
            format!("keys that are others': {}", dropped.join(", ")),
            format!("start each key with `{name}:`; `{name}:version` is the host's to say"),
        ),
    }
}

/// It says the same of the worker in another process.
fn again(loaded: &Loaded, worker: &Metadata, options: &Options) -> Tried<()> {
    let (said, _) = options.hosts().analyze(&loaded.file, &system::quick())?;
    let keys: BTreeSet<_> = said
        .iter()
        .chain(worker.iter())
        .map(|(key, _)| key)
        .collect();
    let own = |key: &&str| loaded.file.name().strip_prefix(key).is_some();
    let differ = |key: &&str| worker.value(key) != said.value(key);
    let other: Vec<_> = keys.into_iter().filter(own).filter(differ).collect();
    if other.is_empty() {
        return passed("the same in another process");
    }
    let shown = other.iter().map(|key| {
        let value = |said: &Metadata| said.value(key).map_or("nothing".into(), Value::to_string);
        format!("`{key}` was {}, and is {}", value(worker), value(&said))
    });
    let shown: Vec<_> = shown.collect();
    fault(
        format!("asked again, it says something else: {}", shown.join(", ")),
        "say only what changes when the machine does: whatever else changes, the worker is judged anew",
    )
}

/// Everything that can be asked without executing.
fn ask_everything(answered: &Answered, hosts: &mut Hosts) -> Result<(), Failure> {
    let file = &answered.loaded.file;
    hosts.analyze(file, &system::quick())?;
    let configured = hosts.configure(file, &answered.configured.data)?;
    hosts.can_run(file, &configured, &answered.worker).map(drop)
}
