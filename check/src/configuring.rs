//! What the task takes as its data, and what becomes of that.

use crate::{
    Options,
    keeping::{keys, unknown},
    loading::Loaded,
    mutation::{Mutation, mutations},
    record::Record,
    sample::sample,
    test::{Objection, Tried, fault, found, join, passed, skip},
};
use serde_json::{Value, json};
use taskbay_core::{Condition, Configured, Metadata, TaskConfigError};
use taskbay_worker::{Failure, Hosts};

/// How a task declares an example.
const DECLARE: &str =
    "declare an example with `#[schemars(example = …)]` on the type, or give task data with --data";
/// How the fixed point of a task comes to be one.
pub(crate) const SERIALISE: &str = "make the type serialise to what it is deserialised from";
/// How many documents are made up to find one that is valid.
const SAMPLES: u32 = 200;

/// Task data that the task took, and what it gave back.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    pub(crate) given: Mutation,
    pub(crate) configured: Configured,
    /// What it gave back.
    pub(crate) data: Value,
}

/// Task data that the task is to be executed with.
#[derive(Debug)]
pub(crate) struct Chosen {
    /// As it was before the task had it.
    given: Value,
    pub(crate) configured: Configured,
    /// Whether it is an example that the task's author declared.
    pub(crate) is_declared: bool,
}

/// Configures the task; the data that it is to be executed with.
pub(crate) fn run(
    loaded: &Loaded,
    worker: &Metadata,
    options: &Options,
    record: &mut Record,
) -> Option<Chosen> {
    let chosen = record.test("configure", || configure(loaded, options));
    if record.has_failed("configure") {
        return None;
    }
    let base = chosen.as_ref();
    let taken = record.test("configure-mutations", || mutate(loaded, base, options));
    if let Some(taken) = taken {
        record.test("configure-keys", || keys(loaded, &taken, options));
        record.test("configure-unknown", || unknown(loaded, &taken));
        record.test("requirements", || {
            let taken = taken.iter().map(|taken| &taken.configured);
            let base = base.map(|chosen| &chosen.configured);
            requirements(loaded, worker, base.into_iter().chain(taken))
        });
    }
    chosen
}

