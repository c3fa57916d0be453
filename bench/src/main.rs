//! What Taskbay costs, against references that are measured in the same run, turn by turn.
//!
//! It asserts nothing: a machine that is busy, or of another kind, gives other figures. What to look at is the ratio, and
//! how far it is spread.

mod measure;

mod goal;
mod report;

mod fixture;
#[path = "../plugin/src/task.rs"]
mod task;

mod child;
mod database;
mod debusine;
#[path = "../../engine/tests/conformance/server.rs"]
#[allow(
    dead_code,
    clippy::unwrap_used,
    reason = "the tests' own, which share one and fail where they cannot go on"
)]
mod server;

mod attempt;
mod backlog;
mod configure;
mod list;
mod load;
mod memory;
mod probe;
mod queue;
mod scheduling;
mod service;
mod verdict;

use anyhow::{Context as _, Result, bail};
use fixture::Fixture;
use report::Row;
use std::{
    env,
    io::{self, Write},
    process::Command,
};
use tempfile::TempDir;

/// A group of benchmarks: its name, and what measures it.
type Group = (&'static str, fn(&Fixture) -> Result<Vec<Row>>);

/// All groups, in the order in which they run.
const GROUPS: [Group; 11] = [
    ("list", list::measure),
    ("load", load::measure),
    ("probe", probe::measure),
    ("memory", memory::measure),
    ("verdict", verdict::measure),
    ("configure", configure::measure),
    ("attempt", attempt::measure),
    ("scheduling", scheduling::measure),
    ("backlog", backlog::measure),
    ("queue", queue::measure),
    ("service", service::measure),
];

/// The first argument of the process that measures.
const MEASURE: &str = "measure";

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match &arguments[..] {
        [child::ARGUMENT, rest @ ..] => child::run(rest),
        [MEASURE, rest @ ..] => measure(rest),
        all => measure_apart(all),
    }
}

/// Measures in a child process, since what plugin hosts are to leave alone, the user's cache, is named by a variable.
fn measure_apart(arguments: &[&str]) -> Result<()> {
    let cache = TempDir::with_prefix("taskbay-bench-cache-")?;
    let status = Command::new(env::current_exe()?)
        .arg(MEASURE)
        .args(arguments)
        .env("TASKBAY_CACHE_DIR", cache.path())
        .status()?;
    if !status.success() {
        bail!("measuring ended with {status}");
    }
    Ok(())
}

fn measure(arguments: &[&str]) -> Result<()> {
    let json = arguments.contains(&"--json");
    let wanted: Vec<&str> = arguments
        .iter()
        .copied()
        .filter(|argument| *argument != "--json")
        .collect();
    let known = GROUPS.map(|(name, _)| name);
    if let Some(unknown) = wanted.iter().find(|name| !known.contains(name)) {
        bail!(
            "there is no benchmark `{unknown}`; there are: {}, and --json",
            known.join(", ")
        );
    }
    let fixture = Fixture::new()?;
    let mut out = io::stdout().lock();
    let mut rows = Vec::new();
    for (name, measure) in GROUPS {
        if !wanted.is_empty() && !wanted.contains(&name) {
            continue;
        }
        let measured =
            measure(&fixture).with_context(|| format!("the benchmark `{name}` failed"))?;
        if !json {
            report::table(&mut out, name, &measured)?;
        }
        rows.extend(measured);
    }
    if json {
        serde_json::to_writer_pretty(&mut out, &rows)?;
        writeln!(out)?;
    }
    Ok(())
}
