//! Replays the corpus of the fuzz targets: each input once did harm, or leads to code that others do not reach.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

mod bodies;

use std::{
    fs,
    io::{self, Write},
    panic::catch_unwind,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// How long one input may take: far more than any does, on a busy machine too.
const LONGEST: Duration = Duration::from_secs(10);
/// The largest input that is kept, in bytes.
const LARGEST: usize = 4096;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz")
}

fn inputs(target: &str) -> Vec<PathBuf> {
    let folder = fuzz().join("corpus").join(target);
    assert!(folder.is_dir(), "{} is missing", folder.display());
    let entries = fs::read_dir(folder).unwrap();
    let mut inputs: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    inputs.sort();
    inputs
}

#[test]
fn every_input_of_the_corpus_replays() {
    let mut count = 0;
    let mut bad = Vec::new();
    for (target, _) in bodies::TARGETS {
        let inputs = inputs(target);
        assert!(inputs.len() >= 5, "the corpus of {target} is missing");
        for input in inputs {
            let bytes = fs::read(&input).unwrap();
            assert!(bytes.len() <= LARGEST, "{input:?} is too large");
            let start = Instant::now();
            let done = catch_unwind(|| bodies::run(target, &bytes));
            if done.is_err() || start.elapsed() > LONGEST {
                bad.push(input);
            }
            count += 1;
        }
    }
    // Not `println!`, which is shown only where a test fails.
    let line = format!(
        "replayed {count} fuzz inputs of {} targets\n",
        bodies::TARGETS.len()
    );
    io::stdout().write_all(line.as_bytes()).unwrap();
    assert!(bad.is_empty(), "{bad:#?}");
}

/// One of a form that is no longer spoken is refused at once, and leads nowhere.
#[test]
fn the_messages_of_the_corpus_are_messages() {
    let good = [
        "abort",
        "analyze",
        "analyzed",
        "call",
        "can-run",
        "configure",
        "configured",
        "execute",
        "executed",
        "executed-not",
        "failed",
        "float-that-does-not-return",
        "invalid",
        "load",
        "loaded",
        "loaded-without-schema",
        "log",
        "ready",
        "ready-environment",
        "ready-environment-odd",
        "rejected",
        "reply-err",
        "reply-ok",
        "two",
        "two-and-a-half",
        "verdict",
    ];
    let mut read = Vec::new();
    for input in inputs("frame") {
        if taskbay_worker::check_frames(&fs::read(&input).unwrap()) > 0 {
            read.push(input.file_name().unwrap().to_str().unwrap().to_owned());
        }
    }
    assert_eq!(read, good);
}

/// A target that only one side knows is one that is never run.
#[test]
fn the_targets_are_those_of_cargo_fuzz() {
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    for (target, _) in bodies::TARGETS {
        assert!(
            manifest.contains(&format!("name = \"{target}\"\n")),
            "{target}"
        );
        let file = fuzz().join(format!("fuzz_targets/{target}.rs"));
        let source = fs::read_to_string(file).unwrap();
        assert!(source.contains(&format!("bodies::run(\"{target}\", bytes)")));
    }
    let files = fs::read_dir(fuzz().join("fuzz_targets")).unwrap();
    assert_eq!(files.count(), bodies::TARGETS.len());
}
