//! Level 4: task data that nobody thought of, made up from the task's own schema.

use crate::{
    Options,
    loading::Loaded,
    sample::sample,
    test::{Objection, Tried, fault, found},
};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use taskbay_core::{Metadata, shorten};
use taskbay_worker::{Failure, Hosts};

/// The test of this level that needs no execution.
pub(crate) const TESTS: &[&str] = &["fuzz"];

/// The tests that ask the same with data that is not made up.
pub(crate) const SAME: &[&str] = &["configure", "configure-mutations", "verdict"];

/// How many documents are tried, where there is time.
const CASES: u32 = 500;
/// When no further one is begun.
const TIME: Duration = Duration::from_secs(5);
/// How much of a document is shown, in characters.
const SHOWN: usize = 200;

/// Configures the task with made-up data, and has it judge a worker where the data is valid. `seed` is that of the first
/// case, and becomes that of the case at fault.
pub(crate) fn fuzz(loaded: &Loaded, options: &Options, seed: &mut u32) -> Tried<()> {
    let any = json!(true);
    let schema = loaded.described.schema.as_ref().unwrap_or(&any);
    let mut worker = Metadata::default();
    worker.insert(
        &loaded.file.name().prefix("version"),
        loaded.described.version,
    );
    let mut hosts = options.hosts();
    let started = Instant::now();
    let (mut tried, mut valid) = (0, 0);
    let cases = if options.reproduce.is_some() {
        1
    } else {
        CASES
    };
    while tried < cases && (tried == 0 || started.elapsed() < TIME) {
        let this = seed.wrapping_add(tried);
        let data = sample(schema, this);
        match case(loaded, &worker, &data, &mut hosts) {
            Ok(is_valid) => valid += u32::from(is_valid),
            Err(Objection::Fault { message, .. }) => {
                *seed = this;
                return fault(
                    format!(
                        "{message}, with seed {seed}: {}",
                        shorten(&data.to_string(), SHOWN)
                    ),
                    format!("`taskbay check --reproduce {seed} FILE` tries that data alone"),
                );
            }
            Err(other) => return Err(other),
        }
        tried += 1;
    }
    found(
        (),
        format!("{valid} of {tried} made-up documents are valid, from seed {seed} on"),
    )
}

/// Whether the data is valid.
fn case(
    loaded: &Loaded,
    worker: &Metadata,
    data: &Value,
    hosts: &mut Hosts,
) -> Result<bool, Objection> {
    let configured = match hosts.configure(&loaded.file, &data.to_string()) {
        Ok(configured) => configured,
        Err(Failure::Invalid(_)) => return Ok(false),
        Err(failure) => return Err(failure.into()),
    };
    let verdict = hosts.can_run(&loaded.file, &configured, worker)?;
    if verdict.has_failed() {
        let messages = verdict.reasons.iter().map(|reason| reason.message.clone());
        return fault(messages.collect::<Vec<_>>().join("; "), "");
    }
    Ok(true)
}
