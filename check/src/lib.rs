//! Conformance of a task plugin: what its author should know before anybody else loads it.
//!
//! A file is tried in levels, each with tests of its own: what can be told without running its code, whether it loads,
//! what it answers, how it executes an example, and what it endures. Plugin code runs in plugin hosts alone, child
//! processes with a time limit. No plugin is set aside for what it does here.
//!
//! Up to level 3 a file that has not changed gives the same report each time, at the cost of one execution, or of three
//! where something comes to `/tmp` meanwhile: that is what a build wants. Level 4 executes three times more, and makes other
//! task data up each time: that is what a release wants.
//!
//! It refuses to know how arguments are read and how a report is shown.

#![forbid(unsafe_code)]

mod level;
mod test;

mod report;

mod elsewhere;
mod options;

mod record;

mod bytes;
mod statics;

mod process_state;

mod loading;

mod mutation;
mod sample;

mod answering;
mod configuring;
mod judging;
mod keeping;

mod execution;
mod inputs;
mod refuge;
mod shared_places;

mod executing;

mod fuzzing;
mod stopping;

pub use level::Level;
pub use options::Options;
pub use report::{FileReport, Report};
pub use test::{Status, Test};

use bytes::Bytes;
use loading::Loaded;
use record::Record;
use std::path::Path;
use taskbay_worker::Failure;

/// Checks one file.
///
/// # Errors
///
/// When plugin hosts cannot be run, or the abort latch was set.
pub fn check(path: &Path, options: &Options) -> Result<FileReport, Failure> {
    let mut record = Record::new(options.level);
    let mut claim = None;
    let mut seed = options.reproduce.unwrap_or_else(|| fastrand::u32(..));
    let bytes = Bytes::read(path);
    let file = record.level(Level::Static, statics::TESTS, Some(()), |(), record| {
        statics::run(path, bytes.as_ref(), options, record, &mut claim)
    });
    // From here on, a host refuses a file that is not what was inspected.
    let bytes = bytes.filter(|bytes| bytes.are_still(file.as_ref()));
    let loaded = record.level(Level::Loads, loading::TESTS, file, |file, record| {
        loading::run(file, options, record)
    });
    let loaded = loaded.as_ref();
    if options.reproduce.is_none() {
        run_to_the_end(loaded, options, &mut record);
    }
    // It would fail as these did.
    let failed = fuzzing::SAME.iter().find(|name| record.has_failed(name));
    if let Some(name) = failed {
        record.stands_in_the_way(name);
    }
    let loaded = loaded.filter(|_| failed.is_none());
    record.level(Level::Endures, fuzzing::TESTS, loaded, |loaded, record| {
        record.test("fuzz", || fuzzing::fuzz(loaded, options, &mut seed))
    });
    let tests = record.finish()?;
    Ok(FileReport {
        sha256: bytes.map(|bytes| bytes.sha256),
        name: claim.as_ref().map(|claim| claim.name.to_string()),
        version: claim.as_ref().map(|claim| claim.version),
        seed: (options.level == Level::Endures).then_some(seed),
        ..FileReport::new(path.display().to_string(), options.level, tests)
    })
}

/// Everything that needs more than a plugin that can be loaded.
fn run_to_the_end(loaded: Option<&Loaded>, options: &Options, record: &mut Record) {
    let answered = record.level(
        Level::Answers,
        answering::TESTS,
        loaded,
        |loaded, record| answering::run(loaded, options, record),
    );
    let answered = answered.as_ref();
    let executed = record.level(
        Level::Executes,
        executing::TESTS,
        answered,
        |answered, record| executing::run(answered, options, record),
    );
    record.level(
        Level::Endures,
        stopping::TESTS,
        executed,
        |executed, record| {
            stopping::run(&executed, options, record);
            Some(())
        },
    );
}
