//! The lines of the files that `taskbay match` reads.

use crate::{input::Line, report::note};
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::{Value, value::RawValue};
use std::{
    collections::{BTreeSet, HashSet},
    time::UNIX_EPOCH,
};
use taskbay_core::{Metadata, TaskName};
use taskbay_scheduler::{Lists, Pending, Scheduler, Worker};

/// A request.
#[derive(Debug, Deserialize)]
pub(super) struct RequestLine {
    pub(super) id: Value,
    pub(super) task_name: String,
    /// As it is written, so that the plugin gets what `validate` would give it.
    #[serde(default = "no_data")]
    pub(super) task_data: Box<RawValue>,
    #[serde(default)]
    priority: i32,
    /// In microseconds since 1970.
    #[serde(default, deserialize_with = "time")]
    created_at: i64,
}

/// A worker.
#[derive(Debug, Deserialize)]
pub(super) struct WorkerLine {
    name: String,
    metadata: Metadata,
    #[serde(default)]
    busy: bool,
    #[serde(default)]
    static_metadata: Metadata,
    #[serde(default)]
    allow: Option<BTreeSet<TaskName>>,
    #[serde(default)]
    deny: BTreeSet<TaskName>,
}

fn no_data() -> Box<RawValue> {
    RawValue::from_string("{}".to_owned()).unwrap_or_default()
}

fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else {
        return Ok(0);
    };
    // The same time zone in other words.
    let utc = text.strip_suffix("+00:00").unwrap_or(&text);
    let time = humantime::parse_rfc3339_weak(utc).map_err(|error| {
        let example = "write a time in UTC such as 2026-01-31T12:00:00Z";
        D::Error::custom(format!("`created_at` is {text:?}: {error}; {example}"))
    })?;
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(since.as_micros().try_into().unwrap_or(i64::MAX))
}

impl RequestLine {
    /// The request as it waits, under that number. Of two of the same age, the first line comes first.
    pub(super) fn pending(&self, request: u64) -> Pending {
        Pending {
            priority: self.priority,
            created: self.created_at,
            request,
        }
    }
}

/// Adds the workers. A line that is none, or has a name that was there before, costs no other, and is told of.
pub(super) fn add_workers(scheduler: &mut Scheduler, workers: Vec<Line<WorkerLine>>) {
    let mut names = HashSet::new();
    for line in workers {
        let read = line.object.and_then(|read| {
            if names.insert(read.name.clone()) {
                Ok(read)
            } else {
                Err(format!("an earlier one has the name `{}`", read.name))
            }
        });
        let read = match read {
            Ok(read) => read,
            Err(fault) => {
                let number = line.number;
                note(&format!(
                    "warning: line {number} of the workers is left out: {fault}; `taskbay match --help` shows what it should be"
                ));
                continue;
            }
        };
        let mut worker = Worker::new(read.name, read.metadata).with_static(read.static_metadata);
        worker.is_busy = read.busy;
        worker.lists = Lists {
            allow: read.allow,
            deny: read.deny,
            away: None,
        };
        scheduler.set_worker(worker);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn created(text: &str) -> Result<i64, String> {
        let line = format!(r#"{{"id": 1, "task_name": "noop", "created_at": {text}}}"#);
        let line: Result<RequestLine, _> = serde_json::from_str(&line);
        line.map(|line| line.created_at)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn times_are_in_utc() {
        assert_eq!(created("null"), Ok(0));
        assert_eq!(created(r#""1970-01-01T00:00:01.5Z""#), Ok(1_500_000));
        assert_eq!(created(r#""1970-01-01T00:00:01+00:00""#), Ok(1_000_000));
        for wrong in [r#""yesterday""#, r#""2026-01-31T12:00:00+01:00""#, "7"] {
            assert!(created(wrong).is_err(), "{wrong}");
        }
        assert!(
            created(r#""yesterday""#)
                .unwrap_err()
                .contains("write a time in UTC")
        );
    }
}
