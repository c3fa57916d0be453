//! `taskbay worker-set`: what counts of a worker, whatever it reports.

use crate::{args::WorkerSetArgs, error::CommandError, exit::Exit, session::Session};
use serde_json::{Map, Value, json};
use taskbay_core::Metadata;
use taskbay_engine::{Engine, Settings};

pub(crate) fn run(
    session: &Session,
    engine: &dyn Engine,
    args: &WorkerSetArgs,
) -> Result<Exit, CommandError> {
    if args.remove {
        engine.remove_worker(&args.name)?;
        let json = json!({"name": args.name, "removed": true});
        session.report.json(&json)?;
        return Ok(Exit::Success);
    }
    let set: Vec<_> = args
        .set
        .iter()
        .map(|entry| parse(entry))
        .collect::<Result<_, _>>()?;
    // It may be spoken of before it comes, and by several people at once.
    let settings = engine.change_worker(&args.name, &|settings| apply(args, &set, settings))?;
    session.report.json(&settings)?;
    Ok(Exit::Success)
}

/// Changes what the arguments speak of.
fn apply(args: &WorkerSetArgs, set: &[(String, Value)], settings: &mut Settings) {
    let entries = settings.static_metadata.iter();
    let mut metadata: Map<String, Value> = entries
        .filter(|(key, _)| !args.unset.iter().any(|unset| unset == key))
        .map(|(key, value)| (key.to_owned(), value.clone()))
        .collect();
    metadata.extend(set.iter().cloned());
    settings.static_metadata = Metadata::from(metadata);
    let listed = |names: &Vec<_>| (!names.is_empty()).then(|| names.clone());
    if let Some(allow) = &args.allow {
        settings.allow = listed(&allow.0);
    }
    if let Some(deny) = &args.deny {
        settings.deny = listed(&deny.0);
    }
    settings.draining = args.drain.unwrap_or(settings.draining);
    settings.enabled = args.enable.unwrap_or(settings.enabled);
}

/// A metadata key and its value as JSON.
fn parse(entry: &str) -> Result<(String, Value), CommandError> {
    let wrong = |reason: &str| {
        CommandError::new(Exit::Usage, format!("`--set {entry}` {reason}"))
            .help("write a key and its value as JSON, such as `--set sbuild:available=false` or `--set 'site=\"lab\"'`")
    };
    let (key, value) = entry.split_once('=').ok_or_else(|| wrong("has no `=`"))?;
    if key.is_empty() {
        return Err(wrong("has no key"));
    }
    let value = serde_json::from_str(value)
        .map_err(|error| wrong(&format!("has no JSON value: {error}")))?;
    Ok((key.to_owned(), value))
}
