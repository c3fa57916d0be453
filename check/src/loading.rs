//! Level 1: the plugin is loaded and describes itself.

use crate::{
    Options,
    process_state::{ProcessState, mend},
    record::Record,
    test::{Tried, fault, found, passed},
};
use serde_json::Value;
use taskbay_loader::Admissible;
use taskbay_worker::{Described, Failure, Glimpse, Hosts};

/// The tests of this level.
pub(crate) const TESTS: &[&str] = &["load", "load-again", "load-state", "load-log"];

/// A plugin that can be loaded.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) file: Admissible,
    pub(crate) described: Described,
}

impl Loaded {
    /// Plugin hosts in which it is loaded.
    pub(crate) fn hosts(&self, options: &Options) -> Result<Hosts, Failure> {
        let mut hosts = options.hosts();
        hosts.describe(&self.file)?;
        Ok(hosts)
    }
}

/// Loads the plugin; what it says of itself.
pub(crate) fn run(file: Admissible, options: &Options, record: &mut Record) -> Option<Loaded> {
    let described = record.test("load", || load(&file, options))?;
    record.test("load-again", || load_again(&file, &described, options));
    let load = |hosts: &mut Hosts| hosts.describe(&file).map(drop);
    record.test("load-state", || unchanged(&mut options.hosts(), load));
    record.test("load-log", || silent(&mut options.hosts(), load));
    Some(Loaded { file, described })
}

fn load(file: &Admissible, options: &Options) -> Tried<Described> {
    let described = options.hosts().describe(file)?;
    let message = match described
        .schema
        .as_ref()
        .map(|schema| schema.get("properties"))
    {
        None => "takes any task data".to_owned(),
        Some(properties) => {
            let keys = properties.and_then(Value::as_object);
            let keys = keys.into_iter().flat_map(serde_json::Map::keys);
            let keys: Vec<_> = keys.map(String::as_str).collect();
            format!("keys of its task data: {}", keys.join(", "))
        }
    };
    found(described, message)
}

fn load_again(file: &Admissible, first: &Described, options: &Options) -> Tried<()> {
    let again = options.hosts().describe(file)?;
    if again.version != first.version {
        return fault(
            format!(
                "its version was {}, and is {} in another process",
                first.version, again.version
            ),
            "make Task::VERSION a constant",
        );
    }
    if again.schema != first.schema {
        return fault(
            "its schema is another in another process",
            "make Task::schema depend on nothing: schedulers and workers must agree on it",
        );
    }
    passed("the same version and schema in another process")
}

/// What is said of a process that nothing was done to.
pub(crate) const AS_BEFORE: &str =
    "the process is as before: directory, umask, signals, limits, threads, environment";

/// The process is after those questions what it was before.
pub(crate) fn unchanged(
    hosts: &mut Hosts,
    questions: impl FnOnce(&mut Hosts) -> Result<(), Failure>,
) -> Tried<()> {
    let before = ProcessState::of(&hosts.glimpse()?);
    questions(hosts)?;
    let host = hosts.glimpse()?;
    let mut changes = before.changes_of(&host);
    let left = before.left_by(&host);
    if !left.is_empty() {
        let left = left.join(", ");
        changes.push(format!("processes were started and still run: {left}"));
    }
    if changes.is_empty() {
        return passed(AS_BEFORE);
    }
    fault(
        format!("its process is not what it was: {}", changes.join("; ")),
        mend(
            &changes,
            "leave directory, umask, signals, limits, processes and environment of the host alone",
        ),
    )
}

/// What is said in answer to those questions goes through the log.
pub(crate) fn silent(
    hosts: &mut Hosts,
    questions: impl FnOnce(&mut Hosts) -> Result<(), Failure>,
) -> Tried<()> {
    let before = hosts.glimpse()?;
    questions(hosts)?;
    not_printed(&before, &hosts.glimpse()?)
}

/// Nothing was said past the log in between.
pub(crate) fn not_printed(before: &Glimpse, now: &Glimpse) -> Tried<()> {
    let logged = now.logged - before.logged;
    match now.last_printed.last() {
        Some(line) if now.printed > before.printed => fault(
            format!("it prints on the standard output or error of its host: {line}"),
            "use the macros of `log`, and start commands with `run`: then lines have their task, level and place",
        ),
        _ if logged == 0 => passed("nothing is printed, and nothing logged"),
        _ => passed(format!("nothing is printed; log records: {logged}")),
    }
}
