//! Level 2: the plugin says what the worker has and takes task data; no request is executed.

use crate::{
    Options, judging,
    loading::{Loaded, silent, unchanged},
    mutation::mutations,
    options::bare,
    record::Record,
    sample::sample,
    test::{Objection, Tried, fault, found, join, passed, skip},
};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use taskbay_core::{Configured, Metadata};
use taskbay_worker::{Failure, Hosts, system};

/// The tests of this level.
pub(crate) const TESTS: &[&str] = &[
    "analyze",
    "analyze-prefix",
    "analyze-bare",
    "configure",
    "configure-mutations",
    "verdict",
    "verdict-facts",
    "answer-state",
    "answer-log",
];

/// The longest that a plugin should take to look at the worker.
const FAST: Duration = Duration::from_secs(2);

/// How often it is asked: that the machine is busy with something else is not its fault.
const TRIES: usize = 3;

/// How a task declares an example.
pub(crate) const DECLARE: &str =
    "declare an example with `#[schemars(example = …)]` on the type, or give task data with --data";

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
    record.test("analyze-bare", || {
        let (found, _) = options
            .hosts_in(bare())
            .analyze(&loaded.file, &system::quick())?;
        passed(format!(
            "keys where PATH leads nowhere and there is no HOME: {}",
            found.len()
        ))
    });
    let configured = record.test("configure", || configure(loaded, options));
    let base = configured
        .as_ref()
        .map(|(configured, _)| configured.data.as_str());
    if !record.has_failed("configure") {
        record.test("configure-mutations", || mutate(loaded, base, options));
    }
    let (configured, is_declared) = configured?;
    let answered = Answered {
        loaded,
        configured,
        is_declared,
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

/// The declared examples, or `{}`; the data that the task is to be executed with, and whether it was declared.
fn configure(loaded: &Loaded, options: &Options) -> Tried<(Configured, bool)> {
    let mut hosts = options.hosts();
    let mut first = None;
    let examples = examples(loaded);
    for (number, example) in (1..).zip(&examples) {
        let configured = twice(loaded, &mut hosts, &example.to_string());
        let configured =
            configured.map_err(|objection| objection.of(&format!("example {number}")))?;
        first.get_or_insert(configured);
    }
    if let Some(data) = &options.data {
        let configured =
            twice(loaded, &mut hosts, data).map_err(|objection| objection.of("the data given"))?;
        return found((configured, false), "the data given");
    }
    if let Some(first) = first {
        return found(
            (first, true),
            format!("examples in its schema, all valid: {}", examples.len()),
        );
    }
    match hosts.configure(&loaded.file, "{}") {
        Err(Failure::Invalid(faults)) => skip(
            format!(
                "its schema has no example, and `{{}}` is not valid: {}",
                join(&faults)
            ),
            DECLARE,
        ),
        Err(failure) => Err(failure.into()),
        Ok(_) => found(
            (twice(loaded, &mut hosts, "{}")?, false),
            "`{}`, since its schema has no example",
        ),
    }
}

/// The examples that the schema declares.
fn examples(loaded: &Loaded) -> Vec<Value> {
    let schema = loaded.described.schema.as_ref();
    let examples = schema.and_then(|schema| schema.get("examples")?.as_array());
    examples.cloned().unwrap_or_default()
}

/// Configures the task, and again with the data that this gave, which changes nothing.
fn twice(loaded: &Loaded, hosts: &mut Hosts, data: &str) -> Result<Configured, Objection> {
    let configured = hosts.configure(&loaded.file, data)?;
    match hosts.configure(&loaded.file, &configured.data) {
        Ok(again) if again == configured => Ok(configured),
        Ok(_) => fault(
            "configured again with the data that it gave back, the task gives back other data",
            "make the type serialise to what it is deserialised from",
        ),
        Err(Failure::Invalid(faults)) => fault(
            format!(
                "it refuses the data that it gave back itself: {}",
                join(&faults)
            ),
            "make the type serialise to what it is deserialised from",
        ),
        Err(failure) => Err(failure.into()),
    }
}

/// Data with one thing wrong is refused or taken: all but a crash is fine.
fn mutate(loaded: &Loaded, base: Option<&str>, options: &Options) -> Tried<()> {
    let schema = loaded.described.schema.as_ref();
    let base = base.and_then(|data| serde_json::from_str(data).ok());
    let base: Value = base.unwrap_or_else(|| sample(schema.unwrap_or(&json!({})), 0));
    let mut hosts = options.hosts();
    let mut refused = 0;
    let all = mutations(&base, schema);
    for mutation in &all {
        match hosts.configure(&loaded.file, &mutation.data.to_string()) {
            Ok(_) => {}
            Err(Failure::Invalid(_)) => refused += 1,
            Err(failure) => return Err(Objection::from(failure).of(&mutation.what)),
        }
    }
    passed(format!(
        "{} variants with one thing wrong: {refused} refused, no crash",
        all.len()
    ))
}

/// Everything that can be asked without executing.
fn ask_everything(answered: &Answered, hosts: &mut Hosts) -> Result<(), Failure> {
    let file = &answered.loaded.file;
    hosts.analyze(file, &system::quick())?;
    let configured = hosts.configure(file, &answered.configured.data)?;
    hosts.can_run(file, &configured, &answered.worker).map(drop)
}