/// The declared examples, or `{}`; the data that the task is to be executed with.
fn configure(loaded: &Loaded, options: &Options) -> Tried<Chosen> {
    let mut hosts = options.hosts();
    let mut first = None;
    let examples = examples(loaded);
    for (number, example) in (1..).zip(&examples) {
        let configured = twice(loaded, &mut hosts, &example.to_string());
        let configured =
            configured.map_err(|objection| objection.of(&format!("example {number}")))?;
        first.get_or_insert((example.clone(), configured));
    }
    let chosen = |given, configured, is_declared| Chosen {
        given,
        configured,
        is_declared,
    };
    if let Some(data) = &options.data {
        let configured =
            twice(loaded, &mut hosts, data).map_err(|objection| objection.of("the data given"))?;
        let given = serde_json::from_str(data).unwrap_or_default();
        return found(chosen(given, configured, false), "the data given");
    }
    if let Some((given, configured)) = first {
        return found(
            chosen(given, configured, true),
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
            chosen(json!({}), twice(loaded, &mut hosts, "{}")?, false),
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
    let configured = match hosts.configure(&loaded.file, data) {
        Err(Failure::Invalid(faults)) => return of_default(data, &faults),
        configured => configured?,
    };
    match hosts.configure(&loaded.file, &configured.data) {
        Ok(again) if again == configured => Ok(configured),
        Ok(_) => fault(
            "configured again with the data that it gave back, the task gives back other data",
            SERIALISE,
        ),
        Err(Failure::Invalid(faults)) => of_default(data, &faults).map_err(|objection| {
            let back = "it refuses the data that it gave back itself";
            match objection {
                Objection::Fault { message, help } if help != DEFAULT => Objection::Fault {
                    message: format!("{back}: {message}"),
                    help: SERIALISE.to_owned(),
                },
                other => other,
            }
        }),
        Err(failure) => Err(failure.into()),
    }
}

/// What to do about a default that is refused.
const DEFAULT: &str =
    "choose another default for it, which is taken as if it were given, or have none and give it";

/// Why task data is refused: for what is in it, or for a default in the place of what is not.
fn of_default<T>(data: &str, faults: &[TaskConfigError]) -> Result<T, Objection> {
    let given: Value = serde_json::from_str(data).unwrap_or_default();
    let is_default = |fault: &TaskConfigError| given.pointer(&fault.pointer).is_none();
    if !faults.iter().any(is_default) {
        return fault(
            join(faults),
            "mend the example or the data, or what the schema and Task::check say of it",
        );
    }
    let told = faults.iter().map(|fault| {
        let told = fault.to_string();
        let what = told.strip_prefix(&fault.pointer);
        match what.filter(|_| is_default(fault)) {
            Some(what) => format!(
                "{}, which is not given and has a default{what}",
                fault.pointer
            ),
            None => told,
        }
    });
    fault(told.collect::<Vec<_>>().join("; "), DEFAULT)
}

/// Data with one thing changed is refused or taken: all but a crash is fine. Those that are taken.
fn mutate(loaded: &Loaded, chosen: Option<&Chosen>, options: &Options) -> Tried<Vec<Taken>> {
    let schema = loaded.described.schema.as_ref();
    let mut hosts = options.hosts();
    let bases = match chosen {
        // What is not given back is in the former alone, and the defaults in the latter.
        Some(Chosen {
            given, configured, ..
        }) => vec![given.clone(), read(configured)],
        None => vec![valid(loaded, &mut hosts)?],
    };
    let mut all: Vec<Mutation> = Vec::new();
    for mutation in bases.iter().flat_map(|base| mutations(base, schema)) {
        if !all.contains(&mutation) {
            all.push(mutation);
        }
    }
    let count = all.len();
    let mut taken = Vec::new();
    for given in all {
        match hosts.configure(&loaded.file, &given.data.to_string()) {
            Ok(configured) => taken.push(Taken {
                data: read(&configured),
                given,
                configured,
            }),
            Err(Failure::Invalid(_)) => {}
            Err(failure) => return Err(Objection::from(failure).of(&given.what)),
        }
    }
    let refused = count - taken.len();
    found(
        taken,
        format!("{count} variants with one thing changed: {refused} refused, no crash"),
    )
}

/// What the task gave back.
fn read(configured: &Configured) -> Value {
    serde_json::from_str(&configured.data).unwrap_or_default()
}

/// Made-up data that is valid, or some that is not where none is.
fn valid(loaded: &Loaded, hosts: &mut Hosts) -> Result<Value, Objection> {
    let any = json!({});
    let schema = loaded.described.schema.as_ref().unwrap_or(&any);
    for seed in 0..SAMPLES {
        let data = sample(schema, seed);
        match hosts.configure(&loaded.file, &data.to_string()) {
            Ok(configured) => return Ok(read(&configured)),
            Err(Failure::Invalid(_)) => {}
            Err(failure) => return Err(failure.into()),
        }
    }
    Ok(sample(schema, 0))
}

/// What it requires of its own is what it says of workers.
fn requirements<'c>(
    loaded: &Loaded,
    worker: &Metadata,
    configured: impl Iterator<Item = &'c Configured>,
) -> Tried<()> {
    let name = loaded.file.name();
    let mut count = 0;
    for requirement in configured.flat_map(|configured| &configured.requirements) {
        let key = requirement.key().as_str();
        let wants_none = matches!(requirement.condition(), Condition::Present(false));
        if name.strip_prefix(key).is_some() && worker.value(key).is_none() && !wants_none {
            return fault(
                format!(
                    "it requires `{key}`, which it does not say of this worker: each that lacks it is told that the machine is at fault"
                ),
                "say it in Task::analyze_worker on every machine, as `false`, null or 0 where there is nothing; or require \
                 what is said",
            );
        }
        count += 1;
    }
    passed(if count == 0 {
        "it requires nothing"
    } else {
        "all that it requires of its own it says of workers"
    })
}
